//! Forwards in a file: CSV (RFC 4180), with a header that names the columns.

/// What the columns are called.
pub const COLUMNS: [&str; 5] = ["source", "targets", "enabled", "until", "note"];

/// A record of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The line on which it begins, from 1.
    pub line: usize,
    /// Its fields.
    pub fields: Vec<String>,
}

/// One line, with its end.
pub fn line(fields: &[&str]) -> String {
    let quoted = |field: &&str| {
        if field.contains([',', '"', '\r', '\n']) || field.starts_with(' ') || field.ends_with(' ') {
            format!("\"{}\"", field.replace('"', "\"\""))
        } else {
            (*field).to_owned()
        }
    };
    format!("{}\r\n", fields.iter().map(quoted).collect::<Vec<_>>().join(","))
}

/// All records; empty lines are none. `Err`: the line and what is wrong with it.
pub fn records(text: &str) -> Result<Vec<Record>, (usize, &'static str)> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let (mut records, mut line) = (Vec::new(), 1);
    let mut rest = text.chars().peekable();
    while rest.peek().is_some() {
        let mut record = Record { line, fields: Vec::new() };
        loop {
            let mut field = String::new();
            if rest.next_if_eq(&'"').is_some() {
                loop {
                    match rest.next() {
                        None => return Err((record.line, "has a quote that does not end")),
                        Some('"') if rest.next_if_eq(&'"').is_none() => break,
                        Some(c) => {
                            line += usize::from(c == '\n');
                            field.push(c);
                        }
                    }
                }
                if rest.peek().is_some_and(|c| !",\r\n".contains(*c)) {
                    return Err((record.line, "has something behind a quoted field"));
                }
            } else {
                while let Some(c) = rest.next_if(|c| !",\r\n".contains(*c)) {
                    field.push(c);
                }
            }
            record.fields.push(field);
            if rest.next_if_eq(&',').is_none() {
                break;
            }
        }
        rest.next_if_eq(&'\r');
        if rest.next_if_eq(&'\n').is_some() {
            line += 1;
        } else if rest.peek().is_some() {
            return Err((record.line, "ends with a bare carriage return"));
        }
        if record.fields != [""] {
            records.push(record);
        }
    }
    Ok(records)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn records_know_their_lines() {
        let found = records("a,b\r\n\n\"x\ny\",\"\"\"q\"\"\"\nlast,").unwrap();
        let told: Vec<_> = found.iter().map(|record| (record.line, record.fields.clone())).collect();
        let own = |fields: &[&str]| fields.iter().map(|field| (*field).to_owned()).collect::<Vec<_>>();
        assert_eq!(told, [(1, own(&["a", "b"])), (3, own(&["x\ny", "\"q\""])), (5, own(&["last", ""]))]);
        assert_eq!(records("a\n\"b"), Err((2, "has a quote that does not end")));
        assert_eq!(records("\"b\"c").unwrap_err().0, 1);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(rows in prop::collection::vec(prop::collection::vec("[a, \"\\n\\r$]{0,6}", 2..5), 0..5)) {
            let text: String = rows
                .iter()
                .map(|row| line(&row.iter().map(String::as_str).collect::<Vec<_>>()))
                .collect();
            let found: Vec<Vec<String>> = records(&text).unwrap().into_iter().map(|record| record.fields).collect();
            prop_assert_eq!(found, rows);
        }

        #[test]
        fn any_text_is_read_or_refused(text in "[a,\"\\r\\n \\PC]{0,40}") {
            let _ = records(&text);
        }
    }
}

//! Names of dated backups in a folder, and which of them are too old.

/// `mailctl-20261121T153000Z.tar`, and `.age` where it is encrypted. `stamp` is the time in that form.
pub fn name(project: &str, stamp: &str, encrypted: bool) -> String {
    format!("{project}-{stamp}.tar{}", if encrypted { ".age" } else { "" })
}

/// Whether a file's name is one of [`name`] for this project. Project `a` never takes those of `a-b` for its own.
pub fn is_ours(project: &str, name: &str) -> bool {
    let stamp = name
        .strip_prefix(project)
        .and_then(|rest| rest.strip_prefix('-'))
        .and_then(|rest| rest.strip_suffix(".tar").or_else(|| rest.strip_suffix(".tar.age")));
    stamp.is_some_and(is_stamp)
}

/// `YYYYMMDDThhmmssZ` (RFC 3339's basic form, UTC).
fn is_stamp(text: &str) -> bool {
    text.len() == 16
        && text.char_indices().all(|(at, c)| match at {
            8 => c == 'T',
            15 => c == 'Z',
            _ => c.is_ascii_digit(),
        })
}

/// Of the names in a folder, those of this project that are not among the newest `keep`, oldest first.
pub fn outdated<'a>(project: &str, names: &'a [String], keep: usize) -> Vec<&'a str> {
    let mut ours: Vec<&str> =
        names.iter().map(String::as_str).filter(|name| is_ours(project, name)).collect();
    // The stamp sorts like the time, and the project is the same for all.
    ours.sort_unstable();
    ours.truncate(ours.len().saturating_sub(keep));
    ours
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_oldest_of_ours_are_outdated() {
        let names: Vec<String> = [
            "mail-20261121T000000Z.tar.age",
            "mail-20261119T000000Z.tar",
            "mail-20261120T000000Z.tar",
            "mail-2-20200101T000000Z.tar",
            "mail-20200101T000000Z.tar.part",
            "mail-20200101.tar",
            "mail-old.tar",
            "notes.txt",
        ]
        .map(str::to_owned)
        .into();
        assert_eq!(outdated("mail", &names, 2), ["mail-20261119T000000Z.tar"]);
        assert_eq!(outdated("mail", &names, 3), Vec::<&str>::new());
        assert_eq!(outdated("mail-2", &names, 0), ["mail-2-20200101T000000Z.tar"]);
        assert!(is_ours("mail", &name("mail", "20261121T153000Z", true)));
    }
}

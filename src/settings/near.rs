//! "Did you mean": the known name nearest to a misspelt one.

/// The nearest of `known`, if near enough to be what was meant.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_ascii_lowercase();
    known
        .into_iter()
        .filter_map(|name| {
            let plain = name.to_ascii_lowercase();
            // Other mail systems write the same key behind a prefix: MAILSERVER_HOSTNAME, POSTFIX_RELAY_HOST.
            let prefixed = word.len() > plain.len() && word.ends_with(&format!("_{plain}"));
            let far = if prefixed { 1 } else { distance(&word, &plain) };
            (far <= 1.max(plain.len() / 3)).then_some((far, name))
        })
        .min_by_key(|(far, name)| (*far, usize::MAX - name.len()))
        .map(|(_, name)| name)
}

/// Insertions, deletions, replacements and swaps of neighbours between two words.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let replaced = above[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = replaced.min(above[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(before[j - 2] + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut above, row);
    }
    above[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::keys::KEYS;

    #[test]
    fn finds_what_was_meant() {
        let near = |word| nearest(word, KEYS.iter().map(|key| key.name));
        assert_eq!(near("DOMIAN"), Some("DOMAIN"));
        assert_eq!(near("HOST_NAME"), Some("HOSTNAME"));
        assert_eq!(near("domain"), Some("DOMAIN"));
        assert_eq!(near("MAILSERVER_HOSTNAME"), Some("HOSTNAME"));
        assert_eq!(near("ADITIONAL_DOMAINS"), Some("ADDITIONAL_DOMAINS"));
        assert_eq!(near("ports.stmp"), Some("ports.smtp"));
        assert_eq!(near("METRICS"), None);
        assert_eq!(near(""), None);
    }

    #[test]
    fn a_swap_is_one_step() {
        assert_eq!(distance("ab", "ba"), 1);
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
    }
}

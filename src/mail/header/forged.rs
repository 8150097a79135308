//! Results of checks that bear our name and did not come from us (RFC 8601 §5, RFC 7208 §9.1). Whoever reads them further
//! on takes them for ours.

use super::text::{Is, Part, parts};

/// Whether a `Received-SPF` field says that `host` made it: in `receiver=`, or at the beginning of a comment, where many
/// programs write it. One that cannot be read and has the name in it counts as well.
pub fn received_spf(value: &[u8], host: &str) -> bool {
    let Ok(all) = parts(value, ";=") else { return mentions(value, host) };
    let receiver = all.windows(3).any(|three| {
        word(&three[0]).is_some_and(|key| key.eq_ignore_ascii_case("receiver"))
            && three[1].is == Is::Sign('=')
            && word(&three[2]).is_some_and(|value| same(value, host))
    });
    receiver || all.iter().any(|part| matches!(&part.is, Is::Comment(text) if begins(text, host)))
}

/// Whether an `Authentication-Results` field of `host` has a result of SPF. One without is another program's of this
/// server, which has removed forged ones itself; one that cannot be read and has the name in it counts.
pub fn spf_result(value: &[u8], host: &str) -> bool {
    let Ok(all) = parts(value, ";=/") else { return mentions(value, host) };
    let all: Vec<&Part> = all.iter().filter(|part| !matches!(part.is, Is::Comment(_))).collect();
    if !all.first().and_then(|part| word(part)).is_some_and(|id| same(id, host)) {
        return false;
    }
    all.iter().enumerate().any(|(at, part)| {
        // `spf =`, or with a version: `spf/1 =`.
        let sign = |at: usize, sign: char| all.get(at).is_some_and(|part| part.is == Is::Sign(sign));
        word(part).is_some_and(|method| method.eq_ignore_ascii_case("spf"))
            && (sign(at + 1, '=') || sign(at + 1, '/') && sign(at + 3, '='))
    })
}

fn word(part: &Part) -> Option<&str> {
    match &part.is {
        Is::Word(text) | Is::Quoted(text) => Some(text),
        _ => None,
    }
}

fn same(name: &str, host: &str) -> bool {
    name.trim().trim_end_matches('.').eq_ignore_ascii_case(host)
}

/// `host: …`
fn begins(comment: &str, host: &str) -> bool {
    let comment = comment.trim_start();
    let (head, rest) = comment.split_at_checked(host.len()).unwrap_or_default();
    head.eq_ignore_ascii_case(host) && rest.trim_start_matches('.').trim_start().starts_with(':')
}

fn mentions(value: &[u8], host: &str) -> bool {
    value.windows(host.len().max(1)).any(|part| part.eq_ignore_ascii_case(host.as_bytes()))
}

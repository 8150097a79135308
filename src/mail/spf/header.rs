//! What an evaluation leaves in the message: `Received-SPF` (RFC 7208 §9.1) and the `spf=` of
//! `Authentication-Results` (RFC 8601 §2.7.2).

use super::{Evaluation, Identity, Request, Verdict};

/// Octets of a value that somebody else chose, at most.
const MOST: usize = 256;

/// The body of a `Received-SPF` field, without the field's name, folded before each pair (RFC 7208 §9.1).
pub fn received_spf(request: &Request<'_>, evaluation: &Evaluation) -> String {
    let mut text = format!("{} ({})", evaluation.verdict, comment(request, evaluation));
    let mut pair = |key: &str, value: &str| {
        text.push_str(&format!("\r\n\t{key}={};", value_of(value)));
    };
    pair("receiver", request.receiver);
    pair("client-ip", &request.client.to_string());
    pair("envelope-from", &sender(request));
    pair("helo", request.helo);
    pair("identity", request.identity.as_str());
    if let (None, Some(place)) = (&evaluation.trouble, evaluation.decided()) {
        // The key is "mechanism", its value the term that matched; a default has none.
        let redirect = place.term.get(..9).is_some_and(|head| head.eq_ignore_ascii_case("redirect="));
        pair("mechanism", if redirect { "default" } else { &place.term });
    }
    if let (Verdict::TempError | Verdict::PermError, Some(trouble)) =
        (evaluation.verdict, &evaluation.trouble)
    {
        pair("problem", &trouble.to_string());
    }
    // The last pair has no semicolon behind it.
    text.pop();
    text
}

/// One result of an `Authentication-Results` field, as in `spf=pass smtp.mailfrom=example.org`. Of the sender only
/// the domain is told, as that is what was verified (RFC 8601 §2.7.2).
pub fn authentication_result(request: &Request<'_>, evaluation: &Evaluation) -> String {
    let property = match request.identity {
        Identity::MailFrom => "smtp.mailfrom",
        Identity::Helo => "smtp.helo",
    };
    format!(
        "spf={} ({}) {property}={}",
        evaluation.verdict,
        comment(request, evaluation),
        value_of(request.domain)
    )
}

fn sender(request: &Request<'_>) -> String {
    format!("{}@{}", request.local, request.domain)
}

/// In words for people, safe within parentheses (RFC 5322 §3.2.2).
fn comment(request: &Request<'_>, evaluation: &Evaluation) -> String {
    let (client, domain) = (request.client, request.domain);
    let said = match evaluation.verdict {
        Verdict::None => format!("{domain} has no SPF record"),
        Verdict::Neutral => format!("{domain} says nothing of {client}"),
        Verdict::Pass => format!("{domain} lets {client} send"),
        Verdict::Fail => format!("{domain} does not let {client} send"),
        Verdict::SoftFail => format!("{domain} would rather not let {client} send"),
        Verdict::TempError => format!("the record of {domain} could not be read"),
        Verdict::PermError => format!("the record of {domain} is broken"),
    };
    let mut text = plain(&format!("{}: {said}", request.receiver));
    text = text.replace('\\', "\\\\").replace('(', "\\(").replace(')', "\\)");
    text
}

/// A dot-atom as it is, anything else as a quoted string (RFC 7208 §9.1, RFC 5322 §3.2.3, §3.2.4).
fn value_of(value: &str) -> String {
    let text = plain(value);
    let atom = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~.".contains(&b);
    let dots = text.starts_with('.') || text.ends_with('.') || text.contains("..");
    if !text.is_empty() && !dots && text.bytes().all(atom) {
        return text;
    }
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// Printable ASCII only, so no line can be begun and no field forged; no longer than it has to be.
fn plain(value: &str) -> String {
    let show = |c: char| if c == ' ' || c.is_ascii_graphic() { c } else { '?' };
    value.chars().take(MOST).map(show).collect()
}

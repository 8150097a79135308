//! One published record against the key that should stand there.

use super::Place;
use crate::mail::{
    check::codes,
    dns::Data,
    finding::Finding,
    server::Stage,
    tags::{self, Tag},
};
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};

/// Everything that can be said of the record.
pub(super) fn record(place: &Place<'_>, published: &Data) -> Vec<Finding> {
    let text = published.text().unwrap_or_default();
    let retired = place.key.stage == Stage::Retired;
    let tags = match read(place, &text) {
        Ok(tags) => tags,
        Err(finding) => return vec![*finding],
    };
    let value = |name: &str| tags.iter().find(|tag| tag.name == name).map(|tag| tag.value);
    let public = value("p").unwrap_or_default();
    if retired {
        return vec![if public.is_empty() {
            place.told(&codes::DKIM_OK, "retired, and its record says so")
        } else {
            place
                .wrong(&codes::DKIM_NOT_RETIRED, "retired, and its record still vouches for it")
                .remedy("whoever has the old private key can still sign; publish the empty record")
        }];
    }
    if let Some(finding) = other(place, &tags, public) {
        return vec![finding];
    }
    let mut findings = usable(place, &tags);
    if public.contains(char::is_whitespace) {
        findings.push(
            place
                .wrong(&codes::DKIM_BLANKS, "blanks stand inside the key; some verifiers stumble over them")
                .remedy("join the pieces without a blank between them"),
        );
    }
    findings.extend(size(place));
    if findings.is_empty() {
        let does = if place.key.stage == Stage::Pending { "published; it may sign now" } else { "published" };
        findings.push(place.told(&codes::DKIM_OK, does));
    }
    findings
}

/// The tags, or the finding that says why there are none (RFC 6376 §3.6.1).
fn read<'a>(place: &Place<'_>, text: &'a str) -> Result<Vec<Tag<'a>>, Box<Finding>> {
    if text.contains('"') {
        let summary = "quotes are part of the record: the form wants the text without them";
        let finding = place.wrong(&codes::DKIM_QUOTES, summary);
        return Err(Box::new(
            finding.remedy("fill in the text without quotes, as mailctl dkim show prints it"),
        ));
    }
    if text.contains('\\') {
        let summary = "backslashes are part of the record: the form wants the text without them";
        let finding = place.wrong(&codes::DKIM_BACKSLASH, summary);
        return Err(Box::new(
            finding.remedy("fill in the text without backslashes, as mailctl dkim show prints it"),
        ));
    }
    let syntax = |what: String| {
        let finding = place.wrong(&codes::DKIM_SYNTAX, what);
        Box::new(finding.remedy("put the expected record in its place"))
    };
    let tags = tags::parse(text).map_err(|part| syntax(format!("cannot be read at {part:?}")))?;
    if let Some(name) = tags::doubled(&tags) {
        return Err(syntax(format!("the tag {name}= stands twice")));
    }
    match tags.iter().position(|tag| tag.name == "v") {
        Some(0) | None if tags.iter().all(|tag| tag.name != "v" || tag.value == "DKIM1") => {}
        _ => return Err(syntax("v=DKIM1 must be its first tag, written so".to_owned())),
    }
    if !tags.iter().any(|tag| tag.name == "p") {
        return Err(syntax("it has no p= with the key".to_owned()));
    }
    Ok(tags)
}

/// Whether the key in it is another one than ours, and how that came.
fn other(place: &Place<'_>, tags: &[Tag<'_>], public: &str) -> Option<Finding> {
    let ours = &place.key.record;
    if public.is_empty() {
        let summary = "withdrawn: an empty p= tells everybody not to believe it";
        return Some(
            place
                .wrong(&codes::DKIM_REVOKED, summary)
                .remedy("publish the key again, or sign with a new one: mailctl dkim generate"),
        );
    }
    // RFC 6376 §3.6.1: k= is "rsa" where it is left out.
    let algorithm = tags.iter().find(|tag| tag.name == "k").map_or("rsa", |tag| tag.value);
    if algorithm != ours.algorithm.as_str() {
        let summary = format!("published as k={algorithm}, and it is a key of {}", ours.algorithm);
        return Some(place.wrong(&codes::DKIM_TYPE, summary).remedy("put the expected record in its place"));
    }
    let wanted = BASE64.encode(&ours.public);
    let found: String = public.chars().filter(|c| !c.is_whitespace()).collect();
    if found == wanted {
        return None;
    }
    let (code, summary) = damage(&found, &wanted);
    Some(place.wrong(&code, summary).remedy(if code == codes::DKIM_OTHER_KEY {
        "publish our record in its place; or, where another server signs with that key, give ours a selector of its own: mailctl dkim generate --selector NEW"
    } else {
        "put the expected record in its place; the strings join without a blank"
    }))
}

/// What happened to the key on its way into the zone.
fn damage(found: &str, wanted: &str) -> (super::Code, String) {
    let (there, all) = (found.len(), wanted.len());
    if wanted.starts_with(found) {
        return (codes::DKIM_TRUNCATED, format!("cut off: {there} of the {all} characters of the key"));
    }
    if there < all {
        let head = common(found.bytes(), wanted.bytes());
        let tail = common(found.bytes().rev(), wanted.bytes().rev());
        if head + tail >= there && there > 0 {
            let summary = format!("a piece of {} characters is missing in the key", all - there);
            return (codes::DKIM_PIECES, summary);
        }
    }
    if there == all && found.eq_ignore_ascii_case(wanted) {
        return (codes::DKIM_CASE, "capital and small letters of the key were changed".to_owned());
    }
    if there == all && sorted(found) == sorted(wanted) {
        return (codes::DKIM_PIECES, "the pieces of the key stand in another order".to_owned());
    }
    if BASE64.decode(found).is_err() {
        return (codes::DKIM_SYNTAX, "the key in p= is not base64".to_owned());
    }
    (codes::DKIM_OTHER_KEY, "another key than ours is published".to_owned())
}

fn common(one: impl Iterator<Item = u8>, other: impl Iterator<Item = u8>) -> usize {
    one.zip(other).take_while(|(a, b)| a == b).count()
}

fn sorted(text: &str) -> Vec<u8> {
    let mut octets = text.as_bytes().to_vec();
    octets.sort_unstable();
    octets
}

/// Tags that keep a right key from being used.
fn usable(place: &Place<'_>, tags: &[Tag<'_>]) -> Vec<Finding> {
    let value = |name: &str| tags.iter().find(|tag| tag.name == name).map(|tag| tag.value);
    let holds = |list: &str, wanted: &[&str]| list.split(':').any(|item| wanted.contains(&item.trim()));
    let mut findings = Vec::new();
    if let Some(hashes) = value("h").filter(|list| !holds(list, &["sha256"])) {
        let summary = format!("h={hashes} forbids sha256, with which we sign");
        findings.push(place.wrong(&codes::DKIM_HASH, summary).remedy("take h= out of the record"));
    }
    if let Some(services) = value("s").filter(|list| !holds(list, &["*", "email"])) {
        let summary = format!("s={services} does not let it sign mail");
        findings.push(place.wrong(&codes::DKIM_SERVICE, summary).remedy("take s= out of the record"));
    }
    if value("t").is_some_and(|list| holds(list, &["y"])) {
        let summary = "t=y says that this is a test: receivers act as if nothing were signed";
        findings.push(place.wrong(&codes::DKIM_TESTING, summary).remedy("take t=y out of the record"));
    }
    findings
}

/// RFC 8301 §3.2: at least 1024 bits, better 2048.
fn size(place: &Place<'_>) -> Option<Finding> {
    let bits = place.key.record.bits()?;
    if bits >= 2048 {
        return None;
    }
    let code = if bits < 1024 { &codes::DKIM_WEAK } else { &codes::DKIM_SMALL };
    Some(
        place
            .told(code, format!("an RSA key of {bits} bits"))
            .found(format!("RSA, {bits} bits"))
            .expected("RSA, 2048 bits or more")
            .remedy(format!("mailctl dkim generate {} --selector NEW --bits 2048", place.domain)),
    )
}

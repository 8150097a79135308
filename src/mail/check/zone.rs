//! For the tests of the judgements: a small world of records, as text, that answers every question.

use super::{Options, codes};
use crate::mail::{
    address::{Domain, Selector},
    dkim::{Algorithm, Record},
    dns::{Answer, Data, Fetched, Inquiry, Kind, Known, Name, Outcome, Proof, Question, Silence, Whom},
    finding::{Finding, Verdict},
    server::{Key, Served, Server, Services, Stage},
};
use std::collections::BTreeMap;

/// `mail.example.org` at 192.0.2.25 and 2001:db8::25.
pub fn server() -> Server {
    Server {
        host: Domain::parse("mail.example.org").unwrap(),
        addresses: vec!["192.0.2.25".parse().unwrap(), "2001:db8::25".parse().unwrap()],
        services: Services {
            submissions: 465,
            submission: 587,
            imaps: 993,
            imap: 143,
            ..Services::default()
        },
        spki: vec![[7; 32]],
        policy: None,
        relay: None,
    }
}

/// `example.org`, one RSA key of 2048 bits that signs.
pub fn served() -> Served {
    let key = Key { selector: Selector::parse("m202611").unwrap(), record: rsa(2048), stage: Stage::Active };
    Served { domain: Domain::parse("example.org").unwrap(), keys: vec![key] }
}

/// A record with a real key of so many bits, the same every time.
pub fn rsa(bits: u32) -> Record {
    use std::sync::OnceLock;
    static KEYS: OnceLock<BTreeMap<u32, Vec<u8>>> = OnceLock::new();
    let keys = KEYS.get_or_init(|| {
        let make = |bits| (bits, openssl::rsa::Rsa::generate(bits).unwrap().public_key_to_der().unwrap());
        [1024, 2048].map(make).into()
    });
    Record { algorithm: Algorithm::Rsa, public: keys[&bits].clone() }
}

/// Answers every question of `judge` from the lines of `zone` until nothing is missing.
///
/// `NAME TYPE DATA`; TXT in quotes, each string apart. `NAME TYPE !timeout`, `!servfail`, `!refused`: silence.
/// `NAME !secure`, `!insecure`, `!bogus`: what DNSSEC says of the name. A line that begins with `@ADDRESS` is
/// what that name server says; `https://URL STATUS TEXT` is a page.
pub fn settled<T>(zone: &str, judge: impl Fn(&Inquiry<'_>) -> Option<T>) -> T {
    settled_by(|question| answer(zone, question, 0), |url| page(zone, url), judge)
}

/// The same, with answers from wherever.
pub fn settled_by<T>(
    answer: impl Fn(&Question) -> Answer,
    page: impl Fn(&str) -> Fetched,
    judge: impl Fn(&Inquiry<'_>) -> Option<T>,
) -> T {
    let mut known = Known::default();
    for _ in 0..20 {
        let inquiry = Inquiry::new(&known);
        let judged = judge(&inquiry);
        let missing = inquiry.missing();
        if missing.is_empty() {
            return judged.expect("nothing is missing, so there is a judgement");
        }
        for question in missing.questions {
            let answer = answer(&question);
            known.answers.insert(question, answer);
        }
        for url in missing.pages {
            let page = page(&url);
            known.pages.insert(url, page);
        }
    }
    panic!("more than 20 rounds");
}

/// What the lines say to a question.
pub fn answer(zone: &str, question: &Question, depth: usize) -> Answer {
    let mut found = Vec::new();
    let mut exists = false;
    let mut answer = Answer::new(Outcome::Nothing { exists });
    if question.whom == Whom::Validating {
        answer.proof = Proof::Insecure;
    }
    for line in zone.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let (whom, words) = match words[0].strip_prefix('@') {
            Some(at) => (Whom::Server(at.parse().unwrap()), &words[1..]),
            None => (Whom::Resolver, &words[..]),
        };
        let asked = if question.whom == Whom::Validating { Whom::Resolver } else { question.whom };
        if whom != asked || words[0].starts_with("https:") || Name::parse(words[0]).unwrap() != question.name
        {
            continue;
        }
        exists = true;
        if question.whom == Whom::Validating {
            match words[1] {
                "!secure" => answer.proof = Proof::Secure,
                "!bogus" => answer.proof = Proof::Bogus,
                _ => {}
            }
        }
        answer.authoritative |= matches!(whom, Whom::Server(_)) && !words.contains(&"!lame");
        if words[1] == "CNAME" && depth < 8 && question.kind != Kind::Cname {
            let target = Name::parse(words[2]).unwrap();
            let mut next =
                self::answer(zone, &Question { name: target.clone(), ..question.clone() }, depth + 1);
            next.aliases.insert(0, target);
            return next;
        }
        if words[1] != question.kind.as_str() {
            continue;
        }
        match words[2] {
            "!timeout" => return Answer::new(Outcome::Silent(Silence::Timeout)),
            "!servfail" => return Answer::new(Outcome::Silent(Silence::ServFail)),
            "!refused" => return Answer::new(Outcome::Silent(Silence::Refused)),
            _ => found.push(data(question.kind, &words[2..], line)),
        }
    }
    answer.outcome = if found.is_empty() { Outcome::Nothing { exists } } else { Outcome::Found(found) };
    answer
}

fn data(kind: Kind, words: &[&str], line: &str) -> Data {
    let name = |text: &str| Name::parse(text).unwrap();
    match kind {
        Kind::A => Data::A(words[0].parse().unwrap()),
        Kind::Aaaa => Data::Aaaa(words[0].parse().unwrap()),
        Kind::Caa => Data::Caa {
            critical: words[0] == "128",
            tag: words[1].to_owned(),
            value: words[2..].join(" ").trim_matches('"').to_owned(),
        },
        Kind::Cname => Data::Cname(name(words[0])),
        Kind::Mx => Data::Mx { preference: words[0].parse().unwrap(), exchange: name(words[1]) },
        Kind::Ns => Data::Ns(name(words[0])),
        Kind::Ptr => Data::Ptr(name(words[0])),
        Kind::Soa => Data::Soa { primary: name(words[0]), serial: words[1].parse().unwrap() },
        Kind::Srv => Data::Srv {
            priority: words[0].parse().unwrap(),
            weight: words[1].parse().unwrap(),
            port: words[2].parse().unwrap(),
            target: name(words[3]),
        },
        Kind::Tlsa => Data::Tlsa {
            usage: words[0].parse().unwrap(),
            selector: words[1].parse().unwrap(),
            matching: words[2].parse().unwrap(),
            data: (0..words[3].len() / 2)
                .map(|at| u8::from_str_radix(&words[3][2 * at..2 * at + 2], 16).unwrap())
                .collect(),
        },
        Kind::Txt => Data::Txt(strings(line)),
    }
}

/// The quoted strings of a line; `\"` is a quote within one.
fn strings(line: &str) -> Vec<Vec<u8>> {
    let mut strings = Vec::new();
    let mut open: Option<Vec<u8>> = None;
    let mut octets = line.bytes();
    while let Some(octet) = octets.next() {
        match (octet, &mut open) {
            (b'"', None) => open = Some(Vec::new()),
            (b'"', Some(_)) => strings.extend(open.take()),
            (b'\\', Some(text)) => text.extend(octets.next()),
            (_, Some(text)) => text.push(octet),
            (_, None) => {}
        }
    }
    strings
}

/// The page of a URL.
pub fn page(zone: &str, url: &str) -> Fetched {
    let line = zone.lines().map(str::trim).find_map(|line| line.strip_prefix(url)?.strip_prefix(' '));
    match line.map(|line| line.split_once(' ').unwrap_or((line, ""))) {
        None => Fetched::Silent("connection refused".to_owned()),
        Some(("!untrusted", why)) => Fetched::Untrusted(why.to_owned()),
        Some((status, text)) => Fetched::Body {
            status: status.parse().unwrap(),
            media: "text/plain".to_owned(),
            text: text.replace("\\n", "\n"),
        },
    }
}

/// The codes of findings that are not ok, or of all of them where all are.
pub fn told(findings: &[Finding]) -> Vec<&'static str> {
    for finding in findings {
        let code = codes::ALL.iter().find(|code| code.name == finding.code).expect("in the table");
        assert_eq!((code.subject, code.verdict), (finding.subject, finding.verdict));
        let helped = !finding.remedy.is_empty() || !finding.publish.is_empty();
        assert!(finding.verdict == Verdict::Ok || helped, "{} has no remedy: {finding:?}", finding.code);
    }
    let wrong: Vec<&str> = findings
        .iter()
        .filter(|finding| finding.verdict != Verdict::Ok)
        .map(|finding| finding.code)
        .collect();
    if wrong.is_empty() { findings.iter().map(|finding| finding.code).collect() } else { wrong }
}

/// What a judge of domains says of this zone, as codes.
pub fn codes_of(judge: super::Judge, zone: &str) -> Vec<&'static str> {
    told(&findings_of(judge, zone))
}

/// What a judge of domains says of this zone.
pub fn findings_of(judge: super::Judge, zone: &str) -> Vec<Finding> {
    settled(zone, |inquiry| judge(inquiry, &server(), &served(), &Options::default()))
}

/// What a judge of hosts says of this zone, as codes.
pub fn host_codes(judge: super::HostJudge, zone: &str) -> Vec<&'static str> {
    told(&settled(zone, |inquiry| judge(inquiry, &server(), &Options::default())))
}

//! SPF: the first line is the sender, the second the greeting, the others are records of a.example, b.example, ….
#![no_main]

use libfuzzer_sys::fuzz_target;
use mailctl::mail::{
    dns::{Answer, Data, Inquiry, Kind, Known, Name, Outcome},
    spf::{Record, Request, check_host, received_spf, survey},
};

fuzz_target!(|bytes: &[u8]| {
    let mut lines = bytes.split(|&b| b == b'\n');
    let mut text = || String::from_utf8_lossy(lines.next().unwrap_or_default()).into_owned();
    let (sender, helo) = (text(), text());
    let records: Vec<Vec<u8>> = lines.map(<[u8]>::to_vec).collect();
    for record in records.iter().filter(|record| Record::is_one(record)) {
        assert_eq!(Record::parse(record).is_err(), !Record::faults(record).is_empty());
    }
    let answer = |name: &Name, kind: Kind| {
        let at = name.as_str().bytes().next().map_or(0, |b| usize::from(b.wrapping_sub(b'a')));
        let record = records.get(at).filter(|_| kind == Kind::Txt);
        let found = match (kind, record) {
            (Kind::Txt, Some(record)) => Data::Txt(vec![record.clone()]),
            (Kind::A, _) if at % 3 == 1 => Data::A([192, 0, 2, 9].into()),
            (Kind::Mx, _) => Data::Mx { preference: 1, exchange: name.clone() },
            (Kind::Ptr, _) => Data::Ptr(Name::parse("a.example").unwrap()),
            _ => return Answer::new(Outcome::Nothing { exists: true }),
        };
        Answer::new(Outcome::Found(vec![found]))
    };
    let request = Request::mail_from([192, 0, 2, 1].into(), &sender, &helo);
    let domain = Name::parse("a.example").unwrap();
    let mut known = Known::default();
    let (mut evaluated, mut surveyed) = (None, None);
    for _ in 0..160 {
        let inquiry = Inquiry::new(&known);
        evaluated = check_host(&inquiry, &request);
        surveyed = survey(&inquiry, &domain);
        let missing = inquiry.missing();
        if missing.is_empty() {
            break;
        }
        for question in missing.questions {
            let answer = answer(&question.name, question.kind);
            known.answers.insert(question, answer);
        }
    }
    let evaluated = evaluated.expect("ends");
    surveyed.expect("ends");
    assert!(evaluated.lookups <= 10 && evaluated.voids <= 3);
    let header = received_spf(&request, &evaluated);
    assert!(header.bytes().all(|b| b.is_ascii_graphic() || b" \r\n\t".contains(&b)));
    assert_eq!(header.matches('\n').count(), header.matches("\r\n\t").count());
});

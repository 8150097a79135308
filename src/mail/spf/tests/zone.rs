//! DNS as a value: a few records in a line, and whoever asks is answered from them.

use super::dns::{Answer, Data, Inquiry, Known, Name, Outcome, Question, Silence};
use std::collections::BTreeMap;

/// Names with their records; `None` stands for a name server that does not answer.
#[derive(Clone, Debug, Default)]
pub struct Zone {
    names: BTreeMap<Name, Vec<Option<Data>>>,
}

impl Zone {
    /// `NAME KIND VALUE`, parted by semicolons; `NAME SILENT`: what else is asked there is not answered.
    pub fn parse(text: &str) -> Self {
        let mut zone = Self::default();
        for line in text.split(';').map(str::trim).filter(|line| !line.is_empty()) {
            let (name, rest) = line.split_once(' ').unwrap();
            let (kind, value) = rest.split_once(' ').unwrap_or((rest, ""));
            zone.add(name, data(kind, value));
        }
        zone
    }

    pub fn add(&mut self, name: &str, data: Option<Data>) {
        self.names.entry(Name::parse_expanded(name).unwrap()).or_default().push(data);
    }

    pub fn answer(&self, question: &Question) -> Answer {
        let mut name = question.name.clone();
        for _ in 0..8 {
            let Some(all) = self.names.get(&name) else {
                return Answer::new(Outcome::Nothing { exists: false });
            };
            let of_kind = |data: &&Option<Data>| data.as_ref().is_some_and(|d| d.kind() == question.kind);
            let found: Vec<Data> = all.iter().filter(of_kind).flatten().cloned().collect();
            if !found.is_empty() {
                return Answer::new(Outcome::Found(found));
            }
            let alias = all.iter().flatten().find_map(|data| match data {
                Data::Cname(target) => Some(target.clone()),
                _ => None,
            });
            match alias {
                Some(target) => name = target,
                None if all.contains(&None) => return Answer::new(Outcome::Silent(Silence::Timeout)),
                None => return Answer::new(Outcome::Nothing { exists: true }),
            }
        }
        Answer::new(Outcome::Silent(Silence::ServFail))
    }

    /// Asks and calls again until it knows; what came, how many rounds it took, and what was asked.
    pub fn drive<T>(&self, judge: impl Fn(&Inquiry<'_>) -> Option<T>) -> (T, usize, Known) {
        let mut known = Known::default();
        for rounds in 0..100 {
            let inquiry = Inquiry::new(&known);
            let judged = judge(&inquiry);
            let missing = inquiry.missing();
            if let Some(judged) = judged {
                return (judged, rounds, known);
            }
            assert!(!missing.is_empty(), "nothing is missing, and nothing is known");
            for question in missing.questions {
                let answer = self.answer(&question);
                assert!(known.answers.insert(question, answer).is_none());
            }
        }
        panic!("never ends");
    }
}

pub fn data(kind: &str, value: &str) -> Option<Data> {
    let name = |text: &str| Name::parse_expanded(if text.is_empty() { "." } else { text }).unwrap();
    Some(match kind {
        "A" => Data::A(value.parse().unwrap()),
        "AAAA" => Data::Aaaa(value.parse().unwrap()),
        "TXT" => Data::Txt(value.split('|').map(|part| part.as_bytes().to_vec()).collect()),
        "PTR" => Data::Ptr(name(value)),
        "CNAME" => Data::Cname(name(value)),
        "MX" => {
            let (preference, exchange) = value.split_once(' ').unwrap();
            Data::Mx { preference: preference.parse().unwrap(), exchange: name(exchange) }
        }
        "SILENT" => return None,
        _ => panic!("{kind}"),
    })
}

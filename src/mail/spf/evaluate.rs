//! `check_host()` (RFC 7208 §4).

use super::{
    evaluation::{Evaluation, Place, Trouble, Verdict},
    macros::MacroString,
    record::{Mechanism, Qualifier, Record, Term},
    request::Request,
};
use crate::mail::dns::{Answer, Data, Inquiry, Kind, Name, Outcome, Question};
use std::borrow::Cow;

/// Terms that may ask DNS (RFC 7208 §4.6.4).
pub(super) const LOOKUPS: usize = 10;

/// Evaluates who sends. `None`: something is not known yet and was asked for; add the answers and call again. That
/// ends after at most as many rounds as records lead on from each other, and two.
pub fn check_host(inquiry: &Inquiry<'_>, request: &Request<'_>) -> Option<Evaluation> {
    let mut run = Run {
        inquiry,
        request: &Request { client: request.client.to_canonical(), ..request.clone() },
        lookups: 0,
        voids: 0,
        spare: None,
        within: Vec::new(),
        path: Vec::new(),
        fail: None,
    };
    let ended = match request.name() {
        Some(domain) => run.evaluate(&domain, 0),
        None => Err(Trouble::BadDomain(request.domain.chars().take(80).collect()).into()),
    };
    let (verdict, trouble) = match ended {
        Ok(verdict) => (verdict, None),
        Err(Halt::Missing) => return None,
        Err(Halt::Trouble(trouble)) => (trouble.verdict(), Some(*trouble)),
    };
    let explanation = match run.fail.take() {
        Some((target, domain)) => run.explanation(&target, &domain)?,
        None => None,
    };
    run.path.reverse();
    Some(Evaluation { verdict, path: run.path, trouble, explanation, lookups: run.lookups, voids: run.voids })
}

/// Why an evaluation cannot go on.
pub(super) enum Halt {
    /// Something is not known yet, and was asked for.
    Missing,
    /// It ends here.
    Trouble(Box<Trouble>),
}

impl From<Trouble> for Halt {
    fn from(trouble: Trouble) -> Self {
        Self::Trouble(Box::new(trouble))
    }
}

/// One pass of one evaluation.
pub(super) struct Run<'r, 'i> {
    pub inquiry: &'r Inquiry<'i>,
    pub request: &'r Request<'r>,
    pub lookups: usize,
    pub voids: usize,
    /// Once something is missing: how many more terms are worth asking for ahead.
    pub spare: Option<usize>,
    /// The domains whose records are being evaluated.
    within: Vec<Name>,
    /// The innermost first.
    path: Vec<Place>,
    /// Where the explanation of a fail stands, and whose record says so.
    fail: Option<(MacroString, Name)>,
}

/// What came of comparing one mechanism.
pub(super) enum Match {
    Yes,
    No,
    /// No, and it asked for what does not exist.
    Void,
}

impl Run<'_, '_> {
    /// The record of `domain`, `depth` includes deep.
    fn evaluate(&mut self, domain: &Name, depth: usize) -> Result<Verdict, Halt> {
        let record = parsed(self.inquiry, domain)?;
        self.within.push(domain.clone());
        for (position, word, term) in record.terms() {
            let Term::Directive(qualifier, mechanism) = term else { continue };
            let mark = self.path.len();
            let place = || Place { domain: domain.clone(), position, term: word.to_owned() };
            let compared = self.count(term).and_then(|()| match mechanism {
                Mechanism::Include(target) => self.include(target, domain, depth),
                other => self.compare(other, domain).and_then(|matched| self.void(matched)),
            });
            match compared {
                Ok(false) => self.path.truncate(mark),
                Ok(true) => {
                    self.path.push(place());
                    if *qualifier == Qualifier::Fail && depth == 0 {
                        self.fail = record.explanation().map(|target| (target.clone(), domain.clone()));
                    }
                    self.within.pop();
                    return Ok(qualifier.verdict());
                }
                Err(Halt::Missing) => {
                    self.ahead(&record, position, domain);
                    return Err(Halt::Missing);
                }
                Err(trouble) => {
                    self.path.push(place());
                    return Err(trouble);
                }
            }
        }
        let Some((position, word, target)) = record.redirect() else {
            self.within.pop();
            return Ok(Verdict::Neutral);
        };
        let verdict = self.counted().and_then(|()| {
            let target = self.target(target, domain)?;
            self.evaluate(&target, depth).map_err(nothing_to_lead_to)
        });
        if !matches!(verdict, Err(Halt::Missing)) {
            self.path.push(Place { domain: domain.clone(), position, term: word.to_owned() });
        }
        self.within.pop();
        verdict
    }

    /// RFC 7208 §5.2: only a pass is a match.
    fn include(&mut self, target: &MacroString, domain: &Name, depth: usize) -> Result<bool, Halt> {
        let target = self.target(target, domain)?;
        match self.evaluate(&target, depth + 1) {
            Ok(verdict) => Ok(verdict == Verdict::Pass),
            Err(halt) => Err(nothing_to_lead_to(halt)),
        }
    }

    /// Where an include or a redirect leads to.
    fn target(&self, target: &MacroString, domain: &Name) -> Result<Name, Halt> {
        let text = self.expanded(target, domain)?;
        let name = Name::parse_expanded(&text).ok().filter(|name| name.labels().count() > 1);
        let name = name.ok_or_else(|| Trouble::BadTarget(text.chars().take(80).collect()))?;
        if self.within.contains(&name) { Err(Trouble::Loop(name).into()) } else { Ok(name) }
    }

    fn count(&mut self, term: &Term) -> Result<(), Halt> {
        if term.asks() { self.counted() } else { Ok(()) }
    }

    fn counted(&mut self) -> Result<(), Halt> {
        if self.lookups == LOOKUPS {
            return Err(Trouble::LookupLimit.into());
        }
        self.lookups += 1;
        Ok(())
    }

    /// A term counts once, however many of its questions were in vain (RFC 7208 §4.6.4: "the number of terms").
    fn void(&mut self, matched: Match) -> Result<bool, Halt> {
        if let Match::Void = matched {
            self.voids += 1;
            if self.voids > self.request.voids {
                return Err(Trouble::VoidLimit(self.request.voids).into());
            }
        }
        Ok(matches!(matched, Match::Yes))
    }
}

impl Qualifier {
    fn verdict(self) -> Verdict {
        match self {
            Self::Pass => Verdict::Pass,
            Self::Fail => Verdict::Fail,
            Self::SoftFail => Verdict::SoftFail,
            Self::Neutral => Verdict::Neutral,
        }
    }
}

/// What is "none" of the sender's own domain is an error of whoever leads there (RFC 7208 §5.2, §6.1).
fn nothing_to_lead_to(halt: Halt) -> Halt {
    match halt {
        Halt::Trouble(trouble) => Halt::Trouble(Box::new(match *trouble {
            Trouble::NoDomain(name) | Trouble::NoRecord(name) => Trouble::TargetWithoutRecord(name),
            other => other,
        })),
        Halt::Missing => Halt::Missing,
    }
}

/// The record of a domain, without a fault (RFC 7208 §4.4 to §4.6).
pub(super) fn parsed(inquiry: &Inquiry<'_>, domain: &Name) -> Result<Record, Halt> {
    let question = Question::new(domain, Kind::Txt);
    let Some(answer) = inquiry.ask(question) else { return Err(Halt::Missing) };
    let octets = selected(answer, domain)?;
    Record::parse(&octets).map_err(|fault| Trouble::Syntax(domain.clone(), fault).into())
}

/// The one SPF record among a domain's TXT records (RFC 7208 §4.5).
pub(super) fn selected<'a>(answer: &'a Answer, domain: &Name) -> Result<Cow<'a, [u8]>, Trouble> {
    let records = match &answer.outcome {
        Outcome::Found(records) => records,
        Outcome::Nothing { exists: true } => return Err(Trouble::NoRecord(domain.clone())),
        Outcome::Nothing { exists: false } => return Err(Trouble::NoDomain(domain.clone())),
        Outcome::Silent(why) => {
            return Err(Trouble::Silent(Question::new(domain, Kind::Txt), why.clone()));
        }
    };
    let mut all = records.iter().filter_map(joined).filter(|text| Record::is_one(text));
    let Some(first) = all.next() else { return Err(Trouble::NoRecord(domain.clone())) };
    match all.count() {
        0 => Ok(first),
        more => Err(Trouble::ManyRecords(domain.clone(), more + 1)),
    }
}

/// The strings of a TXT record without anything between them (RFC 7208 §3.3).
pub(super) fn joined(data: &Data) -> Option<Cow<'_, [u8]>> {
    match data {
        Data::Txt(strings) => Some(match &strings[..] {
            [one] => Cow::Borrowed(one.as_slice()),
            many => Cow::Owned(many.concat()),
        }),
        _ => None,
    }
}

//! `Inquiry`: what is known, and what a judgement still missed.

use super::{Answer, Data, Kind, Name, Outcome, Question, Silence, Whom};
use std::{
    cell::RefCell,
    collections::{HashMap, HashSet},
};

/// What came of asking a web server for one small text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fetched {
    /// Status and body; redirects are not followed (RFC 8461 §3.3).
    Body {
        /// HTTP status.
        status: u16,
        /// Media type, without parameters, in lower case.
        media: String,
        /// The text.
        text: String,
    },
    /// The server's certificate is not valid for the name; the text says how.
    Untrusted(String),
    /// Nothing came; the text says why.
    Silent(String),
}

/// Everything that is known so far.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// Answers of DNS.
    pub answers: HashMap<Question, Answer>,
    /// Texts by their `https://` URL.
    pub pages: HashMap<String, Fetched>,
}

impl Known {
    /// Adds records, as a zone would have them; for tests and for what is known without asking.
    pub fn add(&mut self, name: &Name, data: Data) {
        let question = Question { name: name.clone(), kind: data.kind(), whom: Whom::Resolver };
        let answer = self.answers.entry(question).or_insert_with(|| Answer::new(Outcome::Found(Vec::new())));
        match &mut answer.outcome {
            Outcome::Found(records) => records.push(data),
            outcome => *outcome = Outcome::Found(vec![data]),
        }
    }

    /// Nobody answers this question.
    pub fn silence(&mut self, name: &Name, kind: Kind, why: Silence) {
        let question = Question { name: name.clone(), kind, whom: Whom::Resolver };
        self.answers.insert(question, Answer::new(Outcome::Silent(why)));
    }
}

/// What was missed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Missing {
    /// Questions to DNS.
    pub questions: HashSet<Question>,
    /// URLs.
    pub pages: HashSet<String>,
}

impl Missing {
    /// Nothing at all.
    pub fn is_empty(&self) -> bool {
        self.questions.is_empty() && self.pages.is_empty()
    }
}

/// One pass of judgements over what is known.
pub struct Inquiry<'a> {
    known: &'a Known,
    supposed: Option<(&'a Question, &'a Answer)>,
    missing: RefCell<Missing>,
}

impl<'a> Inquiry<'a> {
    /// Begins a pass.
    pub fn new(known: &'a Known) -> Self {
        Self { known, supposed: None, missing: RefCell::default() }
    }

    /// The answer; `None` = not known yet, and noted. Ask everything that does not depend on an answer before
    /// looking at the first one.
    pub fn ask(&self, question: Question) -> Option<&'a Answer> {
        if let Some((_, answer)) = self.supposed.filter(|(of, _)| **of == question) {
            return Some(answer);
        }
        let answer = self.known.answers.get(&question);
        if answer.is_none() {
            self.missing.borrow_mut().questions.insert(question);
        }
        answer
    }

    /// The page of an `https://` URL; `None` = not known yet, and noted.
    pub fn fetch(&self, url: &str) -> Option<&'a Fetched> {
        let page = self.known.pages.get(url);
        if page.is_none() {
            self.missing.borrow_mut().pages.insert(url.to_owned());
        }
        page
    }

    /// What `judge` says if this were the answer: so a remedy is tried before it is given. What it misses is missed
    /// here as well.
    pub fn supposing<T>(
        &self,
        question: &Question,
        answer: &Answer,
        judge: impl FnOnce(&Inquiry<'_>) -> T,
    ) -> T {
        let other =
            Inquiry { known: self.known, supposed: Some((question, answer)), missing: RefCell::default() };
        let judged = judge(&other);
        let missing = other.missing();
        self.missing.borrow_mut().questions.extend(missing.questions);
        self.missing.borrow_mut().pages.extend(missing.pages);
        judged
    }

    /// What was missed in this pass.
    pub fn missing(self) -> Missing {
        self.missing.into_inner()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_is_noted_once() {
        let name = Name::parse("example.org").unwrap();
        let mut known = Known::default();
        known.add(&name, Data::A([192, 0, 2, 1].into()));
        let inquiry = Inquiry::new(&known);
        assert!(inquiry.ask(Question::new(&name, Kind::A)).is_some());
        assert!(inquiry.ask(Question::new(&name, Kind::Mx)).is_none());
        assert!(inquiry.ask(Question::new(&name, Kind::Mx)).is_none());
        assert!(inquiry.fetch("https://mta-sts.example.org/.well-known/mta-sts.txt").is_none());
        let missing = inquiry.missing();
        assert_eq!((missing.questions.len(), missing.pages.len()), (1, 1));
        known.silence(&name, Kind::A, Silence::Timeout);
        let inquiry = Inquiry::new(&known);
        assert_eq!(inquiry.ask(Question::new(&name, Kind::A)).unwrap().records(), Err(&Silence::Timeout));
        assert!(inquiry.missing().is_empty());
    }

    #[test]
    fn what_is_supposed_wins_and_what_it_misses_is_noted() {
        let name = Name::parse("example.org").unwrap();
        let mut known = Known::default();
        known.add(&name, Data::A([192, 0, 2, 1].into()));
        let (question, answer) =
            (Question::new(&name, Kind::A), Answer::new(Outcome::Nothing { exists: true }));
        let inquiry = Inquiry::new(&known);
        inquiry.supposing(&question, &answer, |inquiry| {
            assert_eq!(inquiry.ask(question.clone()).unwrap().records(), Ok(&[][..]));
            assert!(inquiry.ask(Question::new(&name, Kind::Mx)).is_none());
        });
        assert_eq!(inquiry.ask(question.clone()).unwrap().records().unwrap().len(), 1);
        assert_eq!(inquiry.missing().questions.len(), 1);
    }
}

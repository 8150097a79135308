//! `survey`: a domain's record and everything it leads to, whoever the client is.

use super::{
    MacroString, Record, Term, Trouble,
    evaluate::{LOOKUPS, joined, selected},
    expand::{self, Values},
    flaw::{Flaw, Nearly, Weakness},
    macros::Letter,
    mechanism::{NAMES, server},
    record::Mechanism,
    request::Request,
    weak,
};
use crate::mail::dns::{Answer, Data, Inquiry, Kind, Name, Outcome, Question};
use std::net::{IpAddr, Ipv4Addr};

/// Records that are looked at; a tree that is larger is long past every limit.
const NODES: usize = 64;

/// What a domain publishes, and what that is worth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Survey {
    /// The record and those it leads to.
    pub root: Node,
    /// Terms that ask DNS, where none matches before the last; ten are allowed (RFC 7208 §4.6.4).
    pub lookups: usize,
    /// Of these, how many ask for what has neither an IPv4 nor an IPv6 address.
    pub voids: usize,
    /// False where a target depends on the message, or the tree was too large to be seen whole: the numbers are
    /// then the least.
    pub whole: bool,
    /// What is weak, in the order of evaluation.
    pub weaknesses: Vec<Weakness>,
}

/// One record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Whose it is.
    pub domain: Name,
    /// Its text, if there is just one; octets outside UTF-8 replaced.
    pub record: Option<String>,
    /// Why there is none that could be evaluated.
    pub trouble: Option<Trouble>,
    /// Terms that ask, in this record and below it.
    pub lookups: usize,
    /// Its terms.
    pub leaves: Vec<Leaf>,
}

/// One term.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaf {
    /// As published.
    pub term: String,
    /// Whether it counts among the ten (RFC 7208 §4.6.4): it asks, and is not ignored.
    pub counts: bool,
    /// What `a` and `mx` stand for now, without repetitions.
    pub addresses: Vec<IpAddr>,
    /// Where `include` and `redirect=` lead.
    pub below: Option<Node>,
}

/// Looks at the whole tree. `None`: something is not known yet and was asked for; add the answers and call again.
pub fn survey(inquiry: &Inquiry<'_>, domain: &Name) -> Option<Survey> {
    let request = Request::mail_from(Ipv4Addr::UNSPECIFIED.into(), domain.as_str(), domain.as_str());
    let mut walk = Walk {
        inquiry,
        request: &request,
        missing: false,
        whole: true,
        nodes: 0,
        voids: 0,
        within: Vec::new(),
        included: Vec::new(),
        weaknesses: Vec::new(),
    };
    let root = walk.node(domain, true);
    if walk.missing {
        return None;
    }
    let mut weaknesses = walk.weaknesses;
    let mut over = |flaw| weaknesses.push(Weakness { domain: domain.clone(), term: String::new(), flaw });
    if root.lookups > LOOKUPS {
        over(Flaw::Lookups(root.lookups));
    }
    if walk.voids > 2 {
        over(Flaw::Voids(walk.voids));
    }
    Some(Survey { lookups: root.lookups, voids: walk.voids, whole: walk.whole, weaknesses, root })
}

struct Walk<'r, 'i> {
    inquiry: &'r Inquiry<'i>,
    request: &'r Request<'r>,
    missing: bool,
    whole: bool,
    nodes: usize,
    voids: usize,
    within: Vec<Name>,
    included: Vec<Name>,
    weaknesses: Vec<Weakness>,
}

impl<'i> Walk<'_, 'i> {
    fn weak(&mut self, domain: &Name, term: &str, flaw: Flaw) {
        self.weaknesses.push(Weakness { domain: domain.clone(), term: term.to_owned(), flaw });
    }

    /// `outer`: its `all` counts, as that of the first record and of those it redirects to.
    fn node(&mut self, domain: &Name, outer: bool) -> Node {
        let mut node =
            Node { domain: domain.clone(), record: None, trouble: None, lookups: 0, leaves: Vec::new() };
        self.nodes += 1;
        let Some(answer) = self.ask(domain, Kind::Txt) else { return node };
        self.nearly(answer, domain);
        let octets = match selected(answer, domain) {
            Ok(octets) => octets,
            Err(trouble) => {
                let trouble = match trouble {
                    Trouble::NoDomain(name) | Trouble::NoRecord(name) if !self.within.is_empty() => {
                        Trouble::TargetWithoutRecord(name)
                    }
                    other => other,
                };
                self.weak(domain, "", Flaw::Broken(trouble.clone()));
                node.trouble = Some(trouble);
                return node;
            }
        };
        node.record = Some(String::from_utf8_lossy(&octets).into_owned());
        if let Some(octets) = weak::long(answer, domain) {
            self.weak(domain, "", Flaw::LongAnswer(octets));
        }
        match Record::parse(&octets) {
            Ok(record) => {
                self.weaknesses.extend(weak::terms(&record, domain, outer));
                self.within.push(domain.clone());
                self.leaves(&record, &mut node, outer);
                self.within.pop();
            }
            Err(fault) => {
                let faults = Record::faults(&octets);
                let glued = weak::glued(answer, &faults);
                for fault in faults {
                    self.weak(domain, &fault.term, Flaw::Syntax(fault.why));
                }
                if glued {
                    self.weak(domain, "", Flaw::Glued);
                }
                node.trouble = Some(Trouble::Syntax(domain.clone(), fault));
            }
        }
        node
    }

    fn leaves(&mut self, record: &Record, node: &mut Node, outer: bool) {
        let mut ended = false;
        for (_, word, term) in record.terms() {
            let ignored = match term {
                Term::Redirect(_) => record.redirect().is_none(),
                _ => ended,
            };
            let mut leaf = Leaf {
                term: word.to_owned(),
                counts: term.asks() && !ignored,
                addresses: Vec::new(),
                below: None,
            };
            node.lookups += usize::from(leaf.counts);
            match term {
                Term::Directive(_, Mechanism::All) => ended = true,
                Term::Directive(_, mechanism) if leaf.counts => {
                    self.follow(mechanism, word, &node.domain, &mut leaf);
                }
                Term::Redirect(target) if leaf.counts => {
                    leaf.below = self.lead(target, word, &node.domain, outer);
                }
                _ => {}
            }
            node.lookups += leaf.below.as_ref().map_or(0, |below| below.lookups);
            node.leaves.push(leaf);
        }
    }

    fn follow(&mut self, mechanism: &Mechanism, word: &str, domain: &Name, leaf: &mut Leaf) {
        let target = match mechanism {
            Mechanism::Include(target) => {
                leaf.below = self.lead(target, word, domain, false);
                if let Some(name) = leaf.below.as_ref().map(|below| below.domain.clone()) {
                    if self.included.contains(&name) {
                        self.weak(domain, word, Flaw::IncludedTwice);
                    }
                    self.included.push(name);
                }
                return;
            }
            Mechanism::A(target, _) | Mechanism::Mx(target, _) => target.as_ref(),
            Mechanism::Exists(target) => Some(target),
            Mechanism::All | Mechanism::Ptr(_) | Mechanism::Ip4(..) | Mechanism::Ip6(..) => return,
        };
        let Some(text) = self.fixed(target, domain) else { return };
        let Ok(name) = Name::parse_expanded(&text) else { return };
        let found = match mechanism {
            Mechanism::Mx(..) => self.mail_servers(&name, word, domain, leaf),
            Mechanism::Exists(_) => self.any(&name, &[Kind::A], word, domain, leaf),
            _ => self.any(&name, &[Kind::A, Kind::Aaaa], word, domain, leaf),
        };
        if found == Some(false) {
            self.voids += 1;
            self.weak(domain, word, Flaw::Void);
        }
        if let Mechanism::Exists(_) = mechanism {
            leaf.addresses.clear();
        }
    }

    /// Whether the name has addresses; `None` = not known.
    fn any(
        &mut self,
        name: &Name,
        kinds: &[Kind],
        word: &str,
        domain: &Name,
        leaf: &mut Leaf,
    ) -> Option<bool> {
        let answers: Vec<_> = kinds.iter().map(|kind| (*kind, self.ask(name, *kind))).collect();
        let mut found = Some(false);
        for (kind, answer) in answers {
            let Some(answer) = answer else {
                found = None;
                continue;
            };
            match answer.records() {
                Err(why) => {
                    let trouble = Trouble::Silent(Question::new(name, kind), why.clone());
                    self.weak(domain, word, Flaw::Broken(trouble));
                    return None;
                }
                Ok(records) if !records.is_empty() => found = found.map(|_| true),
                Ok(_) => {}
            }
            for data in answer.records().unwrap_or_default() {
                let address = match data {
                    Data::A(address) => IpAddr::V4(*address),
                    Data::Aaaa(address) => IpAddr::V6(*address),
                    _ => continue,
                };
                if !leaf.addresses.contains(&address) {
                    leaf.addresses.push(address);
                }
            }
        }
        found
    }

    fn mail_servers(&mut self, name: &Name, word: &str, domain: &Name, leaf: &mut Leaf) -> Option<bool> {
        let answer = self.ask(name, Kind::Mx)?;
        let records = match answer.records() {
            Ok(records) => records,
            Err(why) => {
                let trouble = Trouble::Silent(Question::new(name, Kind::Mx), why.clone());
                self.weak(domain, word, Flaw::Broken(trouble));
                return None;
            }
        };
        if records.len() > NAMES {
            self.weak(domain, word, Flaw::Broken(Trouble::MxLimit(name.clone(), records.len())));
        }
        let servers = records.iter().filter_map(server).take(NAMES);
        let each: Vec<_> =
            servers.map(|(_, server)| self.any(server, &[Kind::A, Kind::Aaaa], word, domain, leaf)).collect();
        match (records.is_empty(), each.contains(&None)) {
            (true, _) => Some(false),
            (_, true) => None,
            (_, false) => Some(!each.contains(&Some(false))),
        }
    }

    fn lead(&mut self, target: &MacroString, word: &str, domain: &Name, outer: bool) -> Option<Node> {
        let Some(text) = self.fixed(Some(target), domain) else {
            self.whole = false;
            return None;
        };
        let name = Name::parse_expanded(&text).ok().filter(|name| name.labels().count() > 1);
        let Some(name) = name else {
            self.weak(domain, word, Flaw::Broken(Trouble::BadTarget(text.chars().take(80).collect())));
            return None;
        };
        if self.within.contains(&name) {
            self.weak(domain, word, Flaw::Broken(Trouble::Loop(name)));
            return None;
        }
        if self.nodes >= NODES {
            self.whole = false;
            return None;
        }
        Some(self.node(&name, outer))
    }

    /// The name that a target is for every message: without macros, or only with those of the domain.
    fn fixed(&self, target: Option<&MacroString>, domain: &Name) -> Option<String> {
        let Some(target) = target else { return Some(domain.as_str().to_owned()) };
        let known = |letter| matches!(letter, Letter::Domain | Letter::SenderDomain);
        target.letters().all(known).then(|| {
            expand::name(target, &Values { request: self.request, domain, validated: "unknown".into() })
        })
    }

    fn nearly(&mut self, answer: &Answer, domain: &Name) {
        let Outcome::Found(records) = &answer.outcome else { return };
        for text in records.iter().filter_map(joined).filter(|text| !Record::is_one(text)) {
            if let Some(nearly) = Nearly::of(&text) {
                let shown: String = String::from_utf8_lossy(&text).chars().take(80).collect();
                self.weak(domain, &shown, Flaw::Nearly(nearly));
            }
        }
    }

    fn ask(&mut self, name: &Name, kind: Kind) -> Option<&'i Answer> {
        let answer = self.inquiry.ask(Question::new(name, kind));
        self.missing |= answer.is_none();
        answer
    }
}

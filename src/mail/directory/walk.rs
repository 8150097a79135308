//! The walk itself: one address after another, each once.

use super::{DEPTH, Directory, Place, ROLES, Route, STOPS, Stop, TARGETS, Target, Why};
use crate::mail::{
    address::Address,
    forward,
    rule::{Action, Facts, decide},
};

/// Where we are, and what was found so far.
pub(super) struct Walk<'a, D> {
    directory: &'a D,
    place: &'a Place,
    route: Route,
    /// The message, where one is asked about.
    facts: Option<&'a Facts>,
    /// The addresses from the first one to where we are.
    path: Vec<Address>,
}

impl<'a, D: Directory> Walk<'a, D> {
    pub(super) fn new(directory: &'a D, place: &'a Place) -> Self {
        Self { directory, place, route: Route::default(), facts: None, path: Vec::new() }
    }

    pub(super) fn of(mut self, facts: &'a Facts) -> Self {
        self.facts = Some(facts);
        self
    }

    pub(super) fn done(self) -> Route {
        self.route
    }

    pub(super) fn visit(&mut self, at: Address) -> Result<(), D::Error> {
        if self.route.stops.iter().any(|stop| stop.at == at) {
            // Somebody led here before; the same mail is delivered once.
            return Ok(());
        }
        let (stops, targets) = (self.route.stops.len(), self.route.targets.len());
        if self.path.len() >= DEPTH || targets >= TARGETS || stops >= STOPS {
            self.route.stop(at, Why::TooFar);
            return Ok(());
        }
        if at.domain() == &self.place.hostname {
            return match self.role(&at) {
                Some(admin) => self.lead(Stop::new(at, Why::Role), vec![admin], None),
                None => {
                    self.route.stop(at, Why::Unknown);
                    Ok(())
                }
            };
        }
        if !self.directory.serves(at.domain().as_str())? {
            self.route.arrive(Stop::new(at.clone(), Why::Outside), Target::Outside(at));
            return Ok(());
        }
        let untagged = at.untagged(self.place.delimiter);
        for (name, cut) in
            [Some((&at, false)), untagged.as_ref().map(|plain| (plain, true))].into_iter().flatten()
        {
            let source = name.to_string();
            let targets = self.directory.targets(&source)?;
            if targets.is_empty() {
                continue;
            }
            if let Some(off) = self.directory.off(&source)? {
                let held = Stop { off: Some(off), ..Stop::new(at.clone(), Why::Off).by(source) };
                if self.directory.mailbox(&name.to_string())? || ROLES.contains(&name.local().as_str()) {
                    return self.own(at.clone(), untagged.clone(), Some(held));
                }
                self.route.stops.push(held);
                return Ok(());
            }
            let tag = if cut { at.local().split_tag(self.place.delimiter) } else { None };
            let tag = tag.map(|(_, tag)| tag.to_owned());
            return self.lead(Stop::new(at.clone(), Why::Alias).by(source), targets, tag);
        }
        self.own(at, untagged, None)
    }

    /// Everything after the aliases: a mailbox, a role, what stands for many, or nobody. `held`: there is an alias, and it
    /// is off.
    fn own(&mut self, at: Address, untagged: Option<Address>, held: Option<Stop>) -> Result<(), D::Error> {
        let found = |why| match &held {
            Some(held) => Stop { why, ..held.clone() },
            None => Stop::new(at.clone(), why),
        };
        if self.is_mailbox(&at, untagged.as_ref())? {
            self.route.arrive(found(Why::Mailbox), Target::Mailbox(at));
            return Ok(());
        }
        let patterns = self.directory.patterns(at.domain().as_str())?;
        let whole = patterns.as_ref().and_then(|patterns| patterns.whole());
        let everything = format!("@{}", at.domain());
        if let Some(admin) = self.role(&at) {
            if let Some(to) = whole
                && self.directory.serves(to.as_str())?
                && self.directory.off(&everything)?.is_none()
            {
                let there = Address::new(at.local().clone(), to.clone());
                return self.lead(Stop::new(at, Why::Domain).by(everything), vec![there], None);
            }
            return self.lead(found(Why::Role), vec![admin], None);
        }
        if let Some(held) = held {
            self.route.stops.push(held);
            return Ok(());
        }
        let plain = untagged.as_ref().map(|plain| plain.local().as_str());
        if let Some(hit) = patterns.as_ref().and_then(|patterns| patterns.find(at.local().as_str(), plain)) {
            return self.matched(at, hit);
        }
        let mut why = Why::CatchAll;
        let mut targets = self.directory.targets(&everything)?;
        if let (true, Some(to)) = (targets.is_empty(), whole) {
            why = Why::Domain;
            targets.push(Address::new(at.local().clone(), to.clone()));
        }
        if targets.is_empty() {
            self.route.stop(at, Why::Unknown);
            return Ok(());
        }
        self.led(Stop::new(at, why).by(everything), targets, None)
    }

    fn matched(&mut self, at: Address, hit: forward::Hit) -> Result<(), D::Error> {
        let why = match hit.kind {
            forward::Kind::Wildcard => Why::Wildcard,
            forward::Kind::Expression => Why::Expression,
        };
        let tag = if hit.untagged { at.local().split_tag(self.place.delimiter) } else { None };
        let tag = tag.map(|(_, tag)| tag.to_owned());
        let stop = Stop { parts: hit.parts, ..Stop::new(at, why).by(hit.source) };
        match hit.targets {
            Some(targets) => self.led(stop, targets, tag),
            None => {
                self.route.stops.push(Stop { why: Why::Unfit, ..stop });
                Ok(())
            }
        }
    }

    /// Goes on unless the source is off; then the address is refused.
    fn led(&mut self, stop: Stop, targets: Vec<Address>, tag: Option<String>) -> Result<(), D::Error> {
        let off = match &stop.source {
            Some(source) => self.directory.off(source)?,
            None => None,
        };
        if off.is_some() {
            self.route.stops.push(Stop { why: Why::Off, off, ..stop });
            return Ok(());
        }
        self.lead(stop, targets, tag)
    }

    fn is_mailbox(&self, at: &Address, untagged: Option<&Address>) -> Result<bool, D::Error> {
        if self.directory.mailbox(&at.to_string())? {
            return Ok(true);
        }
        untagged.map_or(Ok(false), |plain| self.directory.mailbox(&plain.to_string()))
    }

    fn role(&self, at: &Address) -> Option<Address> {
        let local = at.local().split_tag(self.place.delimiter).map_or(at.local().as_str(), |(user, _)| user);
        (ROLES.contains(&local) && *at != self.place.admin).then(|| self.place.admin.clone())
    }

    fn lead(&mut self, mut stop: Stop, targets: Vec<Address>, tag: Option<String>) -> Result<(), D::Error> {
        let mut targets: Vec<_> = targets.into_iter().map(|target| (target, tag.as_deref())).collect();
        if let Some(changed) = self.ruled(&mut stop)? {
            // Whom a rule names gets the mail under that very name.
            let named = |named: Vec<Address>| named.into_iter().map(|target| (target, None));
            match changed {
                Action::Forward => {}
                Action::Block(text) => {
                    stop.block = Some(text);
                    self.route.stops.push(stop);
                    return Ok(());
                }
                Action::Redirect(instead) => targets = named(instead).collect(),
                Action::AlsoTo(further) => targets.extend(named(further)),
            }
        }
        let at = stop.at.clone();
        let index = self.route.stops.len();
        self.route.stops.push(stop);
        self.path.push(at.clone());
        for (target, tag) in targets {
            let target = self.tagged(target, tag)?;
            self.route.stops[index].leads_to.push(target.clone());
            if target == at {
                self.keep_copy(target)?;
            } else if self.path.contains(&target) {
                self.route.stops[index].loops = true;
            } else {
                self.visit(target)?;
            }
        }
        self.path.pop();
        Ok(())
    }

    /// What the rules of the stop's source say of the message; noted at the stop.
    fn ruled(&self, stop: &mut Stop) -> Result<Option<Action>, D::Error> {
        let Some(source) = stop.source.as_deref().filter(|_| stop.off.is_none()) else { return Ok(None) };
        let Some(rules) = self.directory.rules(source)? else { return Ok(None) };
        stop.ruled = rules.iter().any(|rule| rule.enabled);
        let Some(facts) = self.facts else { return Ok(None) };
        let decision = decide(&rules, facts);
        stop.rule = decision.rule;
        Ok(Some(decision.action.clone()))
    }

    /// An alias that lists its own mailbox keeps a copy there.
    fn keep_copy(&mut self, at: Address) -> Result<(), D::Error> {
        let untagged = at.untagged(self.place.delimiter);
        if self.is_mailbox(&at, untagged.as_ref())? {
            self.route.deliver(Target::Mailbox(at));
        }
        Ok(())
    }

    /// The target with the tag that the mail came with, where it leads to an untagged address here.
    fn tagged(&self, target: Address, tag: Option<&str>) -> Result<Address, D::Error> {
        let Some(tag) = tag else { return Ok(target) };
        if target.local().split_tag(self.place.delimiter).is_some()
            || !self.directory.serves(target.domain().as_str())?
        {
            return Ok(target);
        }
        let text = format!("{}{}{tag}@{}", target.local(), self.place.delimiter, target.domain());
        // Too long with its tag: the mail matters more than the tag.
        Ok(Address::parse(&text).unwrap_or(target))
    }
}

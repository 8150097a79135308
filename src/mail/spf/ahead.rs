//! Asking ahead: once something is missing, everything that the following terms will ask is asked with it, so an
//! evaluation takes as many rounds as records lead on from each other, not as many as it has terms.

use super::{
    evaluate::{LOOKUPS, Run, parsed},
    mechanism::{NAMES, server},
    record::{Mechanism, Record, Term},
};
use crate::mail::dns::{Data, Kind, Name, Question};

impl Run<'_, '_> {
    /// The terms behind `position`, no more than evaluation may reach (RFC 7208 §4.6.4). Nothing is concluded from
    /// the answers here, and nothing is counted.
    pub(super) fn ahead(&mut self, record: &Record, position: usize, domain: &Name) {
        let mut spare = self.spare.unwrap_or(LOOKUPS - self.lookups.min(LOOKUPS));
        self.look(record, position, domain, &mut spare);
        self.spare = Some(spare);
    }

    fn look(&self, record: &Record, position: usize, domain: &Name, spare: &mut usize) {
        for (_, _, term) in record.terms().skip(position) {
            match term {
                Term::Directive(_, Mechanism::All) => return,
                Term::Directive(_, mechanism) if self.holds(mechanism) => {
                    // Nothing behind it will be evaluated.
                    *spare = 0;
                    return;
                }
                Term::Directive(_, mechanism) if term.asks() => {
                    if *spare == 0 {
                        return;
                    }
                    *spare -= 1;
                    self.first_question(mechanism, domain, spare);
                }
                _ => {}
            }
        }
        if let Some((_, _, target)) = record.redirect().filter(|_| *spare > 0) {
            *spare -= 1;
            self.lead(self.named(Some(target), domain).ok().flatten(), spare);
        }
    }

    fn first_question(&self, mechanism: &Mechanism, domain: &Name, spare: &mut usize) {
        let named = |target| self.named(target, domain).ok().flatten();
        match mechanism {
            Mechanism::Include(target) => self.lead(named(Some(target)), spare),
            Mechanism::Mx(target, _) => {
                let Some(name) = named(target.as_ref()) else { return };
                let known = self.inquiry.ask(Question::new(name, Kind::Mx));
                let records: &[Data] = known.and_then(|answer| answer.records().ok()).unwrap_or_default();
                for (_, server) in records.iter().filter_map(server).take(NAMES) {
                    self.inquiry.ask(Question::new(server, self.family()));
                }
            }
            // These ask all they can by themselves.
            other => drop(self.compare(other, domain)),
        }
    }

    /// Into the record of an include or a redirect, as far as it is known.
    fn lead(&self, target: Option<Name>, spare: &mut usize) {
        let Some(target) = target else { return };
        if let Ok(record) = parsed(self.inquiry, &target) {
            self.look(&record, 0, &target, spare);
        }
    }
}

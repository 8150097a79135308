//! What the book knows: for `cert show`, and whoever else tells how certificates stand.

use super::attempt::at;
use crate::{
    error::Error,
    mail::cert::{Certificate, schedule},
    settings::Settings,
    ui::Ui,
    world::{
        World,
        acme::{Book, known},
    },
};
use serde::Serialize;
use std::collections::BTreeMap;

/// Of an authority. Times are seconds since 1970.
#[derive(Clone, Debug, Serialize)]
pub struct Facts {
    /// URL of its directory.
    pub directory: String,
    /// URL of our account there.
    pub account: Option<String>,
    /// When the certificate is due; `None` = now.
    pub renewal: Option<i64>,
    /// The authority itself advised that.
    pub advised: bool,
    /// Nobody tries before; `None` = nothing stops an attempt.
    pub next_attempt: Option<i64>,
    /// What went wrong last.
    pub last_failure: Option<String>,
    /// When.
    pub failed_at: Option<i64>,
    /// How often in a row.
    pub failures: u32,
    /// An order is under way.
    pub under_way: bool,
    /// Orders of the last week, by name.
    pub orders: BTreeMap<String, usize>,
}

/// Looks into the book; `None` where no authority is asked.
pub fn look(
    world: &World,
    settings: &Settings,
    certificate: Option<&Certificate>,
    now: i64,
) -> Result<Option<Facts>, Error> {
    let Some(acme) = &settings.acme else { return Ok(None) };
    let ledger = Book::look(&world.paths, now)?;
    let names: Vec<String> = certificate.map(|found| found.names.clone()).unwrap_or_default();
    let standing = schedule::Standing { certificate, rsa: None, rsa_wanted: false, names: &[] };
    let renewal = match schedule::due(&standing, &ledger, now) {
        schedule::Due::At(at) => Some(at),
        schedule::Due::Now(_) => None,
    };
    let serial = certificate.map(|found| &found.serial);
    let placed = ledger.placed.iter().flat_map(|placed| placed.names.clone());
    let all: std::collections::BTreeSet<String> = placed.chain(names).collect();
    let failure = ledger.failure.as_ref();
    Ok(Some(Facts {
        directory: acme.directory.clone(),
        account: known(&world.paths, &acme.directory).map(|(id, _)| id),
        renewal,
        advised: ledger.advice.as_ref().map(|advice| &advice.serial) == serial && serial.is_some(),
        next_attempt: failure.map(|failure| failure.next).filter(|next| *next > now),
        last_failure: failure.map(|failure| failure.why.clone()),
        failed_at: failure.map(|failure| failure.at),
        failures: failure.map_or(0, |failure| failure.count),
        under_way: !ledger.under_way.is_empty(),
        orders: all
            .into_iter()
            .map(|name| (name.clone(), ledger.orders(&acme.directory, &name, now)))
            .collect(),
    }))
}

impl Facts {
    /// For a person.
    pub fn print(&self, ui: &mut Ui, now: i64) {
        ui.data(format!("authority    {}", self.directory));
        if let Some(account) = &self.account {
            ui.data(format!("account      {account}"));
        }
        let advised = if self.advised { ", as the authority advises" } else { "" };
        ui.data(match self.renewal {
            Some(renewal) => format!("renewal      {}{advised}", at(renewal, now)),
            None => "renewal      due now".to_owned(),
        });
        for (name, orders) in &self.orders {
            ui.data(format!(
                "orders       {orders} of {} this week for {name}",
                crate::mail::cert::ledger::ORDERS
            ));
        }
        if let Some(why) = &self.last_failure {
            ui.warn(format!("{} attempt(s) in a row failed, the last: {why}", self.failures));
            ui.say(match self.next_attempt {
                Some(next) => format!("the next attempt is {}", at(next, now)),
                None => "the next attempt is due now: mailctl cert renew".to_owned(),
            });
        } else if self.under_way {
            ui.say("an order is under way; mailctl cert renew goes on with it");
        }
    }
}

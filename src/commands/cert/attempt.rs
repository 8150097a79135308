//! One attempt to have a certificate that an authority vouches for: what is wanted, whether it is due, the order, and
//! what came served everywhere.

use super::serve;
use crate::{
    commands::names,
    error::{Error, codes},
    mail::{
        address::Domain,
        cert::{
            Certificate, Kind, Pair, Place,
            ledger::{Advice, Ledger},
            schedule::{self, Due, Standing},
        },
    },
    settings::{Acme, Settings},
    ui::Ui,
    world::{
        World,
        acme::{
            Book, Ca, Errand, Fault, Pace, Zones, known, place,
            precheck::{Leads, Reach},
        },
        dns::{Asking, Dns},
        keys::tls::{self, Change},
    },
};
use futures_util::future::join_all;
use std::fs;

/// Names in one certificate; Let's Encrypt takes no more.
const NAMES: usize = 100;

/// Seconds after which an authority that does not advise is asked again whether it does.
const ASK_AGAIN: i64 = 86_400;

/// How an attempt is meant.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wish {
    /// By a timer: our own pause after a failure holds it too.
    pub timer: bool,
    /// Also where it is not due.
    pub force: bool,
    /// With another key.
    pub new_key: bool,
    /// Look at everything, order nothing.
    pub dry_run: bool,
}

/// What came of it.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// What is served is good until then (seconds since 1970).
    Good(i64),
    /// It could be ordered for these names, for this reason.
    Possible(Vec<String>, String),
    /// A new one is served.
    Issued(Certificate),
}

/// Makes it. What was served before stays until the new one is there.
pub async fn attempt(world: &World, wish: Wish, ui: &mut Ui) -> Result<Outcome, Error> {
    let settings = world.settings()?.settings;
    let Some(acme) = settings.acme.clone() else {
        return Err(Error::new(codes::ACME_OFF, "no authority is asked for certificates here")
            .hint("set CERTIFICATES=acme in settings.env, then: mailctl cert issue")
            .hint("mailctl help certificates"));
    };
    let asking = settings.dns.resolver.map_or_else(Asking::system, |at| Ok(Asking::at([at])));
    let asking = asking.map_err(|cause| {
        Error::new(codes::DNS_UNCHECKED, "no resolver is known to ask")
            .cause(cause)
            .hint("set dns.resolver in mailctl.toml")
    })?;
    let dns = Dns::new(asking);
    let now = names::now();
    let mut book = Book::open(&world.paths, now)?;
    let mut all = Attempt { world, settings: &settings, acme: &acme, dns: &dns, now, wish };
    all.run(&mut book, ui).await
}

struct Attempt<'a> {
    world: &'a World,
    settings: &'a Settings,
    acme: &'a Acme,
    dns: &'a Dns,
    now: i64,
    wish: Wish,
}

impl Attempt<'_> {
    async fn run(&mut self, book: &mut Book, ui: &mut Ui) -> Result<Outcome, Error> {
        let progress = ui.progress();
        progress.phase("looking where the names lead");
        let server = self.world.server(self.settings);
        let reach = Reach { paths: &self.world.paths, dns: self.dns, ours: &server.addresses };
        let (domains, left) = self.names(&reach).await?;
        drop(progress);
        let names: Vec<String> = domains.iter().map(ToString::to_string).collect();
        let (host, rsa) = (tls::live(&self.world.paths).ok().flatten(), self.beside());
        self.settled(book, host.as_ref())?;
        self.advised(book, host.as_ref()).await?;
        let standing = Standing {
            certificate: host.as_ref(),
            rsa: rsa.as_ref().filter(|_| self.acme.rsa),
            rsa_wanted: self.acme.rsa,
            names: &names,
        };
        let why = match schedule::due(&standing, &book.ledger, self.now) {
            Due::At(at) if !self.wish.force => return Ok(Outcome::Good(at)),
            Due::At(_) => "it is wished".to_owned(),
            Due::Now(why) => why,
        };
        left.iter().for_each(|note| ui.say(format!("note: {note}")));
        if self.wish.dry_run {
            self.look(&reach, &domains, &book.ledger, ui).await?;
            return Ok(Outcome::Possible(names, why));
        }
        if let Err(next) = book.ledger.may_try(self.now, !self.wish.timer) {
            return Err(waits(&book.ledger, next, self.now));
        }
        let pairs = match self.order(book, &reach, &domains, ui).await {
            Ok(pairs) => pairs,
            Err(stop) => return Err(self.failed(book, stop)),
        };
        self.serve(book, &pairs, ui).await
    }

    /// HOSTNAME, and the web names of served domains that lead here; and a note for each of the others.
    async fn names(&self, reach: &Reach<'_>) -> Result<(Vec<Domain>, Vec<String>), Error> {
        let store = self.world.store_to_read().await?;
        let served = names::domains(self.settings, &store).await?;
        store.close().await;
        let web = served
            .iter()
            .flat_map(|domain| ["autoconfig", "mta-sts"].map(|label| format!("{label}.{domain}")));
        // Nobody connects to a name at which nothing is served.
        let web = web.filter(|_| self.settings.web.enabled);
        let web: Vec<Domain> = web.filter_map(|name| Domain::parse(&name).ok()).collect();
        let (mut names, mut left) = (vec![self.settings.hostname.clone()], Vec::new());
        for (name, leads) in web.iter().zip(join_all(web.iter().map(|name| reach.leads(name))).await) {
            match leads {
                Leads::Here(_) if names.len() < NAMES => names.push(name.clone()),
                Leads::Here(_) => left.push(format!("{name} is left out: {NAMES} names are in it already")),
                Leads::Elsewhere(address) => left.push(format!("{name} is left out: it leads to {address}")),
                // Who has no such name wants none.
                Leads::Nowhere => {}
                Leads::Unknown(why) => left.push(format!("{name} is left out: {why}")),
            }
        }
        Ok((names, left))
    }

    /// What is served beside the first, for those who only know RSA. One that cannot be read is none.
    fn beside(&self) -> Option<Certificate> {
        let paths = &self.world.paths;
        let there = tls::places(paths).contains(&Place::HostRsa);
        let pem = fs::read(paths.certificate(&Place::HostRsa)).ok().filter(|_| there)?;
        Certificate::read(&pem)
    }

    /// An attempt before us was stopped after what it got was served.
    fn settled(&self, book: &mut Book, host: Option<&Certificate>) -> Result<(), Error> {
        let pair = book.kept(Kind::Ecdsa);
        let there =
            pair.is_some_and(|pending| host.is_some_and(|host| host.fingerprint == pending.fingerprint));
        if there { book.finished() } else { Ok(()) }
    }

    /// Asks the authority when it wants to be asked for another one, where that is not known or known too long. Its
    /// silence leaves everything as it was: two thirds of the life are advice enough.
    async fn advised(&self, book: &mut Book, host: Option<&Certificate>) -> Result<(), Error> {
        let Some(host) = host.filter(|host| !host.self_signed && book.ledger.ask <= self.now) else {
            return Ok(());
        };
        // Nobody is asked who never issued anything to us.
        if self.wish.dry_run || known(&self.world.paths, &self.acme.directory).is_none() {
            return Ok(());
        }
        let pem = fs::read(self.world.paths.certificate(&Place::Host)).unwrap_or_default();
        let ca =
            Ca::open(&self.world.paths, self.acme, &self.acme.directory, &Pace::default(), self.now).await;
        let told = match &ca {
            Ok(ca) => ca.advice(&pem, &host.serial, rand::random()).await,
            Err(fault) => Err(fault.clone()),
        };
        book.ledger.ask = self.now + ASK_AGAIN;
        if let Ok(Some((advice, again))) = told {
            book.ledger.ask = self.now + again;
            let same = |old: &&Advice| {
                (&old.serial, old.start, old.end) == (&advice.serial, advice.start, advice.end)
            };
            // The moment is drawn once for a window, or asking often would bring it forward (RFC 9773 §4.2).
            if book.ledger.advice.as_ref().filter(same).is_none() {
                book.ledger.advice = Some(advice);
            }
        }
        book.save()
    }

    /// Everything but the order.
    async fn look(
        &self,
        reach: &Reach<'_>,
        domains: &[Domain],
        ledger: &Ledger,
        ui: &mut Ui,
    ) -> Result<(), Error> {
        let names: Vec<String> = domains.iter().map(ToString::to_string).collect();
        if let Err((name, until)) = ledger.allows(&self.acme.directory, &names, self.now) {
            return Err(full(name, until, self.now));
        }
        let progress = ui.progress();
        progress.phase("asking the authority for its directory");
        let directory = Ca::look(self.acme, &Pace::default(), self.now).await;
        let directory = directory.map_err(|fault| self.told(&fault, None))?;
        let account = known(&self.world.paths, &self.acme.directory).map(|(id, _)| id);
        progress.phase("looking at what the authority will look at");
        let (refusals, notes) = reach.check(&directory, account.as_deref(), self.acme, domains).await?;
        drop(progress);
        notes.iter().for_each(|note| ui.say(format!("note: {note}")));
        if refusals.is_empty() { Ok(()) } else { Err(refused(&refusals)) }
    }

    /// From the precheck to what was issued.
    async fn order(
        &self,
        book: &mut Book,
        reach: &Reach<'_>,
        domains: &[Domain],
        ui: &mut Ui,
    ) -> Result<Vec<(Kind, Pair)>, Stop> {
        let names: Vec<String> = domains.iter().map(ToString::to_string).collect();
        let progress = ui.progress();
        let errand = Errand {
            paths: &self.world.paths,
            acme: self.acme,
            zones: Zones { dns: self.dns, settings: self.settings },
            names: &names,
            new_key: self.wish.new_key,
            pace: Pace::default(),
            now: self.now,
            tell: &|line| progress.phase(line),
        };
        progress.phase("asking the authority for its directory");
        let ca = errand.open().await?;
        let mut notes = Vec::new();
        if !errand.under_way(book) {
            progress.phase("looking at what the authority will look at");
            let account = Some(ca.id.as_str());
            let (refusals, noted) = reach.check(&ca.directory, account, self.acme, domains).await?;
            if !refusals.is_empty() {
                return Err(Stop::Precheck(refused(&refusals)));
            }
            notes = noted;
        }
        let pairs = errand.run(book, &ca).await?;
        drop(progress);
        notes.iter().for_each(|note| ui.say(format!("note: {note}")));
        Ok(pairs)
    }

    /// In place, on every port, and then the order is at its end.
    async fn serve(&self, book: &mut Book, pairs: &[(Kind, Pair)], ui: &mut Ui) -> Result<Outcome, Error> {
        let mut change = Change::default();
        for (kind, pair) in pairs {
            change = change.serve(place(*kind), pair);
        }
        if !self.acme.rsa {
            change = change.withdraw(Place::HostRsa);
        }
        let lock = self.world.lock()?;
        tls::install(&self.world.paths, &change)?;
        drop(lock);
        book.finished()?;
        serve::everywhere(self.world, ui).await?;
        let first = pairs.first().map(|(_, pair)| pair.leaf.clone());
        first.map(Outcome::Issued).ok_or_else(|| Error::new(codes::BUG, "nothing was ordered"))
    }

    /// Writes down what went wrong, and tells it.
    fn failed(&self, book: &mut Book, stop: Stop) -> Error {
        let noted = match &stop {
            Stop::Precheck(error) => book.failed(&Fault::Ours(error.clone()), self.now, rand::random()),
            Stop::Fault(fault) => book.failed(fault, self.now, rand::random()),
        };
        let error = match (stop, &noted) {
            (Stop::Precheck(error), _) => error,
            (Stop::Fault(fault), Ok(next)) => self.told(&fault, *next),
            (Stop::Fault(fault), Err(_)) => self.told(&fault, None),
        };
        match noted {
            Ok(_) => error,
            Err(disk) => error.cause(disk),
        }
    }

    fn told(&self, fault: &Fault, next: Option<i64>) -> Error {
        let host = self.acme.directory.trim_start_matches("https://").split('/').next().unwrap_or_default();
        let error = match fault {
            Fault::Ours(error) => error.clone(),
            Fault::Full { name, until } => full(name, *until, self.now),
            Fault::Refused { .. } => {
                Error::new(codes::ACME_REFUSED, format!("{host} refused to issue a certificate")).cause(fault)
            }
            Fault::Silent { .. } | Fault::Busy { .. } => {
                Error::new(codes::ACME_SILENT, format!("{host} gave no answer that counts")).cause(fault)
            }
        };
        let error = match next {
            Some(next) => error.cause(format!("the next attempt is {}", at(next, self.now))),
            None => error,
        };
        error.hint("mailctl cert show").hint("mailctl help certificates")
    }
}

/// Why there is nothing to serve.
enum Stop {
    Precheck(Error),
    Fault(Fault),
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Fault(error.into())
    }
}

fn refused(refusals: &[crate::world::acme::precheck::Refusal]) -> Error {
    let error = Error::new(codes::ACME_PRECHECK, "nothing was ordered, for the authority would refuse it");
    let error =
        refusals.iter().fold(error, |error, one| error.cause(format!("{}: {}", one.about, one.cause)));
    refusals.iter().fold(error, |error, one| {
        if error.hints().contains(&one.next) { error } else { error.hint(one.next.clone()) }
    })
}

fn full(name: &str, until: i64, now: i64) -> Error {
    let most = crate::mail::cert::ledger::ORDERS;
    Error::new(codes::ACME_LIMIT, format!("{most} certificates were ordered for {name} within a week"))
        .cause(format!("the next may be ordered {}", at(until, now)))
        .hint("mailctl cert show")
        .hint("mailctl help certificates")
}

fn waits(ledger: &Ledger, next: i64, now: i64) -> Error {
    let error = Error::new(codes::ACME_WAIT, format!("the next attempt is {}", at(next, now)));
    let error = match &ledger.failure {
        Some(failure) => {
            error.cause(format!("{} failure(s) in a row, the last: {}", failure.count, failure.why))
        }
        None => error,
    };
    error.hint("mailctl cert show")
}

/// `at 2026-11-21T16:00:00Z, in 2 h`.
pub fn at(seconds: i64, now: i64) -> String {
    let time = time::OffsetDateTime::from_unix_timestamp(seconds)
        .ok()
        .and_then(|time| time.format(&time::format_description::well_known::Rfc3339).ok())
        .unwrap_or_default();
    if seconds > now {
        format!("at {time}, in {}", names::age(seconds - now))
    } else {
        format!("at {time}, which is now")
    }
}

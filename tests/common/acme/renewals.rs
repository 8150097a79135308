//! Renewals one after another under trouble, with the time as a value: what a server has in years, in minutes.

use super::{Manner, Pebble, Trouble, shown::Shown};
use crate::common::dns::{Dns, Zone};
use mailctl::{
    mail::cert::Place,
    settings::{Settings, load, source::Sources},
    world::{
        acme::{Book, Errand, Fault, Pace, Zones, place},
        dns::{Asking, Dns as Resolver},
        keys::tls::{self, Change},
        paths::Paths,
    },
};
use openssl::{pkey::PKey, x509::X509};
use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

const NAME: &str = "mail.example.org";
const DAY: i64 = 86_400;

/// What came of it.
#[derive(Debug, Default)]
pub struct Figures {
    /// Renewals after which a new certificate was in place.
    pub renewed: usize,
    /// Attempts that it took.
    pub attempts: usize,
    /// Accounts that the authority made.
    pub accounts: usize,
    /// Orders that it took.
    pub orders: usize,
    /// The most of them within any week.
    pub most_in_a_week: usize,
    /// Looks at which key and certificate in place did not belong together.
    pub mismatches: usize,
    /// Requests that met trouble.
    pub troubles: usize,
    /// All requests.
    pub requests: usize,
}

/// `count` renewals, shared among so many servers that run side by side, each with an authority of its own: half of
/// the nonces are refused, a tenth of all requests each is answered with 429 and with 503 and a tenth never, and a tenth of
/// all validations fails. Silence is given up after `patience`.
pub fn renewals(count: usize, servers: usize, patience: Duration) -> Figures {
    let all: Vec<Figures> = std::thread::scope(|scope| {
        let lanes: Vec<_> = (0..servers)
            .map(|lane| {
                scope.spawn(move || of_one(count / servers + usize::from(lane < count % servers), patience))
            })
            .collect();
        lanes.into_iter().map(|lane| lane.join().unwrap()).collect()
    });
    all.into_iter().fold(Figures::default(), |sum, one| Figures {
        renewed: sum.renewed + one.renewed,
        attempts: sum.attempts + one.attempts,
        accounts: sum.accounts.max(one.accounts),
        orders: sum.orders + one.orders,
        most_in_a_week: sum.most_in_a_week.max(one.most_in_a_week),
        mismatches: sum.mismatches + one.mismatches,
        troubles: sum.troubles + one.troubles,
        requests: sum.requests + one.requests,
    })
}

fn of_one(count: usize, patience: Duration) -> Figures {
    let home = tempfile::Builder::new().prefix("mailctl-acme-").tempdir().unwrap();
    let paths = Paths::new(home.path().to_owned());
    let shown = Shown::start(&paths.challenges());
    let zone = Zone::new("example.org", &format!("mail A {}\n", shown.address()));
    let dns = Dns::start(&[zone, Zone::new(".", "")]);
    let pebble = Pebble::start(dns.at(), &Manner { bad_nonces: 50, page: 100, ..Manner::default() });
    let settings = settings(&pebble);
    let resolver = Resolver::new(Asking::at([dns.at()]));
    // Pebble asks several times for one proof: all of them fail, or none.
    shown.refuse(|token| openssl::sha::sha256(token.as_bytes())[0] < 26);
    let troubles = Arc::new(AtomicUsize::new(0));
    let of_proxy = Arc::clone(&troubles);
    pebble.trouble(move |_| {
        let trouble = match rand::random::<u32>() % 20 {
            // Half of them with a pause that is worth to wait for, half with one that is not.
            0 => Trouble::TooMany(1),
            1 => Trouble::TooMany(600),
            2 | 3 => Trouble::Unavailable,
            4 => Trouble::Hang,
            5 => Trouble::Deaf,
            _ => return None,
        };
        of_proxy.fetch_add(1, Ordering::SeqCst);
        Some(trouble)
    });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut now = time::OffsetDateTime::now_utc().unix_timestamp();
    let (mut figures, mut placed) = (Figures::default(), Vec::new());
    for _ in 0..count {
        now += 2 * DAY;
        loop {
            figures.attempts += 1;
            let before = pebble.orders();
            let next = runtime.block_on(attempt(&paths, &settings, &resolver, patience, now));
            placed.extend((before..pebble.orders()).map(|_| now));
            figures.mismatches += usize::from(!belongs(&paths, figures.renewed > 0));
            match next {
                None => break,
                Some(next) => now = next.max(now + 1),
            }
        }
        figures.renewed += 1;
    }
    (figures.accounts, figures.orders) = (pebble.accounts(), placed.len());
    (figures.troubles, figures.requests) = (troubles.load(Ordering::SeqCst), pebble.seen().len());
    let week = |first: &i64| placed.iter().filter(|at| (*first..first + 7 * DAY).contains(*at)).count();
    figures.most_in_a_week = placed.iter().map(week).max().unwrap_or_default();
    figures
}

/// One attempt, as `cert renew --force` makes it, but for the precheck and the services; when to try again.
async fn attempt(
    paths: &Paths,
    settings: &Settings,
    dns: &Resolver,
    patience: Duration,
    now: i64,
) -> Option<i64> {
    let mut book = Book::open(paths, now).unwrap();
    book.ledger.may_try(now, false).unwrap();
    let names = [NAME.to_owned()];
    let errand = Errand {
        paths,
        acme: settings.acme.as_ref().unwrap(),
        zones: Zones { dns, settings },
        names: &names,
        new_key: false,
        pace: Pace {
            request: patience,
            state: Duration::from_secs(20),
            look: Duration::from_millis(50),
            again: Duration::from_millis(20),
        },
        now,
        tell: &|_| {},
    };
    let done = match errand.open().await {
        Ok(ca) => errand.run(&mut book, &ca).await,
        Err(fault) => Err(fault),
    };
    match done {
        Ok(pairs) => {
            let change =
                pairs.iter().fold(Change::default(), |change, (kind, pair)| change.serve(place(*kind), pair));
            tls::install(paths, &change).unwrap();
            book.finished().unwrap();
            None
        }
        Err(Fault::Full { until, .. }) => Some(until),
        Err(Fault::Ours(error)) => panic!("{error}"),
        Err(fault) => book.failed(&fault, now, rand::random()).unwrap(),
    }
}

/// Whether key and certificate in place belong together; nothing there is right before the first.
pub fn belongs(paths: &Paths, wanted: bool) -> bool {
    let Ok(pem) = fs::read(paths.certificate(&Place::Host)) else { return !wanted };
    let key = PKey::private_key_from_pem(&pem).unwrap();
    X509::from_pem(&pem).unwrap().public_key().unwrap().public_eq(&key)
}

fn settings(pebble: &Pebble) -> Settings {
    let env =
        "DOMAIN=example.org\nHOSTNAME=mail.example.org\nADMIN_EMAIL=admin@example.org\nCERTIFICATES=acme\n";
    let toml = format!(
        "[acme]\ndirectory = \"{}\"\nroot_file = \"{}\"\n",
        pebble.directory(),
        pebble.root_file().display()
    );
    load(&Sources { settings_env: Some(env), mailctl_toml: Some(&toml), environment: &[] }).unwrap().settings
}

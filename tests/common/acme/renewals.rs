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
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
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
}

/// `count` renewals: half of the nonces refused, and of the attempts each tenth with 429, 503, silence, and a validation
/// that fails, at a request drawn by chance.
pub fn renewals(count: usize) -> Figures {
    let home = tempfile::Builder::new().prefix("mailctl-acme-").tempdir().unwrap();
    let paths = Paths::new(home.path().to_owned());
    let shown = Shown::start(&paths.challenges());
    let zone = Zone::new("example.org", &format!("mail A {}\n", shown.address()));
    let dns = Dns::start(&[zone, Zone::new(".", "")]);
    let pebble = Pebble::start(dns.at(), &Manner { bad_nonces: 50, ..Manner::default() });
    let settings = settings(&pebble);
    let resolver = Resolver::new(Asking::at([dns.at()]));
    let armed: Arc<Mutex<Option<(Trouble, usize)>>> = Arc::default();
    let fails = Arc::new(AtomicBool::new(false));
    let (of_proxy, of_shown) = (Arc::clone(&armed), Arc::clone(&fails));
    shown.refuse(move || of_shown.load(Ordering::SeqCst));
    pebble.trouble(move |path| {
        let mut armed = of_proxy.lock().unwrap();
        match &mut *armed {
            Some(_) if path == "/nonce-plz" => None,
            Some((_, left)) if *left > 0 => {
                *left -= 1;
                None
            }
            _ => armed.take().map(|(trouble, _)| trouble),
        }
    });
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut now = time::OffsetDateTime::now_utc().unix_timestamp();
    let (mut figures, mut placed) = (Figures::default(), Vec::new());
    for _ in 0..count {
        now += 2 * DAY;
        loop {
            figures.attempts += 1;
            let chance = rand::random::<u32>() % 10;
            let at = (rand::random::<u32>() % 7) as usize;
            *armed.lock().unwrap() = match chance {
                0 => Some((Trouble::TooMany(600), at)),
                1 => Some((Trouble::Unavailable, at)),
                2 => Some((Trouble::Hang, at)),
                _ => None,
            };
            fails.store(chance == 3, Ordering::SeqCst);
            let before = pebble.orders();
            let next = runtime.block_on(attempt(&paths, &settings, &resolver, now));
            placed.extend((before..pebble.orders()).map(|_| now));
            figures.mismatches += usize::from(!belongs(&paths, figures.renewed > 0));
            match next {
                None => break,
                Some(next) => now = next.max(now + 1),
            }
        }
        figures.renewed += 1;
    }
    figures.accounts = pebble.accounts();
    figures.orders = placed.len();
    let week = |first: &i64| placed.iter().filter(|at| (*first..first + 7 * DAY).contains(*at)).count();
    figures.most_in_a_week = placed.iter().map(week).max().unwrap_or_default();
    figures
}

/// One attempt, as `cert renew --force` makes it, but for the precheck and the services; when to try again.
async fn attempt(paths: &Paths, settings: &Settings, dns: &Resolver, now: i64) -> Option<i64> {
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
            request: Duration::from_millis(1500),
            state: Duration::from_secs(20),
            look: Duration::from_millis(50),
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
fn belongs(paths: &Paths, wanted: bool) -> bool {
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

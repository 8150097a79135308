//! Logins: Dovecot asks before each whether it may go on, and tells afterwards how it ended. IMAP, POP3, ManageSieve and,
//! through Postfix, SMTP all come this way.
//!
//! The rules are [`crate::mail::penalty`]; here are the clock, the lock around them, and what is told and counted.

mod gateways;
mod kept;

pub use kept::Kept;

use super::{
    config,
    http::{exchange::exchange, respond},
    listener::Speak,
    session::{Drain, End},
};
use crate::{
    mail::penalty::{Ban, By, Event, Key, Outcome, Penalties, Rules, Verdict},
    settings::trust::Trust,
    wire::{
        auth_policy::{self, LONGEST},
        query,
    },
};
use http_body_util::{BodyExt, Limited};
use hyper::{Method, Request, StatusCode, body::Incoming};
use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tokio::{net::UnixStream, time::sleep};

/// Connections at a time. Dovecot holds at most a hundred.
pub const MOST: usize = 512;
/// Between two times of forgetting what counts no more.
const SWEEP: Duration = Duration::from_secs(60);

/// Who may log in now.
pub struct Auth {
    penalties: Mutex<Penalties>,
    kept: Kept,
    verdicts: [AtomicU64; 3],
    outcomes: [AtomicU64; 3],
}

/// The door for Dovecot.
pub struct Logins(pub Arc<Auth>);

impl Speak<UnixStream> for Logins {
    async fn speak(&self, stream: UnixStream, drain: &Drain) -> End {
        exchange(stream, drain, |request| answer(&self.0, request)).await;
        End::Over
    }
}

async fn answer(auth: &Auth, request: Request<Incoming>) -> respond::Reply {
    let (head, body) = request.into_parts();
    if head.method != Method::POST {
        return respond::allowed("POST");
    }
    let Ok(body) = Limited::new(body, LONGEST).collect().await else {
        return respond::status(StatusCode::PAYLOAD_TOO_LARGE);
    };
    let command = head.uri.query().and_then(|query| query::value(query, "command"));
    let Some(asked) = auth_policy::request(&body.to_bytes()) else {
        return respond::status(StatusCode::BAD_REQUEST);
    };
    match command.as_deref() {
        Some("allow") => respond::ok(respond::JSON, auth_policy::reply(&auth.check(now(), &asked))),
        Some("report") => {
            auth.report(now(), &asked);
            respond::ok(respond::JSON, auth_policy::reply(&Verdict::Pass))
        }
        _ => respond::status(StatusCode::BAD_REQUEST),
    }
}

/// Seconds since 1970.
pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

impl Auth {
    /// By these rules, with what was kept.
    pub fn new(config: &config::Auth, kept: Kept) -> Self {
        let mut penalties = Penalties::new(rules(config));
        kept.all(now()).into_iter().for_each(|event| penalties.recall(event));
        let penalties = Mutex::new(penalties);
        Self { penalties, kept, verdicts: Default::default(), outcomes: Default::default() }
    }

    /// Goes over to other rules.
    pub fn configure(&self, config: &config::Auth) {
        self.penalties().configure(rules(config));
    }

    /// Forgets what counts no more, for ever.
    pub async fn sweep(self: Arc<Self>) {
        loop {
            sleep(SWEEP).await;
            let now = now();
            let events = self.penalties().sweep(now);
            events.iter().for_each(|event| self.kept.keep(now, event));
        }
    }

    fn penalties(&self) -> MutexGuard<'_, Penalties> {
        // A session that panicked has left every entry whole.
        self.penalties.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn check(&self, now: u64, asked: &auth_policy::Request) -> Verdict {
        let verdict = self.penalties().check(now, &asked.attempt);
        let which = match &verdict {
            Verdict::Pass => 0,
            Verdict::Delay(_) => 1,
            Verdict::Refuse(key) => {
                let attempt = &asked.attempt;
                tracing::info!(login = ?attempt.account, remote = ?attempt.remote, protocol = ?asked.protocol, ban = ?key.to_string(), "login refused");
                2
            }
        };
        self.verdicts[which].fetch_add(1, Relaxed);
        verdict
    }

    fn report(&self, now: u64, asked: &auth_policy::Request) {
        let Some(outcome) = asked.outcome else { return };
        let which = match outcome {
            Outcome::Good => 0,
            Outcome::Wrong => 1,
            Outcome::Other => 2,
        };
        self.outcomes[which].fetch_add(1, Relaxed);
        let events = self.penalties().report(now, &asked.attempt, outcome);
        for event in &events {
            self.kept.keep(now, event);
            if let Event::Banned(key, ban) = event {
                tracing::warn!(on = ?key.to_string(), seconds = ban.until - ban.since, "banned: too many wrong passwords");
            }
        }
    }

    /// The bans that hold.
    pub fn bans(&self) -> Vec<(Key, Ban)> {
        self.penalties().bans(now())
    }

    /// Those among them that stand in the way of `key`.
    pub fn bans_on(&self, key: &Key) -> Vec<(Key, Ban)> {
        let (penalties, now) = (self.penalties(), now());
        let keys = penalties.bans_on(now, key);
        penalties.bans(now).into_iter().filter(|(key, _)| keys.contains(key)).collect()
    }

    /// What within `key` must never be banned.
    pub fn spared(&self, key: &Key) -> Option<String> {
        match key {
            Key::Network(net) => self.penalties().rules().spared_within(*net).map(|net| net.to_string()),
            Key::Account(_) => None,
        }
    }

    /// Shuts somebody out by a person's word.
    pub fn ban(&self, key: &Key, seconds: u64) {
        let now = now();
        let event = self.penalties().ban(now, key, seconds);
        self.kept.keep(now, &event);
        tracing::warn!(on = ?key.to_string(), seconds, "banned by command");
    }

    /// Lets somebody in again.
    pub fn lift(&self, key: &Key) {
        let now = now();
        let events = self.penalties().lift(now, key);
        for event in events {
            self.kept.keep(now, &event);
            if let Event::Lifted(key) = event {
                tracing::warn!(on = ?key.to_string(), "ban lifted by command");
            }
        }
    }

    /// Since the start: tries let through, made to wait, refused; then logins that were right, wrong, and neither.
    pub fn counts(&self) -> ([u64; 3], [u64; 3]) {
        let read = |counts: &[AtomicU64; 3]| counts.each_ref().map(|count| count.load(Relaxed));
        (read(&self.verdicts), read(&self.outcomes))
    }

    /// Bans now, of the rules and of people.
    pub fn banned(&self) -> [u64; 2] {
        let bans = self.bans();
        [By::Rule, By::Operator].map(|by| bans.iter().filter(|(_, ban)| ban.by == by).count() as u64)
    }
}

/// An entry that cannot be read was checked when it was rendered; here it spares nobody.
fn rules(config: &config::Auth) -> Rules {
    Rules {
        enabled: config.enabled,
        failures: config.failures,
        network_failures: config.network_failures,
        account_failures: config.account_failures,
        window: config.window.max(1),
        ban: config.ban_time,
        longest: config.longest_ban,
        count_repeats: config.count_repeats,
        spared: Trust::parse(&config.spared.join(" ")).map_or_else(|_| Vec::new(), Trust::into_entries),
        gateways: gateways::read(),
    }
}

//! The control door: commands of this host read and change what mailctld holds in memory. A unix socket that only root
//! and mailctld itself can use; whoever else could be there has no way into its folder.

use super::{
    auth::{Auth, now},
    http::{exchange::exchange, respond},
    listener::Speak,
    memory::unix_now,
    policy::{Dnsbl, Lately, Recall, near, standing},
    session::{Drain, End},
    state::State,
};
use crate::{
    error::{Code, codes},
    mail::penalty::{Ban, By, Key},
    wire::control::{
        Add, AllClose, Ask, BANS, Banned, Bans, LIFT, LISTS, LONGEST, Lift, Lists, NEAR, Near, Refusal,
        STANDING, Standing, THAW, Thaw, Thawed, Trouble, Zone,
    },
};
use http_body_util::{BodyExt, Limited};
use hyper::{Method, Request, StatusCode, body::Incoming};
use serde::{Serialize, de::DeserializeOwned};
use std::sync::Arc;
use tokio::net::UnixStream;

/// Commands at a time.
pub const MOST: usize = 32;

/// The door, and what it leads to.
pub struct Control {
    /// Bans.
    pub auth: Arc<Auth>,
    /// Frozen logins.
    pub recall: Arc<Recall>,
    /// Who came near a limit.
    pub lately: Arc<Lately>,
    /// Blocklists in DNS.
    pub dnsbl: Arc<Dnsbl>,
    /// By which rule they are frozen.
    pub state: Arc<State>,
}

impl Speak<UnixStream> for Control {
    async fn speak(&self, stream: UnixStream, drain: &Drain) -> End {
        exchange(stream, drain, |request| self.answer(request)).await;
        End::Over
    }
}

impl Control {
    /// Every path there is stands here.
    async fn answer(&self, request: Request<Incoming>) -> respond::Reply {
        let (head, body) = request.into_parts();
        let Ok(body) = Limited::new(body, LONGEST).collect().await else {
            return respond::status(StatusCode::PAYLOAD_TOO_LARGE);
        };
        let body = body.to_bytes();
        let answered = match (&head.method, head.uri.path()) {
            (&Method::GET, BANS) => Ok(told(&self.auth.bans())),
            (&Method::POST, BANS) => read(&body).and_then(|asked| self.add(&asked)),
            (&Method::POST, LIFT) => read(&body).and_then(|asked| self.lift(&asked)),
            (&Method::GET, LISTS) => return told_or(Ok(self.lists())),
            (&Method::POST, STANDING) => return told_or(read(&body).map(|asked| self.standing(&asked))),
            (&Method::POST, NEAR) => return told_or(read(&body).map(|asked| self.near(&asked))),
            (&Method::POST, THAW) => return told_or(read(&body).map(|asked| self.thaw(&asked))),
            _ => return respond::absent(),
        };
        told_or(answered)
    }

    fn lists(&self) -> Lists {
        let known = self.state.read();
        let (allow, block) = known.lists.counts();
        let troubles = known.troubles.iter().map(|trouble| Trouble {
            file: trouble.file.clone(),
            what: trouble.what.clone(),
            instead: trouble.instead.to_owned(),
        });
        let zones = self.dnsbl.told().into_iter().map(|told| Zone { zone: told.zone, unfit: told.unfit });
        Lists { allow, block, troubles: troubles.collect(), zones: zones.collect() }
    }

    fn thaw(&self, asked: &Thaw) -> Thawed {
        let now = unix_now();
        if asked.dry_run {
            return Thawed { frozen: self.recall.frozen(&asked.login, now) };
        }
        let rule = self.state.read().rules.rates.freeze;
        let frozen = self.recall.thaw(&asked.login, &rule, now);
        if frozen {
            tracing::warn!(login = ?asked.login, "may send again by command");
        }
        Thawed { frozen }
    }

    fn standing(&self, asked: &Ask) -> Standing {
        standing(&self.state.read(), &self.recall, asked, unix_now())
    }

    fn near(&self, asked: &Near) -> AllClose {
        AllClose { close: near(&self.state.read(), &self.recall, &self.lately, asked, unix_now()) }
    }

    fn add(&self, asked: &Add) -> Result<Bans, Refusal> {
        let key = key(&asked.on)?;
        if let Some(spared) = self.auth.spared(&key) {
            let what = format!(
                "{key} cannot be banned: {spared} is loopback, the engine's gateway, or spared by the settings"
            );
            return Err(refusal(codes::BAN_SPARED, what));
        }
        let since = now();
        let ban = Ban { since, until: since.saturating_add(asked.seconds), by: By::Operator, level: 0 };
        if !asked.dry_run {
            self.auth.ban(&key, asked.seconds);
        }
        Ok(told(&[(key, ban)]))
    }

    fn lift(&self, asked: &Lift) -> Result<Bans, Refusal> {
        let key = key(&asked.on)?;
        let bans = told(&self.auth.bans_on(&key));
        if !asked.dry_run {
            self.auth.lift(&key);
        }
        Ok(bans)
    }
}

fn told_or(answered: Result<impl Serialize, Refusal>) -> respond::Reply {
    match answered {
        Ok(answer) => json(StatusCode::OK, &answer),
        Err(refusal) => json(StatusCode::UNPROCESSABLE_ENTITY, &refusal),
    }
}

fn told(bans: &[(Key, Ban)]) -> Bans {
    Bans { bans: bans.iter().map(|(key, ban)| Banned::new(key, ban)).collect() }
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    serde_json::from_slice(body).map_err(|error| refusal(codes::BUG, format!("not understood: {error}")))
}

fn key(text: &str) -> Result<Key, Refusal> {
    text.parse().map_err(|unclear| refusal(codes::NAME_MALFORMED, format!("{unclear}")))
}

fn refusal(code: Code, what: String) -> Refusal {
    Refusal { code: code.name.to_owned(), what }
}

fn json(status: StatusCode, value: &impl Serialize) -> respond::Reply {
    match serde_json::to_vec(value) {
        Ok(body) => respond::with(status, respond::JSON, body),
        Err(_) => respond::status(StatusCode::INTERNAL_SERVER_ERROR),
    }
}

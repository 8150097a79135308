//! How the daemon does, for those who run it: `/health` for the stack's own check, `/metrics` for Prometheus. Never
//! on a port of the web; `metrics.listen` says who may read it.
//!
//! No addresses, no domains but those in certificates, nothing of anybody's mail.

mod page;
mod policies;

pub use policies::Policies;

use super::{
    auth::Auth,
    http::{
        Web,
        certificate::Live,
        exchange::exchange,
        respond::{Reply, TEXT, absent, allowed, ok, unwell},
    },
    listener::Speak,
    session::{Drain, End},
    state::State,
    traffic::Traffic,
};
use hyper::{Method, Request, body::Incoming};
use page::{Kind, Page};
use std::{
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};
use tokio::net::TcpStream;

/// Connections at a time.
pub const MOST: usize = 32;

/// The door, and everything that is told there.
pub struct Status {
    /// The directory.
    pub state: Arc<State>,
    /// The web and its certificates, where it is served.
    pub web: Option<(Arc<Web>, Arc<Live>)>,
    /// Logins, where Dovecot asks about them.
    pub auth: Option<Arc<Auth>>,
    /// What the policies said and remember.
    pub policies: Policies,
    /// Each door's name and connections.
    pub doors: Vec<(&'static str, Arc<Traffic>)>,
    /// When it all began.
    pub started: SystemTime,
}

impl Speak<TcpStream> for Status {
    async fn speak(&self, stream: TcpStream, drain: &Drain) -> End {
        exchange(stream, drain, |request| std::future::ready(self.answer(&request))).await;
        End::Over
    }
}

impl Status {
    fn answer(&self, request: &Request<Incoming>) -> Reply {
        match (request.method(), request.uri().path()) {
            (&Method::GET | &Method::HEAD, "/health") => match self.wanting() {
                None => ok(TEXT, "ok\n"),
                Some(what) => unwell(what),
            },
            (&Method::GET | &Method::HEAD, "/metrics") => ok(page::MEDIA, self.metrics()),
            (_, "/health" | "/metrics") => allowed("GET, HEAD"),
            _ => absent(),
        }
    }

    /// What is missing for the work.
    fn wanting(&self) -> Option<&'static str> {
        if self.state.read().snapshot.is_none() {
            return Some("the directory could not be read yet\n");
        }
        let (_, certificates) = self.web.as_ref()?;
        certificates.config().is_none().then_some("no certificate could be read yet\n")
    }

    /// Every figure. A new one gets its family here.
    fn metrics(&self) -> String {
        let mut page = Page::default();
        let version = [("version", env!("CARGO_PKG_VERSION"))];
        page.family("build_info", Kind::Gauge, "Version of the program.").sample(&version, 1);
        let started = self.started.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        page.family("start_time_seconds", Kind::Gauge, "When it started, in Unix time.").sample(&[], started);
        let counts = self.state.read().snapshot.as_ref().map(super::snapshot::Snapshot::counts);
        let read = u64::from(counts.is_some());
        page.family("directory_read", Kind::Gauge, "Whether the directory could be read.").sample(&[], read);
        if let Some((mailboxes, aliases)) = counts {
            page.family("directory_names", Kind::Gauge, "Names in the directory.")
                .sample(&[("kind", "mailbox")], mailboxes as u64)
                .sample(&[("kind", "alias")], aliases as u64);
        }
        let ((allow, block), troubles) = {
            let known = self.state.read();
            (known.lists.counts(), known.troubles.len())
        };
        page.family("list_entries", Kind::Gauge, "Entries of block and allow lists.")
            .sample(&[("way", "allow")], allow as u64)
            .sample(&[("way", "block")], block as u64);
        page.family("lists_faulty", Kind::Gauge, "Files of lists that do not count as they stand.")
            .sample(&[], troubles as u64);
        self.connections(&mut page);
        if let Some(auth) = &self.auth {
            logins(auth, &mut page);
        }
        self.policies.write(&mut page);
        if let Some((web, certificates)) = &self.web {
            let mut family =
                page.family("http_responses_total", Kind::Counter, "Responses on 80 and 443, by status.");
            for (class, count) in ["1xx", "2xx", "3xx", "4xx", "5xx"].into_iter().zip(web.responses()) {
                family.sample(&[("status", class)], count);
            }
            let about = "When the certificate of a name ends, in Unix time.";
            let mut family = page.family("certificate_not_after_seconds", Kind::Gauge, about);
            for (name, end) in certificates.ends() {
                family.sample(&[("name", &name)], u64::try_from(end).unwrap_or(0));
            }
        }
        page.text()
    }

    fn connections(&self, page: &mut Page) {
        let families = [
            ("connections_total", Kind::Counter, "Connections taken."),
            ("connections_refused_total", Kind::Counter, "Connections turned away: too many at a time."),
            ("connections_open", Kind::Gauge, "Connections now."),
            ("connections_failed_total", Kind::Counter, "Connections that a fault of mailctld ended."),
        ];
        for (at, (name, kind, about)) in families.into_iter().enumerate() {
            let mut family = page.family(name, kind, about);
            for (door, traffic) in &self.doors {
                family.sample(&[("door", door)], traffic.counts()[at]);
            }
        }
    }
}

fn logins(auth: &Auth, page: &mut Page) {
    let (verdicts, outcomes) = auth.counts();
    let mut family =
        page.family("login_checks_total", Kind::Counter, "Logins that Dovecot asked about, by our answer.");
    for (verdict, count) in ["pass", "delay", "refuse"].into_iter().zip(verdicts) {
        family.sample(&[("verdict", verdict)], count);
    }
    let mut family = page.family("logins_total", Kind::Counter, "Logins that were tried, by how they ended.");
    for (outcome, count) in ["good", "wrong", "other"].into_iter().zip(outcomes) {
        family.sample(&[("outcome", outcome)], count);
    }
    let mut family = page.family("bans", Kind::Gauge, "Bans from logging in, by who decided them.");
    for (by, count) in ["rule", "operator"].into_iter().zip(auth.banned()) {
        family.sample(&[("by", by)], count);
    }
}

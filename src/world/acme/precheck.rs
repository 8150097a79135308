//! Before an order: whether the authority would find us under each name. An order that cannot succeed is not placed,
//! for it would use up limits that nobody can lift.

use super::{challenge, directory::Directory};
use crate::{
    error::Error,
    mail::{
        address::Domain,
        cert::caa::{self, Account, Found, Nearest, Verdict},
        dns::Name,
    },
    settings::{Acme, Challenge},
    world::{
        anyone::Anyone,
        atomic,
        dns::{Answer, Dns, settle},
        paths::Paths,
    },
};
use futures_util::future::join_all;
use rustls::{ClientConfig, pki_types::ServerName};
use serde::Serialize;
use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};
use tokio::{net::TcpStream, time::timeout};
use tokio_rustls::TlsConnector;

/// How long our own port may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// One reason not to order.
#[derive(Clone, Debug, Serialize)]
pub struct Refusal {
    /// The name, or what else it is about.
    pub about: String,
    /// What is wrong.
    pub cause: String,
    /// What to do: best a command to type.
    pub next: String,
}

/// Where the names lead.
pub struct Reach<'a> {
    /// The home.
    pub paths: &'a Paths,
    /// Who is asked.
    pub dns: &'a Dns,
    /// Under which others reach this server; empty = not known, and then no address is wrong.
    pub ours: &'a [IpAddr],
}

/// How a name stands in DNS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Leads {
    /// Only to us, there.
    Here(Vec<IpAddr>),
    /// Elsewhere, or also elsewhere: the first such address.
    Elsewhere(IpAddr),
    /// Nowhere.
    Nowhere,
    /// No answer that counts.
    Unknown(String),
}

impl Reach<'_> {
    /// Where a name leads. An authority may use any of its addresses, so one that is not ours is enough.
    pub async fn leads(&self, name: &Domain) -> Leads {
        match self.dns.addresses(name).await {
            Answer::Found(addresses) => {
                let foreign =
                    addresses.iter().find(|address| !self.ours.is_empty() && !self.ours.contains(address));
                foreign.map_or_else(|| Leads::Here(addresses.clone()), |address| Leads::Elsewhere(*address))
            }
            Answer::Nothing => Leads::Nowhere,
            Answer::Silent(why) => Leads::Unknown(why),
        }
    }

    /// Everything that can be known before an order for `names`; empty = order. The second are notes: what could not be
    /// looked at from here.
    pub async fn check(
        &self,
        directory: &Directory,
        account: Option<&str>,
        acme: &Acme,
        names: &[Domain],
    ) -> Result<(Vec<Refusal>, Vec<String>), Error> {
        let (mut refusals, mut notes) = (Vec::new(), Vec::new());
        refusals.extend(directory.ahead.and_then(clock));
        let permitted =
            join_all(names.iter().map(|name| self.permitted(directory, account, acme, name))).await;
        refusals.extend(permitted.into_iter().flatten());
        if acme.challenge == Challenge::Dns01 {
            return Ok((refusals, notes));
        }
        for (name, leads) in names.iter().zip(join_all(names.iter().map(|name| self.leads(name))).await) {
            let refuse = |cause: String, next: String| Refusal { about: name.to_string(), cause, next };
            let look =
                format!("mailctl dns-check --only address     ({name} must lead to this server alone)");
            match leads {
                Leads::Here(addresses) => match self.answers(acme.challenge, name, &addresses).await? {
                    Ok(()) => {}
                    Err(Unseen::Foreign(cause)) => {
                        refusals.push(refuse(cause, "mailctl help certificates".to_owned()));
                    }
                    Err(Unseen::Closed(cause)) => match self.answers_here(acme.challenge, name).await? {
                        true => notes.push(format!(
                            "{name}: {cause}; the port answers on this host, so a router may only not lead back inside"
                        )),
                        false => refusals.push(refuse(cause, "mailctl status".to_owned())),
                    },
                },
                Leads::Elsewhere(address) => refusals.push(refuse(
                    format!("it leads to {address}, which is not this server's (dns.addresses)"),
                    look,
                )),
                Leads::Nowhere => refusals.push(refuse("it has no address in DNS".to_owned(), look)),
                Leads::Unknown(why) => refusals.push(refuse(format!("its addresses are not known: {why}"), look)),
            }
        }
        Ok((refusals, notes))
    }

    /// RFC 8659, RFC 8657. An authority that does not tell its name in CAA looks for itself.
    async fn permitted(
        &self,
        directory: &Directory,
        account: Option<&str>,
        acme: &Acme,
        name: &Domain,
    ) -> Option<Refusal> {
        if directory.authorities.is_empty() {
            return None;
        }
        let methods = [acme.challenge.name().to_owned()];
        let wish = caa::Wish {
            authorities: &directory.authorities,
            account: account.map_or(Account::None, Account::Is),
            methods: &methods,
        };
        let at = Name::from(name);
        let refuse = |cause, next| Some(Refusal { about: name.to_string(), cause, next });
        let unknown = |why| refuse(why, "mailctl dns-check --only caa --watch".to_owned());
        match settle(self.dns, |inquiry| caa::judge(inquiry, &at, &wish)).await.map(|settled| settled.verdict)
        {
            Ok(Nearest::Nothing) => None,
            Ok(Nearest::Found(found)) => {
                let (cause, next) = forbidden(&found, &directory.authorities)?;
                refuse(cause, next)
            }
            Ok(Nearest::Silent(question, why)) => unknown(format!("{} CAA: {why}", question.name)),
            Err(why) => unknown(why),
        }
    }

    /// Asks the port that the authority will ask, for something that only we can know.
    async fn answers(
        &self,
        challenge: Challenge,
        name: &Domain,
        addresses: &[IpAddr],
    ) -> Result<Result<(), Unseen>, Error> {
        let marker = Marker::put(self.paths, challenge, name)?;
        let asked = addresses.iter().map(|address| marker.look(*address));
        let first = join_all(asked).await.into_iter().find_map(Result::err);
        Ok(first.map_or(Ok(()), Err))
    }

    /// The same on loopback: whether it is we who do not listen, or the way from here to the address.
    async fn answers_here(&self, challenge: Challenge, name: &Domain) -> Result<bool, Error> {
        let marker = Marker::put(self.paths, challenge, name)?;
        Ok(marker.look(IpAddr::from([127, 0, 0, 1])).await.is_ok())
    }
}

/// Why no certificate would be issued, and what to publish; `None` where one would.
fn forbidden(found: &Found, authorities: &[String]) -> Option<(String, String)> {
    let at = &found.at;
    let wanted = || authorities.first().map_or_else(String::new, |one| caa::entry(at, one).to_string());
    Some(match &found.verdict {
        Verdict::Free | Verdict::Allowed => return None,
        Verdict::Critical(tag) => (
            format!("{at} has a critical CAA tag {tag:?} that stops every authority"),
            "write 0 in the place of 128 there".to_owned(),
        ),
        Verdict::Others(others) => (
            format!("the CAA at {at} lets only {} issue", others.join(", ")),
            format!("publish: {}", wanted()),
        ),
        Verdict::Account(record) => {
            (format!("the CAA at {at} is bound to another account"), format!("publish instead: {record}"))
        }
        Verdict::Method(record) => (
            format!("the CAA at {at} allows another way of proof only"),
            format!("publish instead: {record}"),
        ),
    })
}

/// RFC 8555 has no word on clocks, but certificates have dates.
fn clock(ahead: i64) -> Option<Refusal> {
    (ahead.abs() > super::AHEAD).then(|| Refusal {
        about: "the clock of this host".to_owned(),
        cause: format!("it differs by {} s from the authority's", ahead.abs()),
        next: "timedatectl set-ntp true".to_owned(),
    })
}

/// Why our marker was not seen.
enum Unseen {
    /// Nobody answers.
    Closed(String),
    /// Somebody answers, and it is not we.
    Foreign(String),
}

/// Something random that the port must show; gone with its value.
struct Marker<'a> {
    paths: &'a Paths,
    challenge: Challenge,
    name: &'a Domain,
    token: String,
    digest: [u8; 32],
}

impl<'a> Marker<'a> {
    fn put(paths: &'a Paths, challenge: Challenge, name: &'a Domain) -> Result<Self, Error> {
        let digest: [u8; 32] = rand::random();
        let token: String = digest.iter().map(|octet| format!("{octet:02x}")).collect();
        let marker = Self { paths, challenge, name, token: format!("mailctl-{token}"), digest };
        if challenge == Challenge::TlsAlpn01 {
            let pem = challenge::certificate(name, &digest)?;
            let access = atomic::shared(0o640, crate::render::ids::MAILCTL);
            atomic::write(&challenge::alpn_file(paths, name), pem.as_bytes(), access)?;
        } else {
            let file = challenge::http_file(paths, &marker.token);
            atomic::write(&file, marker.token.as_bytes(), atomic::PUBLIC)?;
        }
        Ok(marker)
    }

    async fn look(&self, address: IpAddr) -> Result<(), Unseen> {
        let looking = async {
            match self.challenge {
                Challenge::TlsAlpn01 => self.alpn(SocketAddr::new(address, 443)).await,
                Challenge::Http01 | Challenge::Dns01 => self.http(SocketAddr::new(address, 80)).await,
            }
        };
        let late = || Unseen::Closed(format!("{address} did not answer within {} s", PATIENCE.as_secs()));
        timeout(PATIENCE, looking).await.unwrap_or_else(|_| Err(late()))
    }

    /// Redirects are followed, also to a certificate that nobody believes yet: so authorities do it.
    async fn http(&self, at: SocketAddr) -> Result<(), Unseen> {
        let closed =
            |error: &reqwest::Error| Unseen::Closed(format!("{at}: {}", super::http::innermost(error)));
        let client = reqwest::Client::builder()
            .no_proxy()
            .resolve(self.name.as_str(), at)
            .tls_danger_accept_invalid_certs(true)
            .redirect(reqwest::redirect::Policy::limited(10))
            .build()
            .map_err(|error| closed(&error))?;
        let url = format!("http://{}/.well-known/acme-challenge/{}", self.name, self.token);
        let mut response = client.get(url).send().await.map_err(|error| closed(&error))?;
        let (status, first) = (response.status(), response.chunk().await.map_err(|error| closed(&error))?);
        if status.is_success() && first.is_some_and(|body| body.trim_ascii() == self.token.as_bytes()) {
            return Ok(());
        }
        Err(Unseen::Foreign(format!(
            "who answers at {at} does not serve our files below /.well-known/acme-challenge/ (it said {status})"
        )))
    }

    /// RFC 8737 §3.
    async fn alpn(&self, at: SocketAddr) -> Result<(), Unseen> {
        let closed = |error: std::io::Error| Unseen::Closed(format!("{at}: {error}"));
        let foreign = |why: String| {
            Unseen::Foreign(format!("who answers at {at} does not speak acme-tls/1 for us ({why})"))
        };
        let mut config = ClientConfig::builder()
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Anyone::new()))
            .with_no_client_auth();
        config.alpn_protocols = vec![b"acme-tls/1".to_vec()];
        let name = ServerName::try_from(self.name.to_string()).map_err(|error| foreign(error.to_string()))?;
        let tcp = TcpStream::connect(at).await.map_err(closed)?;
        let tls = TlsConnector::from(Arc::new(config)).connect(name, tcp).await;
        let tls = tls.map_err(|error| foreign(error.to_string()))?;
        let shown = tls.get_ref().1.peer_certificates().and_then(<[_]>::first);
        let ours = shown.is_some_and(|shown| shown.windows(32).any(|octets| octets == self.digest));
        if ours { Ok(()) } else { Err(foreign("it shows another certificate".to_owned())) }
    }
}

impl Drop for Marker<'_> {
    fn drop(&mut self) {
        let file = match self.challenge {
            Challenge::TlsAlpn01 => challenge::alpn_file(self.paths, self.name),
            Challenge::Http01 | Challenge::Dns01 => challenge::http_file(self.paths, &self.token),
        };
        let _ = std::fs::remove_file(file);
    }
}

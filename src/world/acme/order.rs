//! One order, from wherever it stands to its end (RFC 8555 §7.4).

use super::{
    Pace,
    account::{self, Ca},
    authorization::{invalid, proofs, ready},
    book::Book,
    challenge,
    dns01::Zones,
    fault::Fault,
};
use crate::{
    error::{Error, codes},
    mail::{
        address::Domain,
        cert::{Kind, Pair, Wanted},
    },
    settings::{Acme, Challenge},
    world::paths::Paths,
};
use instant_acme::{Identifier, NewOrder, Order, OrderStatus};
use openssl::{
    error::ErrorStack,
    hash::MessageDigest,
    pkey::{PKey, Private},
    stack::Stack,
    x509::{X509Name, X509Req, extension::SubjectAlternativeName},
};
use std::time::Instant;

/// Steps that are taken again because the nonce was not taken; instant-acme itself tries three times each.
const AGAIN: u32 = 16;

/// What is wanted, for whom.
pub struct Task<'a> {
    /// The home.
    pub paths: &'a Paths,
    /// Which authority, and how names are proven.
    pub acme: &'a Acme,
    /// The first is the host's.
    pub names: &'a [String],
    /// Of this key.
    pub kind: Kind,
    /// Key and certificates that are served now: the key is used again where it is of the kind, and an authority
    /// that gives advice is told what the order is to replace.
    pub served: Option<&'a [u8]>,
    /// Another key.
    pub new_key: bool,
    /// For DNS-01.
    pub zones: &'a Zones<'a>,
    /// How long to wait for what.
    pub pace: Pace,
    /// Seconds since 1970.
    pub now: i64,
    /// Hears what is done.
    pub tell: &'a (dyn Fn(&str) + Send + Sync),
}

/// How far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Goal {
    /// Until the authority believes that the names are ours; for its staging directory.
    Believed,
    /// Until the certificate is on the disk.
    Issued,
}

/// Goes on with the order of this kind where one is under way, else places one.
pub async fn obtain(book: &mut Book, ca: &Ca, task: &Task<'_>, goal: Goal) -> Result<(), Fault> {
    let directory = &ca.directory.url;
    let had = book.ledger.order(directory, task.kind).is_some_and(|order| covers(&order.names, task.names));
    if goal == Goal::Issued && had && book.pair(task.kind, task.names, task.now).is_some() {
        return Ok(());
    }
    let mut order = match if had { resume(book, ca, task).await? } else { None } {
        Some(order) => order,
        None => place(book, ca, task, goal).await?,
    };
    let done = finish(book, ca, task, goal, &mut order).await;
    if let Err(fault) = &done
        && (fault.is_refusal() || order.state().status == OrderStatus::Invalid)
    {
        clean(book, ca, task).await;
        book.ledger.drop_order(directory, task.kind);
        book.save()?;
    }
    done
}

fn covers(order: &[String], names: &[String]) -> bool {
    names.iter().all(|name| order.contains(name))
}

/// An order whose URL nobody told may have been placed or not: it is counted, and given up.
async fn resume(book: &mut Book, ca: &Ca, task: &Task<'_>) -> Result<Option<Order>, Fault> {
    let directory = &ca.directory.url;
    let url = book.ledger.order(directory, task.kind).and_then(|order| order.url.clone());
    let found = match url {
        Some(url) => again(async || ca.account.order(url.clone()).await).await,
        None => Err(Fault::refused("", "its URL was never told")),
    };
    match found {
        Ok(order) => {
            (task.tell)("going on with the order that is under way");
            Ok(Some(order))
        }
        Err(fault) if fault.is("accountDoesNotExist") => Err(forgotten(book, ca, task)?),
        // Gone, or not ours any more.
        Err(fault) if fault.is_refusal() => {
            book.ledger.drop_order(directory, task.kind);
            book.save()?;
            Ok(None)
        }
        Err(fault) => Err(fault),
    }
}

fn forgotten(book: &mut Book, ca: &Ca, task: &Task<'_>) -> Result<Fault, Error> {
    ca.forget(task.paths)?;
    book.ledger.under_way.retain(|order| order.directory != ca.directory.url);
    book.save()?;
    Ok(Fault::silent("the authority does not know our account any more; it is made again the next time"))
}

async fn place(book: &mut Book, ca: &Ca, task: &Task<'_>, goal: Goal) -> Result<Order, Fault> {
    let directory = &ca.directory.url;
    if goal == Goal::Issued {
        if let Err((name, until)) = book.ledger.allows(directory, task.names, task.now) {
            return Err(Fault::Full { name: name.to_owned(), until });
        }
        book.clear(task.kind)?;
        book.key(task.kind, task.served.filter(|_| !task.new_key)).await?;
    }
    (task.tell)(&format!("ordering a certificate for {}", task.names.join(", ")));
    // On the disk before it is sent: whatever happens then, it counts.
    book.ledger.place(directory, task.kind, task.names, task.now);
    book.save()?;
    let names: Vec<Identifier> = task.names.iter().map(|name| Identifier::Dns(name.clone())).collect();
    let mut wanted = NewOrder::new(&names);
    let replaces = task.served.filter(|_| replaces(book, ca, task, goal)).and_then(account::identifier);
    if let Some(replaces) = replaces {
        wanted = wanted.replaces(replaces);
    }
    match again(async || ca.account.new_order(&wanted).await).await {
        Ok(order) => {
            if let Some(entry) = book.ledger.order_mut(directory, task.kind) {
                entry.url = Some(order.url().to_owned());
            }
            book.save()?;
            Ok(order)
        }
        Err(fault) if fault.is("accountDoesNotExist") => Err(forgotten(book, ca, task)?),
        // What the authority says that it did not take was not placed.
        Err(fault @ (Fault::Refused { .. } | Fault::Busy { .. })) => {
            if fault.is("alreadyReplaced") {
                book.ledger.advice = None;
            }
            book.ledger.not_placed(directory, task.kind);
            book.save()?;
            Err(fault)
        }
        Err(fault) => Err(fault),
    }
}

/// RFC 9773 §5: only what the authority itself has issued, which it has where it gave advice.
fn replaces(book: &Book, ca: &Ca, task: &Task<'_>, goal: Goal) -> bool {
    let serial = task.served.and_then(crate::mail::cert::Certificate::read).map(|served| served.serial);
    let advised = book.ledger.advice.as_ref().map(|advice| advice.serial.clone());
    ca.directory.advises && goal == Goal::Issued && advised.is_some() && advised == serial
}

async fn finish(
    book: &mut Book,
    ca: &Ca,
    task: &Task<'_>,
    goal: Goal,
    order: &mut Order,
) -> Result<(), Fault> {
    if order.state().status == OrderStatus::Pending {
        prove(book, ca, task, order).await?;
    }
    clean(book, ca, task).await;
    if order.state().status == OrderStatus::Invalid {
        return Err(invalid(task, order).await);
    }
    if goal == Goal::Believed {
        book.ledger.drop_order(&ca.directory.url, task.kind);
        book.ledger.proven();
        return Ok(book.save()?);
    }
    let key = book.key(task.kind, None).await?;
    if order.state().status == OrderStatus::Ready {
        (task.tell)("the authority believes us; asking for the certificate");
        let names = book.ledger.order(&ca.directory.url, task.kind).map(|order| order.names.clone());
        let request = request(&key, &names.unwrap_or_default())
            .map_err(|e| Error::new(codes::BUG, "cannot make a request for a certificate").cause(e))?;
        again(async || order.finalize_csr(&request).await).await?;
    }
    wait(ca, task, order, &[OrderStatus::Ready, OrderStatus::Processing], "issued the certificate").await?;
    if order.state().status == OrderStatus::Invalid {
        return Err(invalid(task, order).await);
    }
    (task.tell)("fetching the certificate");
    let chain = again(async || order.certificate().await).await?;
    let chain = chain.ok_or_else(|| Fault::silent("the certificate is not ready yet"))?;
    let pair = judged(&chain, &key, task)?;
    Ok(book.issued(task.kind, &pair)?)
}

/// Shows the authority what proves each name, and waits for its verdict.
async fn prove(book: &mut Book, ca: &Ca, task: &Task<'_>, order: &mut Order) -> Result<(), Fault> {
    let proofs = proofs(task, order).await?;
    if task.acme.challenge == Challenge::Dns01
        && let Some(entry) = book.ledger.order_mut(&ca.directory.url, task.kind)
    {
        // Before they are there: whoever goes on after us can remove them.
        entry.texts = proofs.iter().map(|proof| (proof.name.to_string(), proof.text())).collect();
        book.save()?;
    }
    (task.tell)(&format!("proving {} name(s) by {}", proofs.len(), task.acme.challenge));
    challenge::put(task.paths, task.acme.challenge, &proofs, task.zones).await?;
    let mut told = Vec::new();
    again(async || ready(task, order, &mut told).await).await?;
    wait(ca, task, order, &[OrderStatus::Pending], "looked at what proves the names").await
}

/// Looks at the order until it has left the states in `left`.
async fn wait(
    ca: &Ca,
    task: &Task<'_>,
    order: &mut Order,
    left: &[OrderStatus],
    what: &str,
) -> Result<(), Fault> {
    let (began, mut pause) = (Instant::now(), task.pace.look);
    while left.contains(&order.state().status) {
        if began.elapsed() > task.pace.state {
            let within = task.pace.state.as_secs_f32();
            return Err(Fault::silent(format!("the authority has not {what} within {within} s")));
        }
        let told = ca.http.again().map_or(pause, std::time::Duration::from_secs);
        tokio::time::sleep(told.min(task.pace.state / 4).max(pause)).await;
        pause = (pause * 2).min(task.pace.look * 20);
        again(async || order.refresh().await.map(drop)).await?;
    }
    Ok(())
}

/// What was put for the order goes. Not worth its failure.
async fn clean(book: &mut Book, ca: &Ca, task: &Task<'_>) {
    let _ = challenge::sweep(task.paths);
    if let Some(entry) = book.ledger.order_mut(&ca.directory.url, task.kind) {
        let texts = std::mem::take(&mut entry.texts);
        if !texts.is_empty() && task.zones.remove(&texts).await.is_ok() {
            let _ = book.save();
        }
    }
}

/// RFC 2986, with the names where they count (RFC 8555 §7.4).
fn request(key: &PKey<Private>, names: &[String]) -> Result<Vec<u8>, ErrorStack> {
    let mut request = X509Req::builder()?;
    request.set_version(0)?;
    request.set_subject_name(&X509Name::builder()?.build())?;
    request.set_pubkey(key)?;
    let mut holds = SubjectAlternativeName::new();
    names.iter().for_each(|name| {
        holds.dns(name);
    });
    let mut extensions = Stack::new()?;
    extensions.push(holds.build(&request.x509v3_context(None))?)?;
    request.add_extensions(&extensions)?;
    request.sign(key, MessageDigest::sha256())?;
    request.build().to_der()
}

/// What came is what was asked for, or it is as if nothing had come.
fn judged(chain: &str, key: &PKey<Private>, task: &Task<'_>) -> Result<Pair, Fault> {
    let pem = key.private_key_to_pem_pkcs8();
    let pem = pem.map_err(|e| Error::new(codes::BUG, "cannot write a key").cause(e))?;
    let host = Domain::parse(task.names.first().map(String::as_str).unwrap_or_default());
    let host = host.map_err(|e| Error::new(codes::NAME_MALFORMED, e.to_string()))?;
    let pair = Pair::assemble(chain.as_bytes(), &pem, &Wanted::Host(&host), task.now + super::AHEAD)
        .map_err(|fault| Fault::silent(format!("the certificate that came cannot be used: it {fault}")))?;
    match task.names.iter().find(|name| !pair.leaf.holds_for(name)) {
        Some(name) => Err(Fault::silent(format!("the certificate that came does not hold for {name}"))),
        None => Ok(pair),
    }
}

/// Takes a step again while the authority does not take its nonce (RFC 8555 §6.5): it has done nothing then.
pub(super) async fn again<T>(
    mut step: impl AsyncFnMut() -> Result<T, instant_acme::Error>,
) -> Result<T, Fault> {
    let mut last = None;
    for _ in 0..AGAIN {
        match step().await {
            Ok(done) => return Ok(done),
            Err(error) if bad_nonce(&error) => last = Some(error),
            Err(error) => return Err(error.into()),
        }
    }
    Err(last.map_or_else(|| Fault::silent("no nonce was taken"), Fault::from))
}

fn bad_nonce(error: &instant_acme::Error) -> bool {
    matches!(error, instant_acme::Error::Api(problem)
        if problem.r#type.as_deref() == Some("urn:ietf:params:acme:error:badNonce"))
}

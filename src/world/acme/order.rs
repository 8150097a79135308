//! One order, from wherever it stands to its end (RFC 8555 §7.4).

use super::{
    Pace,
    account::{self, Ca},
    authorization::{Sent, invalid, proofs, ready},
    book::Book,
    challenge,
    dns01::Zones,
    fault::Fault,
    lost::Lost,
    patience::{again, once},
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

/// The order that is under way, as far as there is one.
async fn resume(book: &mut Book, ca: &Ca, task: &Task<'_>) -> Result<Option<Order>, Fault> {
    let directory = &ca.directory.url;
    let url = book.ledger.order(directory, task.kind).and_then(|order| order.url.clone());
    let url = match url {
        Some(url) => url,
        None => match lost(book, ca, task).await? {
            Some(url) => url,
            None => return Ok(None),
        },
    };
    let found = again(&task.pace, async || ca.account.order(url.clone()).await).await;
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

/// The URL of an order that was sent and never answered. Where nobody can tell whether it was taken, it counts, and is
/// given up; where the authority has no such order, it does not.
async fn lost(book: &mut Book, ca: &Ca, task: &Task<'_>) -> Result<Option<String>, Fault> {
    let directory = &ca.directory.url;
    let names = book.ledger.order(directory, task.kind).map(|order| order.names.clone()).unwrap_or_default();
    (task.tell)("asking whether the order that was cut off was taken");
    let found = ca.lost(&names, &book.ledger.urls(directory)).await?;
    match &found {
        Lost::Taken(url) => book.ledger.told(directory, task.kind, url),
        Lost::Never => book.ledger.not_placed(directory, task.kind),
        Lost::Unknown => book.ledger.drop_order(directory, task.kind),
    }
    book.save()?;
    Ok(if let Lost::Taken(url) = found { Some(url) } else { None })
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
    // What no answer told is looked for by the next attempt.
    match once(&task.pace, async || ca.account.new_order(&wanted).await).await {
        Ok(order) => {
            book.ledger.told(directory, task.kind, order.url());
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
        finalize(&task.pace, order, &request).await?;
    }
    wait(ca, task, order, &[OrderStatus::Ready, OrderStatus::Processing], "issued the certificate").await?;
    if order.state().status == OrderStatus::Invalid {
        return Err(invalid(task, order).await);
    }
    (task.tell)("fetching the certificate");
    let chain = again(&task.pace, async || order.certificate().await).await?;
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
    let mut sent = Sent::default();
    again(&task.pace, async || ready(task, order, &mut sent).await).await?;
    wait(ca, task, order, &[OrderStatus::Pending], "looked at what proves the names").await
}

/// Asks for the certificate. Where that found no answer, it is looked first whether the authority heard it.
async fn finalize(pace: &Pace, order: &mut Order, request: &[u8]) -> Result<(), Fault> {
    let mut sent = false;
    let asked = again(pace, async || {
        if sent {
            order.refresh().await?;
        }
        sent = true;
        match order.state().status {
            OrderStatus::Ready => order.finalize_csr(request).await,
            _ => Ok(()),
        }
    });
    asked.await
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
        again(&task.pace, async || order.refresh().await.map(drop)).await?;
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

//! Postfix's questions about who exists and where mail goes (socketmap).
//!
//! | map | key | answer |
//! |---|---|---|
//! | `domains` | domain | `1` where mail for it is ours |
//! | `mailboxes` | address | `1` where there is a mailbox |
//! | `aliases` | address | all final targets here, the mailbox itself included; the address with a mark where it leads elsewhere |
//! | `senders` | address | the logins that may send as it |
//! | `changes` | anything | number of the last change that answers are made from; for commands that wait |
//!
//! `aliases` answers a whole address with all its final targets, and a mailbox with itself; it knows nothing
//! of partial keys such as `@domain`. So a catch-all never takes mail from a mailbox, and Postfix has nothing
//! left to expand. A local part that is no [`Localpart`] leads to the catch-all and nowhere else. While there is
//! no directory, every answer is TEMP: nobody is ever called unknown because we could not look.

use super::{
    memory::unix_now,
    session::{Answer, Progress},
    state::{Known, State, View},
};
use crate::{
    mail::{
        address::{Address, Domain, Localpart, Malformed},
        directory::{Directory, Place, Target, resolve, resolve_rest},
        onward::marked,
        rights::owners,
        srs::{Day, is_srs},
    },
    wire::socketmap::{Decoded, Reply, decode, encode},
};
use std::{
    fmt::{Display, Write},
    sync::Arc,
};

const NO_DIRECTORY: &str = "the directory cannot be read now";
/// Where Postfix only asks whether there is a value.
const YES: &str = "1";
const DAMAGED: &str = "the directory holds something that is no address";

/// The socketmap service.
pub struct Lookup(pub Arc<State>);

impl Answer for Lookup {
    fn answer(&self, buffer: &[u8], replies: &mut Vec<u8>) -> Progress {
        let known = self.0.read();
        let mut used = 0;
        let mut value = String::new();
        loop {
            match decode(&buffer[used..]) {
                Decoded::Request { map, key, used: length } => {
                    value.clear();
                    if map == b"changes" && known.snapshot.is_some() {
                        push(known.seen, &mut value);
                        encode(Reply::Ok(&value), replies);
                    } else {
                        encode(reply(&known, map, key, &mut value), replies);
                    }
                    used += length;
                }
                Decoded::More => return Progress::Used(used),
                Decoded::Malformed(why) => return Progress::Refused(why),
            }
        }
    }
}

fn reply<'v>(known: &Known, map: &[u8], key: &[u8], value: &'v mut String) -> Reply<'v> {
    let Some(directory) = known.directory() else { return Reply::Temp(NO_DIRECTORY) };
    let place = &known.place;
    // What is no text is no name of ours.
    let Ok(key) = std::str::from_utf8(key) else { return Reply::NotFound };
    let found = match map {
        b"domains" => domains(directory, place, key, value),
        b"mailboxes" => mailboxes(directory, place, key, value),
        b"aliases" => aliases(directory, known, key, value),
        b"senders" => senders(directory, place, key, value),
        _ => return Reply::Perm("there is no such map"),
    };
    match found {
        Ok(()) if value.is_empty() => Reply::NotFound,
        Ok(()) => Reply::Ok(value),
        Err(_) => Reply::Temp(DAMAGED),
    }
}

/// Our own name is a domain too: its role addresses receive mail.
fn domains(directory: View<'_>, place: &Place, key: &str, value: &mut String) -> Result<(), Malformed> {
    if let Ok(domain) = Domain::parse(key)
        && (domain == place.hostname || directory.serves(domain.as_str())?)
    {
        value.push_str(YES);
    }
    Ok(())
}

fn mailboxes(directory: View<'_>, place: &Place, key: &str, value: &mut String) -> Result<(), Malformed> {
    let Ok(address) = Address::parse(key) else { return Ok(()) };
    if !directory.serves(address.domain().as_str())? {
        return Ok(());
    }
    let here = |address: &Address| directory.mailbox(&address.to_string());
    if here(&address)? || address.untagged(place.delimiter).is_some_and(|plain| here(&plain) == Ok(true)) {
        value.push_str(YES);
    }
    Ok(())
}

fn aliases(directory: View<'_>, known: &Known, key: &str, value: &mut String) -> Result<(), Malformed> {
    let place = &known.place;
    if let Some((local, domain)) = key.rsplit_once('@')
        && is_srs(local)
    {
        return bounce(directory, known, local, domain, value);
    }
    let Ok(address) = Address::parse(key) else { return rest(directory, place, key, value) };
    if address.domain() != &place.hostname && !directory.serves(address.domain().as_str())? {
        // Postfix asks for every sender's and recipient's address, the foreign ones too.
        return Ok(());
    }
    let route = resolve(&directory, place, &address)?;
    let mut onward = false;
    for target in &route.targets {
        match target {
            // All of them in one transaction, and in a name of ours: not by Postfix itself.
            Target::Outside(_) if known.forwards => onward = true,
            target => push(as_asked(key, target.address(), place.delimiter), value),
        }
    }
    if onward {
        push(marked(&address), value);
    }
    Ok(())
}

/// A bounce of what we sent on in our name: to the one who sent it to us. What was not made here is nobody's address.
fn bounce(
    directory: View<'_>,
    known: &Known,
    local: &str,
    domain: &str,
    value: &mut String,
) -> Result<(), Malformed> {
    let (Ok(domain), Some(srs)) = (Domain::parse(domain), &known.srs) else { return Ok(()) };
    if domain != known.place.hostname && !directory.serves(domain.as_str())? {
        return Ok(());
    }
    match srs.decode(local, Day::at(unix_now().into())) {
        Ok(sender) => push(sender, value),
        Err(why) => tracing::info!(local, %why, "a bounce to an address of SRS is not taken"),
    }
    Ok(())
}

/// Local parts that nobody here can have, such as `"john doe"`: a catch-all takes them all the same.
fn rest(directory: View<'_>, place: &Place, key: &str, value: &mut String) -> Result<(), Malformed> {
    let Some((local, domain)) = key.rsplit_once('@') else { return Ok(()) };
    if let (true, Ok(domain)) = (Localpart::elsewhere(local), Domain::parse(domain)) {
        for target in &resolve_rest(&directory, place, &domain)?.targets {
            push(target.address(), value);
        }
    }
    Ok(())
}

fn senders(directory: View<'_>, place: &Place, key: &str, value: &mut String) -> Result<(), Malformed> {
    let Ok(address) = Address::parse(key) else { return Ok(()) };
    for owner in owners(&directory, place, &address)? {
        push(owner, value);
    }
    Ok(())
}

/// The target with its tag as the sender wrote it: a tag names a folder, and `+Work` is not `+work`.
fn as_asked(key: &str, target: &Address, delimiter: char) -> String {
    let written = key.rsplit_once('@').and_then(|(local, _)| local.split_once(delimiter)).map(|(_, tag)| tag);
    match (target.local().split_tag(delimiter), written) {
        (Some((user, tag)), Some(written)) if written.eq_ignore_ascii_case(tag) => {
            format!("{user}{delimiter}{written}@{}", target.domain().as_str())
        }
        _ => target.to_string(),
    }
}

fn push(address: impl Display, value: &mut String) {
    let comma = if value.is_empty() { "" } else { "," };
    // A String takes everything.
    let _ = write!(value, "{comma}{address}");
}

#[cfg(test)]
mod tests;

//! Postfix's questions about who exists and where mail goes (socketmap).
//!
//! | map | key | answer |
//! |---|---|---|
//! | `domains` | domain | `1` where mail for it is ours |
//! | `mailboxes` | address | `1` where there is a mailbox |
//! | `aliases` | address | all final targets, the mailbox itself included; so partial keys need no answer |
//! | `senders` | address | the logins that may send as it |

use super::{
    listener::Progress,
    snapshot::{Memory, Snapshot},
};
use crate::{
    mail::{
        address::Address,
        directory::{Directory, owners, resolve},
    },
    wire::socketmap::{Decoded, Reply, decode, encode},
};

/// Answers every whole request in `buffer`.
pub fn answer(snapshot: &Snapshot, buffer: &[u8], out: &mut Vec<u8>) -> Progress {
    let mut used = 0;
    loop {
        match decode(&buffer[used..]) {
            Decoded::Request { map, key, used: more } => {
                used += more;
                snapshot.with(|memory| match memory {
                    Some(memory) => reply(memory, map, key, out),
                    None => encode(Reply::Temp("the directory cannot be read now"), out),
                });
            }
            Decoded::More => return Progress::Used(used),
            Decoded::Malformed(why) => return Progress::Close(why),
        }
    }
}

fn reply(memory: &Memory, map: &[u8], key: &[u8], out: &mut Vec<u8>) {
    // Bytes that are no text, and names that are no address, exist nowhere.
    let Ok(key) = std::str::from_utf8(key) else { return encode(Reply::NotFound, out) };
    let addresses = |addresses: Vec<Address>, out: &mut Vec<u8>| {
        if addresses.is_empty() {
            return encode(Reply::NotFound, out);
        }
        let texts: Vec<String> = addresses.iter().map(ToString::to_string).collect();
        encode(Reply::Ok(&texts.join(",")), out);
    };
    match map {
        b"domains" => {
            let key = key.to_ascii_lowercase();
            encode(if memory.receives(&key) { Reply::Ok("1") } else { Reply::NotFound }, out);
        }
        b"mailboxes" => {
            let found = Address::parse(key).is_ok_and(|address| has_mailbox(memory, &address));
            encode(if found { Reply::Ok("1") } else { Reply::NotFound }, out);
        }
        b"aliases" => match Address::parse(key) {
            Ok(address) if memory.receives(address.domain().as_str()) => {
                let Ok(route) = resolve(memory, memory.place(), &address);
                let delimiter = memory.place().delimiter;
                let texts: Vec<String> =
                    route.targets.iter().map(|target| as_asked(key, target.address(), delimiter)).collect();
                if texts.is_empty() {
                    return encode(Reply::NotFound, out);
                }
                encode(Reply::Ok(&texts.join(",")), out);
            }
            _ => encode(Reply::NotFound, out),
        },
        b"senders" => match Address::parse(key) {
            Ok(address) => {
                let Ok(owners) = owners(memory, memory.place(), &address);
                addresses(owners, out);
            }
            Err(_) => encode(Reply::NotFound, out),
        },
        _ => encode(Reply::Perm("there is no such map"), out),
    }
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

fn has_mailbox(memory: &Memory, address: &Address) -> bool {
    let exists = |address: &Address| matches!(memory.mailbox(&address.to_string()), Ok(true));
    let served = matches!(memory.serves(address.domain().as_str()), Ok(true));
    served
        && (exists(address) || address.untagged(memory.place().delimiter).is_some_and(|plain| exists(&plain)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves: S4-27 (the `+` delimiter leads into the folder as it is written).
    #[test]
    fn a_tag_stays_as_it_was_written() {
        let target = |text: &str| Address::parse(text).unwrap();
        assert_eq!(
            as_asked("Ann+Work@example.org", &target("ann+work@example.org"), '+'),
            "ann+Work@example.org"
        );
        assert_eq!(as_asked("info+X@example.org", &target("bob@example.org"), '+'), "bob@example.org");
        assert_eq!(as_asked("ann+A@example.org", &target("ann+b@example.org"), '+'), "ann+b@example.org");
        assert_eq!(as_asked("ann@example.org", &target("ann@example.org"), '+'), "ann@example.org");
    }
}

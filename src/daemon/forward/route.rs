//! Where mail for an address goes that leads elsewhere, and in whose name.

use crate::{
    daemon::state::Known,
    mail::{
        address::Address,
        directory::{Target, resolve},
        onward,
        srs::Day,
        status::EnhancedStatus,
    },
    wire::smtp::{Path, Reply},
};

const NO_DIRECTORY: Reply = Reply::fixed(451, (4, 3, 0), "the directory cannot be read now");
const DAMAGED: Reply = Reply::fixed(451, (4, 3, 0), "the directory holds something that is no address");
const NO_SECRETS: Reply =
    Reply::fixed(451, (4, 3, 5), "there are no secrets for SRS here: senders cannot be rewritten");

/// An address here, and the addresses elsewhere that it leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Way {
    /// As it is written in the directory.
    pub address: Address,
    /// At least one.
    pub targets: Vec<Address>,
}

/// The way of a recipient, with or without the mark under which Postfix hands it over.
pub fn way(known: &Known, recipient: Path<'_>) -> Result<Way, Reply> {
    let Some(directory) = known.directory() else { return Err(NO_DIRECTORY) };
    let domain = onward::unmarked(recipient.domain()).unwrap_or(recipient.domain());
    let nobody = || {
        let shown = format!("{}@{domain}", recipient.local());
        Reply::new(550, EnhancedStatus::new(5, 1, 1), format!("<{shown}> leads to no other server"))
    };
    let address = Address::parse(&format!("{}@{domain}", recipient.local())).map_err(|_| nobody())?;
    if address.domain() != &known.place.hostname && !known.serves(address.domain().as_str()) {
        return Err(nobody());
    }
    let route = resolve(&directory, &known.place, &address).map_err(|_| DAMAGED)?;
    let outside = |target| match target {
        Target::Outside(address) => Some(address),
        Target::Mailbox(_) => None,
    };
    let targets: Vec<Address> = route.targets.into_iter().filter_map(outside).collect();
    if targets.is_empty() { Err(nobody()) } else { Ok(Way { address, targets }) }
}

/// In whose name mail for `way` goes on (SRS): the sender himself where he is nobody or of a domain of ours, for which SPF
/// passes as it is; else an address at the domain that he wrote to.
pub fn sender(known: &Known, sender: &str, way: &Way, now: i64) -> Result<String, Reply> {
    let ours = sender.rsplit_once('@').is_none_or(|(_, domain)| known.serves(&domain.to_ascii_lowercase()));
    if ours {
        return Ok(sender.to_owned());
    }
    let Some(srs) = &known.srs else { return Err(NO_SECRETS) };
    srs.encode(sender, way.address.domain(), Day::at(now))
        .map_err(|why| Reply::new(553, EnhancedStatus::new(5, 1, 7), why.to_string()))
}

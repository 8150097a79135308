//! What commands ask of a running mailctld: JSON over HTTP, on a socket for root alone.

use crate::mail::penalty::{Ban, By, Key};
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

/// `GET`: the bans that hold; `POST`: one more.
pub const BANS: &str = "/bans";
/// `POST`: bans are taken back.
pub const LIFT: &str = "/bans/lift";

/// `POST`: a login may send again.
pub const THAW: &str = "/frozen/lift";

/// `GET`: how the block and allow lists stand.
pub const LISTS: &str = "/lists";
/// `POST`: how limits and greylisting stand; nothing is counted by asking.
pub const STANDING: &str = "/policies/standing";

/// `POST`: who is near a limit, or frozen.
pub const NEAR: &str = "/policies/near";

/// The longest question taken, in octets.
pub const LONGEST: usize = 64 << 10;

/// One ban, as it is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Banned {
    /// An address, a network or a login.
    pub on: String,
    /// Its first second since 1970.
    pub since: u64,
    /// The first second after it.
    pub until: u64,
    /// Who decided it.
    pub by: By,
}

impl Banned {
    /// This ban on that key.
    pub fn new(key: &Key, ban: &Ban) -> Self {
        Self { on: key.to_string(), since: ban.since, until: ban.until, by: ban.by }
    }
}

/// Whom to shut out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Add {
    /// An address, a network or a login.
    pub on: String,
    /// For how long, in seconds.
    pub seconds: u64,
    /// Only say what would be.
    pub dry_run: bool,
}

/// Whom to let in again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lift {
    /// An address, a network or a login.
    pub on: String,
    /// Only say what would be.
    pub dry_run: bool,
}

/// Who may send again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Thaw {
    /// The login.
    pub login: String,
    /// Only say what would be.
    pub dry_run: bool,
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Thawed {
    /// Whether it was frozen.
    pub frozen: bool,
}

/// How the lists stand.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lists {
    /// Entries that allow, of commands and files.
    pub allow: usize,
    /// Entries that block.
    pub block: usize,
    /// Files that do not count as they stand.
    pub troubles: Vec<Trouble>,
    /// Blocklists in DNS.
    #[serde(default)]
    pub zones: Vec<Zone>,
}

/// A blocklist in DNS.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Zone {
    /// Its name.
    pub zone: String,
    /// Why it is not asked; `None` = it is.
    pub unfit: Option<String>,
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trouble {
    /// Its name in the folder `lists`.
    pub file: String,
    /// What is wrong with it.
    pub what: String,
    /// What counts instead.
    pub instead: String,
}

/// Whose limits to tell, and about which triplet; what is missing is not told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Ask {
    /// A login.
    pub login: Option<String>,
    /// A client that has not logged in.
    pub client: Option<IpAddr>,
    /// What it is called, where name and address lead to each other. Left out where that is not known, so that an older
    /// mailctld is asked too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_name: Option<String>,
    /// The domain of senders.
    pub sender_domain: Option<String>,
    /// The domain of recipients elsewhere.
    pub recipient_domain: Option<String>,
    /// Sender and recipient, for greylisting; the client is that above.
    pub triplet: Option<(String, String)>,
    /// Whether SPF passes for it.
    pub proven: bool,
}

/// How it stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// Each limit there is.
    pub limits: Vec<Used>,
    /// Whether the login is frozen.
    pub frozen: bool,
    /// Whether the client is in TRUSTED_NETWORKS: then no limit is his.
    pub trusted: bool,
    /// What greylisting would say to the triplet.
    pub greylist: Option<Grey>,
}

/// One limit, and what is used up of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Used {
    /// Its setting.
    pub setting: String,
    /// Who is counted.
    pub of: String,
    /// In words.
    pub limit: String,
    /// How much of it; of mail in units of 1024 octets.
    pub used: u32,
    /// How much there is, alike.
    pub most: u32,
    /// The second since 1970 at which that begins anew; 0 = nothing is used up.
    pub until: u32,
}

/// Who is near a limit? Counts lie under hashes, so logins are asked for by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Near {
    /// From which share of a limit on, in hundredths.
    pub percent: u32,
    /// Of these.
    pub logins: Vec<String>,
    /// Of the clients and domains too that lately came near one, as far as their names are remembered.
    pub others: bool,
}

/// Those who are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AllClose {
    /// In no order.
    pub close: Vec<Close>,
}

/// One who is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Close {
    /// `login`, `client`, `sender_domain` or `recipient_domain`, as the setting is called.
    pub kind: String,
    /// As `mailctl limits show` takes it.
    pub whose: String,
    /// Whether it is a login that is frozen.
    pub frozen: bool,
    /// The limits that it is near to.
    pub limits: Vec<Used>,
}

/// What greylisting would say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "lowercase")]
pub enum Grey {
    /// It is off.
    Off,
    /// The triplet, or its network, is known or would be now.
    Known,
    /// It came before, and has to wait on for so many seconds.
    Waits {
        /// From now on.
        seconds: u32,
    },
    /// It never came, and would have to wait.
    New {
        /// For so long.
        seconds: u32,
    },
}

/// The bans that hold, or that were changed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bans {
    /// By key.
    pub bans: Vec<Banned>,
}

/// Why something was not done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// A code of `mailctl help errors`.
    pub code: String,
    /// In words.
    pub what: String,
}

//! What a server and a filter agree on before anything else.

/// Protocol version, what the filter may do to a message, and what is left out: `O` in both directions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offer<'a> {
    /// 2 to 6.
    pub version: u32,
    /// See [`actions`].
    pub actions: u32,
    /// See [`steps`].
    pub steps: u32,
    /// What stands behind them: the macros that the filter wants.
    rest: &'a [u8],
}

/// What a filter may do (`SMFIF_*`).
pub mod actions {
    /// Add header fields.
    pub const ADD_HEADERS: u32 = 0x01;
    /// Change and delete header fields.
    pub const CHANGE_HEADERS: u32 = 0x10;
    /// Say which macros it wants.
    pub const MACROS: u32 = 0x100;
}

/// What a server does not send (`SMFIP_NO*`), and what a filter does not answer (`SMFIP_NR_*`).
pub mod steps {
    /// Not sent: a recipient.
    pub const NO_RECIPIENTS: u32 = 0x08;
    /// Not sent: the body.
    pub const NO_BODY: u32 = 0x10;
    /// Not sent: the end of the header.
    pub const NO_END_OF_HEADERS: u32 = 0x40;
    /// Not answered: a header field.
    pub const SILENT_HEADERS: u32 = 0x80;
    /// Not sent: commands that the server does not know.
    pub const NO_UNKNOWN: u32 = 0x100;
    /// Not sent: DATA.
    pub const NO_DATA: u32 = 0x200;
    /// Not answered: a client that comes.
    pub const SILENT_CONNECT: u32 = 0x1000;
    /// Not answered: its greeting.
    pub const SILENT_HELO: u32 = 0x2000;
    /// Not answered: the sender.
    pub const SILENT_MAIL: u32 = 0x4000;

    /// What a filter needs that looks at a header when it is whole: it answers once for a message.
    pub const HEADERS_ONLY: u32 = NO_RECIPIENTS
        | NO_BODY
        | NO_END_OF_HEADERS
        | NO_UNKNOWN
        | NO_DATA
        | SILENT_HEADERS
        | SILENT_CONNECT
        | SILENT_HELO
        | SILENT_MAIL;
}

/// Steps that macros are sent before (`SMFIM_*`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// A client comes.
    Connect = 0,
    /// It says its name.
    Helo = 1,
    /// `MAIL FROM`
    Mail = 2,
    /// `RCPT TO`
    Recipient = 3,
    /// `DATA`
    Data = 4,
    /// The message is whole.
    EndOfMessage = 5,
    /// Its header is.
    EndOfHeaders = 6,
}

impl<'a> Offer<'a> {
    pub(super) fn read(data: &'a [u8]) -> Option<Self> {
        let (version, rest) = data.split_first_chunk::<4>()?;
        let (actions, rest) = rest.split_first_chunk::<4>()?;
        let (steps, rest) = rest.split_first_chunk::<4>()?;
        let [version, actions, steps] = [version, actions, steps].map(|word| u32::from_be_bytes(*word));
        Some(Self { version, actions, steps, rest })
    }

    /// Whether it holds all of these.
    pub fn holds(&self, actions: u32, steps: u32) -> bool {
        self.actions & actions == actions && self.steps & steps == steps
    }

    /// The filter's answer: `actions` and `steps` of what was offered, and these macros where the server lets filters
    /// choose.
    pub fn answer(&self, actions: u32, steps: u32, macros: &[(Stage, &str)], out: &mut Vec<u8>) {
        let choose = self.actions & actions::MACROS;
        let mut packet = vec![b'O'];
        for word in [self.version.min(6), self.actions & actions | choose, self.steps & steps] {
            packet.extend(word.to_be_bytes());
        }
        for (stage, names) in macros.iter().filter(|_| choose != 0) {
            packet.extend((*stage as u32).to_be_bytes());
            packet.extend_from_slice(names.as_bytes());
            packet.push(0);
        }
        out.extend(u32::try_from(packet.len()).unwrap_or(u32::MAX).to_be_bytes());
        out.append(&mut packet);
    }
}

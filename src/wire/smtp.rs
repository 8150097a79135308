//! SMTP and LMTP (RFC 5321, RFC 2033), both sides: bytes in, values out. Pieces of lines and many at once.
//!
//! Server: [`decode_command`] reads what a client says, [`DataScanner`] finds the end of its message, [`Reply`] is the
//! answer. Client: [`say`] writes commands, [`decode_answer`] reads replies, [`Capabilities`] is what the other side
//! offers, [`sasl`] logs in.
//!
//! A message is never taken apart on its way: what [`DataScanner`] lets through is still dot-stuffed, its end included,
//! and goes out to the next server as it came in. [`Unstuff`] shows what it says to whoever must read it; [`Stuff`] is for
//! lines of our own.
//!
//! Only CRLF ends a line, and only `CRLF . CRLF` a message. A lone CR or LF is refused wherever it stands: servers that
//! disagree about line ends can be made to see two messages where we see one (SMTP smuggling, CVE-2023-51764).

mod answer;
mod capabilities;
mod command;
mod data;
mod dots;
mod parameter;
mod path;
mod reply;
pub mod sasl;
pub mod say;
mod text;
mod xforward;
mod xtext;

pub use answer::{Answer, DecodedAnswer, decode_answer};
pub use capabilities::Capabilities;
pub use command::{Command, Decoded, Dialect, LONGEST, decode_command};
pub use data::{DataScanner, Fault, Scanned};
pub use dots::{Stuff, Unstuff};
pub use parameter::{Body, MailFrom, Notify, OriginalRecipient, RcptTo, Return};
pub use path::Path;
pub use reply::{Kind, Reply};
pub use text::clean;
pub use xforward::Attributes;
pub use xtext::Xtext;

#[cfg(test)]
mod tests;

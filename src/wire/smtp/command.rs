//! What a client says, a line at a time.

use super::{Attributes, MailFrom, RcptTo, Reply, parameter};

/// The longest command line taken, in octets, CRLF included. RFC 5321 §4.5.3.1.4 wants 512, parameters of extensions more:
/// an ORCPT alone may have 500 (RFC 3461 §4).
pub const LONGEST: usize = 4096;

/// Which of the two is spoken on a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// RFC 5321: one reply for a message.
    Smtp,
    /// RFC 2033: LHLO in place of EHLO, and one reply for each recipient.
    Lmtp,
}

/// One command. Texts are printable ASCII.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command<'a> {
    /// `EHLO name` or `LHLO name`, as the dialect has it; the name as it came, never empty.
    Hello(&'a str),
    /// `HELO name`, in SMTP only: no extensions.
    Helo(&'a str),
    /// `MAIL FROM:<…>`
    Mail(MailFrom<'a>),
    /// `RCPT TO:<…>`
    Rcpt(RcptTo<'a>),
    /// `DATA`
    Data,
    /// `RSET`
    Rset,
    /// `NOOP`, with whatever behind it.
    Noop,
    /// `QUIT`
    Quit,
    /// `VRFY` and what is asked.
    Vrfy(&'a str),
    /// `STARTTLS`
    StartTls,
    /// `XFORWARD`
    Xforward(Attributes<'a>),
    /// `XCLIENT`
    Xclient(Attributes<'a>),
    /// Any other word, as it came.
    Unknown(&'a str),
}

/// What the bytes so far amount to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decoded<'a> {
    /// A command, and how many octets it took.
    Command(Command<'a>, usize),
    /// A whole line that is no command as it should be, and how many octets it took: give the reply, and go on.
    Refused(Reply, usize),
    /// Not yet a whole line.
    More,
    /// Nothing that follows can be trusted: give the reply, and close the connection.
    Malformed(Reply),
}

const TOO_LONG: Reply = Reply::fixed(500, (5, 5, 2), "a command longer than 4096 octets");
const BARE_LF: Reply = Reply::fixed(521, (5, 5, 2), "a line ends in CR and LF, not in LF alone");
const BARE_CR: Reply = Reply::fixed(521, (5, 5, 2), "a CR without LF in a command");
const CONTROL: Reply = Reply::fixed(521, (5, 5, 2), "a control character in a command");
const NOT_MAIL: Reply = Reply::fixed(521, (5, 5, 1), "this is a mail server");
// What follows it are octets of a message, which would be taken for commands.
const BDAT: Reply = Reply::fixed(502, (5, 5, 1), "CHUNKING is not offered");
const EIGHT_BIT: Reply =
    Reply::fixed(553, (5, 6, 7), "letters outside ASCII need SMTPUTF8, which is not offered");
const NAMELESS: Reply = Reply::fixed(501, (5, 5, 4), "say who you are: a name behind the word");
const SAY_LHLO: Reply = Reply::fixed(502, (5, 5, 1), "LMTP is spoken here: say LHLO");
const SAY_EHLO: Reply = Reply::fixed(502, (5, 5, 1), "SMTP is spoken here: say EHLO");
const NOTHING_MORE: Reply = Reply::fixed(501, (5, 5, 4), "nothing belongs behind this word");

/// Words of HTTP, which a browser can be made to send here.
const OTHERS: [&str; 7] = ["GET", "POST", "PUT", "HEAD", "OPTIONS", "CONNECT", "Host:"];

/// Reads one command from the front of `buffer`.
pub fn decode_command(buffer: &[u8], dialect: Dialect) -> Decoded<'_> {
    let within = &buffer[..buffer.len().min(LONGEST)];
    let Some(end) = memchr::memchr(b'\n', within) else {
        return if within.len() == LONGEST { Decoded::Malformed(TOO_LONG) } else { Decoded::More };
    };
    let Some(line) = within[..end].strip_suffix(b"\r") else { return Decoded::Malformed(BARE_LF) };
    if let Some(octet) = line.iter().find(|octet| octet.is_ascii_control()) {
        return Decoded::Malformed(if *octet == b'\r' { BARE_CR } else { CONTROL });
    }
    let used = end + 1;
    let Some(line) = str::from_utf8(line).ok().filter(|line| line.is_ascii()) else {
        return Decoded::Refused(EIGHT_BIT, used);
    };
    let line = line.trim_end_matches(' ');
    let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
    if word.eq_ignore_ascii_case("BDAT") {
        return Decoded::Malformed(BDAT);
    }
    if OTHERS.iter().any(|other| word.eq_ignore_ascii_case(other)) {
        return Decoded::Malformed(NOT_MAIL);
    }
    match command(word, rest, dialect) {
        Ok(command) => Decoded::Command(command, used),
        Err(reply) => Decoded::Refused(reply, used),
    }
}

fn command<'a>(word: &'a str, rest: &'a str, dialect: Dialect) -> Result<Command<'a>, Reply> {
    let is = |known: &str| word.eq_ignore_ascii_case(known);
    // The most frequent ones first.
    if is("RCPT") {
        parameter::rcpt(rest).map(Command::Rcpt)
    } else if is("MAIL") {
        parameter::mail(rest).map(Command::Mail)
    } else if is("DATA") {
        alone(rest, Command::Data)
    } else if is("RSET") {
        alone(rest, Command::Rset)
    } else if is("QUIT") {
        alone(rest, Command::Quit)
    } else if is("NOOP") {
        Ok(Command::Noop)
    } else if is("LHLO") {
        if dialect == Dialect::Lmtp { name(rest).map(Command::Hello) } else { Err(SAY_EHLO) }
    } else if is("EHLO") {
        if dialect == Dialect::Smtp { name(rest).map(Command::Hello) } else { Err(SAY_LHLO) }
    } else if is("HELO") {
        if dialect == Dialect::Smtp { name(rest).map(Command::Helo) } else { Err(SAY_LHLO) }
    } else if is("XFORWARD") {
        Attributes::parse(rest).map(Command::Xforward)
    } else if is("XCLIENT") {
        Attributes::parse(rest).map(Command::Xclient)
    } else if is("STARTTLS") {
        alone(rest, Command::StartTls)
    } else if is("VRFY") {
        Ok(Command::Vrfy(rest.trim_start_matches(' ')))
    } else {
        Ok(Command::Unknown(word))
    }
}

/// One word; what is behind it nobody reads.
fn name(rest: &str) -> Result<&str, Reply> {
    rest.split(' ').find(|word| !word.is_empty()).ok_or(NAMELESS)
}

fn alone<'a>(rest: &str, command: Command<'a>) -> Result<Command<'a>, Reply> {
    if rest.is_empty() { Ok(command) } else { Err(NOTHING_MORE) }
}

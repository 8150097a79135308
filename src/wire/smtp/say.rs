//! What a client says. Each function appends whole lines; parameters go out only where the server offers them.
//!
//! No line end can get into a command: paths, xtext and the rest are made by parsers that refuse them.

use super::{Body, Capabilities, Dialect, MailFrom, RcptTo, Return, Xtext, text::printable};
use std::io::Write;

/// Why a command is not written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unsendable {
    /// A name with something in it that is no name.
    #[error("is not a name that a mail server can call itself")]
    Name,
    /// Larger than the server says that it takes: so many octets.
    #[error("the message is larger than the {0} octets that the next server takes")]
    TooLarge(u64),
}

/// `EHLO name` or `LHLO name`; `name` is our host name, or an address in brackets.
pub fn hello(dialect: Dialect, name: &str, out: &mut Vec<u8>) -> Result<(), Unsendable> {
    greet(if dialect == Dialect::Lmtp { "LHLO" } else { "EHLO" }, name, out)
}

/// `HELO name`, for a server that does not know EHLO.
pub fn helo(name: &str, out: &mut Vec<u8>) -> Result<(), Unsendable> {
    greet("HELO", name, out)
}

fn greet(word: &str, name: &str, out: &mut Vec<u8>) -> Result<(), Unsendable> {
    let fits = (1..=255).contains(&name.len()) && name.bytes().all(|octet| octet != b' ' && printable(octet));
    if !fits {
        return Err(Unsendable::Name);
    }
    write(out, format_args!("{word} {name}"));
    end(out);
    Ok(())
}

/// `MAIL FROM:<…>` with what the server offers of SIZE, BODY, RET and ENVID.
pub fn mail(from: &MailFrom<'_>, offered: &Capabilities, out: &mut Vec<u8>) -> Result<(), Unsendable> {
    if let (Some(size), Some(limit)) = (from.size, offered.size)
        && offered.too_large(size)
    {
        return Err(Unsendable::TooLarge(limit));
    }
    write(out, format_args!("MAIL FROM:{}", from.path));
    if let Some(size) = from.size.filter(|_| offered.size.is_some()) {
        write(out, format_args!(" SIZE={size}"));
    }
    if let Some(body) = from.body.filter(|_| offered.eight_bit) {
        out.extend_from_slice(if body == Body::SevenBit { b" BODY=7BIT" } else { b" BODY=8BITMIME" });
    }
    if offered.dsn {
        if let Some(ret) = from.ret {
            out.extend_from_slice(if ret == Return::Full { b" RET=FULL" } else { b" RET=HDRS" });
        }
        if let Some(envid) = &from.envid {
            write(out, format_args!(" ENVID={envid}"));
        }
    }
    end(out);
    Ok(())
}

/// `RCPT TO:<…>` with NOTIFY and ORCPT where the server offers DSN.
pub fn rcpt(to: &RcptTo<'_>, offered: &Capabilities, out: &mut Vec<u8>) {
    write(out, format_args!("RCPT TO:{}", to.path));
    if offered.dsn {
        if let Some(notify) = to.notify {
            let named = [(notify.success, "SUCCESS"), (notify.failure, "FAILURE"), (notify.delay, "DELAY")];
            let mut sign = " NOTIFY=";
            for (_, name) in named.iter().filter(|(wanted, _)| *wanted) {
                write(out, format_args!("{sign}{name}"));
                sign = ",";
            }
            if sign != "," {
                out.extend_from_slice(b" NOTIFY=NEVER");
            }
        }
        if let Some(original) = &to.orcpt {
            write(out, format_args!(" ORCPT={};{}", original.kind(), original.address()));
        }
    }
    end(out);
}

/// `XFORWARD NAME=… ADDR=…`: what we know of the client before us. A value of no octets is told as unknown.
pub fn xforward(attributes: &[(&str, &str)], out: &mut Vec<u8>) -> Result<(), Unsendable> {
    let named = |name: &str| !name.is_empty() && name.bytes().all(|octet| octet.is_ascii_uppercase());
    if attributes.is_empty() || !attributes.iter().all(|(name, _)| named(name)) {
        return Err(Unsendable::Name);
    }
    out.extend_from_slice(b"XFORWARD");
    for (name, value) in attributes {
        match value.as_bytes() {
            [] => write(out, format_args!(" {name}=[UNAVAILABLE]")),
            value => write(out, format_args!(" {name}={}", Xtext::encode(value))),
        }
    }
    end(out);
    Ok(())
}

/// `DATA`
pub fn data(out: &mut Vec<u8>) {
    out.extend_from_slice(b"DATA\r\n");
}

/// `STARTTLS`
pub fn starttls(out: &mut Vec<u8>) {
    out.extend_from_slice(b"STARTTLS\r\n");
}

/// `RSET`
pub fn rset(out: &mut Vec<u8>) {
    out.extend_from_slice(b"RSET\r\n");
}

/// `NOOP`
pub fn noop(out: &mut Vec<u8>) {
    out.extend_from_slice(b"NOOP\r\n");
}

/// `QUIT`
pub fn quit(out: &mut Vec<u8>) {
    out.extend_from_slice(b"QUIT\r\n");
}

fn write(out: &mut Vec<u8>, text: std::fmt::Arguments<'_>) {
    // A Vec takes everything.
    let _ = out.write_fmt(text);
}

fn end(out: &mut Vec<u8>) {
    out.extend_from_slice(b"\r\n");
}

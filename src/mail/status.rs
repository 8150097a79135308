//! Enhanced status codes (RFC 3463): `5.1.1`, what a reply means for programs.

use std::fmt;

/// `class.subject.detail`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EnhancedStatus {
    /// 2 = success, 4 = try again later, 5 = never.
    pub class: u8,
    /// What it is about: 1 address, 2 mailbox, 3 system, 4 network, 5 protocol, 6 content, 7 policy.
    pub subject: u16,
    /// 0 to 999.
    pub detail: u16,
}

impl EnhancedStatus {
    /// The three numbers as they are.
    pub const fn new(class: u8, subject: u16, detail: u16) -> Self {
        Self { class, subject, detail }
    }

    /// The code at the beginning of a text, and how many octets it and the blanks behind it take; `None` where the
    /// text does not begin with one. Only the classes 2, 4 and 5, and numbers of at most three digits (§2).
    pub fn leading(text: &[u8]) -> Option<(Self, usize)> {
        let end = text.iter().position(|octet| matches!(octet, b' ' | b'\t')).unwrap_or(text.len());
        let mut numbers = text[..end].split(|octet| *octet == b'.').map(number);
        let class = u8::try_from(numbers.next()??).ok().filter(|class| matches!(class, 2 | 4 | 5))?;
        let status = Self { class, subject: numbers.next()??, detail: numbers.next()?? };
        let blanks = text[end..].iter().take_while(|octet| matches!(octet, b' ' | b'\t')).count();
        numbers.next().is_none().then_some((status, end + blanks))
    }
}

fn number(digits: &[u8]) -> Option<u16> {
    let fits = (1..=3).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit);
    fits.then(|| digits.iter().fold(0, |number, digit| number * 10 + u16::from(digit - b'0')))
}

impl fmt::Display for EnhancedStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.class, self.subject, self.detail)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_only_where_one_is() {
        let read = |text: &str| EnhancedStatus::leading(text.as_bytes());
        assert_eq!(read("5.7.26 unauthenticated"), Some((EnhancedStatus::new(5, 7, 26), 7)));
        assert_eq!(read("2.0.0"), Some((EnhancedStatus::new(2, 0, 0), 5)));
        for none in
            ["", "5.7", "5.7.1.2 x", "3.1.1 x", "5.7.1234 x", "10.0.0.1 x", "5..1 x", "5.7.1: x", "x 5.7.1"]
        {
            assert_eq!(read(none), None, "{none:?}");
        }
    }
}

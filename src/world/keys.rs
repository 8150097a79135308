//! Key files: DKIM keys per domain and selector, the certificate that is served, secrets of SRS. Private parts are readable
//! for root and the one program that uses them; `check` looks at that before every start.

pub mod dkim;
mod rights;
pub mod srs;
pub mod tls;

pub use rights::{Finding, check};

use crate::error::{Error, codes};

/// OpenSSL would not, which means no memory or no randomness.
fn refused(doing: &str, error: openssl::error::ErrorStack) -> Error {
    Error::new(codes::BUG, format!("cannot {doing}")).cause(error)
}

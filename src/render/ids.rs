//! Fixed users and groups of the image. They are made before the packages are installed, so a new image
//! never finds files of an old one under another name.

/// Owner of all mail.
pub const VMAIL: u32 = 5000;
/// Postfix's own user and group.
pub const POSTFIX: u32 = 5001;
/// Group of `postdrop`.
pub const POSTDROP: u32 = 5002;
/// Dovecot's internal user.
pub const DOVECOT: u32 = 5003;
/// Dovecot's login processes.
pub const DOVENULL: u32 = 5004;
/// OpenDKIM.
pub const OPENDKIM: u32 = 5005;
/// `mailctl daemon`.
pub const MAILCTL: u32 = 5006;

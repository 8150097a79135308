//! Every error code there is. `mailctl help errors` is made from this table.

use super::{Code, Exit};

macro_rules! codes {
    ($($(#[$doc:meta])* $id:ident = $name:literal, $exit:ident, $manual:literal;)*) => {
        $(#[doc = $manual] pub const $id: Code = Code { name: $name, exit: Exit::$exit, manual: $manual };)*
        /// All of them, in the order of this file.
        pub const ALL: &[Code] = &[$($id),*];
    };
}

codes! {
    USAGE = "usage", Usage, "The command line cannot be understood. The message shows the right form.";
    NAME_MALFORMED = "name.malformed", Usage, "An address, domain or selector has a form that mail does not allow. Nothing was changed.";
    SETTINGS_MISSING = "settings.missing", Settings, "There are no settings in this home yet. `mailctl init` makes them.";
    SETTINGS_INVALID = "settings.invalid", Settings, "A settings file has a key or a value that is not understood. The message names the file and the line.";
    SETTINGS_EXPOSED = "settings.exposed", Settings, "A file with a secret in it can be read or written by others. The message has the chmod that closes it.";
    LOCKED = "store.locked", Again, "Another mailctl command is changing this home. It ends by itself; the message says which process it is.";
    TLS_UNUSABLE = "tls.unusable", Settings, "A certificate or key cannot be used. The message names the file and what is wrong with it.";
    PEER_SILENT = "peer.silent", Unavailable, "A server did not answer, or ended the connection. `mailctl status` and `mailctl logs` tell more.";
    DEMO_FAILED = "demo.failed", Wanting, "The demonstration did not show what it should. The message says which act and what the server answered; `mailctl demo --keep` leaves the stack up for a look.";
    STORE_DAMAGED = "store.damaged", Data, "The directory database is empty, cut short, changed by something else, or of another program. Nothing was written; put a backup in its place.";
    STORE_NEWER = "store.newer", Unavailable, "A newer mailctl has brought the directory database to a form that this one does not write. Install the newer one again.";
    STORE_OLDER = "store.older", Unavailable, "The directory database is still in an older form; any mailctl command on the host brings it up to date.";
    IO = "io", Io, "Reading or writing a file failed. The message names the file and the cause.";
    BUG = "bug", Bug, "A fault of mailctl's own. Please report it with the output of `mailctl version`.";
}

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
    TLS_NOT_SERVED = "tls.not_served", Wanting, "A port still serves another certificate than the one that is installed. The message names port and serial numbers; `mailctl restart SERVICE` starts the program anew, and a second program on that port would be found by `mailctl status`.";
    TLS_EXPIRED = "tls.expired", Wanting, "The certificate that is served has expired: mail programs refuse it. `mailctl cert import` brings in another one.";
    KEYS_EXPOSED = "keys.exposed", Settings, "A private key or the directory database can be read or changed by others. The message names the files and the command that mends the first.";
    PEER_SILENT = "peer.silent", Unavailable, "A server did not answer, or ended the connection. `mailctl status` and `mailctl logs` tell more.";
    DEMO_FAILED = "demo.failed", Wanting, "The demonstration did not show what it should. The message says which act and what the server answered; `mailctl demo --keep` leaves the stack up for a look.";
    NOT_SERVED = "domain.not_served", Data, "The domain is not one of this server's. `mailctl domain list` shows those; `mailctl domain add` serves one more.";
    EXISTS = "name.exists", Data, "What should be added is there already. Nothing was changed.";
    ABSENT = "name.absent", Data, "What should be changed, removed or shown is not there. Nothing was changed.";
    NEEDED = "name.needed", Data, "Something else still needs what should be removed. The message says what, and what to do first.";
    PASSWORD_WEAK = "password.weak", Data, "The password is too short, too well known, or cannot be typed at a login. Leave it out and a strong one is made.";
    DECLINED = "declined", Wanting, "A question was answered with no, or not at all. Nothing was changed.";
    MEMORY = "memory", Again, "There is not enough free memory for a password's hash (64 MiB).";
    DKIM_UNUSABLE = "dkim.unusable", Data, "A DKIM key is missing, broken, or of a kind that cannot sign here. The message names the file.";
    DKIM_UNSEEN = "dkim.unseen", Again, "A new DKIM key is not used yet, because not every name server of the domain answers with its record. Mail goes on being signed with the old one.";
    SRS_UNUSABLE = "srs.unusable", Data, "The secrets of SRS, with which forwarded mail finds its way back, are empty or too many. The message names the file.";
    SENDER_REFUSED = "sender.refused", Wanting, "A login may not send as this address. It may as its own, as every address whose mail ends in its mailbox, and as what `mailctl user allow` gave it.";
    MESSAGE_REFUSED = "message.refused", Wanting, "`mailctl explain` found a rule that would refuse the message. It names the rule, what the client is told, the setting behind it and how to change that.";
    ALIAS_LOOP = "alias.loop", Data, "The alias would lead mail in circles, to itself, or over more steps than are followed. Nothing was changed.";
    FORWARD_LIMIT = "forward.limit", Data, "A forward would have more targets than `forward.targets` allows, or a domain more patterns than are held against each address (1000, of which 100 regular expressions). Nothing was changed.";
    IMPORT_REFUSED = "import.refused", Data, "A file was not imported because some of its lines cannot be. Every one of them is named; nothing was changed.";
    STORE_DAMAGED = "store.damaged", Data, "The directory database is empty, cut short, changed by something else, or of another program. Nothing was written; put a backup in its place.";
    STORE_NEWER = "store.newer", Unavailable, "A newer mailctl has brought the directory database to a form that this one does not write. Install the newer one again.";
    STORE_OLDER = "store.older", Unavailable, "The directory database is still in an older form, and what only looks leaves it so. `mailctl up` brings it up to date, and so does every command that changes something.";
    BACKUP_DAMAGED = "backup.damaged", Data, "A backup is cut short, was changed, or is none of mailctl's. Nothing of it was used; take another one.";
    BACKUP_LOCKED = "backup.locked", Usage, "A backup is encrypted, and the key that was given, if any, does not open it. `--identity FILE` takes a private key of age, `--passphrase-file FILE` a passphrase.";
    BACKUP_NEWER = "backup.newer", Unavailable, "A backup was made by a newer mailctl in a form that this one does not read. Install the newer one.";
    RESTORE_OCCUPIED = "restore.occupied", Data, "A restore would replace what is in the home. `--force` does that, and keeps the old beside it.";
    RESTORE_RUNNING = "restore.running", Unavailable, "A home is not replaced under a stack that runs. `mailctl down` stops it; mail waits at the senders' servers meanwhile.";
    RESTORE_WANTING = "restore.wanting", Wanting, "A backup was brought up on trial, and not everything in it was found again. The message says what; the live server was not touched.";
    ENGINE_MISSING = "engine.missing", Unavailable, "No Docker Engine answers on this host. `apt install docker.io` installs it, `systemctl start docker` starts it.";
    ENGINE_DENIED = "engine.denied", NoPermission, "The engine's socket is only for root and the group docker. Run mailctl as root.";
    ENGINE_OLD = "engine.old", Unavailable, "The engine speaks an API older than 1.40 (Docker Engine 19.03). Debian bookworm and later have a newer one.";
    ENGINE_HANGS = "engine.hangs", Again, "The engine took a call and did not answer it in time. Mail goes on; only mailctl cannot act. `systemctl status docker` shows how it is.";
    ENGINE_REFUSED = "engine.refused", Unavailable, "The engine could not do what was asked; the message holds its own words.";
    ENGINE_LEFTOVER = "engine.leftover", Unavailable, "The engine holds a port of ours for a container that is gone, as it does after a power cut in the wrong moment. `mailctl up` restarts the engine by itself where nothing but this stack runs on it; else `systemctl restart docker` does.";
    PORT_TAKEN = "port.taken", Unavailable, "Another program listens on a port that the stack is to publish. The message names the port and, where it can be seen, the process.";
    IMAGE_BASE = "image.base", Unavailable, "The base image could not be pulled or imported. Without a registry, `image build --base-rootfs FILE` takes a root file system made by mmdebstrap.";
    IMAGE_BUILD = "image.build", Unavailable, "The image could not be built. The message shows the step and its last lines.";
    UPGRADE_FAILED = "upgrade.failed", Wanting, "The stack did not hold on the new image. The message says what failed and which image runs now; no mail was lost, for the queue is kept through all of it.";
    UPDATE_AVAILABLE = "update.available", Wanting, "The distribution has newer versions of packages in the image. `mailctl upgrade` builds an image with them, tries it, and runs it.";
    UPDATE_UNKNOWN = "update.unknown", Again, "The distribution could not be asked for newer packages. Containers need a way to its mirrors; the message holds apt's own words.";
    STACK_FOREIGN = "stack.foreign", Usage, "A container or network with our name belongs to something else, or to another home. Another `--project` keeps them apart.";
    STACK_UNHEALTHY = "stack.unhealthy", Wanting, "A service does not answer as it should. The message shows its check's words; `mailctl logs SERVICE` shows its own.";
    STACK_DOWN = "stack.down", Wanting, "The stack, or the service that the command needs, does not run. `mailctl up` starts it.";
    COMMAND_ABSENT = "command.absent", NotFound, "`mailctl exec` was given a command that the container does not have. A command that ran ends with its own status, and without a word of mailctl's.";
    COMMAND_UNUSABLE = "command.unusable", NotExecutable, "`mailctl exec` was given something that the container cannot execute. A command that ran ends with its own status, and without a word of mailctl's.";
    PROGRAM_ENDED = "program.ended", Unavailable, "A program in a container ended by itself. The engine starts the container again; `mailctl logs SERVICE` has the program's last words.";
    CONFIG_REJECTED = "config.rejected", Settings, "Postfix, Dovecot or OpenDKIM does not accept the rendered configuration, most often because of a raw setting or a template of your own. The running stack was not touched.";
    TRUST_GATEWAY = "trust.gateway", Settings, "A trusted network holds a gateway of the engine. Connections from outside can come in under that address, so everyone would be trusted: an open relay.";
    BOOT_NO_SYSTEMD = "boot.no_systemd", Unavailable, "systemd does not run this host, so it can start nothing at boot. The engine starts the containers again by itself; `mailctl up` at boot and `mailctl maintain` every quarter of an hour do the rest, by whatever starts programs here.";
    BOOT_REFUSED = "boot.refused", Unavailable, "systemd could not do what was asked; the message holds its own words. `mailctl boot status` shows how it stands.";
    BOOT_FOREIGN = "boot.foreign", Usage, "A unit with our name is there already, for another home or of somebody else. Nothing was changed. Another `--project` keeps them apart.";
    BOOT_DENIED = "boot.denied", NoPermission, "Only root may change what starts at boot. Run mailctl as root.";
    BOOT_OFF = "boot.off", Wanting, "The stack does not start at boot, or what should start it or keep it up failed. `mailctl boot enable` installs what is missing; the message names the failed unit.";
    MAINTAIN_FAILED = "maintain.failed", Wanting, "A part of the upkeep failed; the others were done. The message names it and its cause, and the next run tries it again.";
    ALERT_UNHEARD = "alert.unheard", Again, "An alert could not be told on one of its ways, by mail or by webhook. It is tried again with every run of `mailctl maintain`; the log has it.";
    DAEMON_RUNS = "daemon.runs", Unavailable, "Another `mailctl daemon` answers on the socket. A stack runs one by itself.";
    DAEMON_AWAY = "daemon.away", Unavailable, "mailctld does not answer on its control door (`run/control` of the home), so what it holds in memory can be neither shown nor changed. `mailctl status` shows how the stack does, `mailctl up` starts it.";
    BAN_SPARED = "ban.spared", Data, "What should be banned holds loopback, a gateway of the engine, or a network that the settings spare: whoever comes through the engine's proxy would be shut out. Nothing was changed; name a smaller network.";
    DNS_WRONG = "dns.wrong", Wanting, "DNS says something about this server or its domains that is wrong. The report names each finding with its remedy; `mailctl help dns` explains the records.";
    DNS_UNCHECKED = "dns.unchecked", Again, "A question to DNS got no answer that counts (no answer in time, SERVFAIL, REFUSED), so nothing can be said. Ask again, or another resolver.";
    DNS_KEY = "dns.key", Settings, "The key that signs changes to a zone cannot be used. The message names the file and what is wrong with it, never a part of it.";
    DNS_ANCHOR = "dns.anchor", Settings, "The file of `dns.trust_anchor_file` cannot be read, or holds no key and no digest of a key. The message names the line.";
    DNS_CHANGED = "dns.changed", Again, "Somebody else changed the records between the look and the change. Nothing was overwritten; look again.";
    DNS_REFUSED = "dns.refused", Unavailable, "The zone's server did not take the change. The message has its reason; nothing was changed.";
    DNS_LATE = "dns.late", Again, "A change to a zone was taken, and some of its name servers do not answer with it yet. They fetch it by themselves; `mailctl dns-check --authoritative` shows when all have it.";
    DNS_SILENT = "dns.silent", Again, "A DNS server did not answer, so nothing can be said. Trying again later may work.";
    ACME_OFF = "acme.off", Settings, "The settings ask no authority for certificates. CERTIFICATES=acme in settings.env does.";
    ACME_PRECHECK = "acme.precheck", Wanting, "A certificate was not ordered, because the order could not have succeeded and would have used up the authority's limits. The message names each name, what is wrong with it, and what to do.";
    ACME_LIMIT = "acme.limit", Again, "Five certificates were ordered for a name within a week, and mailctl orders no more: authorities lock out whoever does. The message says when the next may be ordered; nothing lifts this earlier.";
    ACME_WAIT = "acme.wait", Again, "The next attempt to get a certificate is later, by the authority's own word or after failures. The message says when, and what went wrong last. What is served stays.";
    ACME_REFUSED = "acme.refused", Unavailable, "The authority refused to issue the certificate; the message holds its own words. It is tried again later, first at its staging directory; what is served stays.";
    ACME_SILENT = "acme.silent", Again, "The authority gave no answer that counts. What was begun is gone on with later; what is served stays.";
    ACME_KEY = "acme.key", Settings, "The key that binds our account to one at the authority cannot be used. The message names the file and what is wrong with it, never a part of it.";
    ACME_STATE = "acme.state", Data, "A file below acme/ that has to outlive restarts cannot be read. Nothing was asked of the authority.";
    CERT_PENDING = "cert.pending", Again, "Mail runs, and the certificate that it should have could not be had yet: clients may refuse the one that is served. The message says why; `mailctl maintain` tries again by itself.";
    ANSWER_UNKNOWN = "answer.unknown", Wanting, "`mailctl relay explain` knows neither the code nor the words of the answer that it was given. The server that gave it is the one to ask.";
    IO = "io", Io, "Reading or writing a file failed. The message names the file and the cause.";
    BUG = "bug", Bug, "A fault of mailctl's own. Please report it with the output of `mailctl version`.";
}

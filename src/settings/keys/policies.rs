//! The settings of the policies: what may pass.

use super::form::{Key, Kind, toml};

const SPAN: Kind = "number with unit s, m, h, d or w, as in 5m";
const LIMITS: Kind = "messages, recipients or bytes, each with numbers per minute, hour or day, as in messages 30/m 200/h, bytes 1G/d; or off";

/// All of them.
pub(super) const KEYS: &[Key] = &[
    toml(
        "submission.header_from",
        "own or any",
        "Who a user's message may say that it is from, in From and Sender of its header. own = addresses that he may send as (SENDER_RESTRICTIONS), which mail programs show to the recipient; any = whatever he likes, with only the envelope's sender looked at.",
    )
    .default("own"),
    toml(
        "policy.listen",
        "address:port of this host, loopback or private",
        "Where Postfix servers of other hosts ask the same policies (`check_policy_service inet:ADDRESS:PORT`), beside the stack's own. Nothing = nowhere. There is no login: what can reach the address can ask, and is counted.",
    )
    .example("10.0.0.5:9155"),
    toml(
        "policy.proxies",
        "networks with commas or blanks between them",
        "Proxies before policy.listen, such as HAProxy with send-proxy or send-proxy-v2: each of their connections begins with a PROXY header, and nobody else is let in. Nothing = there is no proxy, and Postfix servers connect themselves.",
    )
    .example("10.0.0.0/24"),
    toml(
        "rates.login",
        LIMITS,
        "How much one login may send. Over it, the answer is 451 with the time at which there is room again.",
    )
    .default("messages 30/m 200/h 1000/d, recipients 200/m 1000/h 3000/d, bytes 1G/h 4G/d"),
    toml(
        "rates.client",
        LIMITS,
        "How much one client may bring that has not logged in and is not in TRUSTED_NETWORKS; an IPv6 client is its /64.",
    )
    .default("messages 200/m 3000/h, recipients 1000/m 10000/h"),
    toml(
        "rates.sender_domain",
        LIMITS,
        "How much such clients together may bring in the name of one domain.",
    )
    .default("messages 500/m 10000/h"),
    toml(
        "rates.recipient_domain",
        LIMITS,
        "How much logins and trusted clients together may send to one domain elsewhere. Only recipients are counted: what is sent too fast to a big provider harms the name of this server there.",
    )
    .default("recipients 300/m 3000/h"),
    toml(
        "rates.freeze_times",
        "number from 0 to 1000; 0 = never",
        "A login that would send to more than so many times its usual recipients of a day is frozen: its messages are refused with 451 until it is freed, for somebody else may have its password. What is queued already stays.",
    )
    .default("10"),
    toml(
        "rates.freeze_from",
        "number from 1 to 1000000",
        "No login is frozen below so many recipients of a day.",
    )
    .default("500"),
    toml(
        "greylist.mode",
        "off, unproven or all",
        "Ask unknown senders to come again: nobody, those whose SPF does not pass, or all that have not logged in and are not in TRUSTED_NETWORKS (`mailctl help policy`).",
    )
    .default("off"),
    toml("greylist.delay", SPAN, "Who comes again earlier than this has to wait on; at most 1h.").default("5m"),
    toml("greylist.window", SPAN, "Who comes again later than this begins anew; at most 2w.").default("2d"),
    toml("greylist.keep", SPAN, "For how long a sender is known after the last message; at most a year.").default("5w"),
    toml(
        "greylist.after",
        "number from 0 to 1000; 0 = never",
        "A network from which so many unknown senders came again is not greylisted any more.",
    )
    .default("5"),
    toml("greylist.ipv4", "number from 8 to 32", "Bits of an IPv4 address that make a network: servers of one operator stand beside each other.")
        .default("24"),
    toml("greylist.ipv6", "number from 16 to 128", "Bits of an IPv6 address that make a network.").default("64"),
    toml(
        "dnsbl.zones",
        "zones with commas or blanks between them: [domain:]ZONE[=CODES][/reject|defer|log]",
        "Blocklists in DNS that are asked about clients that have not logged in and are not in TRUSTED_NETWORKS; after domain:, about the sender's domain and the HELO name. CODES are the answers that count, as 127.0.0.[2..11]. A list that does not pass its test, or refuses the resolver, is not asked (`mailctl help policy`). Nothing = none; read their terms first.",
    )
    .example("zen.spamhaus.org=127.0.0.[2..11],domain:dbl.spamhaus.org/log"),
    toml(
        "spf.mode",
        "off, mark or reject",
        "SPF (RFC 7208) of mail from clients that have not logged in and are not in TRUSTED_NETWORKS: not looked at; written into the message as Received-SPF and Authentication-Results; or that, and a fail is refused with 550. What others forward to you fails where they keep its sender.",
    )
    .default("mark"),
    toml(
        "spf.temperror",
        "mark or defer",
        "Where spf.mode is reject and DNS gives no answer: let the message pass with that mark, or have the client come again (451).",
    )
    .default("defer"),
    toml(
        "spf.permerror",
        "mark, defer or reject",
        "Where spf.mode is reject and the sender's record cannot be evaluated: let the message pass with that mark, have the client come again (451), or refuse it (550).",
    )
    .default("mark"),
];

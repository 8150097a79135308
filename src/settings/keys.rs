//! The one table of settings: key, file, kind, default, and its paragraph of manual.
//!
//! `settings.env.example`, `mailctl help settings`, `mailctl init` and `config show` are all made from it.

mod acme;
mod form;
mod policies;

pub use form::{Home, Key, Kind};

use form::{env, toml};

const SIZE: Kind = "size: octets, or with unit B, k, M, G or T, as in 50M";
const FLAG: Kind = "true or false";
const PORT: Kind = "port number; 0 = any free one";
const FAILURES: Kind = "number from 0 to 1000; 0 = no limit";
const TIME: Kind = "number with unit s, m, h, d or w, as in 10m";
const NAME: Kind = "domain name";

/// Free tables of `mailctl.toml`: table, what it does.
pub const TABLES: &[(&str, &str)] = &[
    (
        "postfix.main",
        "Parameters of Postfix's main.cf in its own words, `parameter = \"value\"`. They survive every upgrade and win over what mailctl renders; Postfix itself checks them before anything is applied.",
    ),
    (
        "postfix.master",
        "Entries of Postfix's master.cf: `\"service/type\" = \"private unpriv chroot wakeup maxproc command\"` replaces or adds an entry, `\"service/type/parameter\" = \"value\"` sets one parameter of it, as `postconf -M` and `postconf -P` do.",
    ),
    (
        "postfix.transport",
        "Routes for single addresses or domains, in Postfix's own form: `\"address, domain, .subdomains or *\" = \"transport:nexthop\"`, as in `\"lists.example.org\" = \"smtp:[192.0.2.9]:2525\"`.",
    ),
];

/// Every setting there is.
pub const KEYS: &[Key] =
    &joined::<{ FIRST.len() + policies::KEYS.len() + acme::KEYS.len() }>([FIRST, policies::KEYS, acme::KEYS]);

const fn joined<const ALL: usize>(parts: [&[Key]; 3]) -> [Key; ALL] {
    let mut all = [parts[0][0]; ALL];
    let (mut part, mut at, mut next) = (0, 0, 0);
    while next < ALL {
        if at == parts[part].len() {
            (part, at) = (part + 1, 0);
        } else {
            all[next] = parts[part][at];
            (at, next) = (at + 1, next + 1);
        }
    }
    all
}

const FIRST: &[Key] = &[
    env("DOMAIN", NAME, "The first domain to serve: what stands after the @ of your addresses.")
        .required()
        .example("example.org"),
    env(
        "HOSTNAME",
        NAME,
        "The server's own name: its greeting, its certificate, the target of MX records, and the name its IP address should resolve back to. It need not be inside DOMAIN, and must not be a served domain itself.",
    )
    .required()
    .example("mail.example.org"),
    env(
        "ADMIN_EMAIL",
        "address",
        "Where mail to postmaster, abuse, hostmaster and noreply of every served domain goes. `mailctl init` creates this mailbox.",
    )
    .required()
    .example("admin@example.org"),
    env(
        "ADDITIONAL_DOMAINS",
        "domain names with commas between them",
        "Further domains to serve. More can be added at any time with `mailctl domain add`.",
    )
    .example("example.net,example.com"),
    env(
        "DKIM_SELECTOR",
        "DNS label",
        "Selector of new DKIM keys. Nothing = a dated one (mYYYYMM), which makes changing keys easy; name one only to keep a record that is published already.",
    )
    .example("mail"),
    env(
        "TRUSTED_NETWORKS",
        "networks with commas or blanks between them; ! leaves one out; the first match counts",
        "Clients that may send anywhere without a login. Loopback always may. A network with a gateway of the Docker Engine inside is refused: every client of the Internet can appear under that address.",
    )
    .example("192.0.2.0/28,[2001:db8:7::]/48"),
    env("MESSAGE_SIZE_LIMIT", SIZE, "The largest message that is taken.").default("50M"),
    env("MAILBOX_SIZE_LIMIT", SIZE, "How much one mailbox may hold; 0 = no limit.").default("0"),
    env("ENABLE_IMAP", FLAG, "Serve IMAP on 143 (STARTTLS) and 993.").default("true"),
    env("ENABLE_POP3", FLAG, "Serve POP3 on 110 (STARTTLS) and 995.").default("true"),
    env("ENABLE_MANAGESIEVE", FLAG, "Let users manage their Sieve filters on 4190.").default("true"),
    env(
        "SENDER_RESTRICTIONS",
        "email or domain",
        "What users may send as. email = their own address, every address whose mail ends in their mailbox, and what `mailctl user allow` gave them; domain = also every other address of the served domains.",
    )
    .default("email"),
    env(
        "RELAY_MODE",
        "STRICT, ALLOW_SASLAUTH_NODOMAIN, ALLOW_NETAUTH_NODOMAIN or ALLOW_AUTH_NODOMAIN",
        "Who may send to other servers. STRICT = nobody, mail is taken for the served domains only; ALLOW_SASLAUTH_NODOMAIN = users who log in; ALLOW_NETAUTH_NODOMAIN = TRUSTED_NETWORKS, without login; ALLOW_AUTH_NODOMAIN = both.",
    )
    .default("ALLOW_AUTH_NODOMAIN"),
    env(
        "ENABLE_WEB",
        FLAG,
        "Serve HTTP on 80 and HTTPS on 443: the challenges with which certificates are issued, the MTA-STS policy, and what mail programs ask to set themselves up. Where a web server runs on this host already, give ports.http and ports.https other numbers instead (`mailctl help web`).",
    )
    .default("true"),
    env(
        "RELAY_HOST",
        "[host]:port, or domain:port to ask for its MX",
        "Send all outgoing mail through this server, where port 25 is blocked or a provider delivers for you. Nothing = deliver to each recipient's own server.",
    )
    .example("[smtp.example.net]:587"),
    env("RELAY_USER", "text", "Login at RELAY_HOST.").example("apikey"),
    env(
        "RELAY_PASSWORD",
        "text",
        "Password at RELAY_HOST, taken as it stands up to the end of the line. A settings.env that holds it must not be readable by others (chmod 0600).",
    )
    .secret()
    .example("secret"),
    env(
        "RELAY_PASSWORD_FILE",
        "absolute path",
        "File whose first line is the password at RELAY_HOST. RELAY_PASSWORD wins over it.",
    )
    .example("/etc/mailctl/relay-password"),
    env(
        "RELAY_TLS",
        "none, may, encrypt, dane, dane-only, verify or secure",
        "How TLS is used towards RELAY_HOST; Postfix's smtp_tls_security_level.",
    )
    .default("encrypt"),
    env(
        "CERTIFICATES",
        "self-signed or acme",
        "Where the certificate comes from. self-signed: mailctl makes one, which stays until `mailctl cert import` brings another. acme: an authority like Let's Encrypt issues it, and `mailctl maintain` renews it; `mailctl help certificates` tells what that needs.",
    )
    .default("self-signed"),
    env(
        "ACME_EMAIL",
        "address",
        "Whom the authority may write to about certificates and its terms. Nothing = ADMIN_EMAIL.",
    )
    .example("certificates@example.net"),
    env(
        "UPDATE_CHECK",
        FLAG,
        "Remind when nobody has looked for newer packages of Postfix, Dovecot, OpenDKIM and what they need for longer than UPDATE_INTERVAL. `mailctl image check` looks, `mailctl status` tells what it found; `mailctl maintain` looks by itself.",
    )
    .default("true"),
    env("UPDATE_INTERVAL", "number with unit m, h, d or w, as in 12h; at least 1h", "How long one look for newer packages holds.")
        .default("1d"),
    env(
        "TLS_CERT_DIR",
        "absolute path",
        "Folder in which somebody else keeps the server's certificate and key, as certbot, nginx-proxy-manager, acme.sh, lego or Kubernetes leave it. `mailctl up` and `mailctl cert import --again` look there and serve what is new and good; what is not leaves the old one served.",
    )
    .example("/etc/letsencrypt/live/mail.example.org"),
    env(
        "TLS_CERT_FILE",
        "absolute path",
        "The file with certificate and chain, in PEM form; with TLS_KEY_FILE it wins over TLS_CERT_DIR.",
    )
    .example("/etc/ssl/mail/fullchain.pem"),
    env(
        "TLS_KEY_FILE",
        "absolute path",
        "The private key of TLS_CERT_FILE, in PEM form and not encrypted.",
    )
    .example("/etc/ssl/mail/privkey.pem"),
    env(
        "TLS_CERT_PEM",
        "PEM, or PEM in base64",
        "The certificate and its chain themselves, where a program that starts containers hands them over and keeps no file. In settings.env each line end is written as \\n; in the environment it may be one. With TLS_KEY_PEM it wins over TLS_CERT_FILE and TLS_CERT_DIR.",
    )
    .example("LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCg=="),
    env(
        "TLS_KEY_PEM",
        "PEM, or PEM in base64",
        "The private key of TLS_CERT_PEM, not encrypted. A secret: a settings.env that holds it must not be readable by others (chmod 0600).",
    )
    .secret()
    .example("LS0tLS1CRUdJTiBQUklWQVRFIEtFWS0tLS0tCg=="),
    env(
        "ALERT_WEBHOOK",
        "https:// URL",
        "Where `mailctl maintain` posts alerts as JSON (`text`, `state`, `kind`, `about`, `what`, `remedy`), beside the log and a message to ADMIN_EMAIL. Taken as a secret, for such URLs often hold one: a settings.env that holds it must not be readable by others (chmod 0600). Redirects are not followed.",
    )
    .secret()
    .example("https://chat.example.org/hooks/abc"),
    env("ALERT_WEBHOOK_FILE", "absolute path", "File whose first line is the URL. ALERT_WEBHOOK wins over it.")
        .example("/etc/mailctl/webhook"),
    env(
        "ALERT_WEBHOOK_NETWORKS",
        "networks with commas or blanks between them",
        "Networks that a webhook may be in although the Internet does not lead there, like your own. Nothing = none: no private, loopback or link-local address is ever asked.",
    )
    .example("192.168.7.0/24"),
    env("TZ", "zone name", "Time zone of log lines, as in Europe/Berlin.").default("UTC"),
    toml("ports.smtp", PORT, "Mail from other servers.").default("25"),
    toml("ports.submissions", PORT, "Sending by your users, TLS from the start.").default("465"),
    toml("ports.submission", PORT, "Sending by your users, STARTTLS.").default("587"),
    toml("ports.imap", PORT, "IMAP, STARTTLS.").default("143"),
    toml("ports.imaps", PORT, "IMAP, TLS from the start.").default("993"),
    toml("ports.pop3", PORT, "POP3, STARTTLS.").default("110"),
    toml("ports.pop3s", PORT, "POP3, TLS from the start.").default("995"),
    toml("ports.managesieve", PORT, "ManageSieve, STARTTLS.").default("4190"),
    toml(
        "ports.http",
        PORT,
        "HTTP, for the challenges of certificates. Authorities ask on 80: with another number, a web server on 80 must pass /.well-known/acme-challenge/ on to it.",
    )
    .default("80"),
    toml(
        "ports.https",
        PORT,
        "HTTPS, for the MTA-STS policy and for mail programs. They ask on 443: with another number, what listens there must pass connections for those names on.",
    )
    .default("443"),
    toml("network.listen", "IP address", "Address of the host that the ports are published on.")
        .default("0.0.0.0"),
    toml("network.subnet", "IPv4 network", "Fixed subnet of the stack's own network. Nothing = the engine picks one.")
        .example("172.20.0.0/24"),
    toml(
        "network.subnet6",
        "IPv6 network",
        "IPv6 subnet of the stack's own network. Nothing = IPv4 only, and then nothing is published on IPv6: clients would all appear under the gateway's address. Where the engine hands IPv6 connections on through a proxy of its own (its `docker-proxy`, without ip6tables), they appear so with a subnet as well: all IPv6 clients then share one address, its ten connections and its limits, and no trust is given to it.",
    )
    .example("fd00:6d61:696c::/64"),
    toml(
        "network.mtu",
        "auto, or octets from 576 to 65535",
        "How large packets of the stack's own network may be. auto = no larger than what the host's way out takes (the interface of its default route), for where a tunnel or a cloud takes less than 1500, answers of others would never arrive. A way out that takes less than before means a new network, and `mailctl plan` says so; one that takes more changes nothing.",
    )
    .default("auto"),
    toml(
        "metrics.listen",
        "address:port of this host, loopback or private",
        "Where mailctld tells how it does, as text for Prometheus at /metrics. Nothing = nowhere. There is no login: what can reach the address can read it.",
    )
    .example("127.0.0.1:9154"),
    toml(
        "mta_sts.mode",
        "none, testing or enforce",
        "The MTA-STS policy of every served domain (RFC 8461): with testing, others report where TLS to this server fails; with enforce, they keep mail rather than send it in clear or to somebody else. `mailctl dns-records` then has the records for it.",
    )
    .default("none"),
    toml("mta_sts.max_age", "seconds, from 86400 to 31557600", "For how long others keep the policy.").default("604800"),
    toml(
        "brute_force.enabled",
        FLAG,
        "Count wrong passwords, on every port alike: who guesses is made to wait, then shut out for a while (`mailctl help brute-force`). Bans made with `mailctl ban add` count in any case.",
    )
    .default("true"),
    toml(
        "brute_force.failures",
        FAILURES,
        "Wrong passwords within brute_force.window that shut an address out; an IPv6 client is its /64. From half of them on, each try has to wait first.",
    )
    .default("5"),
    toml("brute_force.network_failures", FAILURES, "The same for all addresses of a /24, or a /48, together.").default("25"),
    toml(
        "brute_force.account_failures",
        FAILURES,
        "Wrong passwords at one account, from anywhere, that shut strangers out from it. Who logged in from the same network within the last 30 days is no stranger.",
    )
    .default("50"),
    toml("brute_force.window", TIME, "How long a wrong password counts.").default("10m"),
    toml(
        "brute_force.ban_time",
        TIME,
        "How long the first ban lasts. Each further one of the same address or network within a day is twice as long.",
    )
    .default("10m"),
    toml("brute_force.longest_ban", TIME, "No ban becomes longer, but those made with `mailctl ban add`.").default("1d"),
    toml(
        "brute_force.count_repeats",
        FLAG,
        "Whether the same wrong password from the same address counts each time. A phone with an old password says it every few minutes.",
    )
    .default("false"),
    toml(
        "brute_force.ignore",
        "networks with commas or blanks between them",
        "Networks that are never banned. Loopback, the engine's gateway and TRUSTED_NETWORKS never are.",
    )
    .example("192.0.2.0/28,2001:db8:7::/48"),
    toml("limits.memory", SIZE, "Memory of each container.").default("1G"),
    toml("limits.cpus", "number, as in 1.5", "Processors that each container may keep busy.").default("2"),
    toml("limits.pids", "number", "Processes and threads of each container.").default("512"),
    toml(
        "dns.addresses",
        "IP addresses with commas or blanks between them",
        "Addresses under which the Internet reaches this server and from which it sends. Nothing = those that this host itself uses towards the Internet; behind a router that translates addresses, name the public ones here.",
    )
    .example("192.0.2.25,2001:db8::25"),
    toml("dns.ttl", "seconds", "For how long others may keep the records that `mailctl dns-records` prints.").default("3600"),
    toml(
        "dns.spf_all",
        "-all or ~all",
        "What the SPF record says of everybody who is not named in it: -all, refuse; ~all, suspect.",
    )
    .default("-all"),
    toml(
        "dns.dmarc_policy",
        "none, quarantine or reject",
        "What others are asked to do with mail that claims to be yours and is neither sent nor signed by you.",
    )
    .default("quarantine"),
    toml(
        "dns.reports",
        "address",
        "Where others send their reports about your domains (DMARC, TLS). Nothing = postmaster of each domain.",
    )
    .example("reports@example.org"),
    toml(
        "dns.blocklists",
        "zones with commas or blanks between them; domain: before one that lists domains",
        "Blocklists that `mailctl dns-check` asks about this server's addresses and domains. Nothing = none is asked. Most refuse resolvers that many share; read their terms.",
    )
    .example("zen.spamhaus.org,domain:dbl.spamhaus.org"),
    toml(
        "dns.resolver",
        "address, or address:port",
        "The resolver that is asked about everything in DNS. Nothing = those of /etc/resolv.conf. `--resolver` of a command wins over it.",
    )
    .example("[2001:db8::53]:5353"),
    toml(
        "dns.trust_anchor_file",
        "absolute path",
        "File with the keys at which DNSSEC begins, as DNSKEY or DS lines of a zone (`unbound-anchor` keeps such a file, RFC 5011). Only for networks whose resolver has a root of its own. Nothing = the keys of the Internet's root.",
    )
    .example("/etc/unbound/root.key"),
    toml(
        "dns.update_server",
        "address, or address:port",
        "The server that takes changes to your zones (RFC 2136). Nothing = the primary server that a zone's SOA record names.",
    )
    .example("192.0.2.53"),
    toml(
        "dns.update_key_file",
        "absolute path",
        "File with the TSIG key that signs changes to your zones, as `tsig-keygen` or `keymgr -t` wrote it. It must not be readable by others (chmod 0600). Nothing = mailctl only shows what to publish.",
    )
    .example("/etc/mailctl/dns.key"),
    toml(
        "forward.tell",
        FLAG,
        "Whether mail for addresses that lead to other servers says so: X-Forwarded-By with this server's name, X-Original-To with the address.",
    )
    .default("false"),
    toml(
        "forward.targets",
        "number from 1 to 100",
        "To how many addresses one forward may lead. It is looked at when targets are added with `mailctl forward`; what there is stays as it is.",
    )
    .default("10"),
];

/// The key of that name.
pub fn find(name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.name == name)
}

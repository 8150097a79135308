//! A small signed Internet: root, top-level domains and zones below them, signed by Debian's BIND and Knot as
//! operators have it, NSEC and NSEC3, and some zones whose chain of trust is broken each in its own way.

use super::process::{Place, Process};
use hickory_server::proto::dnssec::TrustAnchors;
use std::{
    fs,
    process::Command,
    sync::{Arc, Mutex, PoisonError, Weak},
};

/// What every zone below a top-level domain holds.
const HOST: &str = "\
@ MX 10 mail
mail A 192.0.2.25
_25._tcp.mail TLSA 3 1 1 0707070707070707070707070707070707070707070707070707070707070707
www CNAME mail
gone CNAME absent
empty CNAME mail.below
below A 192.0.2.26
mail.below TXT \"no address\"
away CNAME mail.plain.org.
across CNAME mail.knot3.com.
bad CNAME mail.wrong.org.
bad-gone CNAME absent.wrong.org.
gone-across CNAME absent.knot3.com.
*.wild A 192.0.2.27
*.alias CNAME mail
*.deep.wild TXT \"deep\"
inner.ent A 192.0.2.28
tree DNAME ent
";

/// Who signs, and how.
#[derive(Clone, Copy, Debug)]
enum Signed {
    /// Nobody.
    Not,
    /// BIND, by this `dnssec-policy`.
    Bind(&'static str),
    /// Knot, by this policy.
    Knot(&'static str),
    /// `dnssec-signzone`, with these times, and then this is done to the file.
    Once(&'static [&'static str], fn(String) -> String),
    /// BIND, and the zone above vouches for another key.
    Wrong,
}

const ZONES: [(&str, Signed); 24] = [
    (".", Signed::Bind("rsa")),
    ("org", Signed::Bind("rsa")),
    ("com", Signed::Bind("nsec3")),
    ("net", Signed::Knot("optout")),
    ("edu", Signed::Bind("optout")),
    ("info", Signed::Not),
    ("bind.org", Signed::Bind("nsec")),
    ("bind3.org", Signed::Bind("nsec3")),
    ("knot.org", Signed::Knot("nsec")),
    ("knot3.org", Signed::Knot("nsec3")),
    ("ed25519.org", Signed::Knot("ed25519")),
    ("plain.org", Signed::Not),
    ("wrong.org", Signed::Wrong),
    ("expired.org", Signed::Once(&["-s", "20200101000000", "-e", "20200201000000"], |text| text)),
    ("broken.org", Signed::Once(&[], |text| text.replace("192.0.2.", "192.0.2.1"))),
    ("gaps.org", Signed::Once(&[], without_nsec)),
    ("sha1.org", Signed::Bind("sha1")),
    ("ed448.org", Signed::Knot("ed448")),
    ("knot3.com", Signed::Knot("nsec3")),
    ("plain.com", Signed::Not),
    ("bind.net", Signed::Bind("nsec")),
    ("plain.net", Signed::Not),
    ("plain.edu", Signed::Not),
    ("plain.info", Signed::Not),
];

const POLICIES: &str = r#"
dnssec-policy "rsa" { keys { ksk lifetime unlimited algorithm rsasha256 2048; zsk lifetime unlimited algorithm rsasha256 1280; }; };
dnssec-policy "sha1" { keys { csk lifetime unlimited algorithm rsasha1 2048; }; };
dnssec-policy "nsec" { keys { csk lifetime unlimited algorithm ecdsap256sha256; }; };
dnssec-policy "nsec3" { keys { csk lifetime unlimited algorithm ecdsap256sha256; }; nsec3param iterations 0 optout no salt-length 0; };
dnssec-policy "optout" { keys { csk lifetime unlimited algorithm ecdsap256sha256; }; nsec3param iterations 0 optout yes salt-length 0; };
"#;

/// The running world.
pub struct World {
    anchor: String,
    bind: Process,
    knot: Process,
}

impl World {
    /// One for all tests that run at a time; the last one ends it.
    pub fn shared() -> Arc<Self> {
        static WORLD: Mutex<Weak<World>> = Mutex::new(Weak::new());
        let mut world = WORLD.lock().unwrap_or_else(PoisonError::into_inner);
        world.upgrade().unwrap_or_else(|| {
            let started = Arc::new(Self::start());
            *world = Arc::downgrade(&started);
            started
        })
    }

    /// Signs all zones and serves them.
    pub fn start() -> Self {
        let (bind, knot) = (Place::new(), Place::new());
        bind.write("policies", POLICIES);
        configure_knot(&knot);
        let mut vouchers: Vec<(&str, String)> = Vec::new();
        // From below, so that a zone is written when those below it have their keys.
        for (origin, signed) in ZONES.iter().rev() {
            let text = zone(origin, *signed, &bind, &knot, &vouchers);
            let file = if *origin == "." { "root".to_owned() } else { (*origin).to_owned() };
            let place = if matches!(signed, Signed::Knot(_)) { &knot } else { &bind };
            place.write(&format!("{file}.zone"), &text);
            let voucher = match signed {
                Signed::Not => String::new(),
                Signed::Knot(_) => {
                    knot.run("keymgr", &["-c", "conf", origin, "generate", "ksk=yes", "zsk=yes"]);
                    knot.run("keymgr", &["-c", "conf", origin, "ds"])
                }
                Signed::Bind(policy) => bind_key(&bind, origin, policy),
                Signed::Once(..) => bind_key(&bind, origin, "nsec"),
                Signed::Wrong => {
                    let wrong = bind_key(&bind, origin, "nsec");
                    for file in fs::read_dir(bind.file(".")).unwrap().flatten() {
                        if file.file_name().to_string_lossy().starts_with("Kwrong.org") {
                            fs::remove_file(file.path()).unwrap();
                        }
                    }
                    wrong
                }
            };
            if let Signed::Once(times, change) = signed {
                let file = format!("{file}.zone");
                let words = [
                    &["-S", "-z", "-P", "-K", ".", "-o", origin],
                    *times,
                    &["-O", "full", "-f", "signed", &file],
                ]
                .concat();
                bind.run("dnssec-signzone", &words);
                bind.write(&file, &change(fs::read_to_string(bind.file("signed")).unwrap()));
            }
            vouchers.push((origin, voucher));
        }
        let anchor = keys(&bind, ".").into_iter().find(|key| key.contains(" 257 ")).unwrap();
        configure_bind(&bind);
        let mut knot = knot.start("/usr/sbin/knotd", &["-c", "conf"]);
        let mut bind = bind.start("/usr/sbin/named", &["-g", "-c", "conf"]);
        for (origin, signed) in ZONES {
            let server = if matches!(signed, Signed::Knot(_)) { &mut knot } else { &mut bind };
            server.wait_for_zone(origin);
            server.wait(|place| proven(place, origin, signed));
        }
        Self { anchor, bind, knot }
    }

    /// The keys of its root.
    pub fn anchors(&self) -> Arc<TrustAnchors> {
        Arc::new(self.anchor.parse().unwrap())
    }

    /// The same as a line of a zone.
    pub fn anchor(&self) -> &str {
        &self.anchor
    }

    /// The digest of its key, as a line of a zone.
    pub fn digest(&self) -> String {
        self.bind.place().write("anchor.key", &format!("{}\n", self.anchor));
        let line = self.bind.place().run("dnssec-dsfromkey", &["-2", "-f", "anchor.key", "."]);
        assert!(line.contains(" DS "), "{line}");
        line
    }

    /// Knot answers no more, for none of its zones.
    pub fn stop_knot(&mut self) {
        self.knot.stop();
    }

    /// Where its root is served.
    pub fn root(&self) -> std::net::IpAddr {
        self.bind.place().address()
    }
}

/// The records that prove what is not there, taken away with their signatures.
fn without_nsec(text: String) -> String {
    let kept = text.lines().filter(|line| !line.split_whitespace().any(|word| word == "NSEC"));
    kept.map(|line| format!("{line}\n")).collect()
}

/// In the middle of a change of keys: vouched for by one that is not there yet as well.
const NEXT: (&str, &str) =
    ("bind3.org", "DS 12345 13 2 0707070707070707070707070707070707070707070707070707070707070707");

/// A zone's text: what it holds, and what it says of the zones below it.
fn zone(origin: &str, signed: Signed, bind: &Place, knot: &Place, below: &[(&str, String)]) -> String {
    let of = |signed| if matches!(signed, Signed::Knot(_)) { knot.address() } else { bind.address() };
    let mut text = format!(
        "$TTL 300\n$ORIGIN {}.\n@ SOA ns hostmaster 1 3600 600 1209600 60\n@ NS ns\nns A {}\n",
        origin.trim_matches('.'),
        of(signed)
    );
    if origin.contains('.') && origin != "." {
        text.push_str(HOST);
    }
    for (child, voucher) in below {
        let above = child.split_once('.').map_or(".", |(_, above)| above);
        if above == origin {
            let (_, signed) = ZONES.iter().find(|(zone, _)| zone == child).unwrap();
            text.push_str(&format!("{child}. NS ns.{child}.\nns.{child}. A {}\n{voucher}\n", of(*signed)));
            if *child == NEXT.0 {
                text.push_str(&format!("{child}. {}\n", NEXT.1));
            }
        }
    }
    text
}

/// Makes the keys of a zone; the records that vouch for them.
fn bind_key(bind: &Place, origin: &str, policy: &str) -> String {
    bind.run("dnssec-keygen", &["-q", "-k", policy, "-l", "policies", origin]);
    let of = |file: &str| bind.run("dnssec-dsfromkey", &["-2", file]);
    key_files(bind, origin)
        .iter()
        .filter(|file| fs::read_to_string(bind.file(file)).unwrap().contains(" 257 "))
        .map(|file| of(file))
        .collect()
}

fn key_files(bind: &Place, origin: &str) -> Vec<String> {
    let begin = format!("K{}.+", origin.trim_matches('.'));
    let files = fs::read_dir(bind.file(".")).unwrap().flatten();
    let names = files.map(|file| file.file_name().into_string().unwrap());
    names.filter(|name| name.starts_with(&begin) && name.ends_with(".key")).collect()
}

fn keys(bind: &Place, origin: &str) -> Vec<String> {
    let lines = key_files(bind, origin).into_iter().map(|file| fs::read_to_string(bind.file(&file)).unwrap());
    lines.map(|text| text.lines().find(|line| !line.starts_with(';')).unwrap().to_owned()).collect()
}

fn configure_bind(bind: &Place) {
    let place = bind.file("").display().to_string();
    let mut text = format!(
        "{POLICIES}options {{ directory \"{place}\"; key-directory \"{place}\"; listen-on {{ {}; }}; listen-on-v6 {{ none; }};\n  \
         pid-file none; session-keyfile none; recursion no; dnssec-validation no; notify no; }};\ncontrols {{ }};\n",
        bind.address()
    );
    for (origin, signed) in ZONES {
        let file = if origin == "." { "root" } else { origin };
        let policy = match signed {
            Signed::Knot(_) => continue,
            Signed::Bind(policy) => format!("dnssec-policy \"{policy}\"; inline-signing yes; "),
            Signed::Wrong => "dnssec-policy \"nsec\"; inline-signing yes; ".to_owned(),
            Signed::Not | Signed::Once(..) => String::new(),
        };
        text.push_str(&format!("zone \"{origin}\" {{ type primary; file \"{file}.zone\"; {policy}}};\n"));
    }
    bind.write("conf", &text);
}

fn configure_knot(knot: &Place) {
    let place = knot.file("").display().to_string();
    let mut text = format!(
        "server:\n    rundir: {place}\n    listen: {}@53\ndatabase:\n    storage: {place}/db\npolicy:\n",
        knot.address()
    );
    for (name, more) in [
        ("nsec", "algorithm: ecdsap256sha256"),
        (
            "nsec3",
            "algorithm: ecdsap256sha256\n    nsec3: on\n    nsec3-iterations: 10\n    nsec3-salt-length: 8",
        ),
        (
            "optout",
            "algorithm: ecdsap256sha256\n    nsec3: on\n    nsec3-iterations: 0\n    nsec3-opt-out: on",
        ),
        ("ed25519", "algorithm: ed25519"),
        ("ed448", "algorithm: ed448"),
    ] {
        text.push_str(&format!("  - id: {name}\n    manual: on\n    {more}\n"));
    }
    text.push_str("zone:\n");
    for (origin, signed) in ZONES {
        if let Signed::Knot(policy) = signed {
            text.push_str(&format!(
                "  - domain: {origin}\n    storage: {place}\n    file: {origin}.zone\n    zonefile-sync: -1\n    \
                 dnssec-signing: on\n    dnssec-policy: {policy}\n"
            ));
        }
    }
    fs::create_dir(knot.file("db")).unwrap();
    knot.write("conf", &text);
}

/// Whether a signed zone has its last form: BIND makes the records of NSEC3 some time after it answers.
fn proven(place: &Place, origin: &str, signed: Signed) -> bool {
    let wanted = match signed {
        Signed::Not | Signed::Once(..) => return true,
        Signed::Bind("nsec3" | "optout") | Signed::Knot("nsec3" | "optout") => "NSEC3",
        _ => "NSEC",
    };
    let said = dig(
        place.address(),
        &["+dnssec", "+norec", &format!("surely-absent.{}", origin.trim_matches('.')), "A"],
    );
    let has = |kind: &str| said.split_whitespace().any(|word| word == kind);
    has(wanted) && has("RRSIG")
}

/// What a server says, by a program that is not ours.
pub fn dig(server: std::net::IpAddr, words: &[&str]) -> String {
    let at = format!("@{server}");
    let said = Command::new("dig").args([&at, "+time=2", "+tries=2"]).args(words).output().unwrap();
    String::from_utf8(said.stdout).unwrap()
}

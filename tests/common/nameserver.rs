//! Real name servers that take changes: Debian's BIND and Knot, each with a folder and a loopback address of its own,
//! stopped by its process id.

use super::process::{Place, Process};
use std::{fs, net::IpAddr, path::Path};

/// The key that may change the zone: name and secret (base64).
pub const KEY: (&str, &str) = ("mail-key", "bm90IGEgc2VjcmV0LCBvbmx5IGEgdGVzdCBrZXkgISE=");

/// Which program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Program {
    /// `named`.
    Bind,
    /// `knotd`.
    Knot,
}

/// A running server.
pub struct NameServer(Process);

impl NameServer {
    /// Serves `origin`, whose only name server it is, with these further records; [`KEY`] may change all below it
    /// but nothing else. `None` where the program is not installed.
    pub fn start(program: Program, origin: &str, records: &str) -> Option<Self> {
        Path::new(program.binary())
            .exists()
            .then(|| Self::primary(Place::new(), program, origin, records, None))
    }

    /// The same with a secondary `ns2`, which takes the zone from it and is told of every change (RFC 1996).
    pub fn pair((primary, secondary): (Program, Program), origin: &str, records: &str) -> (Self, Self) {
        let (one, two) = (Place::new(), Place::new());
        let from = one.address();
        let records = format!("@ NS ns2\nns2 A {}\n{records}", two.address());
        let one = Self::primary(one, primary, origin, &records, Some(two.address()));
        (one, Self::secondary(two, secondary, origin, from))
    }

    fn primary(place: Place, program: Program, origin: &str, records: &str, to: Option<IpAddr>) -> Self {
        let address = place.address();
        place.write(
            "zone",
            &format!(
                "$TTL 300\n$ORIGIN {origin}.\n@ SOA ns hostmaster 1 3600 600 86400 60\n@ NS ns\nns A {address}\n{records}\n"
            ),
        );
        let (name, secret) = KEY;
        let text = match program {
            Program::Bind => {
                let told = to.map_or("notify no;".to_owned(), |to| {
                    format!("notify explicit; notify-delay 0; also-notify {{ {to}; }}; notify-source {address}; allow-transfer {{ {to}; }};")
                });
                format!(
                    r#"{}
key "{name}" {{ algorithm hmac-sha256; secret "{secret}"; }};
zone "{origin}" {{ type primary; file "zone"; update-policy {{ grant {name} zonesub TXT TLSA MX A CAA SRV CNAME; }}; {told} }};
"#,
                    bind_options(&place)
                )
            }
            Program::Knot => {
                let (remote, acl, told) = to.map_or_else(Default::default, |to| {
                    (
                        format!("remote:\n  - id: ns2\n    address: {to}@53\n    via: {address}\n"),
                        format!("  - id: transfer\n    address: {to}\n    action: transfer\n"),
                        "    notify: ns2\n".to_owned(),
                    )
                });
                format!(
                    "{}key:\n  - id: {name}\n    algorithm: hmac-sha256\n    secret: {secret}\n{remote}\
                     acl:\n  - id: change\n    key: {name}\n    action: update\n    update-type: [TXT, TLSA, MX, A, CAA, SRV, CNAME]\n{acl}\
                     zone:\n  - domain: {origin}\n    storage: {}\n    file: zone\n    acl: [change{}]\n{told}",
                    knot_options(&place),
                    place.file("").display(),
                    if to.is_some() { ", transfer" } else { "" },
                )
            }
        };
        Self::run(place, program, origin, &text)
    }

    fn secondary(place: Place, program: Program, origin: &str, from: IpAddr) -> Self {
        let text = match program {
            Program::Bind => format!(
                "{}zone \"{origin}\" {{ type secondary; file \"zone\"; primaries {{ {from}; }}; allow-notify {{ {from}; }}; \
                 transfer-source {}; notify no; }};\n",
                bind_options(&place),
                place.address()
            ),
            Program::Knot => format!(
                "{}remote:\n  - id: ns\n    address: {from}@53\n    via: {}\nacl:\n  - id: told\n    address: {from}\n    action: notify\n\
                 zone:\n  - domain: {origin}\n    storage: {}\n    file: zone\n    master: ns\n    acl: told\n",
                knot_options(&place),
                place.address(),
                place.file("").display()
            ),
        };
        Self::run(place, program, origin, &text)
    }

    fn run(place: Place, program: Program, origin: &str, text: &str) -> Self {
        place.write("conf", text);
        let words: &[&str] = match program {
            Program::Bind => &["-g", "-c", "conf"],
            Program::Knot => &["-c", "conf"],
        };
        let mut process = place.start(program.binary(), words);
        process.wait_for_zone(origin);
        Self(process)
    }

    /// Its address; port 53.
    pub fn address(&self) -> IpAddr {
        self.0.place().address()
    }

    /// What it wrote.
    pub fn log(&self) -> String {
        self.0.log()
    }

    /// Ends it: nobody listens there any more.
    pub fn stop(&mut self) {
        self.0.stop();
    }
}

impl Program {
    fn binary(self) -> &'static str {
        match self {
            Self::Bind => "/usr/sbin/named",
            Self::Knot => "/usr/sbin/knotd",
        }
    }
}

fn bind_options(place: &Place) -> String {
    format!(
        "options {{ directory \"{}\"; listen-on {{ {}; }}; listen-on-v6 {{ none; }}; pid-file none; session-keyfile none;\n  \
         recursion no; dnssec-validation no; }};\ncontrols {{ }};\n",
        place.file("").display(),
        place.address()
    )
}

fn knot_options(place: &Place) -> String {
    let folder = place.file("").display().to_string();
    fs::create_dir(place.file("db")).unwrap();
    format!(
        "server:\n    rundir: {folder}\n    listen: {}@53\ndatabase:\n    storage: {folder}/db\n",
        place.address()
    )
}

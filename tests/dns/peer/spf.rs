//! SPF (RFC 7208).

use super::{Case, push, txt};

/// Names with addresses, mail servers and records to include.
const AROUND: &str = "@ A 192.0.2.1\n@ AAAA 2001:db8::1\n@ MX 10 mx\nmx A 192.0.2.2\nwhy TXT \"Sorry\"\n\
    inc TXT \"v=spf1 ip4:198.51.100.0/24 ~all\"\ninc2 TXT \"v=spf1 a:h0.{own} -all\"\n\
    open TXT \"v=spf1 +all\"\nh0 A 192.0.2.10\nh1 A 192.0.2.11\nh1 MX 10 mx\nh0 MX 10 mx";

pub fn add(cases: &mut Vec<Case>) {
    for (class, records) in RECORDS {
        for record in *records {
            push(cases, "spf", class, format!("{AROUND}\n{}", txt("@", record)));
        }
    }
    for qualifier in ["", "+", "-", "~", "?"] {
        for mechanism in
            ["a", "mx", "ip4:192.0.2.1", "ip6:2001:db8::1", "include:inc.{own}", "exists:h0.{own}"]
        {
            let record = format!("v=spf1 {qualifier}{mechanism} -all");
            push(cases, "spf", "qualifier", format!("{AROUND}\n{}", txt("@", &record)));
        }
    }
    lookups(cases);
    voids(cases);
    trees(cases);
}

/// Written forms, by what they are.
#[rustfmt::skip]
const RECORDS: &[(&str, &[&str])] = &[
    ("right", &[
        "v=spf1", "v=spf1 ", "v=spf1 -all", "v=spf1 ~all", "v=spf1 -all ", "v=spf1  mx  -all",
        "v=spf1 ip4:192.0.2.0/24 ip6:2001:db8::/32 -all", "v=spf1 a:h0.{own} mx:h1.{own} ~all", "v=spf1 a/24//64 mx//48 -all",
        "v=spf1 a:h0.{own}/28 -all", "v=spf1 redirect=inc.{own}", "v=spf1 mx redirect=inc2.{own}", "v=spf1 include:inc.{own} include:inc2.{own} -all",
        "v=spf1 mx exp=why.{own} -all", "v=spf1 mx -all exp=why.{own}", "v=spf1 mx", "v=spf1 ip4:0.0.0.0/0 -all",
        "v=spf1 exists:%{i}._spf.{own} -all", "v=spf1 exists:%{ir}.%{v}.%{l1r-}.{own} -all", "v=spf1 a:%{d} -all",
    ]),
    ("capitals", &["V=SPF1 MX -ALL", "v=SPF1 mx -all"]),
    ("loop-by-macro", &["v=spf1 include:%{d} -all", "v=spf1 redirect=%{d}"]),
    ("modifier", &["v=spf1 mx x=y -all", "v=spf1 mx moo=%{d} -all", "v=spf1 mx ra=postmaster -all", "v=spf1 mx a=b -all"]),
    ("modifier-macro", &["v=spf1 mx x=%{z} -all", "v=spf1 mx x=% -all"]),
    ("everybody", &["v=spf1 +all", "v=spf1 all", "v=spf1 mx +all", "v=spf1 mx all"]),
    ("nobody-told-apart", &["v=spf1 ?all", "v=spf1 mx ?all"]),
    ("ptr", &["v=spf1 ptr -all", "v=spf1 ptr:{own} -all", "v=spf1 mx ptr ~all"]),
    ("behind-all", &["v=spf1 mx -all a", "v=spf1 -all include:inc.{own}", "v=spf1 -all redirect=inc.{own}", "v=spf1 redirect=inc.{own} -all"]),
    ("broken-behind-all", &["v=spf1 mx -all ip4:bogus", "v=spf1 -all nonsense", "v=spf1 -all -all;"]),
    ("syntax", &[
        "v=spf1 ip4:192.0.2 -all", "v=spf1 ip4:192.0.2.256 -all", "v=spf1 ip4:192.0.2.0/33 -all", "v=spf1 ip4 -all", "v=spf1 ip4: -all",
        "v=spf1 ip4:2001:db8::1 -all", "v=spf1 ip6:192.0.2.1 -all", "v=spf1 ip6:2001:db8::/129 -all", "v=spf1 ip6:2001:db8:::1 -all",
        "v=spf1 ip6 -all", "v=spf1 ip:192.0.2.1 -all", "v=spf1 ipv4:192.0.2.1 -all", "v=spf1 mx; -all", "v=spf1 mx, -all", "v=spf1 -mx-all",
        "v=spf1 include -all", "v=spf1 include: -all", "v=spf1 exists -all", "v=spf1 a: -all", "v=spf1 mx: -all", "v=spf1 a/33 -all",
        "v=spf1 a//129 -all", "v=spf1 mx/ -all", "v=spf1 a/-1 -all", "v=spf1 --all", "v=spf1 - all", "v=spf1 mx -all: a", "v=spf1 nonsense -all",
        "v=spf1 include:inc.{own}/24 -all", "v=spf1 all:{own}", "v=spf1 redirect= mx", "v=spf1 mx exp= -all", "v=spf1 =x -all",
        "v=spf1 ip4:192.0.2.1/024 -all", "v=spf1 a/024 -all", "v=spf1 192.0.2.1 -all", "v=spf1 {own} -all", "v=spf1 +redirect=inc.{own}",
    ]),
    ("twice", &["v=spf1 redirect=inc.{own} redirect=inc2.{own}", "v=spf1 exp=why.{own} exp=why.{own} -all"]),
    ("macro", &[
        "v=spf1 exists:%{x}.{own} -all", "v=spf1 exists:%i.{own} -all", "v=spf1 exists:%{i -all", "v=spf1 exists:% -all", "v=spf1 a:%{c}.{own} -all",
        "v=spf1 exists:%{i!}.{own} -all", "v=spf1 exists:%(i).{own} -all",
    ]),
    ("macro-digits", &["v=spf1 exists:%{i0}.{own} -all", "v=spf1 exists:%{d0r}.{own} -all"]),
    ("no-record", &["v=spf10 mx -all", "spf1 mx -all", "v=spf2 mx -all", "v = spf1 mx -all", " v=spf1 mx -all", "v=spf1;mx -all", "\"v=spf1 mx -all\"", "spf2.0/pra mx -all", "v=spf1,mx -all", "hello"]),
    ("tab", &["v=spf1\tmx -all"]),
    ("tab-between", &["v=spf1 mx\t-all"]),
    ("single-label", &["v=spf1 include:localhost -all", "v=spf1 redirect=localhost"]),
    ("single-label-a", &["v=spf1 a:localhost -all"]),
];

/// Eight to thirteen terms that ask; ten are allowed (RFC 7208 §4.6.4).
fn lookups(cases: &mut Vec<Case>) {
    for count in 8..=13 {
        let names: String = (0..count).map(|n| format!("n{n} A 192.0.2.{n}\nn{n} MX 10 n{n}\n")).collect();
        for kind in ["a", "mx", "exists"] {
            let terms: Vec<String> = (0..count).map(|n| format!("{kind}:n{n}.{{own}}")).collect();
            let record = format!("v=spf1 {} -all", terms.join(" "));
            push(cases, "spf", "lookups", format!("{names}{}", txt("@", &record)));
        }
        let included: String =
            (0..count).map(|n| txt(&format!("n{n}"), "v=spf1 ip4:192.0.2.1 -all")).collect();
        let terms: Vec<String> = (0..count).map(|n| format!("include:n{n}.{{own}}")).collect();
        let record = format!("v=spf1 {} -all", terms.join(" "));
        push(cases, "spf", "lookups", format!("{included}{}", txt("@", &record)));
        // One below the other, the last with an address.
        let chain: String = (0..count)
            .map(|n| match n + 1 == count {
                true => txt(&format!("n{n}"), "v=spf1 ip4:192.0.2.1 -all"),
                false => txt(&format!("n{n}"), &format!("v=spf1 include:n{}.{{own}} -all", n + 1)),
            })
            .collect();
        push(cases, "spf", "lookups", format!("{chain}{}", txt("@", "v=spf1 include:n0.{own} -all")));
    }
}

/// None to four terms that ask in vain; two are allowed (RFC 7208 §4.6.4).
fn voids(cases: &mut Vec<Case>) {
    for count in 0..=4 {
        for kind in ["a", "mx", "exists"] {
            let terms: Vec<String> = (0..count).map(|n| format!("{kind}:gone{n}.{{own}}")).collect();
            let record = format!("v=spf1 {} -all", terms.join(" "));
            let class = match (kind, count) {
                ("exists", 1..=2) => "voids-exists",
                ("exists", 3..) => "too-many-voids-exists",
                _ => "voids",
            };
            push(cases, "spf", class, txt("@", &record));
        }
    }
}

/// Records that lead to others.
fn trees(cases: &mut Vec<Case>) {
    let mut of = |class, zone: &[(&str, &str)]| {
        let zone: String = zone.iter().map(|(name, text)| txt(name, text)).collect();
        push(cases, "spf", class, format!("{AROUND}\n{zone}"));
    };
    of("loop", &[("@", "v=spf1 include:{own} -all")]);
    of("loop", &[("@", "v=spf1 include:x.{own} -all"), ("x", "v=spf1 include:{own} -all")]);
    of("loop", &[("@", "v=spf1 include:x.{own} -all"), ("x", "v=spf1 include:x.{own} -all")]);
    of("loop", &[("@", "v=spf1 redirect={own}")]);
    of("loop", &[("@", "v=spf1 redirect=x.{own}"), ("x", "v=spf1 redirect={own}")]);
    of("loop", &[("@", "v=spf1 include:x.{own} -all"), ("x", "v=spf1 redirect={own}")]);
    of("included-twice", &[("@", "v=spf1 include:inc.{own} include:inc.{own} -all")]);
    of(
        "included-twice",
        &[("@", "v=spf1 include:inc.{own} include:x.{own} -all"), ("x", "v=spf1 include:inc.{own} -all")],
    );
    of("include-of-nothing", &[("@", "v=spf1 include:gone.{own} -all")]);
    of("include-of-nothing", &[("@", "v=spf1 include:h0.{own} -all")]);
    of("include-of-nothing", &[("@", "v=spf1 mx include:why.{own} -all")]);
    of("redirect-to-nothing", &[("@", "v=spf1 redirect=gone.{own}")]);
    of("redirect-to-nothing", &[("@", "v=spf1 mx redirect=why.{own}")]);
    of(
        "include-of-two",
        &[("@", "v=spf1 include:x.{own} -all"), ("x", "v=spf1 -all"), ("x", "v=spf1 mx -all")],
    );
    of("include-of-broken", &[("@", "v=spf1 include:x.{own} -all"), ("x", "v=spf1 ip4:bogus -all")]);
    of("redirect-to-broken", &[("@", "v=spf1 redirect=x.{own}"), ("x", "v=spf1 ip4:bogus -all")]);
    of("include-of-everybody", &[("@", "v=spf1 include:open.{own} -all")]);
    of("two-records", &[("@", "v=spf1 mx -all"), ("@", "v=spf1 a -all")]);
    of("two-records", &[("@", "v=spf1 mx -all"), ("@", "V=SPF1 a -all")]);
    of("beside-others", &[("@", "v=spf1 mx -all"), ("@", "hello=world"), ("@", "v=spf10 a -all")]);
    let long = (0..40).map(|n| format!("ip4:198.51.100.{n}")).collect::<Vec<_>>().join(" ");
    of("long", &[("@", &format!("v=spf1 {long} -all"))]);
    let servers: String = (0..11).map(|n| format!("many MX 10 m{n}\nm{n} A 192.0.2.{n}\n")).collect();
    push(cases, "spf", "many-mx", format!("{servers}{}", txt("@", "v=spf1 mx:many.{own} -all")));
    push(cases, "spf", "null-mx", format!("@ MX 0 .\n{}", txt("@", "v=spf1 mx -all")));
    push(cases, "spf", "dead-mx", format!("@ MX 10 gone\n{}", txt("@", "v=spf1 mx -all")));
    push(cases, "spf", "right", "@ TXT \"v=spf1 \" \"-all\"".to_owned());
    push(cases, "spf", "glued", "@ TXT \"v=spf1 ip4:192.0.2.1\" \"ip4:192.0.2.2 -all\"".to_owned());
    push(cases, "spf", "alias", format!("{AROUND}\n@ TXT \"v=spf1 include:al.{{own}} -all\"\nal CNAME inc"));
    push(cases, "spf", "no-txt", "@ A 192.0.2.1".to_owned());
}

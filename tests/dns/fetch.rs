//! Texts from web servers whose names stand in DNS.

use crate::common::{
    dns::{Dns as Server, Fault, Zone, free_address},
    https::{Authority, Https, response},
};
use mailctl::{
    mail::dns::Fetched,
    world::dns::{Asking, Dns},
};
use std::{
    net::IpAddr,
    time::{Duration, Instant},
};

const NAME: &str = "mta-sts.example.org";
const URL: &str = "https://mta-sts.example.org/.well-known/mta-sts.txt";

struct Scene {
    authority: Authority,
    address: IpAddr,
    server: Server,
}

impl Scene {
    fn new() -> Self {
        let address = free_address();
        let zone =
            format!("mta-sts A {address}\nprivate A 10.0.0.1\nprivate A 169.254.169.254\nslow A {address}\n");
        Self {
            authority: Authority::new(),
            address,
            server: Server::start(&[Zone::new("example.org", &zone)]),
        }
    }

    fn web(&self, name: &str, days: i64, response: Vec<u8>) -> Https {
        Https::start(self.address, &self.authority, name, days, response)
    }

    /// That trusts the authority and may fetch from its address.
    fn dns(&self) -> Dns {
        Dns::new(Asking { allowed: vec![self.address.into()], ..self.careful() })
    }

    fn careful(&self) -> Asking {
        Asking { roots: vec![self.authority.root()], ..Asking::at([self.server.at()]) }
    }
}

fn why(page: Fetched) -> String {
    match page {
        Fetched::Silent(why) => why,
        other => panic!("{other:?}"),
    }
}

/// Proves: RFC 8461 §3.3, a policy is fetched, once for all who ask; its status and media type are told.
#[tokio::test]
async fn a_text_is_fetched() {
    let scene = Scene::new();
    let web = scene.web(
        NAME,
        30,
        response("200 OK", "Content-Type: Text/Plain; charset=utf-8", "version: STSv1\n"),
    );
    let dns = scene.dns();
    let (page, again) = tokio::join!(dns.fetch(URL), dns.fetch(URL));
    let expected = Fetched::Body { status: 200, media: "text/plain".into(), text: "version: STSv1\n".into() };
    assert_eq!((&page, &again), (&expected, &expected));
    assert_eq!(web.asked(), 1);
}

/// Proves: RFC 8461 §3.3, redirects are not followed, wherever they lead.
#[tokio::test]
async fn redirects_are_not_followed() {
    let scene = Scene::new();
    let web = scene.web(NAME, 30, response("302 Found", "Location: http://169.254.169.254/latest", ""));
    match scene.dns().fetch(URL).await {
        Fetched::Body { status: 302, .. } => {}
        other => panic!("{other:?}"),
    }
    assert_eq!(web.asked(), 1);
}

/// Proves: a certificate for another name, an old one, and one that nobody vouches for are told as such.
#[tokio::test]
async fn certificates_that_do_not_hold() {
    let scene = Scene::new();
    let untrusted = async |dns: &Dns| match dns.fetch(URL).await {
        Fetched::Untrusted(why) => why,
        other => panic!("{other:?}"),
    };
    let page = || response("200 OK", "Content-Type: text/plain", "x");
    let web = scene.web("www.example.org", 30, page());
    let name = untrusted(&scene.dns()).await;
    assert!(name.contains("not valid for this name"), "{name}");
    drop(web);
    let web = scene.web(NAME, -1, page());
    let old = untrusted(&scene.dns()).await;
    assert!(old.contains("expired"), "{old}");
    drop(web);
    let _web = scene.web(NAME, 30, page());
    let stranger = Dns::new(Asking {
        allowed: vec![scene.address.into()],
        roots: vec![Authority::new().root()],
        ..Asking::at([scene.server.at()])
    });
    let unknown = untrusted(&stranger).await;
    assert!(unknown.contains("not signed by an authority"), "{unknown}");
}

/// Proves: T28, nothing is fetched from loopback, private and link-local addresses, from an address instead of a name,
/// or over another scheme.
#[tokio::test]
async fn our_own_network_is_not_fetched_from() {
    let scene = Scene::new();
    let web = scene.web(NAME, 30, response("200 OK", "Content-Type: text/plain", "x"));
    let dns = Dns::new(scene.careful());
    for (url, part) in [
        (URL, "loopback"),
        ("https://private.example.org/", "(private)"),
        ("https://absent.example.org/", "has no address"),
        ("https://127.0.0.1/", "an address instead of a name"),
        ("https://[::1]/", "an address instead of a name"),
        ("https://2130706433/", "an address instead of a name"),
        ("http://mta-sts.example.org/", "only https"),
        ("file:///etc/passwd", "only https"),
    ] {
        let why = why(dns.fetch(url).await);
        assert!(why.contains(part), "{url}: {why}");
    }
    assert_eq!(web.asked(), 0);
}

/// Proves: T28, a text over 64 KiB and one that never comes cost what they may, and no more.
#[tokio::test]
async fn long_and_slow_texts() {
    let scene = Scene::new();
    let web = scene.web(NAME, 30, response("200 OK", "Content-Type: text/plain", &"x".repeat(65 * 1024)));
    let dns = scene.dns();
    assert!(why(dns.fetch(URL).await).contains("64 KiB"));
    let began = Instant::now();
    assert!(why(dns.fetch("https://mta-sts.example.org/slow").await).contains("within 10 s"));
    assert!(began.elapsed() < Duration::from_secs(12), "{:?}", began.elapsed());
    scene.server.fault("slow.example.org", Fault::ServFail);
    assert!(why(dns.fetch("https://slow.example.org/").await).contains("SERVFAIL"));
    drop(web);
    assert!(why(dns.fresh().fetch(URL).await).contains("refused"));
}

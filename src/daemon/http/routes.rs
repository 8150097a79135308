//! What is asked for, and what is answered. Every path there is stands here.

use super::{
    Way, Web, challenge,
    names::{Named, host},
    respond::{Reply, TEXT, XML, absent, allowed, elsewhere, ok, status},
};
use crate::{
    mail::address::{Address, Domain},
    wire::{autodiscover, query},
};
use http_body_util::{BodyExt, Limited};
use hyper::{Method, Request, StatusCode, body::Incoming, http::request::Parts};

/// What a mail program sends about itself has some 300 octets.
const BODY: usize = 16 << 10;

/// Thunderbird's places (<https://wiki.mozilla.org/Thunderbird:Autoconfiguration>).
const AUTOCONFIG: [&str; 2] = ["/mail/config-v1.1.xml", "/.well-known/autoconfig/mail/config-v1.1.xml"];
/// Outlook's (MS-OXDSCLI §3.1.5); it writes it in several ways.
const AUTODISCOVER: &str = "/autodiscover/autodiscover.xml";
/// Apple looks nowhere by itself; this is for a link that a person opens.
const PROFILE: &str = "/mail/apple.mobileconfig";
/// RFC 8461 §3.2.
const POLICY: &str = "/.well-known/mta-sts.txt";

/// Answers one request.
pub async fn answer(web: &Web, way: &Way, request: Request<Incoming>) -> Reply {
    let (head, body) = request.into_parts();
    let reply = match way {
        _ if head.uri.path().starts_with(challenge::PREFIX) => proof(web, &head).await,
        Way::Plain => plain(web, &head),
        Way::Tls(wanted) => secure(web, wanted.as_deref(), &head, body).await,
    };
    web.count(reply.status().as_u16());
    reply
}

/// Validators come by any name that an order holds, and through proxies: the token alone counts.
async fn proof(web: &Web, head: &Parts) -> Reply {
    if !reads(head) {
        return allowed("GET, HEAD");
    }
    let token = &head.uri.path()[challenge::PREFIX.len()..];
    match challenge::authorization(&web.challenges, token).await {
        Some(authorization) => ok("application/octet-stream", authorization),
        None => absent(),
    }
}

/// In clear there is what mail programs ask for in clear, and the way to where it is not.
fn plain(web: &Web, head: &Parts) -> Reply {
    let named = match named(web, head) {
        Ok(named) => named,
        Err(code) => return status(code),
    };
    let path = head.uri.path();
    if !reads(head) {
        return absent();
    }
    if AUTOCONFIG.contains(&path) && !matches!(named.1, Named::MtaSts(_)) {
        return autoconfig(web, head, &named.1);
    }
    // Outlook asks in clear only to be told where it may ask (MS-OXDSCLI §3.1.5.4), and that is a name for which
    // there is a certificate in any case.
    if path.eq_ignore_ascii_case(AUTODISCOVER) {
        let target = format!("https://{}{AUTODISCOVER}", web.pages().hostname);
        return elsewhere(StatusCode::FOUND, &target);
    }
    let target = head.uri.path_and_query().map_or("/", |target| target.as_str());
    elsewhere(StatusCode::MOVED_PERMANENTLY, &format!("https://{}{target}", named.0))
}

async fn secure(web: &Web, wanted: Option<&str>, head: &Parts, body: Incoming) -> Reply {
    let (host, named) = match named(web, head) {
        Ok(named) => named,
        Err(code) => return status(code),
    };
    // RFC 9110 §7.4: whoever took the certificate of one name for proof must not be shown what another one says.
    if wanted != Some(host.as_str()) {
        return status(StatusCode::MISDIRECTED_REQUEST);
    }
    let path = head.uri.path();
    if let Named::MtaSts(_) = named {
        return match path {
            POLICY if reads(head) => ok(TEXT, web.pages().policy.clone()),
            POLICY => allowed("GET, HEAD"),
            _ => absent(),
        };
    }
    if path.eq_ignore_ascii_case(AUTODISCOVER) {
        return if head.method == Method::POST { autodiscover(web, body).await } else { allowed("POST") };
    }
    match path {
        path if AUTOCONFIG.contains(&path) && reads(head) => autoconfig(web, head, &named),
        PROFILE if reads(head) => profile(web, head),
        path if AUTOCONFIG.contains(&path) || path == PROFILE => allowed("GET, HEAD"),
        _ => absent(),
    }
}

fn reads(head: &Parts) -> bool {
    head.method == Method::GET || head.method == Method::HEAD
}

/// The name, and which of ours it is.
fn named(web: &Web, head: &Parts) -> Result<(Domain, Named), StatusCode> {
    let host = host(head).map_err(|_| StatusCode::BAD_REQUEST)?;
    let named = host.and_then(|host| web.named(&host).map(|named| (host, named)));
    named.ok_or(StatusCode::NOT_FOUND)
}

/// The address that a program asks for.
fn address(head: &Parts) -> Option<Address> {
    Address::parse(&query::value(head.uri.query()?, "emailaddress")?).ok()
}

/// Whoever asks by the MX's domain names the user's address as well: a guest's domain is not in the host name.
fn autoconfig(web: &Web, head: &Parts, named: &Named) -> Reply {
    let asked = address(head).map(|address| address.domain().clone());
    match asked.or_else(|| named.domain().cloned()) {
        Some(domain) if web.serves(&domain) => ok(XML, web.pages().autoconfig(&domain)),
        _ => absent(),
    }
}

/// The same for every address of a served domain: that there is such a mailbox is for the login to say.
fn profile(web: &Web, head: &Parts) -> Reply {
    match address(head) {
        Some(address) if web.serves(address.domain()) => {
            ok("application/x-apple-aspen-config", web.pages().profile(&address))
        }
        _ => absent(),
    }
}

async fn autodiscover(web: &Web, body: Incoming) -> Reply {
    let body = match Limited::new(body, BODY).collect().await {
        Ok(body) => body.to_bytes(),
        Err(_) => return status(StatusCode::PAYLOAD_TOO_LARGE),
    };
    match autodiscover::request(&body) {
        Some(asked) if !asked.mobile && web.serves(asked.address.domain()) => {
            ok(XML, web.pages().autodiscover(&asked.address))
        }
        // MS-OXDSCLI §2.2.4.1.1.3: 600, not understood; 601, nothing for whom that is.
        Some(_) => ok(XML, refusal(601, "Provider is not available")),
        None => ok(XML, refusal(600, "Invalid Request")),
    }
}

fn refusal(code: u16, words: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n\
         <Autodiscover xmlns=\"http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006\">\n\
         <Response><Error><ErrorCode>{code}</ErrorCode><Message>{words}</Message><DebugData/></Error></Response>\n\
         </Autodiscover>\n"
    )
}

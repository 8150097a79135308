//! What stands before Pebble, and fails as told.

use super::{Seen, Shared, Trouble};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use std::{
    io::{ErrorKind, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

pub type Acceptor = Arc<openssl::ssl::SslAcceptor>;

pub fn acceptor(certificate: &[u8], key: &[u8]) -> Acceptor {
    use openssl::{pkey::PKey, ssl, x509::X509};
    let mut acceptor = ssl::SslAcceptor::mozilla_intermediate_v5(ssl::SslMethod::tls_server()).unwrap();
    acceptor.set_certificate(&X509::from_der(certificate).unwrap()).unwrap();
    acceptor.set_private_key(&PKey::private_key_from_der(key).unwrap()).unwrap();
    Arc::new(acceptor.build())
}

pub fn run(listener: &TcpListener, acceptor: &Acceptor, shared: &Arc<Shared>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let client =
        reqwest::Client::builder().tls_danger_accept_invalid_certs(true).http1_only().no_proxy().build();
    let client = client.unwrap();
    let handle = runtime.handle().clone();
    std::thread::spawn(move || runtime.block_on(std::future::pending::<()>()));
    for stream in listener.incoming() {
        if shared.ended.load(Ordering::SeqCst) {
            return;
        }
        let (Ok(stream), acceptor, shared, client, handle) =
            (stream, Arc::clone(acceptor), Arc::clone(shared), client.clone(), handle.clone())
        else {
            continue;
        };
        shared.open.fetch_add(1, Ordering::SeqCst);
        std::thread::spawn(move || {
            let _ = stream.set_read_timeout(Some(Duration::from_secs(60)));
            let watched = stream.try_clone().unwrap();
            if let Ok(mut tls) = acceptor.accept(stream) {
                while let Some(request) = Request::read(&mut tls) {
                    if !serve(&mut tls, &request, &shared, (&client, &handle), &watched) {
                        break;
                    }
                }
                let _ = tls.shutdown();
            }
            shared.open.fetch_sub(1, Ordering::SeqCst);
        });
    }
}

pub struct Request {
    method: String,
    pub path: String,
    kind: Option<String>,
    body: Vec<u8>,
}

impl Request {
    pub fn read(from: &mut impl Read) -> Option<Self> {
        let (mut head, mut octet) = (Vec::new(), [0]);
        while !head.ends_with(b"\r\n\r\n") {
            from.read_exact(&mut octet).ok()?;
            head.push(octet[0]);
        }
        let head = String::from_utf8(head).ok()?;
        let mut words = head.split(' ');
        let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
        let field = |name: &str| {
            let mut fields = head.lines().filter_map(|line| line.split_once(':'));
            fields
                .find(|(field, _)| field.eq_ignore_ascii_case(name))
                .map(|(_, value)| value.trim().to_owned())
        };
        let mut body = vec![0; field("content-length").map_or(0, |length| length.parse().unwrap())];
        from.read_exact(&mut body).ok()?;
        Some(Self { method, path, kind: field("content-type"), body })
    }
}

/// One request; false = the connection ends here.
fn serve(
    to: &mut impl Write,
    request: &Request,
    shared: &Shared,
    (client, handle): (&reqwest::Client, &tokio::runtime::Handle),
    watched: &TcpStream,
) -> bool {
    let decide = Arc::clone(&shared.decide.lock().unwrap());
    let trouble = decide(&request.path);
    let see = |status| shared.seen.lock().unwrap().push(Seen { path: request.path.clone(), status });
    let early = match trouble {
        Some(Trouble::TooMany(seconds)) => {
            let body =
                r#"{"type":"urn:ietf:params:acme:error:rateLimited","detail":"too many","status":429}"#;
            Some(format!(
                "429 Too Many Requests\r\nRetry-After: {seconds}\r\nContent-Type: application/problem+json\r\n\r\n{body}"
            ))
        }
        Some(Trouble::Unavailable) => {
            Some("503 Service Unavailable\r\nContent-Type: text/html\r\n\r\n<h1>later</h1>".to_owned())
        }
        Some(Trouble::Nonsense) => {
            Some("200 OK\r\nContent-Type: application/json\r\n\r\n{\"status\": pend".to_owned())
        }
        Some(Trouble::Missing) => {
            let body = r#"{"type":"urn:ietf:params:acme:error:malformed","detail":"not found","status":404}"#;
            Some(format!("404 Not Found\r\nContent-Type: application/problem+json\r\n\r\n{body}"))
        }
        _ => None,
    };
    if trouble == Some(Trouble::Deaf) {
        see(0);
        hold(watched, shared);
        return false;
    }
    if let Some(early) = early {
        see(0);
        let (head, body) = early.split_once("\r\n\r\n").unwrap();
        let length = body.len();
        return write!(to, "HTTP/1.1 {head}\r\nContent-Length: {length}\r\n\r\n{body}").is_ok();
    }
    if let Some(id) = request.path.strip_prefix("/ari/") {
        see(0);
        let Some((start, end)) = shared.advice.lock().unwrap().clone().filter(|_| id.contains('.')) else {
            return write!(to, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n").is_ok();
        };
        let body = json!({"suggestedWindow": {"start": start, "end": end}}).to_string();
        let length = body.len();
        return write!(to, "HTTP/1.1 200 OK\r\nRetry-After: 21600\r\nContent-Length: {length}\r\n\r\n{body}")
            .is_ok();
    }
    let method = reqwest::Method::from_bytes(request.method.as_bytes()).unwrap();
    let mut sent = client
        .request(method, format!("https://{}{}", shared.pebble, request.path))
        .header("host", shared.at.to_string())
        .body(request.body.clone());
    if let Some(kind) = &request.kind {
        sent = sent.header("content-type", kind);
    }
    let asked = handle.block_on(async {
        let response = sent.send().await.ok()?;
        let (status, headers) = (response.status(), response.headers().clone());
        Some((status, headers, response.bytes().await.ok()?))
    });
    let Some((status, headers, body)) = asked else { return false };
    see(status.as_u16());
    if trouble == Some(Trouble::Hang) {
        hold(watched, shared);
        return false;
    }
    let body = advised(request, shared, &body);
    let mut head = format!("HTTP/1.1 {status}\r\n");
    for (name, value) in headers
        .iter()
        .filter(|(name, _)| !["content-length", "transfer-encoding", "connection"].contains(&name.as_str()))
    {
        head.push_str(&format!("{name}: {}\r\n", value.to_str().unwrap()));
    }
    let _ = write!(to, "{head}Content-Length: {}\r\n\r\n", body.len());
    let cut = trouble == Some(Trouble::Cut);
    let whole = if cut { &body[..body.len() / 2] } else { &body[..] };
    to.write_all(if request.method == "HEAD" { &[] } else { whole }).is_ok() && to.flush().is_ok() && !cut
}

/// Says nothing until the client is gone, or all is over.
fn hold(client: &TcpStream, shared: &Shared) {
    let _ = client.set_read_timeout(Some(Duration::from_millis(50)));
    while !shared.ended.load(Ordering::SeqCst) {
        match client.peek(&mut [0]) {
            Err(error) if [ErrorKind::WouldBlock, ErrorKind::TimedOut].contains(&error.kind()) => {}
            _ => return,
        }
    }
}

/// What Debian 12's Pebble lacks (RFC 9773): the directory names a place to ask, and an order tells what it replaces.
fn advised(request: &Request, shared: &Shared, body: &[u8]) -> Vec<u8> {
    if shared.advice.lock().unwrap().is_none() {
        return body.to_vec();
    }
    let Ok(mut document) = serde_json::from_slice::<Value>(body) else { return body.to_vec() };
    if request.path == "/dir" {
        document["renewalInfo"] = json!(format!("https://{}/ari", shared.at));
    } else if request.path == "/order-plz" {
        let payload = serde_json::from_slice::<Value>(&request.body).ok().and_then(|jws| {
            let payload = BASE64_URL_SAFE_NO_PAD.decode(jws["payload"].as_str()?).ok()?;
            serde_json::from_slice::<Value>(&payload).ok()
        });
        if let Some(replaces) = payload.map(|payload| payload["replaces"].clone()).filter(Value::is_string) {
            document["replaces"] = replaces;
        }
    }
    serde_json::to_vec(&document).unwrap()
}

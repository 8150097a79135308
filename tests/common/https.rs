//! A web server of the test's own, with certificates of an authority of the test's own. It ends with its value.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use std::{
    net::{IpAddr, SocketAddr},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    sync::oneshot,
};
use tokio_rustls::TlsAcceptor;

/// Who vouches.
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    /// A new one.
    pub fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        // Two with one name would be taken for each other.
        params
            .distinguished_name
            .push(DnType::CommonName, format!("Test authority {:x}", rand::random::<u64>()));
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    /// A certificate for `names` from yesterday for a year, and its key (both DER).
    pub fn issue(&self, names: &[&str]) -> (Vec<u8>, Vec<u8>) {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        let now = time::OffsetDateTime::now_utc();
        params.not_before = now - time::Duration::days(1);
        params.not_after = now + time::Duration::days(365);
        params.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        (certificate.der().to_vec(), key.serialize_der())
    }

    /// Its certificate (DER).
    pub fn root(&self) -> Vec<u8> {
        self.0.der().to_vec()
    }
}

/// The server.
pub struct Https {
    asked: Arc<AtomicUsize>,
    last: Arc<Mutex<String>>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Https {
    /// At port 443 of `address`, with a certificate for `name` that is good for `days` from yesterday on. It gives
    /// `response` (whole, with its header) to everybody, and to those who ask for `/slow` nothing.
    pub fn start(address: IpAddr, authority: &Authority, name: &str, days: i64, response: Vec<u8>) -> Self {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        let now = time::OffsetDateTime::now_utc();
        params.not_before = now - time::Duration::days(10);
        params.not_after = now + time::Duration::days(days);
        params.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &authority.0).unwrap();
        let chain: Vec<CertificateDer<'static>> = vec![certificate.der().clone(), authority.0.der().clone()];
        let key = PrivatePkcs8KeyDer::from(key.serialize_der());
        let _ = rustls::crypto::ring::default_provider().install_default();
        let config = rustls::ServerConfig::builder().with_no_client_auth();
        let acceptor = TlsAcceptor::from(Arc::new(config.with_single_cert(chain, key.into()).unwrap()));
        let listener = std::net::TcpListener::bind(SocketAddr::new(address, 443)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let asked = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&asked);
        let last = Arc::new(Mutex::new(String::new()));
        let heard = Arc::clone(&last);
        let (stop, mut stopped) = oneshot::channel();
        let response: Arc<[u8]> = response.into();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = TcpListener::from_std(listener).unwrap();
                loop {
                    let (stream, _) = tokio::select! {
                        accepted = listener.accept() => accepted.unwrap(),
                        _ = &mut stopped => return,
                    };
                    let (acceptor, response, counter) = (acceptor.clone(), response.clone(), counter.clone());
                    let heard = heard.clone();
                    tokio::spawn(async move {
                        let Ok(mut stream) = acceptor.accept(stream).await else { return };
                        let Some(request) = whole(&mut stream).await else { return };
                        counter.fetch_add(1, Ordering::SeqCst);
                        heard.lock().unwrap().clone_from(&request);
                        if request.starts_with("GET /slow ") {
                            tokio::time::sleep(Duration::from_secs(3600)).await;
                        }
                        let _ = stream.write_all(&response).await;
                        let _ = stream.shutdown().await;
                    });
                }
            });
        });
        Self { asked, last, stop: Some(stop), thread: Some(thread) }
    }

    /// The last request, with its body.
    pub fn last(&self) -> String {
        self.last.lock().unwrap().clone()
    }

    /// Requests so far.
    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

impl Drop for Https {
    fn drop(&mut self) {
        drop(self.stop.take());
        let _ = self.thread.take().map(std::thread::JoinHandle::join);
    }
}

/// One request: the header, and as much of a body as it announces.
async fn whole(stream: &mut (impl tokio::io::AsyncRead + Unpin)) -> Option<String> {
    let mut request = Vec::new();
    loop {
        let mut piece = [0; 2048];
        let length = stream.read(&mut piece).await.ok()?;
        request.extend_from_slice(&piece[..length]);
        let text = String::from_utf8_lossy(&request).into_owned();
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let announced = head
            .lines()
            .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
        if length == 0 || text.contains("\r\n\r\n") && body.len() >= announced.unwrap_or(0) {
            return Some(text);
        }
    }
}

/// A response with its header.
pub fn response(status: &str, header: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\n{header}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}")
        .into_bytes()
}

//! A web server of the test's own, with certificates of an authority of the test's own. It ends with its value.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use std::{
    net::{IpAddr, SocketAddr},
    sync::{
        Arc,
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

    /// Its certificate (DER).
    pub fn root(&self) -> Vec<u8> {
        self.0.der().to_vec()
    }
}

/// The server.
pub struct Https {
    asked: Arc<AtomicUsize>,
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
                    tokio::spawn(async move {
                        let Ok(mut stream) = acceptor.accept(stream).await else { return };
                        let mut request = [0; 2048];
                        let Ok(length) = stream.read(&mut request).await else { return };
                        counter.fetch_add(1, Ordering::SeqCst);
                        if request[..length].starts_with(b"GET /slow ") {
                            tokio::time::sleep(Duration::from_secs(3600)).await;
                        }
                        let _ = stream.write_all(&response).await;
                        let _ = stream.shutdown().await;
                    });
                }
            });
        });
        Self { asked, stop: Some(stop), thread: Some(thread) }
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

/// A response with its header.
pub fn response(status: &str, header: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\n{header}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}")
        .into_bytes()
}

//! The web server that shows what proves the names.

use super::proxy::Request;
use std::{
    fs,
    io::Write,
    net::{IpAddr, TcpListener, TcpStream},
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

type Refuse = Box<dyn Fn(&str) -> bool + Send>;

/// Serves what is below `challenges`, at port 80 and (TLS-ALPN-01) 443 of an address of its own, until it is dropped.
pub struct Shown {
    address: IpAddr,
    refuse: Arc<Mutex<Refuse>>,
    ended: Arc<AtomicBool>,
}

impl Shown {
    /// Where `challenges` is the folder of that name in a home.
    pub fn start(challenges: &Path) -> Self {
        let (address, http, tls) = (0..50)
            .find_map(|_| {
                let address = super::super::dns::free_address();
                let http = TcpListener::bind((address, 80)).ok()?;
                Some((address, http, TcpListener::bind((address, 443)).ok()?))
            })
            .unwrap();
        let ended = Arc::new(AtomicBool::new(false));
        let refuse: Arc<Mutex<Refuse>> = Arc::new(Mutex::new(Box::new(|_| false)));
        let (folder, of_http, of_refuse) = (challenges.to_owned(), Arc::clone(&ended), Arc::clone(&refuse));
        std::thread::spawn(move || {
            for stream in http.incoming().flatten().take_while(|_| !of_http.load(Ordering::SeqCst)) {
                let (folder, refuse) = (folder.clone(), Arc::clone(&of_refuse));
                std::thread::spawn(move || show(stream, &folder, &refuse));
            }
        });
        let (folder, of_tls) = (challenges.to_owned(), Arc::clone(&ended));
        std::thread::spawn(move || {
            for stream in tls.incoming().flatten().take_while(|_| !of_tls.load(Ordering::SeqCst)) {
                let folder = folder.clone();
                std::thread::spawn(move || alpn(stream, &folder));
            }
        });
        Self { address, refuse, ended }
    }

    /// Where it listens.
    pub fn address(&self) -> IpAddr {
        self.address
    }

    /// Asked for the token of every request; true = 404.
    pub fn refuse(&self, when: impl Fn(&str) -> bool + Send + 'static) {
        *self.refuse.lock().unwrap() = Box::new(when);
    }
}

impl Drop for Shown {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::SeqCst);
        for port in [80, 443] {
            let _ = TcpStream::connect((self.address, port));
        }
    }
}

fn show(mut stream: TcpStream, folder: &Path, refuse: &Mutex<Refuse>) {
    let _ = stream.set_read_timeout(Some(Duration::from_secs(10)));
    let Some(request) = Request::read(&mut stream) else { return };
    let token = request.path.strip_prefix("/.well-known/acme-challenge/").unwrap_or("..").to_owned();
    let text = fs::read_to_string(folder.join("http-01").join(&token)).ok();
    let text = text.filter(|_| !(refuse.lock().unwrap())(&token));
    let (status, body) = text.map_or(("404 Not Found", String::new()), |text| ("200 OK", text));
    let _ = write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
}

fn alpn(stream: TcpStream, folder: &Path) {
    use openssl::{pkey::PKey, ssl, x509::X509};
    let _ = stream.set_read_timeout(Some(Duration::from_secs(10)));
    let mut acceptor = ssl::SslAcceptor::mozilla_intermediate_v5(ssl::SslMethod::tls_server()).unwrap();
    let folder = folder.join("tls-alpn-01");
    acceptor.set_servername_callback(move |tls, _| {
        let name = tls.servername(ssl::NameType::HOST_NAME).unwrap_or_default().to_owned();
        let pem = fs::read(folder.join(format!("{name}.pem"))).map_err(|_| ssl::SniError::ALERT_FATAL)?;
        let mut context = ssl::SslContext::builder(ssl::SslMethod::tls_server()).unwrap();
        context.set_certificate(&X509::from_pem(&pem).unwrap()).unwrap();
        context.set_private_key(&PKey::private_key_from_pem(&pem).unwrap()).unwrap();
        context.set_alpn_select_callback(acme_tls);
        tls.set_ssl_context(&context.build()).map_err(|_| ssl::SniError::ALERT_FATAL)
    });
    acceptor.set_alpn_select_callback(acme_tls);
    if let Ok(mut tls) = acceptor.build().accept(stream) {
        let _ = tls.shutdown();
    }
}

fn acme_tls<'a>(
    _: &mut openssl::ssl::SslRef,
    offered: &'a [u8],
) -> Result<&'a [u8], openssl::ssl::AlpnError> {
    openssl::ssl::select_next_proto(b"\x0aacme-tls/1", offered).ok_or(openssl::ssl::AlpnError::ALERT_FATAL)
}

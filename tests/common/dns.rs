//! A name server of the test's own: hickory-server on a loopback address that nobody else has, at port 53 where
//! that may be (as root), so that it can be asked as an authoritative server too. It answers as slowly and as wrongly
//! as told, counts what it is asked, and signs zones.
//!
//! It runs in a thread of its own, so tests with and without a runtime can use it, and ends with its value.

mod zone;

pub use zone::Zone;

use hickory_server::{
    Server,
    net::runtime::Time,
    proto::{
        dnssec::TrustAnchors,
        op::{Header, HeaderCounts, Metadata, OpCode, ResponseCode},
        rr::{LowerName, Name, RecordType},
    },
    server::{Request, RequestHandler, ResponseHandler, ResponseInfo},
    zone_handler::{Catalog, MessageResponseBuilder},
};
use std::{
    collections::HashMap,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{
    net::{TcpListener, UdpSocket},
    sync::oneshot,
};

/// What goes wrong with the questions about a name.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fault {
    /// No answer.
    Drop,
    /// This share of the questions over UDP gets none, 0 to 1.
    Loss(f64),
    /// `SERVFAIL`.
    ServFail,
    /// `REFUSED`.
    Refused,
    /// `FORMERR` to whoever speaks EDNS, as servers of old.
    NoEdns,
    /// An answer over UDP is cut off; over TCP it is whole.
    Truncate,
    /// The answer has another number than the question.
    WrongId,
    /// The answer comes this much later.
    Late(Duration),
}

/// The server.
pub struct Dns {
    at: SocketAddr,
    state: Arc<State>,
    anchors: Arc<TrustAnchors>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

#[derive(Default)]
struct State {
    delay: Mutex<Duration>,
    faults: Mutex<HashMap<Name, Fault>>,
    everywhere: Mutex<Option<Fault>>,
    asked: Mutex<HashMap<(Name, RecordType), usize>>,
    under_way: Mutex<(usize, usize)>,
}

struct Handler {
    state: Arc<State>,
    all: Catalog,
    /// Zones by the name of a zone below them, which alone knows its keys' fingerprints (RFC 4035 §3.1.4.1).
    above: HashMap<LowerName, Catalog>,
}

impl Dns {
    /// Serves `zones`; answers at once and rightly. `{at}` in a zone's text is the address of this server.
    pub fn start(zones: &[Zone]) -> Self {
        Self::on(sockets(), zones)
    }

    /// The same at this place; port 0 = any that is free.
    pub fn start_at(at: SocketAddr, zones: &[Zone]) -> Self {
        Self::on(bind(at).unwrap(), zones)
    }

    fn on((udp, tcp): (std::net::UdpSocket, std::net::TcpListener), zones: &[Zone]) -> Self {
        let at = udp.local_addr().unwrap();
        let zones: Vec<Zone> = zones.iter().map(|zone| zone.served_at(at.ip())).collect();
        let (handlers, anchors) = zone::build(&zones);
        let catalog = |except: Option<&LowerName>| {
            let mut catalog = Catalog::new();
            for (origin, handler) in handlers.iter().filter(|(origin, _)| Some(origin) != except) {
                catalog.upsert(origin.clone(), vec![handler.clone()]);
            }
            catalog
        };
        let above = handlers.iter().filter(|(origin, _)| !origin.is_root());
        let above = above.map(|(origin, _)| (origin.clone(), catalog(Some(origin)))).collect();
        let state = Arc::new(State::default());
        let handler = Handler { state: Arc::clone(&state), all: catalog(None), above };
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let mut server = Server::new(handler);
                server.register_socket(UdpSocket::from_std(udp).unwrap());
                let tcp = TcpListener::from_std(tcp).unwrap();
                server.register_listener(tcp, Duration::from_secs(10), 64);
                let _ = stopped.await;
            });
        });
        Self { at, state, anchors: Arc::new(anchors), stop: Some(stop), thread: Some(thread) }
    }

    /// Where it listens.
    pub fn at(&self) -> SocketAddr {
        self.at
    }

    /// The keys of the signed zones that no other signed zone vouches for.
    pub fn anchors(&self) -> Arc<TrustAnchors> {
        Arc::clone(&self.anchors)
    }

    /// How long every answer takes from now on.
    pub fn delay(&self, delay: Duration) {
        *self.state.delay.lock().unwrap() = delay;
    }

    /// What is wrong with `name` from now on.
    pub fn fault(&self, name: &str, fault: Fault) {
        self.state.faults.lock().unwrap().insert(absolute(name), fault);
    }

    /// Nothing is wrong with `name` any more.
    pub fn heal(&self, name: &str) {
        self.state.faults.lock().unwrap().remove(&absolute(name));
    }

    /// What is wrong with every name from now on.
    pub fn fault_everywhere(&self, fault: Option<Fault>) {
        *self.state.everywhere.lock().unwrap() = fault;
    }

    /// Questions so far, those over TCP and those sent again each on its own.
    pub fn asked(&self) -> usize {
        self.state.asked.lock().unwrap().values().sum()
    }

    /// Questions for this, `TXT` or the like.
    pub fn asked_for(&self, name: &str, kind: &str) -> usize {
        let key = (absolute(name), kind.parse().unwrap());
        self.state.asked.lock().unwrap().get(&key).copied().unwrap_or_default()
    }

    /// The most questions that were under way at one time.
    pub fn most_at_once(&self) -> usize {
        self.state.under_way.lock().unwrap().1
    }
}

impl Drop for Dns {
    fn drop(&mut self) {
        drop(self.stop.take());
        let _ = self.thread.take().map(std::thread::JoinHandle::join);
    }
}

/// A name with its final dot, in lower case.
pub fn absolute(name: &str) -> Name {
    let mut name = Name::from_ascii(name).unwrap().to_lowercase();
    name.set_fqdn(true);
    name
}

/// A loopback address with port 53 free, for a server in another process.
pub fn free_address() -> std::net::IpAddr {
    sockets().0.local_addr().unwrap().ip()
}

/// The same free port of a loopback address for UDP and TCP.
fn sockets() -> (std::net::UdpSocket, std::net::TcpListener) {
    for _ in 0..100 {
        let [a, b, c]: [u8; 3] = rand::random();
        let address = Ipv4Addr::new(127, a.clamp(10, 250), b, c.clamp(1, 254));
        let bound = bind((address, 53).into()).or_else(|error| match error.kind() {
            std::io::ErrorKind::PermissionDenied => bind((address, 0).into()),
            _ => Err(error),
        });
        if let Ok(bound) = bound {
            return bound;
        }
    }
    panic!("no loopback address has a free port");
}

fn bind(at: SocketAddr) -> std::io::Result<(std::net::UdpSocket, std::net::TcpListener)> {
    let tcp = std::net::TcpListener::bind(at)?;
    let udp = std::net::UdpSocket::bind(tcp.local_addr()?)?;
    // A burst of questions must not overflow it while the server thinks; beyond the usual limit only for root.
    let _ = rustix::net::sockopt::set_socket_recv_buffer_size_force(&udp, 4 << 20);
    udp.set_nonblocking(true)?;
    tcp.set_nonblocking(true)?;
    Ok((udp, tcp))
}

#[async_trait::async_trait]
impl RequestHandler for Handler {
    async fn handle_request<R: ResponseHandler, T: Time>(
        &self,
        request: &Request,
        mut to: R,
    ) -> ResponseInfo {
        let Ok(info) = request.request_info() else { return nothing(&request.metadata) };
        let name = Name::from(info.query.name());
        let kind = info.query.query_type();
        *self.state.asked.lock().unwrap().entry((name.clone(), kind)).or_default() += 1;
        let _under_way = UnderWay::begin(&self.state);
        let over_udp = request.protocol() == hickory_server::net::xfer::Protocol::Udp;
        let delay = *self.state.delay.lock().unwrap();
        tokio::time::sleep(delay).await;
        let everywhere = *self.state.everywhere.lock().unwrap();
        let fault = self.state.faults.lock().unwrap().get(&name).copied().or(everywhere);
        let mut metadata = Metadata::response_from_request(&request.metadata);
        match fault {
            Some(Fault::Drop) => return nothing(&request.metadata),
            Some(Fault::Loss(share)) if over_udp && rand::random::<f64>() < share => {
                return nothing(&request.metadata);
            }
            Some(Fault::ServFail) => metadata.response_code = ResponseCode::ServFail,
            Some(Fault::Refused) => metadata.response_code = ResponseCode::Refused,
            Some(Fault::NoEdns) if request.edns.is_some() => metadata.response_code = ResponseCode::FormErr,
            Some(Fault::Truncate) if over_udp => metadata.truncation = true,
            Some(Fault::WrongId) => metadata.id = !metadata.id,
            Some(Fault::Late(more)) => tokio::time::sleep(more).await,
            _ => {}
        }
        if metadata != Metadata::response_from_request(&request.metadata) {
            let answer = MessageResponseBuilder::from_message_request(request).build_no_records(metadata);
            return to.send_response(answer).await.unwrap();
        }
        let catalog = match (request.metadata.op_code, kind) {
            (OpCode::Query, RecordType::DS) => self.above.get(info.query.name()).unwrap_or(&self.all),
            _ => &self.all,
        };
        catalog.handle_request::<R, T>(request, to).await
    }
}

fn nothing(metadata: &Metadata) -> ResponseInfo {
    Header { metadata: *metadata, counts: HeaderCounts::default() }.into()
}

struct UnderWay<'a>(&'a State);

impl<'a> UnderWay<'a> {
    fn begin(state: &'a State) -> Self {
        let mut count = state.under_way.lock().unwrap();
        count.0 += 1;
        count.1 = count.1.max(count.0);
        drop(count);
        Self(state)
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.under_way.lock().unwrap().0 -= 1;
    }
}

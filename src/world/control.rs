//! Asks the running mailctld, through its control door.

use super::World;
/// What is asked and told about limits, for those who ask.
pub use crate::wire::control::{Ask, Close, Grey, Standing, Used};
use crate::{
    error::{Error, codes},
    mail::{address::Address, penalty::Key},
    wire::control::{
        Add, AllClose, BANS, Bans, LIFT, LISTS, Lift, Lists, NEAR, Near, Refusal, STANDING, THAW, Thaw,
        Thawed,
    },
};
use http_body_util::{BodyExt, Full, Limited};
use hyper::{Method, Request, StatusCode, body::Bytes, client::conn::http1, header};
use hyper_util::rt::TokioIo;
use serde::{Serialize, de::DeserializeOwned};
use std::{io, path::Path, time::Duration};
use tokio::{
    net::UnixStream,
    time::{sleep, timeout},
};

/// For a question and its answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// Between two tries to connect to a crowded door.
const PAUSE: Duration = Duration::from_millis(50);
/// The longest answer taken, in octets: a hundred thousand bans.
const LONGEST: usize = 32 << 20;

impl World {
    /// The bans that hold.
    pub async fn bans(&self) -> Result<Bans, Error> {
        self.control(Method::GET, BANS, &()).await
    }

    /// Shuts somebody out for so many seconds.
    pub async fn ban(&self, key: &Key, seconds: u64, dry_run: bool) -> Result<Bans, Error> {
        self.control(Method::POST, BANS, &Add { on: key.to_string(), seconds, dry_run }).await
    }

    /// Lets somebody in again; what was lifted.
    pub async fn unban(&self, key: &Key, dry_run: bool) -> Result<Bans, Error> {
        self.control(Method::POST, LIFT, &Lift { on: key.to_string(), dry_run }).await
    }

    /// How its block and allow lists stand.
    pub async fn lists_live(&self) -> Result<Lists, Error> {
        self.control(Method::GET, LISTS, &()).await
    }

    /// Lets a login send again; whether it was frozen.
    pub async fn thaw(&self, login: &Address, dry_run: bool) -> Result<bool, Error> {
        let asked = Thaw { login: login.to_string(), dry_run };
        self.control(Method::POST, THAW, &asked).await.map(|Thawed { frozen }| frozen)
    }

    /// How limits and greylisting stand.
    pub async fn standing(&self, asked: &Ask) -> Result<Standing, Error> {
        self.control(Method::POST, STANDING, asked).await
    }

    /// Who of these logins is near a limit or frozen; with `others`, also which clients and domains are.
    pub async fn near(&self, logins: &[&str], percent: u32, others: bool) -> Result<Vec<Close>, Error> {
        let logins = logins.iter().map(|login| (*login).to_owned()).collect();
        let asked = Near { percent, logins, others };
        self.control(Method::POST, NEAR, &asked).await.map(|AllClose { close }| close)
    }

    async fn control<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, Error> {
        let socket = self.paths.control();
        let away = |cause: String| {
            Error::new(codes::DAEMON_AWAY, "mailctld does not answer")
                .cause(cause)
                .hint("mailctl status")
                .hint("mailctl up     (where the stack does not run, or is of an older mailctl)")
        };
        let body = serde_json::to_vec(body).map_err(|e| Error::new(codes::BUG, "no question").cause(e))?;
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, "mailctld")
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::new(Bytes::from(body)))
            .map_err(|e| Error::new(codes::BUG, "no question").cause(e))?;
        let (status, answer) = match timeout(PATIENCE, exchange(&socket, request)).await {
            Ok(Ok(answered)) => answered,
            Ok(Err(cause)) => return Err(away(cause)),
            Err(_) => return Err(away(format!("no answer on {} in 5 s", socket.display()))),
        };
        if status == StatusCode::OK {
            return serde_json::from_slice(&answer).map_err(|e| away(format!("it says something else: {e}")));
        }
        match serde_json::from_slice::<Refusal>(&answer) {
            Ok(refusal) => {
                let code = codes::ALL.iter().find(|code| code.name == refusal.code);
                Err(Error::new(*code.unwrap_or(&codes::BUG), refusal.what))
            }
            Err(_) => Err(away(format!("it answers {status}"))),
        }
    }
}

/// One question, one answer.
async fn exchange(socket: &Path, request: Request<Full<Bytes>>) -> Result<(StatusCode, Bytes), String> {
    let stream = loop {
        match UnixStream::connect(socket).await {
            // Its queue is full: it is stopped, or busy.
            Err(full) if full.kind() == io::ErrorKind::WouldBlock => sleep(PAUSE).await,
            Err(error) => return Err(format!("{}: {error}", socket.display())),
            Ok(stream) => break stream,
        }
    };
    let (mut sender, connection) =
        http1::handshake(TokioIo::new(stream)).await.map_err(|error| error.to_string())?;
    let talk = async {
        let response = sender.send_request(request).await.map_err(|error| error.to_string())?;
        let status = response.status();
        let body = Limited::new(response.into_body(), LONGEST).collect().await;
        body.map(|body| (status, body.to_bytes())).map_err(|error| error.to_string())
    };
    tokio::pin!(talk, connection);
    tokio::select! {
        done = &mut talk => done,
        // The answer can have been read with the end.
        _ = &mut connection => talk.await,
    }
}

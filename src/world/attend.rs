//! `mailctl attend opendkim`: the first process of OpenDKIM's container. It keeps the log that OpenDKIM writes
//! to syslog(3) alone, and runs one OpenDKIM for each algorithm that signs.
//!
//! It is root, for only root can make `/dev/log` there, and holds two capabilities: SETUID, to run OpenDKIM as
//! its own user, and KILL, to signal it. Its group is Postfix's, so that OpenDKIM's sockets are as well.

mod crew;
mod log;

use crate::error::{Error, codes};
use crew::Crew;
use log::Log;
use std::io::Write;
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    time::{Duration, interval},
};

/// Between two looks at children that wait for something.
const PAUSE: Duration = Duration::from_millis(50);

/// Runs until it is told to stop; an error as soon as an OpenDKIM ends by itself, so that the engine starts the
/// container again. `out` gets the log.
pub async fn opendkim(out: impl Write + Send + 'static) -> Result<(), Error> {
    // Before all else: the kernel keeps signals without a handler from the first process of a container.
    let (mut stop, mut reload) = (listen(SignalKind::terminate())?, listen(SignalKind::user_defined1())?);
    let mut ended = listen(SignalKind::child())?;
    let mut log = Log::start(out)?;
    let mut crew = Crew::default();
    let mut pause = interval(PAUSE);
    let mut result = crew.muster();
    while result.is_ok() && !crew.is_gone() {
        tokio::select! {
            line = log.receive() => line?,
            _ = stop.recv() => crew.stop(),
            _ = reload.recv() => result = crew.reload(),
            _ = ended.recv() => result = crew.reap(),
            _ = pause.tick(), if crew.waits() => crew.go_on(),
        }
    }
    log.finish();
    result
}

fn listen(kind: SignalKind) -> Result<Signal, Error> {
    signal(kind).map_err(|e| Error::new(codes::IO, "cannot listen for signals").cause(e))
}

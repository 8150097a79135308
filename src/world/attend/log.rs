//! `/dev/log`: every datagram becomes a line, and nobody waits for whoever reads the lines.

use crate::{error::Error, wire::syslog, world::io_error};
use std::{
    fs,
    io::Write,
    os::unix::fs::PermissionsExt,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    time::Duration,
};
use tokio::net::UnixDatagram;

/// Where syslog(3) writes.
const SOCKET: &str = "/dev/log";
/// Lines that may wait while whoever reads the log does not; of 2 KiB at most each.
const WAITING: usize = 1024;
/// How long the end waits for that reader.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// What the writing thread is given.
enum Message {
    Line(String),
    /// Answer when everything before this is written.
    Flush(SyncSender<()>),
}

/// The socket, and the lines on their way.
pub struct Log {
    socket: UnixDatagram,
    datagram: Vec<u8>,
    lines: SyncSender<Message>,
    dropped: Arc<AtomicU64>,
}

impl Log {
    /// Makes the socket; `out` gets the lines from a thread of its own.
    pub fn start(out: impl Write + Send + 'static) -> Result<Self, Error> {
        let path = Path::new(SOCKET);
        let fail = |e: std::io::Error| io_error("make", path, &e);
        // One of a process before us is of no use to anybody.
        let _ = fs::remove_file(path);
        let socket = UnixDatagram::bind(path).map_err(fail)?;
        fs::set_permissions(path, fs::Permissions::from_mode(0o666)).map_err(fail)?;
        let (lines, waiting) = sync_channel(WAITING);
        let dropped = Arc::new(AtomicU64::new(0));
        let counted = dropped.clone();
        std::thread::spawn(move || write_out(&waiting, &counted, out));
        Ok(Self { socket, datagram: vec![0; syslog::DATAGRAM], lines, dropped })
    }

    /// Takes the next datagram. Cancelled, it has taken none.
    pub async fn receive(&mut self) -> Result<(), Error> {
        let received = self.socket.recv(&mut self.datagram).await;
        let length = received.map_err(|e| io_error("read", Path::new(SOCKET), &e))?;
        self.take(length);
        Ok(())
    }

    fn take(&self, length: usize) {
        let line = syslog::line(&self.datagram[..length]);
        if !line.is_empty() && self.lines.try_send(Message::Line(line)).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Writes what is there already; at most half a second.
    pub fn finish(mut self) {
        while let Ok(length) = self.socket.try_recv(&mut self.datagram) {
            self.take(length);
        }
        let (done, written) = sync_channel(1);
        if self.lines.try_send(Message::Flush(done)).is_ok() {
            let _ = written.recv_timeout(LAST_WORDS);
        }
    }
}

fn write_out(lines: &Receiver<Message>, dropped: &AtomicU64, mut out: impl Write) {
    while let Ok(message) = lines.recv() {
        let line = match message {
            Message::Line(line) => line,
            Message::Flush(done) => {
                let _ = done.send(());
                continue;
            }
        };
        // A closed log is no reason to stop signing.
        let _ = writeln!(out, "{line}");
        let lost = dropped.swap(0, Ordering::Relaxed);
        if lost > 0 {
            let _ = writeln!(out, "mailctl: {lost} lines of this log were dropped: its reader was too slow");
        }
        let _ = out.flush();
    }
}

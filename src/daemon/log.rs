//! The log: one line per event, whatever was in it, and never in the way of mail.

use std::{
    io::{self, Write},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
    },
    time::Duration,
};
use tracing_subscriber::fmt::MakeWriter;

/// Lines that may wait while whoever reads the log does not.
const WAITING: usize = 1024;

/// What the writing thread is given.
enum Message {
    Line(Vec<u8>),
    /// Answer when everything before this is written.
    Flush(SyncSender<()>),
}

/// The log, as long as it is held; then what waits is still written, if somebody reads it.
pub struct Guard(SyncSender<Message>);

impl Drop for Guard {
    fn drop(&mut self) {
        let (done, written) = sync_channel(1);
        if self.0.try_send(Message::Flush(done)).is_ok() {
            let _ = written.recv_timeout(Duration::from_millis(500));
        }
    }
}

/// Sends everything that is told to `tracing` to `out`.
pub fn start(out: impl Write + Send + 'static) -> Guard {
    let (lines, waiting) = sync_channel(WAITING);
    let dropped = Arc::new(AtomicU64::new(0));
    let counted = dropped.clone();
    std::thread::spawn(move || write_out(&waiting, &counted, out));
    let subscriber = tracing_subscriber::fmt()
        .with_writer(Log { lines: lines.clone(), dropped })
        .with_ansi(false)
        .with_target(false)
        .with_max_level(tracing::Level::INFO)
        .finish();
    // Fails only where a log was started before: then that one serves.
    let _ = tracing::subscriber::set_global_default(subscriber);
    std::panic::set_hook(Box::new(|panic| tracing::error!(%panic, "panic")));
    Guard(lines)
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
        // A closed log is no reason to stop serving.
        let _ = out.write_all(&line);
        let lost = dropped.swap(0, Ordering::Relaxed);
        if lost > 0 {
            let _ = writeln!(out, "WARN {lost} lines of this log were dropped: its reader was too slow");
        }
        let _ = out.flush();
    }
}

struct Log {
    lines: SyncSender<Message>,
    dropped: Arc<AtomicU64>,
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = &'a Self;
    fn make_writer(&'a self) -> &'a Self {
        self
    }
}

impl Write for &Log {
    /// Is called once for each event.
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        if let Err(TrySendError::Full(_)) = self.lines.try_send(Message::Line(one_line(event))) {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// With every control character escaped, and a newline at the end only.
fn one_line(event: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(event);
    let mut line = Vec::with_capacity(text.len() + 1);
    for character in text.trim_end_matches('\n').chars() {
        if character.is_control() {
            // A Vec takes everything.
            let _ = write!(line, "{}", character.escape_default());
        } else {
            line.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        }
    }
    line.push(b'\n');
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves: threats 33 (log injection).
    #[test]
    fn an_event_is_one_line() {
        assert_eq!(one_line(b"a\nb\x1b[31m\xff\r\n"), "a\\nb\\u{1b}[31m\u{fffd}\\r\n".as_bytes());
        assert_eq!(one_line("ä\u{85}".as_bytes()), "ä\\u{85}\n".as_bytes());
    }

    /// Proves: fault 27 (log sink blocked: drops counted).
    #[test]
    fn a_slow_reader_is_not_waited_for() {
        let (lines, waiting) = sync_channel(2);
        let log = Log { lines, dropped: Arc::new(AtomicU64::new(0)) };
        for _ in 0..5 {
            (&log).write_all(b"x\n").unwrap();
        }
        let dropped = log.dropped.clone();
        drop(log);
        let mut out = Vec::new();
        write_out(&waiting, &dropped, &mut out);
        assert!(String::from_utf8(out).unwrap().contains("3 lines of this log were dropped"));
    }
}

//! The build context, as a stream: our program can be large, and is never held in memory.

use crate::plan::recipe;
use futures_util::Stream;
use std::{
    fs::File,
    io::{self, Write},
};
use tokio::sync::mpsc;

/// The size of a piece; several are on their way at most.
const PIECE: usize = 256 * 1024;

/// A tar of the recipe and of `program`, in pieces.
pub fn stream(program: File) -> impl Stream<Item = io::Result<Vec<u8>>> + Send + 'static {
    let (sender, receiver) = mpsc::channel(4);
    tokio::task::spawn_blocking(move || {
        let mut pipe = Pipe { sender, piece: Vec::with_capacity(PIECE) };
        let result = archive(program, &mut pipe).and_then(|()| pipe.flush());
        if let Err(error) = result {
            // Nobody listening any more is the only reason for this to fail, and then nobody cares.
            let _ = pipe.sender.blocking_send(Err(error));
        }
    });
    futures_util::stream::unfold(receiver, async |mut receiver| Some((receiver.recv().await?, receiver)))
}

fn archive(program: File, to: &mut impl Write) -> io::Result<()> {
    let mut archive = tar::Builder::new(to);
    for (name, content) in recipe::FILES {
        archive.append_data(&mut header(content.len() as u64, 0o644), name, *content)?;
    }
    let size = program.metadata()?.len();
    archive.append_data(&mut header(size, 0o755), "mailctl", program)?;
    archive.finish()
}

/// Neither time nor owner: equal content is an equal layer.
fn header(size: u64, mode: u32) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_size(size);
    header.set_mode(mode);
    header.set_mtime(0);
    header
}

/// One file, in memory, as a context.
pub fn of_dockerfile(text: &str) -> io::Result<Vec<u8>> {
    let mut archive = tar::Builder::new(Vec::new());
    archive.append_data(&mut header(text.len() as u64, 0o644), "Dockerfile", text.as_bytes())?;
    archive.into_inner()
}

struct Pipe {
    sender: mpsc::Sender<io::Result<Vec<u8>>>,
    piece: Vec<u8>,
}

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.piece.extend_from_slice(bytes);
        if self.piece.len() >= PIECE {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let piece = std::mem::replace(&mut self.piece, Vec::with_capacity(PIECE));
        self.sender.blocking_send(Ok(piece)).map_err(|_| io::ErrorKind::BrokenPipe.into())
    }
}

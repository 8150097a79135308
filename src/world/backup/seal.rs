//! SHA-256 of what passes by.

use sha2::{Digest, Sha256};
use std::io::{self, Read, Write};

/// Digests what is written.
pub struct SealedWriter<W> {
    inner: W,
    hash: Sha256,
}

impl<W: Write> SealedWriter<W> {
    /// Writes to `inner`.
    pub fn new(inner: W) -> Self {
        Self { inner, hash: Sha256::new() }
    }

    /// Of everything so far.
    pub fn digest(&self) -> [u8; 32] {
        self.hash.clone().finalize().into()
    }

    /// What was written to.
    pub fn into_inner(self) -> W {
        self.inner
    }
}

impl<W: Write> Write for SealedWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.inner.write(bytes)?;
        self.hash.update(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// Size of a tar's header.
const HEADER: usize = 512;

/// Digests what is read, but for the last 512 octets: at an entry's content, everything before its header.
pub struct SealedReader<R> {
    inner: R,
    hash: Sha256,
    late: Vec<u8>,
}

impl<R: Read> SealedReader<R> {
    /// Reads from `inner`.
    pub fn new(inner: R) -> Self {
        Self { inner, hash: Sha256::new(), late: Vec::new() }
    }

    /// Of everything so far but the last 512 octets.
    pub fn digest(&self) -> [u8; 32] {
        self.hash.clone().finalize().into()
    }
}

impl<R: Read> Read for SealedReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.late.extend_from_slice(&buffer[..count]);
        let sure = self.late.len().saturating_sub(HEADER);
        self.hash.update(&self.late[..sure]);
        self.late.drain(..sure);
        Ok(count)
    }
}

/// Digests and counts what is read.
pub struct Counted<R> {
    inner: R,
    hash: Sha256,
    count: u64,
}

impl<R: Read> Counted<R> {
    /// Reads from `inner`.
    pub fn new(inner: R) -> Self {
        Self { inner, hash: Sha256::new(), count: 0 }
    }

    /// Octets and their SHA-256 in hex digits.
    pub fn end(self) -> (u64, String) {
        (self.count, super::hex(&self.hash.finalize()))
    }
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.hash.update(&buffer[..count]);
        self.count += count as u64;
        Ok(count)
    }
}

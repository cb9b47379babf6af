//! The sum over what passes through.

use sha2::{Digest as _, Sha256};
use std::io::{self, Read, Write};

/// Passes on what is written or read, and sums it.
pub(crate) struct Hashing<T> {
    inner: T,
    digest: Sha256,
}

impl<T> Hashing<T> {
    pub(crate) fn new(inner: T) -> Self {
        Self { inner, digest: Sha256::new() }
    }

    /// What it passes through to, and the sum over all so far.
    pub(crate) fn finish(self) -> (T, [u8; 32]) {
        (self.inner, self.digest.finalize().into())
    }
}

impl<T: Write> Write for Hashing<T> {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(octets)?;
        self.digest.update(octets.get(..written).unwrap_or(octets));
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl<T: Read> Read for Hashing<T> {
    fn read(&mut self, octets: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(octets)?;
        self.digest.update(octets.get(..read).unwrap_or(octets));
        Ok(read)
    }
}

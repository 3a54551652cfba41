//! SHA-256 digests in hexadecimal.

use sha2::{Digest, Sha256};
use std::io::{self, Read};

/// Returns the SHA-256 of the concatenated parts, as 64 hexadecimal digits.
pub fn sha256(parts: &[&[u8]]) -> String {
    let mut sum = Sha256::new();
    for part in parts {
        sum.update(part);
    }
    base16ct::lower::encode_string(&sum.finalize())
}

/// A reader that computes the SHA-256 of the bytes that pass through.
pub struct Summed<R> {
    inner: R,
    sum: Sha256,
}

impl<R> Summed<R> {
    /// Wraps a reader.
    pub fn new(inner: R) -> Self {
        Self { inner, sum: Sha256::new() }
    }

    /// Returns the SHA-256 of the bytes read so far, as 64 hexadecimal digits.
    pub fn sha256(&self) -> String {
        base16ct::lower::encode_string(&self.sum.clone().finalize())
    }
}

impl<R: Read> Read for Summed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.sum.update(buffer.get(..read).unwrap_or_default());
        Ok(read)
    }
}

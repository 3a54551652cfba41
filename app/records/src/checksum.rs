//! Checksums, in hexadecimal digits.

use sha2::{Digest, Sha256};

/// The SHA-256 of these parts, one after the other, as 64 hexadecimal digits.
pub(crate) fn sha256(parts: &[&[u8]]) -> String {
    let mut sum = Sha256::new();
    for part in parts {
        sum.update(part);
    }
    base16ct::lower::encode_string(&sum.finalize())
}

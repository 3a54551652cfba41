//! Random tokens of 256 bits, of which the database stores the hash.

use rand::Rng as _;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

/// Length of a token, in bytes.
const BYTES: usize = 32;

/// A token for a session cookie or a link.
#[derive(Debug)]
pub struct Token(Zeroizing<String>);

impl Token {
    /// Creates a random token.
    pub fn random() -> Self {
        let mut bytes = Zeroizing::new([0; BYTES]);
        rand::rng().fill_bytes(&mut *bytes);
        Self(Zeroizing::new(base16ct::lower::encode_string(&*bytes)))
    }

    /// Returns whether a text has the format of a token.
    pub(super) fn is_token(text: &str) -> bool {
        text.len() == 2 * BYTES && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    }

    /// Returns the token, to be given to its owner once.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Returns the hash that the database stores.
    pub fn hash(&self) -> String {
        digest("", &self.0)
    }
}

/// Returns the hash of a token. A different `purpose` gives a different hash.
pub fn digest(purpose: &str, key: &str) -> String {
    base16ct::lower::encode_string(&Sha256::new().chain_update(purpose).chain_update(key).finalize())
}

//! Keys that are in nobody's hands but one: 256 random bits, of which the database has the hash.

use rand::Rng as _;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

/// A key for the cookie of a session, or for a link.
#[derive(Debug)]
pub struct Token(Zeroizing<String>);

impl Token {
    pub(crate) fn random() -> Self {
        let mut bytes = Zeroizing::new([0; 32]);
        rand::rng().fill_bytes(&mut *bytes);
        Self(Zeroizing::new(base16ct::lower::encode_string(&*bytes)))
    }

    /// The key as it goes to its owner, once.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    pub(crate) fn hash(&self) -> String {
        digest("", &self.0)
    }
}

/// The hash of a key; `purpose` makes it another one for something else.
pub(crate) fn digest(purpose: &str, key: &str) -> String {
    base16ct::lower::encode_string(&Sha256::new().chain_update(purpose).chain_update(key).finalize())
}

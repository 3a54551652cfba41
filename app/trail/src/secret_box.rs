//! Encrypts short texts with a key that isn't in the database.

use crate::key::InstallationKey;
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use db::RecordsError;
use rand::Rng as _;
use std::fmt;
use zeroize::Zeroizing;

const NONCE_BYTES: usize = 24;

/// Encrypts and decrypts for one purpose.
#[derive(Clone)]
pub struct SecretBox(XChaCha20Poly1305);

impl fmt::Debug for SecretBox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretBox")
    }
}

impl SecretBox {
    /// Returns the cipher of an installation for one purpose. Each label has its own derived key.
    pub async fn for_purpose(key: &InstallationKey, label: &[u8]) -> Result<Self, RecordsError> {
        let key = key.load().await?.derived(label);
        XChaCha20Poly1305::new_from_slice(&*key).map(Self).map_err(|_| RecordsError::Corrupt("key"))
    }

    /// Encrypts data of a user as hexadecimal digits. It can be decrypted only for the same user.
    pub fn seal(&self, user: i64, open: &[u8]) -> Result<String, RecordsError> {
        let mut nonce = [0; NONCE_BYTES];
        rand::rng().fill_bytes(&mut nonce);
        let payload = Payload { msg: open, aad: &user.to_be_bytes() };
        let sealed = self.0.encrypt(&XNonce::from(nonce), payload);
        let sealed = sealed.map_err(|_| RecordsError::Corrupt("secret"))?;
        Ok(base16ct::lower::encode_string(&[nonce.as_slice(), &sealed].concat()))
    }

    /// Decrypts data of a user.
    pub fn open(&self, user: i64, sealed: &str) -> Result<Zeroizing<Vec<u8>>, RecordsError> {
        let corrupt = || RecordsError::Corrupt("secret");
        let bytes = base16ct::lower::decode_vec(sealed).map_err(|_| corrupt())?;
        let (nonce, sealed) = bytes.split_first_chunk::<NONCE_BYTES>().ok_or_else(corrupt)?;
        let payload = Payload { msg: sealed, aad: &user.to_be_bytes() };
        let opened = self.0.decrypt(&XNonce::from(*nonce), payload);
        opened.map(Zeroizing::new).map_err(|_| corrupt())
    }
}

//! Secrets that must be read again: sealed with a key that is not in the database.

use crate::error::RecordsError;
use crate::key::Key;
use crate::store::Store;
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use rand::Rng as _;
use zeroize::Zeroizing;

/// What the sealing key is derived for.
const LABEL: &[u8] = b"lethe second factor 1";
const NONCE: usize = 24;

/// Seals a secret of a user. It can be opened as that user's only.
pub(super) async fn seal(store: &Store, user: i64, secret: &[u8]) -> Result<String, RecordsError> {
    let mut nonce = [0; NONCE];
    rand::rng().fill_bytes(&mut nonce);
    let payload = Payload { msg: secret, aad: &user.to_be_bytes() };
    let sealed = cipher(store).await?.encrypt(&XNonce::from(nonce), payload);
    let sealed = sealed.map_err(|_| RecordsError::Corrupt("secret"))?;
    Ok(base16ct::lower::encode_string(&[nonce.as_slice(), &sealed].concat()))
}

/// Opens what was sealed for a user.
pub(super) async fn open(store: &Store, user: i64, sealed: &str) -> Result<Zeroizing<Vec<u8>>, RecordsError> {
    let corrupt = || RecordsError::Corrupt("secret");
    let bytes = base16ct::lower::decode_vec(sealed).map_err(|_| corrupt())?;
    let (nonce, sealed) = bytes.split_first_chunk::<NONCE>().ok_or_else(corrupt)?;
    let payload = Payload { msg: sealed, aad: &user.to_be_bytes() };
    let opened = cipher(store).await?.decrypt(&XNonce::from(*nonce), payload);
    opened.map(Zeroizing::new).map_err(|_| corrupt())
}

async fn cipher(store: &Store) -> Result<XChaCha20Poly1305, RecordsError> {
    let key = Key::load(store).await?.derived(LABEL);
    XChaCha20Poly1305::new_from_slice(&*key).map_err(|_| RecordsError::Corrupt("key"))
}

//! Encrypts the secrets of authenticator apps.

use db::RecordsError;
use trail::Store;
use trail::secret_box::SecretBox;
use zeroize::Zeroizing;

/// Label of the derived encryption key.
const LABEL: &[u8] = b"lethe second factor 1";

/// Encrypts a secret of a user. It can be decrypted only for the same user.
pub(crate) async fn seal(store: &Store, user: i64, secret: &[u8]) -> Result<String, RecordsError> {
    SecretBox::for_purpose(&store.key, LABEL).await?.seal(user, secret)
}

/// Decrypts a secret of a user.
pub(crate) async fn open(store: &Store, user: i64, sealed: &str) -> Result<Zeroizing<Vec<u8>>, RecordsError> {
    SecretBox::for_purpose(&store.key, LABEL).await?.open(user, sealed)
}

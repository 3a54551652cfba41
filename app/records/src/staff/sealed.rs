//! Secrets of second factors, which must be read again: sealed.

use crate::error::RecordsError;
use crate::sealed::Sealer;
use crate::store::Store;
use zeroize::Zeroizing;

/// What the sealing key is derived for.
const LABEL: &[u8] = b"lethe second factor 1";

/// Seals a secret of a user. It can be opened as that user's only.
pub(super) async fn seal(store: &Store, user: i64, secret: &[u8]) -> Result<String, RecordsError> {
    Sealer::of(store, LABEL).await?.seal(user, secret)
}

/// Opens what was sealed for a user.
pub(super) async fn open(store: &Store, user: i64, sealed: &str) -> Result<Zeroizing<Vec<u8>>, RecordsError> {
    Sealer::of(store, LABEL).await?.open(user, sealed)
}

//! The import profiles that a task can use.

use db::RecordsError;
use policy::import_profile::{FileKind, ImportProfile};
use policy::import_settings::OWN_PROFILE;
use trail::Store;

/// Returns the code and the name of each profile.
#[allow(clippy::unused_async, reason = "saved profiles are read from the database")]
pub async fn choices(_store: &Store) -> Result<Vec<(String, String)>, RecordsError> {
    Ok(vec![(OWN_PROFILE.to_owned(), "Lethe (CSV)".to_owned())])
}

/// Returns the profile with this code for this kind of file, or `None` if there is none.
#[allow(clippy::unused_async, reason = "saved profiles are read from the database")]
pub async fn find(_store: &Store, code: &str, kind: FileKind) -> Result<Option<ImportProfile>, RecordsError> {
    Ok((code == OWN_PROFILE).then(|| ImportProfile::of(kind)))
}

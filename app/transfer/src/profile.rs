//! The import profiles that an import can use.

use db::RecordsError;
use policy::import_profile::{FileKind, ImportProfile, built_in, built_in_profiles};
use std::collections::BTreeMap;
use trail::Store;

/// Returns the code and the name of each profile that a task can use: a watched folder has no additional tables.
#[allow(clippy::unused_async, reason = "saved profiles are read from the database")]
pub async fn choices(_store: &Store) -> Result<Vec<(String, String)>, RecordsError> {
    let names: BTreeMap<String, String> = built_in_profiles()
        .into_iter()
        .filter(has_one_file)
        .map(|profile| (profile.code, profile.name))
        .collect();
    Ok(names.into_iter().collect())
}

/// Returns the profile with this code for this kind of file, or `None` if there is none that a task can use.
#[allow(clippy::unused_async, reason = "saved profiles are read from the database")]
pub async fn find(_store: &Store, code: &str, kind: FileKind) -> Result<Option<ImportProfile>, RecordsError> {
    Ok(built_in(code, kind).filter(has_one_file))
}

fn has_one_file(profile: &ImportProfile) -> bool {
    profile.format.tables().iter().all(|(_, is_required)| !is_required)
}

//! The import profiles that a task can use: a watched folder has no additional tables.

use policy::import_profile::{FileKind, ImportProfile, built_in, built_in_profiles};
use std::collections::BTreeMap;

/// Returns the code and the name of each profile.
pub fn choices() -> Vec<(String, String)> {
    let names: BTreeMap<String, String> = built_in_profiles()
        .into_iter()
        .filter(has_one_file)
        .map(|profile| (profile.code, profile.name))
        .collect();
    names.into_iter().collect()
}

/// Returns the profile with this code for this kind of file, or `None` if there is none.
pub fn find(code: &str, kind: FileKind) -> Option<ImportProfile> {
    built_in(code, kind).filter(has_one_file)
}

fn has_one_file(profile: &ImportProfile) -> bool {
    profile.format.tables().iter().all(|(_, is_required)| !is_required)
}

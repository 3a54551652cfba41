//! The import profiles that pages, tasks and the command line can choose: the built-in ones and those that staff made.

use db::RecordsError;
use db::entity::import_profiles;
use policy::import_profile::{FileKind, ImportProfile, built_in, built_in_profiles};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
};
use std::collections::BTreeMap;

/// The code in the form of an upload whose file is the sample of a new profile. No profile can have it.
pub const NEW_PROFILE: &str = "+";

/// Returns all profiles: first the built-in ones, then the others by name.
pub async fn all(db: &impl ConnectionTrait) -> Result<Vec<ImportProfile>, RecordsError> {
    let mut profiles = built_in_profiles();
    profiles.extend(custom(db).await?);
    Ok(profiles)
}

/// Returns the profile with this code for a kind of file, or `None` if there is none.
pub async fn find(
    db: &impl ConnectionTrait,
    code: &str,
    kind: FileKind,
) -> Result<Option<ImportProfile>, RecordsError> {
    if let Some(profile) = built_in(code, kind) {
        return Ok(Some(profile));
    }
    let found = import_profiles::Entity::find()
        .filter(import_profiles::Column::Kind.eq(kind))
        .filter(import_profiles::Column::Code.eq(code))
        .one(db)
        .await?;
    Ok(found.map(|row| row.settings))
}

/// Locks the profile with this code until the transaction ends. A built-in profile never changes.
pub(super) async fn lock(tx: &DatabaseTransaction, code: &str, kind: FileKind) -> Result<(), RecordsError> {
    import_profiles::Entity::find()
        .filter(import_profiles::Column::Kind.eq(kind))
        .filter(import_profiles::Column::Code.eq(code))
        .lock_exclusive()
        .one(tx)
        .await?;
    Ok(())
}

/// Returns the code and the name of each profile.
pub async fn choices(db: &impl ConnectionTrait) -> Result<Vec<(String, String)>, RecordsError> {
    let names: BTreeMap<String, String> =
        built_in_profiles().into_iter().map(|profile| (profile.code, profile.name)).collect();
    let mut choices: Vec<(String, String)> = names.into_iter().collect();
    for profile in custom(db).await? {
        // A code is unique among the files of a kind. The form shows it once, with the names of all kinds.
        let label = format!("{} ({})", profile.name, profile.kind.label());
        match choices.iter_mut().find(|(code, _)| *code == profile.code) {
            Some((_, shown)) => *shown = format!("{shown}, {label}"),
            None => choices.push((profile.code, label)),
        }
    }
    Ok(choices)
}

/// Returns the names of the additional tables of the files that a profile describes. None for an unknown profile.
pub async fn tables(
    db: &impl ConnectionTrait,
    code: &str,
    kind: FileKind,
) -> Result<Vec<&'static str>, RecordsError> {
    let profile = find(db, code, kind).await?;
    let tables = profile.map_or(&[][..], |profile| profile.format.tables());
    Ok(tables.iter().map(|(name, _)| *name).collect())
}

async fn custom(db: &impl ConnectionTrait) -> Result<Vec<ImportProfile>, RecordsError> {
    let rows = import_profiles::Entity::find()
        .order_by_asc(import_profiles::Column::Name)
        .order_by_asc(import_profiles::Column::Id)
        .all(db)
        .await?;
    Ok(rows.into_iter().map(|row| row.settings).collect())
}

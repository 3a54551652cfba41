//! The task of the demo library that imports users, and the sample file in its folder.

use db::entity::{credentials, user_roles, users};
use db::{RecordsError, csv_text};
use policy::ImportSettings;
use policy::import_settings::ImportedFile;
use sea_orm::sea_query::Query;
use sea_orm::{ColumnTrait, DatabaseConnection, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The folder of the task, below the folder of imports.
const FOLDER: &str = "demo";
const FILE: &str = "users.csv";
/// Number of known users in the file. Each fourth of them has a new phone number.
const KNOWN: u64 = 20;
/// Number of known users for each new phone number.
const SAME_PHONE: usize = 4;

const COLUMNS: [&str; 5] = ["external_id", "user_id", "last_name", "first_name", "phone"];
/// The new users in the file.
const NEW: [[&str; 5]; 3] = [
    ["D-90001", "rl90001", "Lindqvist", "Rosa", ""],
    ["D-90002", "ah90002", "Haddad", "Amir", "020 7946 0902"],
    ["D-90003", "mt90003", "Tanaka", "Mei", ""],
];

/// Returns the settings of the task. The file stays, so that a preview can be made again.
pub(super) fn settings() -> ImportSettings {
    ImportSettings {
        folder: FOLDER.to_owned(),
        imported_file: ImportedFile::Keep,
        ..ImportSettings::default()
    }
}

/// Creates the folder of the task. Called before the database is filled, so that an error leaves nothing behind.
pub(super) fn create_folder(imports: &Path) -> Result<PathBuf, RecordsError> {
    let folder = imports.join(FOLDER);
    fs::create_dir_all(&folder).map_err(|error| not_written(&error, "Nothing was written"))?;
    Ok(folder)
}

/// Writes the sample file: known users, some with a new phone number, and new users.
pub(super) async fn write_sample(db: &DatabaseConnection, folder: &Path) -> Result<(), RecordsError> {
    let known = known_users(db).await?;
    let known = known.into_iter().enumerate().map(|(at, user)| {
        let phone =
            if at % SAME_PHONE == 0 { format!("020 7946 {at:04}") } else { user.phone.unwrap_or_default() };
        let [external_id, user_id, last_name, first_name] =
            [user.external_id, user.user_id, user.last_name, user.first_name].map(Option::unwrap_or_default);
        [external_id, user_id, last_name, first_name, phone]
    });
    let rows = known.chain(NEW.map(|row| row.map(str::to_owned)));
    let csv = csv_text::file(&COLUMNS, rows)?;
    fs::write(folder.join(FILE), csv)
        .map_err(|error| not_written(&error, "The demo library is complete, except for this file"))
}

/// Returns users that the file of another system would contain: present, and not staff.
async fn known_users(db: &DatabaseConnection) -> Result<Vec<users::Model>, RecordsError> {
    let staff = Query::select().column(user_roles::Column::UserNumber).from(user_roles::Entity).take();
    let with_sign_in =
        Query::select().column(credentials::Column::UserNumber).from(credentials::Entity).take();
    let found = users::Entity::find()
        .filter(users::Column::Imported.eq(true))
        .filter(users::Column::Fictitious.eq(false))
        .filter(users::Column::AnonymisedOn.is_null())
        .filter(users::Column::LeavingOn.is_null())
        .filter(users::Column::ExternalId.is_not_null())
        .filter(users::Column::UserId.is_not_null())
        .filter(users::Column::Number.not_in_subquery(staff))
        .filter(users::Column::Number.not_in_subquery(with_sign_in))
        .order_by_asc(users::Column::Number)
        .limit(KNOWN)
        .all(db)
        .await?;
    Ok(found)
}

fn not_written(error: &io::Error, rest: &str) -> RecordsError {
    RecordsError::NotReady(format!(
        "The sample file of the import task cannot be written ({}). Set LETHE_IMPORT_DIR to a folder that Lethe may \
         write in. {rest}",
        error.kind()
    ))
}

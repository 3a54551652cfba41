//! The import profiles that staff make: list, create, change, delete.
//!
//! Staff who may import may make profiles. A profile only reads a file: it changes nothing that a file in Lethe's own
//! format could not change. A task that uses a profile must be confirmed again when the
//! profile changes, as if its settings had changed.

use super::detection;
use super::import_history;
use super::reader::line_problem;
use super::upload;
use super::upload_notes::{Note, remembered};
use db::entity::{import_profiles, tasks};
use db::{RecordsError, dialect};
use import_file::{MAX_SHOWN_ROWS, OpenError, Sample, Suggestion, suggest};
use policy::form::Problem;
use policy::import_profile::{
    FileFormat, FileKind, ImportProfile, ProfileForm, built_in_profiles, code_of_name,
};
use policy::{Action, ImportId, ImportProfileId, TaskId, TaskSettings, TaskType};
use records::custom_field;
use sea_orm::ActiveValue::{NotSet, Set, Unchanged};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, PaginatorTrait,
    QueryFilter, QueryOrder, QuerySelect,
};
use serde::Serialize;
use std::collections::BTreeMap;
use trail::audit::{self, AuditAction, Subject};
use trail::task_name::TaskName;
use trail::{Actor, Store};

/// Maximum number of profiles. A list with more of them helps no librarian.
const MAX_PROFILES: u64 = 200;

/// A profile that staff made.
#[derive(Clone, Debug, Serialize)]
pub struct CustomProfile {
    /// The id.
    pub id: ImportProfileId,
    /// The version, which a change names.
    pub version: i32,
    /// The profile.
    #[serde(flatten)]
    pub profile: ImportProfile,
    /// The tasks that use the profile.
    pub used_by: Vec<(TaskId, TaskName)>,
}

/// The first rows of an uploaded file, with the suggested fields of its columns. The rows are personal data.
#[derive(Clone, Debug)]
pub struct SampledFile {
    /// The encoding.
    pub encoding: String,
    /// The delimiter.
    pub delimiter: char,
    /// The line that names the columns.
    pub header_line: u64,
    /// The columns that a profile can map, in file order. A column without a name, or with the name of an earlier column,
    /// is left out.
    pub columns: Vec<SampledColumn>,
    /// The cells of these columns in the first rows.
    pub rows: Vec<Vec<String>>,
}

/// A column of the sample.
#[derive(Clone, Debug)]
pub struct SampledColumn {
    /// Its name in the file.
    pub name: String,
    /// The suggestion.
    pub suggestion: Suggestion,
}

/// Returns the profiles that staff made, by name.
pub async fn list(store: &Store, actor: Actor) -> Result<Vec<CustomProfile>, RecordsError> {
    actor.require_permission_to_see(Action::Import)?;
    let rows = import_profiles::Entity::find()
        .order_by_asc(import_profiles::Column::Name)
        .order_by_asc(import_profiles::Column::Id)
        .all(&store.db)
        .await?;
    let mut used = used_by(&store.db).await?;
    Ok(rows.into_iter().map(|row| shown(row, &mut used)).collect())
}

/// Returns a profile that staff made.
pub async fn read(store: &Store, actor: Actor, id: ImportProfileId) -> Result<CustomProfile, RecordsError> {
    actor.require_permission_to_see(Action::Import)?;
    let row = import_profiles::Entity::find_by_id(id.0).one(&store.db).await?;
    let row = row.ok_or(RecordsError::NotFound("import profile"))?;
    Ok(shown(row, &mut used_by(&store.db).await?))
}

fn shown(row: import_profiles::Model, used: &mut BTreeMap<(FileKind, String), Tasks>) -> CustomProfile {
    CustomProfile {
        id: ImportProfileId(row.id),
        version: row.version,
        used_by: used.remove(&(row.kind, row.code)).unwrap_or_default(),
        profile: row.settings,
    }
}

type Tasks = Vec<(TaskId, TaskName)>;

/// Returns the tasks that use each profile, by kind of file and code. Deleted tasks are left out.
async fn used_by(db: &impl ConnectionTrait) -> Result<BTreeMap<(FileKind, String), Tasks>, DbErr> {
    let rows = tasks::Entity::find()
        .filter(tasks::Column::TaskType.eq(TaskType::ImportUsers))
        .filter(tasks::Column::DeletedAt.is_null())
        .order_by_asc(tasks::Column::Id)
        .all(db)
        .await?;
    let mut used: BTreeMap<_, Tasks> = BTreeMap::new();
    for task in rows {
        let name = TaskName::new(&task);
        let TaskSettings::ImportUsers(settings) = task.settings else { continue };
        used.entry((settings.kind, settings.profile)).or_default().push((TaskId(task.id), name));
    }
    Ok(used)
}

/// Returns the first rows of the file of an import that waits, or the problem because of which it has none.
pub async fn sample(
    store: &Store,
    actor: Actor,
    import: &import_history::Import,
) -> Result<Result<SampledFile, String>, RecordsError> {
    actor.require_permission_to_see(Action::Import)?;
    let gone = || RecordsError::Refused(upload::GONE.to_owned());
    let name = import.upload.as_deref().ok_or_else(gone)?;
    let folder = upload::folder_of(store, name).map_err(|_| gone())?;
    let file = upload::files(&folder).map_err(|_| gone())?;
    let (kind, custom, today) = (import.kind, custom_field::labels(&store.db).await?, store.clock.today());
    let read = tokio::task::spawn_blocking(move || {
        // The encoding depends on the whole file.
        let sample = remembered(&folder, Note::Sample, (kind, custom.clone()), || {
            let sample = Sample::read(&file, kind, &custom)?;
            Ok::<_, OpenError>(sample.map_err(|problem| line_problem(&problem).to_string()))
        })?;
        Ok(sample.map(|sample| {
            let suggestions = suggest(kind, (&sample.names, &sample.rows), &custom, today);
            with_suggestions(sample, suggestions)
        }))
    });
    let read: Result<Result<SampledFile, String>, OpenError> = read.await.map_err(|_| gone())?;
    read.map_err(|_| gone())
}

fn with_suggestions(sample: Sample, suggestions: Vec<Suggestion>) -> SampledFile {
    let is_first =
        |index: usize| sample.names.iter().position(|name| *name == sample.names[index]) == Some(index);
    let indexes: Vec<usize> = (0..sample.names.len())
        .filter(|index| !sample.names[*index].is_empty() && is_first(*index))
        .collect();
    let rows = sample.rows.iter().take(MAX_SHOWN_ROWS);
    let cell = |row: &Vec<String>, index: usize| row.get(index).cloned().unwrap_or_default();
    let rows = rows.map(|row| indexes.iter().map(|index| cell(row, *index)).collect()).collect();
    let columns = indexes.iter().map(|index| SampledColumn {
        name: sample.names[*index].clone(),
        suggestion: suggestions.get(*index).cloned().unwrap_or_default(),
    });
    SampledFile {
        columns: columns.collect(),
        rows,
        encoding: sample.encoding,
        delimiter: sample.delimiter,
        header_line: sample.header_line,
    }
}

/// Creates a profile for the file of an import. The import gets the profile, too. What a check of it counted is no longer
/// true.
pub async fn create(
    store: &Store,
    actor: Actor,
    id: ImportId,
    form: &ProfileForm,
) -> Result<ImportProfileId, RecordsError> {
    actor.require(Action::Import)?;
    let import = import_history::read(store, actor, id).await?;
    let tx = store.begin().await?;
    dialect::lock_definitions(&tx).await?;
    let code = free_code(&tx, import.kind, &code_of_name(&form.name)).await?;
    let profile = validated(&tx, form, import.kind, &code).await?;
    let row = add_row(&tx, store, actor, profile.clone()).await?;
    let options = profile.default_options();
    import_history::change_reading(&tx, id, profile, options).await?;
    store.commit(tx).await?;
    detection::prepare(store, actor, id).await;
    Ok(row)
}

/// Adds a profile from another installation. It keeps its code, unless that is taken.
pub async fn add(
    store: &Store,
    actor: Actor,
    profile: ImportProfile,
) -> Result<ImportProfileId, RecordsError> {
    actor.require(Action::Import)?;
    let tx = store.begin().await?;
    dialect::lock_definitions(&tx).await?;
    let code = free_code(&tx, profile.kind, &profile.code).await?;
    let profile = ImportProfile { code, name: profile.name.trim().to_owned(), ..profile };
    let custom = custom_field::labels(&tx).await?;
    profile.validate(|key| custom.iter().any(|(known, _)| known == key)).map_err(RecordsError::Invalid)?;
    let id = add_row(&tx, store, actor, profile).await?;
    store.commit(tx).await?;
    Ok(id)
}

async fn add_row(
    tx: &DatabaseTransaction,
    store: &Store,
    actor: Actor,
    profile: ImportProfile,
) -> Result<ImportProfileId, RecordsError> {
    refuse_taken_name(tx, &profile, None).await?;
    if import_profiles::Entity::find().count(tx).await? >= MAX_PROFILES {
        let why = format!("There are already {MAX_PROFILES} import profiles. Delete one first");
        return Err(RecordsError::Refused(why));
    }
    let detail = detail(&profile);
    let row = import_profiles::ActiveModel {
        id: NotSet,
        kind: Set(profile.kind),
        code: Set(profile.code.clone()),
        name: Set(profile.name.clone()),
        settings: Set(profile),
        version: Set(1),
        updated_at: Set(store.clock.now()),
    };
    let row = row.insert(tx).await?;
    record(tx, store, actor, AuditAction::ImportProfileCreated, &detail).await?;
    Ok(ImportProfileId(row.id))
}

/// Changes a profile. Kind and code stay. Tasks that use it must be confirmed again if it now reads files differently.
pub async fn change(
    store: &Store,
    actor: Actor,
    id: ImportProfileId,
    form: &ProfileForm,
) -> Result<(), RecordsError> {
    actor.require(Action::Import)?;
    let tx = store.begin().await?;
    dialect::lock_definitions(&tx).await?;
    let before = import_profiles::Entity::find_by_id(id.0).lock_exclusive().one(&tx).await?;
    let before = before.ok_or(RecordsError::NotFound("import profile"))?;
    if form.version.trim().parse() != Ok(before.version) {
        return Err(RecordsError::Stale);
    }
    let profile = validated(&tx, form, before.kind, &before.code).await?;
    // The form has no fields for these.
    let profile = ImportProfile {
        two_digit_days: before.settings.two_digit_days,
        attributes: before.settings.attributes.clone(),
        format: match &before.settings.format {
            FileFormat::Delimited(_) => profile.format,
            format => format.clone(),
        },
        ..profile
    };
    refuse_taken_name(&tx, &profile, Some(id)).await?;
    let is_same_reading = profile.reads_like(&before.settings);
    let detail = detail(&profile);
    let key = (profile.kind, profile.code.clone());
    let row = import_profiles::ActiveModel {
        id: Unchanged(id.0),
        name: Set(profile.name.clone()),
        settings: Set(profile),
        version: Set(before.version + 1),
        updated_at: Set(store.clock.now()),
        ..Default::default()
    };
    row.update(&tx).await?;
    if !is_same_reading {
        let using = used_by(&tx).await?.remove(&key).unwrap_or_default();
        tasks::Entity::update_many()
            .col_expr(tasks::Column::ConfirmedSettings, Expr::value(None::<String>))
            .filter(tasks::Column::Id.is_in(using.into_iter().map(|(task, _)| task.0)))
            .exec(&tx)
            .await?;
    }
    record(&tx, store, actor, AuditAction::ImportProfileChanged, &detail).await?;
    store.commit(tx).await
}

/// Deletes a profile that no task uses. Imports keep their own copies.
pub async fn delete(store: &Store, actor: Actor, id: ImportProfileId) -> Result<(), RecordsError> {
    actor.require(Action::Import)?;
    let tx = store.begin().await?;
    dialect::lock_definitions(&tx).await?;
    let found = import_profiles::Entity::find_by_id(id.0).lock_exclusive().one(&tx).await?;
    let found = found.ok_or(RecordsError::NotFound("import profile"))?;
    if let Some(tasks) = used_by(&tx).await?.remove(&(found.kind, found.code.clone())) {
        let names: Vec<String> =
            tasks.into_iter().map(|(_, name)| format!("“{}”", name.description_for(actor))).collect();
        let why = format!(
            "Tasks use this import profile: {}. Choose another profile there first",
            names.join(", ")
        );
        return Err(RecordsError::Refused(why));
    }
    import_profiles::Entity::delete_by_id(id.0).exec(&tx).await?;
    record(&tx, store, actor, AuditAction::ImportProfileDeleted, &detail(&found.settings)).await?;
    store.commit(tx).await
}

async fn validated(
    tx: &DatabaseTransaction,
    form: &ProfileForm,
    kind: FileKind,
    code: &str,
) -> Result<ImportProfile, RecordsError> {
    let custom = custom_field::labels(tx).await?;
    let has_field = |key: &str| custom.iter().any(|(known, _)| known == key);
    form.validate(kind, code, has_field).map_err(RecordsError::Invalid)
}

/// Rejects the name of another profile for the same kind of file.
async fn refuse_taken_name(
    tx: &DatabaseTransaction,
    profile: &ImportProfile,
    own: Option<ImportProfileId>,
) -> Result<(), RecordsError> {
    let wanted = profile.name.to_lowercase();
    let rows = import_profiles::Entity::find().filter(import_profiles::Column::Kind.eq(profile.kind)).all(tx);
    let is_taken = rows
        .await?
        .into_iter()
        .any(|row| Some(ImportProfileId(row.id)) != own && row.name.to_lowercase() == wanted)
        || built_in_profiles()
            .into_iter()
            .any(|other| other.kind == profile.kind && other.name.to_lowercase() == wanted);
    if is_taken { Err(RecordsError::field("name", Problem::ProfileNameTaken)) } else { Ok(()) }
}

/// Returns the wanted code, with a number if a profile has it already. Built-in profiles own their codes for all kinds.
async fn free_code(tx: &DatabaseTransaction, kind: FileKind, wanted: &str) -> Result<String, RecordsError> {
    let rows = import_profiles::Entity::find().filter(import_profiles::Column::Kind.eq(kind)).all(tx).await?;
    let is_taken = |code: &str| {
        rows.iter().any(|row| row.code == code) || built_in_profiles().iter().any(|other| other.code == code)
    };
    let mut code = wanted.to_owned();
    for number in 2.. {
        if !is_taken(&code) {
            break;
        }
        code = format!("{wanted}-{number}");
    }
    Ok(code)
}

/// Returns what the audit says about a profile: kind and code.
fn detail(profile: &ImportProfile) -> String {
    format!("{},{}", profile.kind.code(), profile.code)
}

async fn record(
    tx: &DatabaseTransaction,
    store: &Store,
    actor: Actor,
    action: AuditAction,
    detail: &str,
) -> Result<(), RecordsError> {
    Ok(audit::record_event(tx, &store.clock, actor, action, Subject::Library, None, detail).await?)
}

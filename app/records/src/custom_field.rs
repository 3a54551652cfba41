//! The definitions of custom fields. Each has a class in the register of personal data.

use db::entity::{custom_fields, custom_values, import_profiles, tasks};
use db::{RecordsError, dialect};
use policy::custom_field::{CustomFieldClass, CustomFieldForm};
use policy::form::Problem;
use policy::import_profile::CUSTOM;
use policy::{Action, ImportProfileId, TaskId, TaskSettings, TaskType};
use sea_orm::ActiveValue::{Set, Unchanged};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, PaginatorTrait,
    QueryFilter, QueryOrder, QuerySelect,
};
use serde::Serialize;
use std::collections::HashMap;
use trail::audit::{self, AuditAction, Subject};
use trail::task_name::TaskName;
use trail::{Actor, Store};

/// Maximum number of custom fields. A form with more of them helps no librarian.
const MAX_FIELDS: u64 = 100;

/// A custom field.
#[derive(Clone, Debug, Serialize)]
pub struct CustomField {
    /// The key.
    pub key: String,
    /// The name on forms.
    pub label: String,
    /// The class in the register.
    pub class: CustomFieldClass,
    /// Number of users with a value.
    pub users: i64,
    /// The tasks that keep the values.
    pub kept_by: Vec<(TaskId, TaskName)>,
    /// The import profiles that fill the field, with their names.
    pub filled_by: Vec<(ImportProfileId, String)>,
}

/// Returns the custom fields, by name.
pub async fn list(store: &Store, actor: Actor) -> Result<Vec<CustomField>, RecordsError> {
    actor.require_permission_to_see(Action::Administer)?;
    let fields = custom_fields::Entity::find()
        .order_by_asc(custom_fields::Column::Label)
        .order_by_asc(custom_fields::Column::Key)
        .all(&store.db)
        .await?;
    let users: Vec<(String, i64)> = custom_values::Entity::find()
        .select_only()
        .column(custom_values::Column::FieldKey)
        .column_as(custom_values::Column::UserNumber.count(), "users")
        .group_by(custom_values::Column::FieldKey)
        .into_tuple()
        .all(&store.db)
        .await?;
    let mut users: HashMap<String, i64> = users.into_iter().collect();
    let mut kept = kept_by(&store.db).await?;
    let mut filled = filled_by(&store.db).await?;
    let field = |row: custom_fields::Model| CustomField {
        users: users.remove(&row.key).unwrap_or_default(),
        kept_by: kept.remove(&row.key).unwrap_or_default(),
        filled_by: filled.remove(&row.key).unwrap_or_default(),
        key: row.key,
        label: row.label,
        class: row.class,
    };
    Ok(fields.into_iter().map(field).collect())
}

/// Returns the definitions of all custom fields, by key.
pub async fn definitions(db: &impl ConnectionTrait) -> Result<Vec<custom_fields::Model>, DbErr> {
    custom_fields::Entity::find().order_by_asc(custom_fields::Column::Key).all(db).await
}

/// Returns the key and the label of each custom field, by key.
pub async fn labels(db: &impl ConnectionTrait) -> Result<Vec<(String, String)>, DbErr> {
    Ok(definitions(db).await?.into_iter().map(|field| (field.key, field.label)).collect())
}

/// Returns the keys of the custom fields.
pub async fn keys(db: &impl ConnectionTrait) -> Result<Vec<String>, DbErr> {
    Ok(labels(db).await?.into_iter().map(|(key, _)| key).collect())
}

/// Returns the tasks that keep each custom field, by key.
async fn kept_by(db: &impl ConnectionTrait) -> Result<HashMap<String, Vec<(TaskId, TaskName)>>, DbErr> {
    let mut kept: HashMap<String, Vec<(TaskId, TaskName)>> = HashMap::new();
    let rows = tasks::Entity::find().filter(tasks::Column::TaskType.eq(TaskType::AnonymiseUserData));
    for task in rows.order_by_asc(tasks::Column::Id).all(db).await? {
        let name = TaskName::new(&task);
        let TaskSettings::AnonymiseUserData(policy) = task.settings else { continue };
        for key in policy.keep_custom {
            kept.entry(key).or_default().push((TaskId(task.id), name.clone()));
        }
    }
    Ok(kept)
}

/// Returns the import profiles that fill each custom field, by key.
async fn filled_by(
    db: &impl ConnectionTrait,
) -> Result<HashMap<String, Vec<(ImportProfileId, String)>>, DbErr> {
    let mut filled: HashMap<String, Vec<(ImportProfileId, String)>> = HashMap::new();
    for row in import_profiles::Entity::find().order_by_asc(import_profiles::Column::Id).all(db).await? {
        let targets = row.settings.columns.iter().filter_map(|column| column.target.as_deref());
        for key in targets.filter_map(|target| target.strip_prefix(CUSTOM)) {
            filled.entry(key.to_owned()).or_default().push((ImportProfileId(row.id), row.name.clone()));
        }
    }
    Ok(filled)
}

/// Returns the names of tasks as a list. A private task of another owner is not named.
fn task_names(tasks: &[(TaskId, TaskName)], actor: Actor) -> String {
    let names: Vec<String> =
        tasks.iter().map(|(_, name)| format!("“{}”", name.description_for(actor))).collect();
    names.join(", ")
}

/// Adds a custom field.
pub async fn add(store: &Store, actor: Actor, form: &CustomFieldForm) -> Result<(), RecordsError> {
    actor.require(Action::Administer)?;
    let draft = form.validate().map_err(RecordsError::Invalid)?;
    let tx = store.begin().await?;
    dialect::lock_definitions(&tx).await?;
    if custom_fields::Entity::find_by_id(draft.key.clone()).one(&tx).await?.is_some() {
        return Err(RecordsError::field("key", Problem::KeyTaken));
    }
    if custom_fields::Entity::find().count(&tx).await? >= MAX_FIELDS {
        let why = format!("There are already {MAX_FIELDS} custom fields. Remove one first");
        return Err(RecordsError::Refused(why));
    }
    let row = custom_fields::ActiveModel {
        key: Set(draft.key.clone()),
        label: Set(draft.label),
        class: Set(draft.class),
    };
    row.insert(&tx).await?;
    let detail = format!("{},{}", draft.key, draft.class.code());
    record(&tx, store, actor, AuditAction::CustomFieldAdded, &detail).await?;
    store.commit(tx).await
}

/// Changes name and class of a custom field. Rejects the class *identifier* while a task keeps the field.
pub async fn change(store: &Store, actor: Actor, form: &CustomFieldForm) -> Result<(), RecordsError> {
    actor.require(Action::Administer)?;
    let draft = form.validate().map_err(RecordsError::Invalid)?;
    let tx = store.begin().await?;
    dialect::lock_definitions(&tx).await?;
    let before = custom_fields::Entity::find_by_id(draft.key.clone()).lock_exclusive().one(&tx).await?;
    let before = before.ok_or(RecordsError::NotFound("custom field"))?;
    if before.label == draft.label && before.class == draft.class {
        return Err(RecordsError::Refused("Nothing was changed. Enter another name or class".to_owned()));
    }
    if !draft.class.can_be_kept()
        && let Some(tasks) = kept_by(&tx).await?.remove(&draft.key)
    {
        let why = format!(
            "Tasks keep this field: {}. Set the field to be removed there first, because an identifier is always \
             removed",
            task_names(&tasks, actor)
        );
        return Err(RecordsError::Refused(why));
    }
    let row = custom_fields::ActiveModel {
        key: Unchanged(draft.key.clone()),
        label: Set(draft.label),
        class: Set(draft.class),
    };
    row.update(&tx).await?;
    let detail = format!("{},{}→{}", draft.key, before.class.code(), draft.class.code());
    record(&tx, store, actor, AuditAction::CustomFieldChanged, &detail).await?;
    store.commit(tx).await
}

/// Removes a custom field without values that no task keeps and no import profile fills.
///
/// Values are never removed with their field, because that would change many users at once without their history.
pub async fn remove(store: &Store, actor: Actor, key: &str) -> Result<(), RecordsError> {
    actor.require(Action::Administer)?;
    let tx = store.begin().await?;
    dialect::lock_definitions(&tx).await?;
    let found = custom_fields::Entity::find_by_id(key.to_owned()).lock_exclusive().one(&tx).await?;
    found.ok_or(RecordsError::NotFound("custom field"))?;
    let values = custom_values::Entity::find().filter(custom_values::Column::FieldKey.eq(key)).count(&tx);
    if values.await? > 0 {
        let why =
            "Users have values in this field. Remove these values first, in the records or by an import";
        return Err(RecordsError::Refused(why.to_owned()));
    }
    if let Some(tasks) = kept_by(&tx).await?.remove(key) {
        let why = format!(
            "Tasks keep this field: {}. Set the field to be removed there first",
            task_names(&tasks, actor)
        );
        return Err(RecordsError::Refused(why));
    }
    if let Some(profiles) = filled_by(&tx).await?.remove(key) {
        let names: Vec<String> = profiles.into_iter().map(|(_, name)| format!("“{name}”")).collect();
        let why = format!(
            "Import profiles fill this field: {}. Choose another field for its columns there first",
            names.join(", ")
        );
        return Err(RecordsError::Refused(why));
    }
    custom_fields::Entity::delete_by_id(key.to_owned()).exec(&tx).await?;
    record(&tx, store, actor, AuditAction::CustomFieldRemoved, key).await?;
    store.commit(tx).await
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

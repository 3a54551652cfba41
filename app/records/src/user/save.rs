//! Creates and edits user records.

use super::edit::Edit;
use super::guarantor;
use super::read::UserRecord;
use crate::custom_field;
use db::RecordsError;
use db::entity::{custom_values, photos, users};
use db::search_index;
use identity::session;
use identity::staff::set_aside;
use policy::dates::shown;
use policy::form::{FieldErrors, Problem};
use policy::key_form::normal;
use policy::user_form::{UserDraft, UserForm, validate};
use policy::{Action, Channel, TermKind, UserNumber, with_user_fields};
use safeguards::suppression::check::{Checker, Suppressed};
use safeguards::suppression::{KeyValues, held_line};
use safeguards::{approval, key_periods, legal_hold, limits};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, IntoActiveModel,
    QueryFilter, Set, SqlErr,
};
use std::collections::{BTreeMap, BTreeSet};
use trail::audit::{self, AuditAction, Subject};
use trail::person::{anonymised, lock, search_words};
use trail::roles::roles_of;
use trail::terms::{self, Spelling};
use trail::undoable;
use trail::{Actor, Store, Undo};

/// Creates a user, or saves an edited one.
///
/// Returns an error if the record was changed or anonymised after the form was opened, so that old values can't
/// return.
pub async fn save(store: &Store, actor: Actor, form: &UserForm) -> Result<UserNumber, RecordsError> {
    save_undoable(store, actor, form).await.map(|(number, _)| number)
}

/// Like [`save`], and returns how to undo the removal of the user's sign-in, if that was part of it.
pub async fn save_undoable(
    store: &Store,
    actor: Actor,
    form: &UserForm,
) -> Result<(UserNumber, Option<Undo>), RecordsError> {
    let saved = save_within_limits(store, actor, form).await;
    limits::record_limit(store, actor, saved).await
}

async fn save_within_limits(
    store: &Store,
    actor: Actor,
    form: &UserForm,
) -> Result<(UserNumber, Option<Undo>), RecordsError> {
    actor.require(Action::EditUsers)?;
    let draft = validate(form, store.clock.today()).map_err(RecordsError::Invalid)?;
    let tx = store.begin().await?;
    let saved = if form.number.trim().is_empty() {
        (create(store, actor, &tx, &draft).await?, None)
    } else {
        let number = form.number.parse().map_err(|_| RecordsError::NotFound("user"))?;
        (number, edit(store, actor, &tx, number, &form.version, &draft).await?)
    };
    store.commit(tx).await?;
    Ok(saved)
}

/// Returns the value of a column as the form shows it.
macro_rules! column_value {
    (Flag, $value:expr) => {
        $value
    };
    (Date, $value:expr) => {
        $value.map(shown).unwrap_or_default()
    };
    (PastDate, $value:expr) => {
        $value.map(shown).unwrap_or_default()
    };
    ($kind:ident, $value:expr) => {
        $value.clone().unwrap_or_default()
    };
}

/// Returns the value of a field of the record as the form shows it.
macro_rules! form_value {
    (Term, $value:expr) => {
        $value.as_ref().map(|term| term.code.clone()).unwrap_or_default()
    };
    ($kind:ident, $value:expr) => {
        column_value!($kind, $value)
    };
}

macro_rules! record_and_form {
    ($($name:ident: $kind:ident $(, $cell:tt)*;)*) => {
        /// Returns the form to edit a record.
        pub fn form_of(record: &UserRecord) -> UserForm {
            let guarantor = record.guarantor.as_ref();
            UserForm {
                number: record.number.to_string(),
                version: record.version.to_string(),
                $($name: form_value!($kind, record.$name),)*
                guarantor: guarantor.map(|person| person.number.to_string()).unwrap_or_default(),
                custom: record.custom.iter().map(|field| (field.key.clone(), field.value.clone())).collect(),
                remove_photo: false,
                remove_sign_in: false,
                suppressed: String::new(),
            }
        }

        /// Returns the form to edit a row, with the values of its custom fields.
        pub(super) fn form_of_row(user: &users::Model, custom: BTreeMap<String, String>) -> UserForm {
            UserForm {
                number: user.number.to_string(),
                version: user.version.to_string(),
                $($name: column_value!($kind, user.$name),)*
                guarantor: user.guarantor_number.map(|number| number.to_string()).unwrap_or_default(),
                custom,
                remove_photo: false,
                remove_sign_in: false,
                suppressed: String::new(),
            }
        }

        /// Returns the record with the values of the form.
        fn apply_draft(old: &users::Model, draft: &UserDraft) -> users::Model {
            let draft = draft.clone();
            let mut user = users::Model {
                $($name: draft.$name,)*
                guarantor_number: draft.guarantor.map(|number| number.0),
                ..old.clone()
            };
            user.derive();
            user
        }
    };
}
with_user_fields!(record_and_form);

/// Returns the names of the changed fields, for the audit.
fn changed_fields(old: &users::Model, new: &users::Model) -> Vec<String> {
    let fields = old.fields().zip(new.fields()).map(|((field, old), (_, new))| (field.name, old != new));
    fields
        .chain([("guarantor_number", old.guarantor_number != new.guarantor_number)])
        .filter(|(_, differs)| *differs)
        .map(|(name, _)| name.to_owned())
        .collect()
}

/// Creates a user. A user that an identity system creates counts as imported.
pub(super) async fn create(
    store: &Store,
    actor: Actor,
    tx: &DatabaseTransaction,
    draft: &UserDraft,
) -> Result<UserNumber, RecordsError> {
    let blank = users::Model {
        created_on: Some(store.clock.today()),
        imported: actor.channel == Channel::Api,
        ..users::Model::blank(0, uuid::Uuid::new_v4().to_string())
    };
    let draft = &check(tx, &blank, draft).await?;
    let user = apply_draft(&blank, draft);
    let checker = Checker::open(tx, store).await?;
    let suppressed = suppression(tx, &checker, draft).await?;
    let mut row = user.into_active_model().reset_all();
    row.number = sea_orm::NotSet;
    let user = row.insert(tx).await.map_err(taken)?;
    search_index::replace(tx, user.number, search_words(&user)).await?;
    let today = store.clock.today();
    if let Some(change) = key_periods::Change::compare(None, &user, today) {
        key_periods::record(tx, &checker, today, &[change]).await?;
    }
    save_custom(tx, user.number, &BTreeMap::new(), &draft.custom).await?;
    audit::record_event(
        tx,
        &store.clock,
        actor,
        AuditAction::UserCreated,
        Subject::User(user.number),
        None,
        &suppressed,
    )
    .await?;
    Ok(UserNumber(user.number))
}

/// Returns the keys that the suppression list is compared with.
pub(super) fn key_values(draft: &UserDraft) -> KeyValues<'_> {
    KeyValues {
        external_id: draft.external_id.as_deref(),
        user_id: draft.user_id.as_deref(),
        barcode: draft.barcode.as_deref(),
        email: draft.email.as_deref(),
    }
}

/// Rejects a new user whose keys are on the suppression list, unless the form has the decision. Returns the decision for
/// the audit.
async fn suppression(
    tx: &DatabaseTransaction,
    checker: &Checker,
    draft: &UserDraft,
) -> Result<String, RecordsError> {
    let found = checker.check(tx, &[key_values(draft)]).await?;
    let Some(Suppressed { kinds, held_by: Some((_, key)) }) = found.into_iter().next() else {
        return Ok(String::new());
    };
    let Some(decision) = draft.suppressed else {
        let mut errors = FieldErrors::default();
        for kind in kinds {
            errors.add(kind.field(), Problem::Suppressed);
        }
        return Err(RecordsError::Invalid(errors));
    };
    held_line::settle(tx, &[key]).await?;
    Ok(format!("suppressed={}", decision.code()))
}

/// Edits a user. A user that an identity system changes counts as imported.
pub(super) async fn edit(
    store: &Store,
    actor: Actor,
    tx: &DatabaseTransaction,
    number: UserNumber,
    version: &str,
    draft: &UserDraft,
) -> Result<Option<Undo>, RecordsError> {
    let old = lock(tx, number).await?;
    if version.trim().parse() != Ok(old.version) {
        return Err(RecordsError::Stale);
    }
    if old.anonymised_on.is_some() {
        return Err(anonymised(number));
    }
    let draft = &check(tx, &old, draft).await?;
    let mut new = apply_draft(&old, draft);
    new.imported |= actor.channel == Channel::Api;
    if changes_sign_in(&old, &new, draft) {
        may_change_sign_in(tx, actor, number).await?;
        approval::observe(tx, store).await?;
    }
    let mut changed = changed_fields(&old, &new);
    let custom = custom_of(tx, number).await?;
    let edit = Edit::compare(tx, number, (&old, &new), (&custom, draft)).await?;
    if edit.overwrites() && legal_hold::in_force(tx, number).await? {
        edit.may_correct(actor)?;
    }
    let action = edit.count(store, actor, tx).await?;
    if let Some(left) = old.category.clone().filter(|_| old.category != new.category) {
        legal_hold::transfer_to_user(tx, &store.clock, actor, &[(number, left)]).await?;
    }
    if custom != draft.custom {
        changed.extend(differing(&custom, &draft.custom).map(|key| format!("custom.{key}")));
        save_custom(tx, number.0, &custom, &draft.custom).await?;
    }
    if draft.remove_photo && photos::Entity::delete_by_id(number.0).exec(tx).await?.rows_affected > 0 {
        changed.push("photo".to_owned());
    }
    if edit.removes_sign_in {
        changed.push("credentials".to_owned());
    }
    if new.imported != old.imported {
        changed.push("imported".to_owned());
    }
    if changed.is_empty() {
        return Ok(None);
    }
    let new = users::Model { version: old.version + 1, ..new };
    new.clone().into_active_model().reset_all().update(tx).await.map_err(taken)?;
    search_index::replace(tx, number.0, search_words(&new)).await?;
    record_keys(tx, store, &old, &new).await?;
    let detail = changed.join(",");
    audit::record_event(tx, &store.clock, actor, action, Subject::User(number.0), None, &detail).await?;
    if edit.removes_sign_in { remove_sign_in(tx, store, actor, number).await.map(Some) } else { Ok(None) }
}

/// Records from when until when the user owns the keys that the edit changes.
async fn record_keys(
    tx: &DatabaseTransaction,
    store: &Store,
    old: &users::Model,
    new: &users::Model,
) -> Result<(), RecordsError> {
    let today = store.clock.today();
    let Some(change) = key_periods::Change::compare(Some(old), new, today) else { return Ok(()) };
    if !change.gains() {
        return key_periods::record_lost(tx, today, &[change]).await;
    }
    key_periods::record(tx, &Checker::open(tx, store).await?, today, &[change]).await
}

/// Returns whether an edit changes the login name or the ability to sign in.
fn changes_sign_in(old: &users::Model, new: &users::Model, draft: &UserDraft) -> bool {
    old.user_id != new.user_id || old.fictitious != new.fictitious || draft.remove_sign_in
}

/// Returns an error unless the actor may change the user's sign-in.
///
/// Only staff managers may change that of staff, and not their own. Otherwise a person could reduce the number of
/// possible approvers.
async fn may_change_sign_in(
    tx: &DatabaseTransaction,
    actor: Actor,
    number: UserNumber,
) -> Result<(), RecordsError> {
    if roles_of(tx, number).await?.is_empty() {
        return Ok(());
    }
    actor.require(Action::ManageStaff)?;
    if actor.staff == Some(number) {
        return Err(RecordsError::Refused(
            "Nothing was changed. Another administrator must change your UserID or sign-in".to_owned(),
        ));
    }
    Ok(())
}

/// Checks what requires the database: unique keys, the guarantor, and the codes of the library. Returns the draft with
/// codes as the library spells them.
async fn check(
    tx: &DatabaseTransaction,
    old: &users::Model,
    draft: &UserDraft,
) -> Result<UserDraft, RecordsError> {
    let mut draft = draft.clone();
    let mut errors = FieldErrors::default();
    for (field, column, value) in [
        ("user_id", users::Column::UserIdKey, &draft.user_id),
        ("barcode", users::Column::BarcodeKey, &draft.barcode),
        ("external_id", users::Column::ExternalIdKey, &draft.external_id),
    ] {
        let Some(value) = value else { continue };
        let other = users::Entity::find()
            .filter(column.eq(normal(value)))
            .filter(users::Column::Number.ne(old.number));
        if other.one(tx).await?.is_some() {
            errors.add(field, Problem::Taken);
        }
    }
    for (kind, before, code) in [
        (TermKind::Category, &old.category, &mut draft.category),
        (TermKind::Department, &old.department, &mut draft.department),
        (TermKind::Branch, &old.branch, &mut draft.branch),
    ] {
        let Some(typed) = code.as_deref().filter(|typed| before.as_deref() != Some(*typed)) else { continue };
        match terms::spelling(tx, kind, typed).await? {
            Spelling::Known(known) => *code = Some(known),
            Spelling::Free => {}
            Spelling::Unknown => errors.add(kind.code(), Problem::UnknownChoice),
        }
    }
    if let Some(guarantor) = draft.guarantor
        && let Some(problem) = guarantor::problem(tx, old, guarantor).await?
    {
        errors.add("guarantor", problem);
    }
    let known = custom_field::keys(tx).await?;
    for key in draft.custom.keys().filter(|key| !known.contains(*key)) {
        errors.add(&format!("custom.{key}"), Problem::UnknownChoice);
    }
    if errors.is_empty() { Ok(draft) } else { Err(RecordsError::Invalid(errors)) }
}

/// Maps a unique violation to its field: another user took the value between check and write.
fn taken(error: DbErr) -> RecordsError {
    let Some(SqlErr::UniqueConstraintViolation(index)) = error.sql_err() else {
        return error.into();
    };
    let field = ["user_id", "barcode", "external_id"].into_iter().find(|field| index.contains(field));
    field.map_or_else(|| error.into(), |field| RecordsError::field(field, Problem::Taken))
}

/// Returns the values of a user's custom fields.
pub(super) async fn custom_of(
    tx: &impl ConnectionTrait,
    number: UserNumber,
) -> Result<BTreeMap<String, String>, DbErr> {
    let rows =
        custom_values::Entity::find().filter(custom_values::Column::UserNumber.eq(number.0)).all(tx).await?;
    Ok(rows.into_iter().map(|row| (row.field_key, row.value)).collect())
}

fn differing<'a>(
    old: &'a BTreeMap<String, String>,
    new: &'a BTreeMap<String, String>,
) -> impl Iterator<Item = &'a String> {
    let keys: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    keys.into_iter().filter(|key| old.get(*key) != new.get(*key))
}

async fn save_custom(
    tx: &DatabaseTransaction,
    number: i64,
    old: &BTreeMap<String, String>,
    new: &BTreeMap<String, String>,
) -> Result<(), DbErr> {
    for key in differing(old, new) {
        custom_values::Entity::delete_by_id((number, key.clone())).exec(tx).await?;
        let Some(value) = new.get(key) else { continue };
        custom_values::ActiveModel {
            user_number: Set(number),
            field_key: Set(key.clone()),
            value: Set(value.clone()),
        }
        .insert(tx)
        .await?;
    }
    Ok(())
}

/// Sets the user's credentials aside and ends their sessions. Can be undone for some minutes.
async fn remove_sign_in(
    tx: &DatabaseTransaction,
    store: &Store,
    actor: Actor,
    number: UserNumber,
) -> Result<Undo, RecordsError> {
    set_aside::set_aside(tx, number).await?;
    session::forget(tx, number).await?;
    let subject = Subject::User(number.0);
    let event =
        audit::note_event(tx, &store.clock, actor, AuditAction::SignInRemoved, subject, None, "").await?;
    Ok(Undo::new(actor, undoable::Change::SignInRemoved { user: number.0 }, event))
}

//! Users as an identity system sees and changes them, by their random id for them.
//! Anonymising removes the id.
//!
//! A change passes the same validation, legal holds and audit as the form, and counts towards the safety limits of
//! imports. An identity system sees no anonymised and no fictitious user, and changes no staff.
//!
//! A user is *active* without a leaving date, or with one after today. Deactivating sets the leaving date to today.
//! Activating restores the leaving date before that, and only if the identity system set the current one. Deleting
//! deactivates the user and hides the record from identity systems. The user can come back by the same identifiers, or
//! when staff or an import change the leaving date.

mod condition;
mod find;
mod hold;

pub use condition::{TextTest, UserCondition};
pub use find::find;

use super::edit::can_sign_in;
use super::save::{create as create_user, custom_of, edit, form_of_row};
use chrono::NaiveDate;
use db::RecordsError;
use db::entity::{scim_departures, user_sources, users};
use hold::Held;
use policy::key_form::normal;
use policy::user_field::USER_FIELDS;
use policy::user_form::{UserDraft, UserForm, validate};
use policy::{Action, UserNumber};
use safeguards::{limits, protection};
use sea_orm::sea_query::{Expr, ExprTrait, OnConflict};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, DatabaseTransaction, EntityTrait, IntoActiveModel, QueryFilter,
    QueryTrait,
};
use std::collections::BTreeMap;
use trail::person::{display_name, lock};
use trail::{Actor, Store};

/// A user as an identity system sees it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ProvisionedUser {
    /// The random id of the user, the only identifier that an identity system gets.
    pub id: String,
    /// The version of the record.
    pub version: i32,
    /// The display name.
    pub display_name: String,
    /// The day on which the record was created.
    pub created_on: Option<NaiveDate>,
    /// Whether the user is active.
    pub active: bool,
    /// The fields of the record.
    pub form: UserForm,
}

/// Returns the condition for users that identity systems see.
fn visible() -> Condition {
    let user = users::Column::Number.into_expr();
    let deleted = scim_departures::Entity::find()
        .filter(user.eq(scim_departures::Column::UserNumber.into_expr()))
        .filter(scim_departures::Column::Deleted.eq(true))
        .filter(scim_departures::Column::LeavingOn.into_expr().eq(users::Column::LeavingOn.into_expr()));
    Condition::all()
        .add(users::Column::AnonymisedOn.is_null())
        .add(users::Column::ScimId.is_not_null())
        .add(users::Column::Fictitious.eq(false))
        .add(Expr::exists(deleted.into_query()).not())
}

fn is_active(user: &users::Model, today: NaiveDate) -> bool {
    user.leaving_on.is_none_or(|day| day > today)
}

fn provisioned(user: &users::Model, custom: BTreeMap<String, String>, today: NaiveDate) -> ProvisionedUser {
    ProvisionedUser {
        id: user.scim_id.clone().unwrap_or_default(),
        version: user.version,
        display_name: display_name(user),
        created_on: user.created_on,
        active: is_active(user, today),
        form: form_of_row(user, custom),
    }
}

/// Returns the user with this id.
pub async fn read(store: &Store, actor: Actor, id: &str) -> Result<ProvisionedUser, RecordsError> {
    actor.require(Action::SeeUsers)?;
    read_for_writing(store, actor, id).await
}

/// Like [`read`], for an actor who changes the user and gets the changed user back.
pub async fn read_for_writing(
    store: &Store,
    actor: Actor,
    id: &str,
) -> Result<ProvisionedUser, RecordsError> {
    if !actor.may(Action::EditUsers) {
        actor.require(Action::SeeUsers)?;
    }
    let user = users::Entity::find()
        .filter(users::Column::ScimId.eq(id))
        .filter(visible())
        .one(&store.db)
        .await?
        .ok_or(RecordsError::NotFound("user"))?;
    let custom = custom_of(&store.db, UserNumber(user.number)).await?;
    Ok(provisioned(&user, custom, store.clock.today()))
}

/// The effect of an identity system on the user's membership.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Membership {
    /// Nothing.
    Keep,
    /// Activates the user.
    Activate,
    /// Deactivates the user.
    Deactivate,
    /// Deactivates the user and hides the record from identity systems.
    Delete,
}

/// The treatment of the row that records a departure set by an identity system.
#[derive(Debug, Eq, PartialEq)]
enum Departure {
    Keep,
    Remove,
    Put(scim_departures::Model),
}

/// Creates a user. A user that an identity system deleted comes back with the same record if the identifiers match.
pub async fn create(
    store: &Store,
    actor: Actor,
    form: &UserForm,
    membership: Membership,
) -> Result<ProvisionedUser, RecordsError> {
    let created = create_within_limits(store, actor, form, membership).await;
    let id = limits::record_limit(store, actor, created).await?;
    read_for_writing(store, actor, &id).await
}

async fn create_within_limits(
    store: &Store,
    actor: Actor,
    form: &UserForm,
    membership: Membership,
) -> Result<String, RecordsError> {
    actor.require(Action::EditUsers)?;
    let today = store.clock.today();
    let mut draft = validate(form, today).map_err(RecordsError::Invalid)?;
    let tx = store.begin().await?;
    let id = if let Some(user) = returning(&tx, &draft).await? {
        // Values that the identity system doesn't deliver stay as they are.
        let kept = form_of_row(&user, custom_of(&tx, UserNumber(user.number)).await?);
        let merged = merge(kept, form);
        let draft = validate(&merged, today).map_err(RecordsError::Invalid)?;
        let membership = if membership == Membership::Deactivate { membership } else { Membership::Activate };
        change_locked(store, actor, &tx, &user, draft, membership).await?;
        user.scim_id
    } else {
        if membership == Membership::Deactivate {
            draft.leaving_on = Some(today);
        }
        match hold::check(store, &tx, &draft).await? {
            Held::Not => {}
            Held::Decided(decision) => draft.suppressed = Some(decision),
            Held::Waits(errors) => {
                // The held line stays, so that staff can decide about it.
                store.commit(tx).await?;
                return Err(RecordsError::Invalid(errors));
            }
        }
        let number = create_user(store, actor, &tx, &draft).await?;
        let user = lock(&tx, number).await?;
        if membership == Membership::Deactivate {
            let row = departure(number.0, today, None, false);
            put(&tx, Departure::Put(row), number).await?;
        }
        user.scim_id
    };
    store.commit(tx).await?;
    id.ok_or(RecordsError::NotFound("user"))
}

/// Returns the deleted user who comes back: with the same external identifier, or with the same UserID if neither has an
/// external identifier. Locks the user.
///
/// A UserID alone can belong to another person by now, whose loans these aren't.
async fn returning(
    tx: &DatabaseTransaction,
    draft: &UserDraft,
) -> Result<Option<users::Model>, RecordsError> {
    let same = match (&draft.external_id, &draft.user_id) {
        (Some(external_id), _) => Condition::all().add(users::Column::ExternalIdKey.eq(normal(external_id))),
        (None, Some(user_id)) => {
            let is_theirs = users::Column::UserIdKey.eq(normal(user_id));
            Condition::all().add(is_theirs).add(users::Column::ExternalId.is_null())
        }
        (None, None) => return Ok(None),
    };
    let hidden = Condition::all()
        .add(users::Column::AnonymisedOn.is_null())
        .add(users::Column::Fictitious.eq(false))
        .add(visible().not());
    let found = users::Entity::find().filter(same).filter(hidden).one(tx).await?;
    match found {
        Some(user) => lock(tx, UserNumber(user.number)).await.map(Some),
        None => Ok(None),
    }
}

/// Returns a form with the values of another one, except where that is empty.
fn merge(kept: UserForm, delivered: &UserForm) -> UserForm {
    let mut merged = kept;
    for field in USER_FIELDS {
        let value = delivered.fields().find(|(known, _)| known.name == field.name);
        let value = value.and_then(|(_, value)| value.text()).filter(|value| !value.is_empty());
        if let Some((value, place)) = value.zip(merged.text_mut(field.name)) {
            value.clone_into(place);
        }
    }
    merged
}

/// Changes the user with this id. The form names the version of the record that it changes.
pub async fn change(
    store: &Store,
    actor: Actor,
    id: &str,
    form: &UserForm,
    membership: Membership,
) -> Result<ProvisionedUser, RecordsError> {
    let changed = change_within_limits(store, actor, id, form, membership).await;
    limits::record_limit(store, actor, changed).await?;
    read_for_writing(store, actor, id).await
}

/// Deletes the user with this id for identity systems: sets the leaving date to today unless it is earlier, and hides
/// the record. Never anonymises.
pub async fn delete(store: &Store, actor: Actor, id: &str, form: &UserForm) -> Result<(), RecordsError> {
    let deleted = change_within_limits(store, actor, id, form, Membership::Delete).await;
    limits::record_limit(store, actor, deleted).await
}

async fn change_within_limits(
    store: &Store,
    actor: Actor,
    id: &str,
    form: &UserForm,
    membership: Membership,
) -> Result<(), RecordsError> {
    actor.require(Action::EditUsers)?;
    let draft = validate(form, store.clock.today()).map_err(RecordsError::Invalid)?;
    let tx = store.begin().await?;
    let user = users::Entity::find().filter(users::Column::ScimId.eq(id)).filter(visible()).one(&tx).await?;
    let user = user.ok_or(RecordsError::NotFound("user"))?;
    let user = lock(&tx, UserNumber(user.number)).await?;
    if form.version.parse() != Ok(user.version) {
        return Err(RecordsError::Stale);
    }
    reject_staff(&tx, &user).await?;
    if let Held::Waits(errors) = hold::check_change(store, &tx, &user, &draft).await? {
        // The held line stays, so that staff can decide about it.
        store.commit(tx).await?;
        return Err(RecordsError::Invalid(errors));
    }
    change_locked(store, actor, &tx, &user, draft, membership).await?;
    store.commit(tx).await
}

/// Rejects a user who is staff or can sign in to Lethe.
async fn reject_staff(tx: &DatabaseTransaction, user: &users::Model) -> Result<(), RecordsError> {
    let number = UserNumber(user.number);
    if protection::is_staff(tx, number).await? || can_sign_in(tx, number).await? {
        return Err(RecordsError::Refused(
            "This user is staff or can sign in to Lethe. An identity system cannot change the record. Nothing was \
             changed"
                .to_owned(),
        ));
    }
    Ok(())
}

async fn change_locked(
    store: &Store,
    actor: Actor,
    tx: &DatabaseTransaction,
    user: &users::Model,
    mut draft: UserDraft,
    membership: Membership,
) -> Result<(), RecordsError> {
    reject_staff(tx, user).await?;
    let number = UserNumber(user.number);
    let row = scim_departures::Entity::find_by_id(user.number).one(tx).await?;
    let row = row.filter(|row| Some(row.leaving_on) == user.leaving_on);
    let (leaving_on, departure) = leaving(user, row.as_ref(), membership, store.clock.today());
    draft.leaving_on = leaving_on;
    edit(store, actor, tx, number, &user.version.to_string(), &draft).await?;
    // From now on the identity system says when the user leaves. The absence from the file of a task doesn't.
    let sources = user_sources::Entity::delete_many();
    sources.filter(user_sources::Column::UserNumber.eq(user.number)).exec(tx).await?;
    put(tx, departure, number).await
}

fn departure(
    user_number: i64,
    leaving_on: NaiveDate,
    earlier_on: Option<NaiveDate>,
    deleted: bool,
) -> scim_departures::Model {
    scim_departures::Model { user_number, leaving_on, earlier_on, deleted }
}

/// Returns the new leaving date and what happens to the row. `row` is the user's row if it applies.
fn leaving(
    user: &users::Model,
    row: Option<&scim_departures::Model>,
    membership: Membership,
    today: NaiveDate,
) -> (Option<NaiveDate>, Departure) {
    let now = user.leaving_on;
    let active = is_active(user, today);
    let deletes = membership == Membership::Delete;
    match (membership, now) {
        (Membership::Deactivate | Membership::Delete, _) if active => {
            (Some(today), Departure::Put(departure(user.number, today, now, deletes)))
        }
        (Membership::Delete, Some(left)) => {
            // Without a row the leaving date is not the identity system's, so it is also the date to go back to.
            let earlier = row.map_or(Some(left), |row| row.earlier_on);
            (now, Departure::Put(departure(user.number, left, earlier, true)))
        }
        (Membership::Activate, Some(left)) if !active => match row {
            None => (now, Departure::Keep),
            Some(row) if row.earlier_on == Some(left) => (now, Departure::Remove),
            Some(row) => (row.earlier_on.filter(|day| *day > today), Departure::Remove),
        },
        _ => (now, Departure::Keep),
    }
}

async fn put(tx: &DatabaseTransaction, change: Departure, user: UserNumber) -> Result<(), RecordsError> {
    match change {
        Departure::Keep => {}
        Departure::Remove => {
            scim_departures::Entity::delete_by_id(user.0).exec(tx).await?;
        }
        Departure::Put(row) => {
            let replace = OnConflict::column(scim_departures::Column::UserNumber)
                .update_columns([
                    scim_departures::Column::LeavingOn,
                    scim_departures::Column::EarlierOn,
                    scim_departures::Column::Deleted,
                ])
                .to_owned();
            scim_departures::Entity::insert(row.into_active_model().reset_all())
                .on_conflict(replace)
                .exec_without_returning(tx)
                .await?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(day: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(2018, 1, day).expect("a date")
    }

    fn user(leaving_on: Option<NaiveDate>) -> users::Model {
        users::Model { leaving_on, ..users::Model::blank(7, "uuid".to_owned()) }
    }

    #[test]
    fn the_leaving_date_follows_the_membership() {
        let today = day(15);
        let put = |left, earlier, deleted| Departure::Put(departure(7, left, earlier, deleted));
        for (leaving_on, row, membership, new, change) in [
            (None, None, Membership::Deactivate, Some(today), put(today, None, false)),
            (Some(day(20)), None, Membership::Deactivate, Some(today), put(today, Some(day(20)), false)),
            (Some(day(1)), None, Membership::Deactivate, Some(day(1)), Departure::Keep),
            (Some(today), None, Membership::Deactivate, Some(today), Departure::Keep),
            (None, None, Membership::Activate, None, Departure::Keep),
            (Some(day(1)), None, Membership::Activate, Some(day(1)), Departure::Keep),
            (Some(day(1)), Some((day(1), None)), Membership::Activate, None, Departure::Remove),
            (
                Some(day(1)),
                Some((day(1), Some(day(20)))),
                Membership::Activate,
                Some(day(20)),
                Departure::Remove,
            ),
            (Some(day(1)), Some((day(1), Some(day(14)))), Membership::Activate, None, Departure::Remove),
            (
                Some(day(1)),
                Some((day(1), Some(day(1)))),
                Membership::Activate,
                Some(day(1)),
                Departure::Remove,
            ),
            (None, None, Membership::Delete, Some(today), put(today, None, true)),
            (Some(day(1)), None, Membership::Delete, Some(day(1)), put(day(1), Some(day(1)), true)),
            (Some(day(1)), Some((day(1), None)), Membership::Delete, Some(day(1)), put(day(1), None, true)),
            (Some(day(1)), Some((day(1), None)), Membership::Keep, Some(day(1)), Departure::Keep),
        ] {
            let row = row.map(|(left, earlier)| departure(7, left, earlier, false));
            assert_eq!(
                leaving(&user(leaving_on), row.as_ref(), membership, today),
                (new, change),
                "{leaving_on:?} {membership:?}"
            );
        }
    }
}

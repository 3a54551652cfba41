//! Eligible approvers: members of staff who can be the second person.

use crate::manual_changes::was_changed;
use crate::protection;
use chrono::{DateTime, Duration, Utc};
use db::entity::{credentials, manual_changes, user_roles, users};
use db::{Clock, RecordsError};
use policy::four_eyes::NEW_APPROVER_HOURS;
use policy::{Action, FourEyes, ManualChange, Role, UserNumber};
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QuerySelect, QueryTrait,
};
use trail::Store;

/// Returns whether this action needs a second person, by the setting or by a protection that still applies.
pub async fn is_on(db: &impl ConnectionTrait, store: &Store, action: Action) -> Result<bool, RecordsError> {
    Ok(is_configured(db, store, action).await? || protection::is_remembered(db, action).await?)
}

/// Returns whether the setting requires a second person now.
pub async fn is_configured(db: &impl ConnectionTrait, store: &Store, action: Action) -> Result<bool, DbErr> {
    let four_eyes = store.settings.four_eyes;
    Ok(match four_eyes {
        FourEyes::Auto => four_eyes.apply(count(db, action, None).await?),
        FourEyes::On | FourEyes::Off => four_eyes.apply(0),
    })
}

/// Records that four eyes are in force, if they are. Called before every change of staff, and regularly by the
/// server.
pub async fn observe(db: &impl ConnectionTrait, store: &Store) -> Result<(), RecordsError> {
    for action in protection::ACTIONS {
        if is_configured(db, store, action).await? {
            protection::record_in_force(db, action).await?;
        }
    }
    Ok(())
}

/// Calls `observe` for the server.
pub async fn observe_regularly(store: &Store) -> Result<(), RecordsError> {
    observe(&store.db, store).await
}

/// Returns how many members of staff have this permission and can sign in.
pub async fn count_eligible(db: &impl ConnectionTrait, action: Action) -> Result<u64, DbErr> {
    count(db, action, None).await
}

/// Returns how many other members of staff have this permission and can sign in.
pub async fn count_other_eligible(
    db: &impl ConnectionTrait,
    action: Action,
    number: UserNumber,
) -> Result<u64, DbErr> {
    let own = count(db, action, Some(number)).await?;
    Ok(count_eligible(db, action).await?.saturating_sub(own))
}

/// Returns whether this member of staff has a role with this permission and can sign in.
pub(crate) async fn is_eligible(
    db: &impl ConnectionTrait,
    action: Action,
    number: UserNumber,
) -> Result<bool, DbErr> {
    Ok(count(db, action, Some(number)).await? > 0)
}

/// Counts the people who have this permission and can sign in, or just `only`. Staff who were added on a page
/// within the last [`NEW_APPROVER_HOURS`] do not count yet.
async fn count(db: &impl ConnectionTrait, action: Action, only: Option<UserNumber>) -> Result<u64, DbErr> {
    let number = || user_roles::Column::UserNumber.into_expr();
    let present = users::Entity::find()
        .filter(users::Column::Number.into_expr().eq(number()))
        .filter(users::Column::AnonymisedOn.is_null());
    let password = credentials::Entity::find()
        .filter(credentials::Column::UserNumber.into_expr().eq(number()))
        .filter(credentials::Column::Kind.eq("password"));
    let recent = manual_changes::Entity::find()
        .filter(manual_changes::Column::UserNumber.into_expr().eq(number()))
        .filter(manual_changes::Column::Kind.eq(ManualChange::MadeStaff))
        .filter(manual_changes::Column::At.gt(made_staff_since()));
    let people: Option<i64> = user_roles::Entity::find()
        .select_only()
        .column_as(number().count_distinct(), "n")
        .filter(user_roles::Column::Role.is_in(Role::ALL.into_iter().filter(|role| role.may(action))))
        .filter(Condition::all().add_option(only.map(|only| user_roles::Column::UserNumber.eq(only.0))))
        .filter(Expr::exists(present.into_query()))
        .filter(Expr::exists(password.into_query()))
        .filter(Expr::not_exists(recent.into_query()))
        .into_tuple()
        .one(db)
        .await?;
    Ok(people.and_then(|people| u64::try_from(people).ok()).unwrap_or_default())
}

/// Returns whether this member of staff was added on a page within the last [`NEW_APPROVER_HOURS`].
pub async fn is_new(db: &impl ConnectionTrait, number: UserNumber) -> Result<bool, DbErr> {
    was_changed(db, number, ManualChange::MadeStaff, made_staff_since()).await
}

fn made_staff_since() -> DateTime<Utc> {
    Clock::system_now() - Duration::hours(NEW_APPROVER_HOURS)
}

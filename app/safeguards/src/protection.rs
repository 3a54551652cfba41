//! Protections that the database remembers, so that changing staff or settings does not disable them at once.
//!
//! Four eyes apply for [`COOLING_OFF_HOURS`] after they were last in force, even if only one eligible approver is
//! left or the setting has changed. A limit that was raised in the configuration takes effect at the first start
//! after the same time. Until then the banner and `/healthz` show it.

mod settings;

pub use settings::{WEAKER, remember, strictest};

use crate::manual_changes::was_changed;
use chrono::{DateTime, Duration, Utc};
use db::entity::protections;
use db::{Clock, RecordsError};
use policy::four_eyes::COOLING_OFF_HOURS;
use policy::{Action, ManualChange, UserNumber};
use sea_orm::sea_query::OnConflict;
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, Set};
use trail::roles::roles_of;

/// The actions for which four eyes are remembered.
pub const ACTIONS: [Action; 3] = [Action::Approve, Action::ReleaseLegalHolds, Action::DestroySuppressionKey];
/// The interval of recording that four eyes are in force, in minutes.
const RECORD_INTERVAL_MINUTES: i64 = 60;

/// Returns the instant before which remembered protections no longer apply.
pub fn cooling_off_cutoff() -> DateTime<Utc> {
    Clock::system_now() - Duration::hours(COOLING_OFF_HOURS)
}

fn name_of(action: Action) -> String {
    format!("four_eyes.{}", action.code())
}

/// Records that four eyes are in force for an action, at most once in [`RECORD_INTERVAL_MINUTES`].
pub(crate) async fn record_in_force(db: &impl ConnectionTrait, action: Action) -> Result<(), DbErr> {
    let before = Clock::system_now() - Duration::minutes(RECORD_INTERVAL_MINUTES);
    put(db, &name_of(action), "in_force", Some(before)).await
}

/// Returns whether four eyes were in force a short time ago.
pub(crate) async fn is_remembered(db: &impl ConnectionTrait, action: Action) -> Result<bool, DbErr> {
    Ok(last_seen(db, action).await?.is_some_and(|at| at > cooling_off_cutoff()))
}

/// Returns when four eyes were last recorded as in force.
pub async fn last_seen(db: &impl ConnectionTrait, action: Action) -> Result<Option<DateTime<Utc>>, DbErr> {
    let row = protections::Entity::find_by_id(name_of(action)).one(db).await?;
    Ok(row.map(|row| row.at))
}

/// Returns whether a user lost the last role a short time ago. Otherwise one person could anonymise a member of
/// staff alone by removing the roles first.
pub async fn was_staff(db: &impl ConnectionTrait, user: UserNumber) -> Result<bool, RecordsError> {
    let was_staff = was_changed(db, user, ManualChange::LastRoleTaken, cooling_off_cutoff()).await?;
    Ok(was_staff && roles_of(db, user).await?.is_empty())
}

/// Returns whether a user has a role or lost the last one a short time ago.
pub async fn is_staff(db: &impl ConnectionTrait, user: UserNumber) -> Result<bool, RecordsError> {
    Ok(!roles_of(db, user).await?.is_empty() || was_staff(db, user).await?)
}

/// Stores a row. With `if_older`, replaces an existing row only if it is older than this instant.
async fn put(
    db: &impl ConnectionTrait,
    name: &str,
    value: &str,
    if_older: Option<DateTime<Utc>>,
) -> Result<(), DbErr> {
    let row = protections::ActiveModel {
        name: Set(name.to_owned()),
        value: Set(value.to_owned()),
        at: Set(Clock::system_now()),
    };
    let replace = OnConflict::column(protections::Column::Name)
        .update_columns([protections::Column::Value, protections::Column::At])
        .action_and_where_option(if_older.map(|before| protections::Column::At.lt(before)))
        .to_owned();
    protections::Entity::insert(row).on_conflict(replace).exec_without_returning(db).await?;
    Ok(())
}

//! Safety limits that stopped a member of staff, and protections that were weakened.

use super::{Condition, ConditionKind};
use chrono::{DateTime, Duration, Utc};
use db::entity::{manual_changes, protections};
use db::{Clock, RecordsError};
use policy::{ManualChange, Window};
use safeguards::approval;
use safeguards::protection::{self, ACTIONS, WEAKER};
use sea_orm::sea_query::{Expr, Func};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect, Select};
use trail::Store;

/// The limits that stop a change.
const LIMITS: [ManualChange; 4] = [
    ManualChange::AnonymisedLimit,
    ManualChange::MarkedLimit,
    ManualChange::ReplacedLimit,
    ManualChange::ImportLimit,
];

/// Returns the conditions about limits and protections.
pub(super) async fn conditions(store: &Store) -> Result<Vec<Condition>, RecordsError> {
    let mut conditions = Vec::new();
    let day = Clock::system_now() - Duration::hours(Window::Day.hours());
    let actor = Func::coalesce([manual_changes::Column::ActorNumber.into_expr(), Expr::value(0)]);
    let stopped = manual_changes::Entity::find()
        .select_only()
        .expr_as(Func::count_distinct(actor), "actors")
        .column_as(manual_changes::Column::At.min(), "since")
        .filter(manual_changes::Column::Kind.is_in(LIMITS))
        .filter(manual_changes::Column::At.gt(day));
    conditions.extend(counted(store, stopped, |actors| ConditionKind::LimitReached { actors }).await?);
    conditions.extend(four_eyes_ending(store).await?);
    let weaker = protections::Entity::find()
        .select_only()
        .column_as(protections::Column::Name.count(), "settings")
        .column_as(protections::Column::At.min(), "since")
        .filter(protections::Column::Name.like(format!("{WEAKER}%")))
        .filter(protections::Column::At.gt(protection::cooling_off_cutoff()));
    conditions.extend(counted(store, weaker, |settings| ConditionKind::SettingsWeakened { settings }).await?);
    Ok(conditions)
}

/// Returns the condition if a query, which selects a count and the earliest instant, counts any.
async fn counted<E: EntityTrait>(
    store: &Store,
    select: Select<E>,
    what: impl Fn(i64) -> ConditionKind,
) -> Result<Option<Condition>, RecordsError> {
    let row: Option<(i64, Option<DateTime<Utc>>)> = select.into_tuple().one(&store.db).await?;
    let Some((count, since)) = row else { return Ok(None) };
    Ok((count > 0).then(|| Condition {
        what: what(count),
        task: None,
        run: None,
        since: since.unwrap_or_else(Clock::system_now),
    }))
}

/// Returns the condition for four eyes that apply only because they applied a short time ago.
async fn four_eyes_ending(store: &Store) -> Result<Option<Condition>, RecordsError> {
    for action in ACTIONS {
        let Some(since) = protection::last_seen(&store.db, action).await? else { continue };
        if since > protection::cooling_off_cutoff()
            && !approval::is_configured(&store.db, store, action).await?
        {
            return Ok(Some(Condition { what: ConditionKind::FourEyesEnding, task: None, run: None, since }));
        }
    }
    Ok(None)
}

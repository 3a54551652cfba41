//! Counting the users that an actor has changed, and comparing with the limits.

use crate::approval;
use chrono::{DateTime, Duration, Utc};
use db::entity::manual_changes;
use db::{Clock, RecordsError, dialect};
use policy::{ApprovalId, Counted, ManualChange, Reached, UserNumber, Window};
use sea_orm::sea_query::Func;
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, QueryFilter,
    QuerySelect,
};
use trail::{Actor, Store};

/// Claims the change of one more user. Rejects it beyond a limit, unless a second person has approved more
/// changes. Returns the approval that was needed.
///
/// The caller must have locked the user's row. Until the transaction ends no other change by this actor is
/// counted.
pub async fn claim(
    tx: &DatabaseTransaction,
    store: &Store,
    actor: Actor,
    counted: Counted,
    user: UserNumber,
) -> Result<Option<ApprovalId>, RecordsError> {
    dialect::lock_manual_changes(tx, actor.staff.map_or(0, |staff| staff.0)).await?;
    let Some(limit) = first_reached(tx, store, actor, counted, Some(user)).await? else { return Ok(None) };
    let Some(more) = approval::more_changes(tx, actor).await? else {
        return Err(RecordsError::LimitReached(limit));
    };
    // A limit of 0 requires a second person for every user, so an approval allows at least one.
    let granted = store.settings.limits.max_users(counted, Window::Day).max(1);
    let since = more.decided_at.unwrap_or(more.asked_at);
    let changed = count(tx, actor, counted, since, Some(user)).await? + 1;
    if changed >= granted {
        approval::use_up(tx, &more).await?;
    }
    if changed > granted { Err(RecordsError::LimitReached(limit)) } else { Ok(Some(ApprovalId(more.id))) }
}

/// Returns the limits that the next change by an actor would exceed without an approval.
pub async fn reached(store: &Store, actor: Actor) -> Result<Vec<Reached>, RecordsError> {
    let mut all = Vec::new();
    for counted in Counted::ALL {
        all.extend(first_reached(&store.db, store, actor, counted, None).await?);
    }
    Ok(all)
}

async fn first_reached(
    db: &impl ConnectionTrait,
    store: &Store,
    actor: Actor,
    counted: Counted,
    user: Option<UserNumber>,
) -> Result<Option<Reached>, RecordsError> {
    for window in Window::ALL {
        let limit = store.settings.limits.max_users(counted, window);
        let since = Clock::system_now() - Duration::hours(window.hours());
        if count(db, actor, counted, since, user).await? >= limit {
            return Ok(Some(Reached { counted, window, limit }));
        }
    }
    Ok(None)
}

/// Counts the users that an actor has changed since an instant, apart from `without`.
async fn count(
    db: &impl ConnectionTrait,
    actor: Actor,
    counted: Counted,
    since: DateTime<Utc>,
    without: Option<UserNumber>,
) -> Result<i64, DbErr> {
    let number = manual_changes::Column::ActorNumber;
    let by = match actor.staff {
        Some(staff) => Condition::all().add(number.eq(staff.0)),
        None => Condition::all().add(number.is_null()).add(manual_changes::Column::Channel.eq(actor.channel)),
    };
    let users = manual_changes::Entity::find()
        .select_only()
        .expr_as(Func::count_distinct(manual_changes::Column::UserNumber.into_expr()), "n")
        .filter(manual_changes::Column::Kind.is_in(ManualChange::counted_as(counted).iter().copied()))
        .filter(manual_changes::Column::At.gt(since))
        .filter(manual_changes::Column::UserNumber.ne(without.map_or(0, |user| user.0)))
        .filter(by)
        .into_tuple()
        .one(db)
        .await?;
    Ok(users.unwrap_or_default())
}

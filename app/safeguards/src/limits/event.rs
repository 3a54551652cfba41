//! Recording that a limit stopped an actor, for banner, health and audit.

use crate::approval;
use chrono::Duration;
use db::entity::manual_changes;
use db::{Clock, RecordsError, dialect};
use policy::ManualChange;
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, Set};
use trail::audit::{self, AuditAction, Subject};
use trail::{Actor, Store};

/// Returns the result of a change whose transaction has ended. Records it first if a limit stopped the change.
pub async fn record_limit<T>(
    store: &Store,
    actor: Actor,
    result: Result<T, RecordsError>,
) -> Result<T, RecordsError> {
    if let Err(RecordsError::LimitReached(reached)) = &result {
        let (counted, window) = (reached.counted.code(), reached.window.code());
        let detail = format!("{counted},users={},{window}", reached.limit);
        record_limit_as(store, actor, ManualChange::limit_on(reached.counted), &detail).await?;
    }
    if let Err(RecordsError::ImportLimit(_)) = &result {
        record_limit_as(store, actor, ManualChange::ImportLimit, "import").await?;
        approval::request_api_changes(store, actor).await?;
    }
    result
}

/// Records that a limit stopped an actor, at most once an hour, so that a repeating script cannot fill table and
/// audit.
pub async fn record_limit_as(
    store: &Store,
    actor: Actor,
    limit: ManualChange,
    detail: &str,
) -> Result<(), RecordsError> {
    let tx = store.begin().await?;
    let who = actor.staff.map_or(0, |staff| staff.0);
    dialect::lock_manual_changes(&tx, who).await?;
    let by_actor = match actor.staff {
        Some(staff) => manual_changes::Column::ActorNumber.eq(staff.0),
        None => manual_changes::Column::ActorNumber.is_null(),
    };
    let noted = manual_changes::Entity::find()
        .filter(by_actor)
        .filter(manual_changes::Column::Kind.eq(limit))
        .filter(manual_changes::Column::At.gt(Clock::system_now() - Duration::hours(1)));
    if noted.count(&tx).await? > 0 {
        return Ok(());
    }
    manual_changes::ActiveModel {
        at: Set(Clock::system_now()),
        actor_number: Set(actor.staff.map(|staff| staff.0)),
        channel: Set(actor.channel),
        kind: Set(limit),
        fields: Set(0),
        ..Default::default()
    }
    .insert(&tx)
    .await?;
    audit::record_event(&tx, &store.clock, actor, AuditAction::LimitReached, Subject::Library, None, detail)
        .await?;
    store.commit(tx).await
}

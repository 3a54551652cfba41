//! Deletes expired data: sessions, invitations, unconfirmed apps, code budgets and old notices.

use crate::staff::{CredentialKind, NOTICE_DAYS};
use chrono::{DateTime, TimeDelta, Utc};
use db::entity::{account_notices, code_budgets, credentials, sessions};
use db::{Clock, RecordsError};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QuerySelect, QueryTrait};
use trail::Store;

/// Number of rows deleted in one transaction.
const SESSIONS_PER_STATEMENT: u64 = 500;
/// Duration for which expired rows stay, so that requests in progress still find them.
const GRACE: TimeDelta = TimeDelta::hours(1);
/// Age at which an unconfirmed app is deleted.
const APP_TO_CONFIRM: TimeDelta = TimeDelta::hours(1);

/// Deletes expired rows in batches and returns their number.
pub async fn purge(store: &Store) -> Result<u64, RecordsError> {
    let now = Clock::system_now();
    let ago = |time: TimeDelta| now - time;
    let sign_in = store.settings.sign_in;
    let lifetime = |time: std::time::Duration| {
        let time = TimeDelta::from_std(time).unwrap_or(TimeDelta::MAX);
        now.checked_sub_signed(time).unwrap_or(DateTime::<Utc>::MIN_UTC).max(EARLIEST) - GRACE
    };
    let expired_sessions = Condition::any()
        .add(sessions::Column::LastSeenAt.lt(lifetime(sign_in.idle)))
        .add(sessions::Column::CreatedAt.lt(lifetime(sign_in.longest)));
    let of_kind = |kind: CredentialKind| Condition::all().add(credentials::Column::Kind.eq(kind.code()));
    let invitations = of_kind(CredentialKind::Invitation).add(credentials::Column::ExpiresAt.lt(ago(GRACE)));
    let apps =
        of_kind(CredentialKind::AppToConfirm).add(credentials::Column::CreatedAt.lt(ago(APP_TO_CONFIRM)));
    let budgets = Condition::all().add(code_budgets::Column::SpentUntil.lt(ago(GRACE)));
    let notices = Condition::all().add(account_notices::Column::LastAt.lt(ago(TimeDelta::days(NOTICE_DAYS))));
    let deleted = [
        delete(store, sessions::Entity, sessions::Column::IdHash, expired_sessions).await?,
        delete(store, credentials::Entity, credentials::Column::Id, invitations).await?,
        delete(store, credentials::Entity, credentials::Column::Id, apps).await?,
        delete(store, code_budgets::Entity, code_budgets::Column::IdHash, budgets).await?,
        delete(store, account_notices::Entity, account_notices::Column::Id, notices).await?,
    ];
    Ok(deleted.iter().sum())
}

/// Lower bound of a cut-off time, since an unlimited lifetime would exceed the date range of the database.
const EARLIEST: DateTime<Utc> = DateTime::UNIX_EPOCH;

async fn delete<E: EntityTrait>(
    store: &Store,
    _: E,
    key: E::Column,
    condition: Condition,
) -> Result<u64, RecordsError> {
    let batch =
        E::find().select_only().column(key).filter(condition).limit(SESSIONS_PER_STATEMENT).into_query();
    let mut deleted = 0;
    loop {
        let tx = store.begin().await?;
        let delete = E::delete_many().filter(key.in_subquery(batch.clone()));
        let batch = delete.exec(&tx).await?.rows_affected;
        store.commit(tx).await?;
        deleted += batch;
        if batch < SESSIONS_PER_STATEMENT {
            return Ok(deleted);
        }
    }
}

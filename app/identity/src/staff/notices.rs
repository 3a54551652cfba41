//! Notices to the owner of an account: changes of sign-in methods, and attempts by others.
//!
//! A notice appears on every page until its owner marks it as read, and on the account page for three months. Lethe
//! does not send notices by e-mail.

use chrono::{DateTime, TimeDelta, Utc};
use db::entity::account_notices;
use db::{Clock, RecordsError};
use policy::UserNumber;
use policy::account::NoticeKind;
use sea_orm::sea_query::{Expr, ExprTrait as _};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel as _, QueryFilter,
    QueryOrder, QuerySelect, Set,
};
use trail::Store;

/// Number of days for which a notice appears on the account page.
pub const NOTICE_DAYS: i64 = 90;
/// Maximum number of notices on the account page.
const MAX_LISTED: u64 = 50;

/// A notice as shown to the account's owner.
#[derive(Clone, Debug)]
pub struct Notice {
    /// Kind of the event.
    pub kind: NoticeKind,
    /// First occurrence.
    pub first_at: DateTime<Utc>,
    /// Last occurrence.
    pub last_at: DateTime<Utc>,
    /// Number of occurrences.
    pub times: i64,
    /// Whether the owner has marked it as read.
    pub is_read: bool,
}

/// Notifies the owner of an account. Counts a repetition in the existing notice until that is read.
pub async fn notify(
    db: &impl ConnectionTrait,
    owner: UserNumber,
    kind: NoticeKind,
) -> Result<(), RecordsError> {
    use account_notices::{ActiveModel, Column, Entity};
    let now = Clock::system_now();
    let counted = Entity::update_many()
        .col_expr(Column::Times, Expr::col(Column::Times).add(1))
        .col_expr(Column::LastAt, now.into())
        .filter(Column::UserNumber.eq(owner.0))
        .filter(Column::Kind.eq(kind))
        .filter(Column::ReadAt.is_null())
        .exec(db)
        .await?;
    if counted.rows_affected == 0 {
        ActiveModel {
            user_number: Set(owner.0),
            kind: Set(kind),
            first_at: Set(now),
            last_at: Set(now),
            times: Set(1),
            ..Default::default()
        }
        .insert(db)
        .await?;
    }
    Ok(())
}

/// Returns the notices of a user, newest first.
pub async fn notices(store: &Store, user: UserNumber) -> Result<Vec<Notice>, RecordsError> {
    use account_notices::{Column, Entity};
    let rows = Entity::find()
        .filter(Column::UserNumber.eq(user.0))
        .filter(Column::LastAt.gt(Clock::system_now() - TimeDelta::days(NOTICE_DAYS)))
        .order_by_desc(Column::LastAt)
        .limit(MAX_LISTED)
        .all(&store.db)
        .await?;
    let notices = rows.into_iter().map(|row| Notice {
        kind: row.kind,
        first_at: row.first_at,
        last_at: row.last_at,
        times: row.times,
        is_read: row.read_at.is_some(),
    });
    Ok(notices.collect())
}

/// Marks the notices of a user as read, up to the time `seen`.
pub async fn read_notices(store: &Store, user: UserNumber, seen: DateTime<Utc>) -> Result<(), RecordsError> {
    use account_notices::{Column, Entity};
    let tx = store.begin().await?;
    let rows = Entity::find()
        .filter(Column::UserNumber.eq(user.0))
        .filter(Column::ReadAt.is_null())
        .filter(Column::LastAt.lte(seen))
        .all(&tx)
        .await?;
    for row in rows {
        let mut row = row.into_active_model();
        row.read_at = Set(Some(Clock::system_now()));
        row.update(&tx).await?;
    }
    store.commit(tx).await
}

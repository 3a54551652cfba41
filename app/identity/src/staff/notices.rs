//! Notices to the owner of an account: changes of sign-in methods, and attempts by others.
//!
//! A notice appears on every page until its owner marks it as read, and on the account page for three months.
//! There is no e-mail notification.

use chrono::{DateTime, TimeDelta, Utc};
use db::clock::Clock;
use db::entity::account_notices;
use db::error::RecordsError;
use policy::UserNumber;
use sea_orm::sea_query::{Expr, ExprTrait as _};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel as _, QueryFilter,
    QueryOrder, QuerySelect, Set,
};
use trail::store::Store;

/// How long a notice appears on the account page, in days.
pub const NOTICE_DAYS: i64 = 90;
/// Maximum number of notices on the account page.
const MAX_LISTED: u64 = 50;

/// The reason for a notice.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum NoticeKind {
    /// A sign-in with the correct password ended after too many wrong codes.
    CodesRefused,
    /// Half of an account's budget of wrong codes was used, in several sign-ins.
    CodesTried,
    /// The whole budget of wrong codes was used, so codes are rejected for some time.
    CodesUsedUp,
    /// An authenticator app was set up.
    AppSet,
    /// A recovery code was used.
    RecoveryCodeUsed,
    /// The password was set.
    PasswordSet,
    /// A link to set the password was created.
    Invited,
    /// Single sign-on was connected.
    ProviderConnected,
    /// Single sign-on was disconnected.
    ProviderDisconnected,
    /// A session was ended from another session.
    SessionEnded,
}

impl NoticeKind {
    /// The notices about guessed codes.
    pub const GUESSED_CODES: [Self; 3] = [Self::CodesRefused, Self::CodesTried, Self::CodesUsedUp];

    const ALL: [Self; 10] = [
        Self::CodesRefused,
        Self::CodesTried,
        Self::CodesUsedUp,
        Self::AppSet,
        Self::RecoveryCodeUsed,
        Self::PasswordSet,
        Self::Invited,
        Self::ProviderConnected,
        Self::ProviderDisconnected,
        Self::SessionEnded,
    ];

    /// Returns the stable code that is stored.
    pub const fn code(self) -> &'static str {
        match self {
            Self::CodesRefused => "codes_refused",
            Self::CodesTried => "codes_tried",
            Self::CodesUsedUp => "codes_used_up",
            Self::AppSet => "app_set",
            Self::RecoveryCodeUsed => "recovery_code_used",
            Self::PasswordSet => "password_set",
            Self::Invited => "invited",
            Self::ProviderConnected => "provider_connected",
            Self::ProviderDisconnected => "provider_disconnected",
            Self::SessionEnded => "session_ended",
        }
    }

    /// Returns the text for the account's owner.
    pub const fn label(self) -> &'static str {
        match self {
            Self::CodesRefused => "A sign-in with your password was ended after five wrong codes",
            Self::CodesTried => "Five wrong codes were entered after your password",
            Self::CodesUsedUp => {
                "Ten wrong codes were entered after your password. Codes are rejected for a few minutes"
            }
            Self::AppSet => "An authenticator app was set up, with new recovery codes",
            Self::RecoveryCodeUsed => "A recovery code was used",
            Self::PasswordSet => "Your password was set",
            Self::Invited => "An administrator created a password link for you",
            Self::ProviderConnected => "Single sign-on was connected",
            Self::ProviderDisconnected => "Single sign-on was disconnected",
            Self::SessionEnded => "One of your sessions was ended",
        }
    }

    fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }
}

/// A notice as shown to the account's owner.
#[derive(Clone, Debug)]
pub struct Notice {
    /// What happened.
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
    let now = Clock::real();
    let counted = Entity::update_many()
        .col_expr(Column::Times, Expr::col(Column::Times).add(1))
        .col_expr(Column::LastAt, now.into())
        .filter(Column::UserNumber.eq(owner.0))
        .filter(Column::Kind.eq(kind.code()))
        .filter(Column::ReadAt.is_null())
        .exec(db)
        .await?;
    if counted.rows_affected == 0 {
        ActiveModel {
            user_number: Set(owner.0),
            kind: Set(kind.code().to_owned()),
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
        .filter(Column::LastAt.gt(Clock::real() - TimeDelta::days(NOTICE_DAYS)))
        .order_by_desc(Column::LastAt)
        .limit(MAX_LISTED)
        .all(&store.db)
        .await?;
    let notices = rows.into_iter().filter_map(|row| {
        Some(Notice {
            kind: NoticeKind::from_code(&row.kind)?,
            first_at: row.first_at,
            last_at: row.last_at,
            times: row.times,
            is_read: row.read_at.is_some(),
        })
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
        row.read_at = Set(Some(Clock::real()));
        row.update(&tx).await?;
    }
    store.commit(tx).await
}

//! Rate limits on codes of the second factor: a few wrong codes in each sign-in, and a budget for each account.
//!
//! Both are counted in the database, across all servers. Wrong codes from unknown devices share one budget. A
//! known device and the account's sessions have their own budgets, so that a thief of the password can't lock the
//! owner out.

use super::failure::{not_proven, record_failed_sign_in};
use super::second_factor::{SecondFactorKind, prove};
use super::{Session, Stage, digest};
use crate::staff::{NoticeKind, notify};
use chrono::{DateTime, TimeDelta, Utc};
use db::entity::{code_budgets, sessions};
use db::{Clock, RecordsError};
use policy::UserNumber;
use sea_orm::sea_query::{Expr, ExprTrait as _, OnConflict};
use sea_orm::{ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter, Set};
use trail::audit::{self, AuditAction, Subject};
use trail::{Actor, Store};

/// Maximum number of wrong codes in a sign-in or session. The last one ends it.
pub const MAX_WRONG_CODES: i64 = 5;
/// Number of wrong codes in a full budget.
const BURST: i32 = 10;
/// Time after which a budget regains one wrong code.
const REGAIN_INTERVAL: TimeDelta = TimeDelta::minutes(6);
/// Hash prefix for the ids of budgets.
const BUDGET: &str = "lethe code budget ";

/// Checks a code of the session's owner. The caller has locked the owner's row; `device` is a known device.
///
/// A wrong code is counted and committed.
pub(super) async fn check(
    tx: DatabaseTransaction,
    store: &Store,
    session: &Session,
    code: &str,
    device: Option<&str>,
) -> Result<(DatabaseTransaction, SecondFactorKind), RecordsError> {
    let budget = Budget::new(session, device);
    let spent_until = budget.spent_until(&tx).await?;
    let now = Clock::system_now();
    if spent_until - REGAIN_INTERVAL * (BURST - 1) > now {
        return Err(RecordsError::Busy);
    }
    if let Some(means) = prove(&tx, store, session.user, code).await? {
        return Ok((tx, means));
    }
    let spent_until = Ord::max(spent_until, now) + REGAIN_INTERVAL;
    budget.consume(&tx, spent_until).await?;
    let has_ended = count_wrong(&tx, session).await?;
    let spent = wrong_codes(spent_until - now);
    let mut kinds = Vec::new();
    if has_ended {
        kinds.push(NoticeKind::CodesRefused);
    } else if spent == BURST / 2 {
        kinds.push(NoticeKind::CodesTried);
    }
    if spent == BURST {
        kinds.push(NoticeKind::CodesUsedUp);
    }
    notify_of_codes(&tx, store, session.user, &kinds).await?;
    store.commit(tx).await?;
    record_failed_sign_in(store, Some(session.user), "code").await?;
    Err(if has_ended {
        let why = format!("This sign-in has ended after {MAX_WRONG_CODES} wrong codes. Sign in again");
        RecordsError::Refused(why)
    } else {
        RecordsError::field("code", not_proven("The code"))
    })
}

/// Returns how many wrong codes this much of a budget corresponds to.
fn wrong_codes(spent: TimeDelta) -> i32 {
    let periods = (spent.num_milliseconds() + REGAIN_INTERVAL.num_milliseconds() - 1)
        / REGAIN_INTERVAL.num_milliseconds();
    i32::try_from(periods).unwrap_or(i32::MAX)
}

/// Notifies the account's owner of wrong codes and records one audit event.
async fn notify_of_codes(
    tx: &DatabaseTransaction,
    store: &Store,
    user: UserNumber,
    kinds: &[NoticeKind],
) -> Result<(), RecordsError> {
    for kind in kinds {
        notify(tx, user, *kind).await?;
    }
    if let Some(first) = kinds.first() {
        let (action, subject) = (AuditAction::CodesRefused, Subject::User(user.0));
        audit::record_event(tx, &store.clock, Actor::without_session(), action, subject, None, first.code())
            .await?;
    }
    Ok(())
}

/// Counts a wrong code in its session and returns whether that ended the session.
async fn count_wrong(tx: &DatabaseTransaction, session: &Session) -> Result<bool, RecordsError> {
    use sessions::{Column, Entity};
    Entity::update_many()
        .col_expr(Column::WrongCodes, Expr::col(Column::WrongCodes).add(1))
        .filter(Column::IdHash.eq(&session.id))
        .exec(tx)
        .await?;
    let ended = Entity::delete_many()
        .filter(Column::IdHash.eq(&session.id))
        .filter(Column::WrongCodes.gte(MAX_WRONG_CODES))
        .exec(tx)
        .await?;
    Ok(ended.rows_affected > 0)
}

/// A budget of wrong codes.
struct Budget {
    id: String,
    user: UserNumber,
}

impl Budget {
    fn new(session: &Session, device: Option<&str>) -> Self {
        let of = match device {
            Some(device) => format!("device {device}"),
            None if session.stage == Stage::SignedIn => "sessions".to_owned(),
            None => "unknown devices".to_owned(),
        };
        let user = session.user;
        Self { id: digest(BUDGET, &format!("{user} {of}")), user }
    }

    /// Returns when the budget is full again.
    async fn spent_until(&self, db: &impl ConnectionTrait) -> Result<DateTime<Utc>, RecordsError> {
        let row = code_budgets::Entity::find_by_id(&self.id).one(db).await?;
        Ok(row.map_or(DateTime::UNIX_EPOCH, |row| row.spent_until))
    }

    async fn consume(&self, db: &impl ConnectionTrait, until: DateTime<Utc>) -> Result<(), RecordsError> {
        use code_budgets::{ActiveModel, Column, Entity};
        let row = ActiveModel {
            id_hash: Set(self.id.clone()),
            user_number: Set(self.user.0),
            spent_until: Set(until),
        };
        let again = OnConflict::column(Column::IdHash).update_column(Column::SpentUntil).to_owned();
        Entity::insert(row).on_conflict(again).exec_without_returning(db).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_wrong_code_uses_up_one_period() {
        for (spent, codes) in [
            (REGAIN_INTERVAL, 1),
            (REGAIN_INTERVAL - TimeDelta::seconds(1), 1),
            (REGAIN_INTERVAL * 4, 4),
            (REGAIN_INTERVAL * BURST, BURST),
        ] {
            assert_eq!(wrong_codes(spent), codes, "{spent}");
        }
        assert_eq!(wrong_codes(REGAIN_INTERVAL * 4 + TimeDelta::seconds(1)), 5);
    }
}

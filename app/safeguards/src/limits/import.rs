//! The safety limits of imports. They count all files of a day together, from all actors.

use crate::approval::{self, ApprovalSubject};
use crate::manual_changes::record;
use chrono::Duration;
use db::entity::{manual_changes, users};
use db::{Clock, RecordsError, dialect};
use policy::import_limits::CountedBy;
use policy::import_profile::FileKind;
use policy::numbers::grouped;
use policy::{Action, Channel, ManualChange, UserNumber, Window};
use sea_orm::sea_query::Func;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, PaginatorTrait, QueryFilter,
    QuerySelect,
};
use std::collections::HashSet;
use trail::{Actor, Store};

/// The key of imports among the locks of actors. No user number is negative.
const LOCK: i64 = -1;

/// A file that exceeds the limits of imports.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct TooMany {
    /// The number of users that the file affects.
    pub users: i64,
    /// The same, including the unconfirmed files of the last 24 hours.
    within_a_day: i64,
}

impl TooMany {
    /// Returns what the file does, as a sentence without its full stop.
    pub fn label(self) -> String {
        let more = if self.within_a_day > self.users {
            format!(
                ". With the other imports of the last 24 hours that makes {} users",
                grouped(self.within_a_day)
            )
        } else {
            String::new()
        };
        format!(
            "the file removes or replaces identifying values of {} users, or makes them eligible earlier{more}",
            grouped(self.users)
        )
    }
}

/// Compares the users that a file affects with the limits, in a library with `all` users. None if it stays within
/// them. Until the transaction ends no other import is counted.
pub async fn too_many(
    tx: &DatabaseTransaction,
    store: &Store,
    touched: &[(UserNumber, usize)],
    all: u64,
) -> Result<Option<TooMany>, RecordsError> {
    if touched.is_empty() {
        return Ok(None);
    }
    dialect::lock_manual_changes(tx, LOCK).await?;
    let mut within_a_day = imported_within_a_day(tx).await?;
    within_a_day.extend(touched.iter().map(|(user, _)| user.0));
    let within_a_day = i64::try_from(within_a_day.len()).unwrap_or(i64::MAX);
    let all = i64::try_from(all).unwrap_or(i64::MAX);
    let users = i64::try_from(touched.len()).unwrap_or(i64::MAX);
    let stops = store.settings.limits.stops_import(within_a_day, all);
    Ok(stops.then_some(TooMany { users, within_a_day }))
}

/// Why a safety limit stops a file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ImportStop {
    /// The effect of the file, as sentences without the last full stop.
    pub reason: String,
    /// The number that confirms the file: the users or lines that the first exceeded limit counts.
    pub number: i64,
    /// The safety limit that counts this number.
    pub counted_by: CountedBy,
}

impl ImportStop {
    /// Returns why nothing was changed, as sentences without the last full stop.
    pub fn label(&self) -> String {
        format!("Safety limit reached: {}. Nothing was changed", self.reason)
    }
}

/// Rejects a file beyond the limits, unless a second person has approved it. Without four eyes `confirmed` must
/// equal the number that the limit counts. Returns the detail for the audit.
pub async fn confirm_import(
    tx: &DatabaseTransaction,
    store: &Store,
    actor: Actor,
    stop: &ImportStop,
    (kind, sha256, confirmed): (FileKind, &str, Option<u64>),
) -> Result<String, RecordsError> {
    let number = stop.number;
    if approval::is_on(tx, store, Action::Approve).await? {
        let why = format!(
            "{}. A second person must approve this file. Request approval on the page of the import, or with lethe \
             approvals request --import FILE --kind {} and the other options of the import",
            stop.label(),
            kind.code()
        );
        let approval_subject = ApprovalSubject::import_of(sha256.to_owned(), (number, stop.counted_by));
        let approval = approval::consume(tx, actor, &approval_subject, &why).await?;
        return Ok(format!("approval={approval}"));
    }
    if confirmed.and_then(|number| i64::try_from(number).ok()) == Some(number) {
        return Ok("confirmed".to_owned());
    }
    let words = stop.label();
    Err(RecordsError::Refused(format!(
        "{words}. Check the file. To import it anyway, confirm the number {number} (on the command line: --confirm {number})"
    )))
}

/// Stores the manual changes of a file, in the transaction of the import.
pub async fn record_import(
    tx: &DatabaseTransaction,
    actor: Actor,
    is_confirmed: bool,
    touched: Vec<(UserNumber, usize)>,
    replaced: Vec<(UserNumber, usize)>,
) -> Result<(), DbErr> {
    let change = if is_confirmed { ManualChange::ImportConfirmed } else { ManualChange::Imported };
    record(tx, actor, change, touched).await?;
    record(tx, actor, ManualChange::ImportReplaced, replaced).await
}

/// Claims the change of one user by an identity system, which counts as an import. Rejects it beyond the limits of
/// imports, unless a member of staff has approved more changes.
///
/// The caller must have locked the user's row.
pub async fn claim_import(
    tx: &DatabaseTransaction,
    store: &Store,
    actor: Actor,
    user: UserNumber,
    fields: usize,
) -> Result<(), RecordsError> {
    let all = users::Entity::find().count(tx).await?;
    let change = match too_many(tx, store, &[(user, fields)], all).await? {
        None => ManualChange::Imported,
        Some(_) if is_approved(tx, store, actor, user).await? => ManualChange::ImportConfirmed,
        Some(stop) => {
            return Err(RecordsError::ImportLimit(format!(
                "Safety limit reached: imports and identity systems have removed or replaced identifying values of, or \
                 made eligible earlier, {} users within 24 hours. Nothing was changed. Check why so many users change. \
                 A member of staff can approve more changes on the page Approvals; otherwise Lethe accepts them after \
                 24 hours",
                grouped(stop.within_a_day)
            )));
        }
    };
    record(tx, actor, change, [(user, fields)]).await?;
    Ok(())
}

/// Returns whether an approval covers the change of one more user by an identity system. An approval is for as many users
/// as one import may change.
async fn is_approved(
    tx: &DatabaseTransaction,
    store: &Store,
    actor: Actor,
    user: UserNumber,
) -> Result<bool, RecordsError> {
    let Some(approval) = approval::api_changes(tx, actor).await? else { return Ok(false) };
    let changed: Option<i64> = manual_changes::Entity::find()
        .select_only()
        .expr_as(Func::count_distinct(manual_changes::Column::UserNumber.into_expr()), "n")
        .filter(manual_changes::Column::Kind.eq(ManualChange::ImportConfirmed))
        .filter(manual_changes::Column::Channel.eq(Channel::Api))
        .filter(manual_changes::Column::At.gt(approval.decided_at.unwrap_or(approval.asked_at)))
        .filter(manual_changes::Column::UserNumber.ne(user.0))
        .into_tuple()
        .one(tx)
        .await?;
    // A limit of 0 requires an approval for every user, so an approval allows at least one.
    if changed.unwrap_or_default() + 1 >= store.settings.limits.import_users.max(1) {
        approval::use_up(tx, &approval).await?;
    }
    Ok(true)
}

/// Returns the users that unconfirmed imports have affected within a day: at most as many as the limit.
async fn imported_within_a_day(db: &impl ConnectionTrait) -> Result<HashSet<i64>, DbErr> {
    let since = Clock::system_now() - Duration::hours(Window::Day.hours());
    let users: Vec<i64> = manual_changes::Entity::find()
        .select_only()
        .column(manual_changes::Column::UserNumber)
        .distinct()
        .filter(manual_changes::Column::Kind.eq(ManualChange::Imported))
        .filter(manual_changes::Column::At.gt(since))
        .into_tuple()
        .all(db)
        .await?;
    Ok(users.into_iter().collect())
}

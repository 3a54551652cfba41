//! Manual changes: changes by staff or an import that remove or replace identifying values, or make a user eligible
//! earlier. All servers count them in one table.

use chrono::{DateTime, Duration, Utc};
use db::clock::Clock;
use db::entity::manual_changes;
use db::{bulk_insert, dialect};
use policy::{Counted, UserNumber, Window};
use sea_orm::sea_query::Value;
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, NotSet, PaginatorTrait, QueryFilter, Set};
use std::collections::HashMap;
use trail::actor::Actor;

/// The kind of a manual change, as stored.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Change {
    /// The user was anonymised from the record or the command line.
    Anonymised,
    /// An edit removed identifying fields.
    Removed,
    /// An edit replaced too few identifying fields to count as removing them.
    Replaced,
    /// The user was marked for deletion, or a date changed so that conditions are met earlier.
    Marked,
    /// An import removed or replaced identifying fields, or made the user eligible earlier.
    Imported,
    /// A confirmed import beyond the limits did the same.
    ImportConfirmed,
    /// An import replaced an identifying field, but too few to count.
    ImportReplaced,
    /// The user got a role or an invitation on a page, and could become a second person.
    MadeStaff,
    /// The user lost the last role.
    LastRoleTaken,
}

impl Change {
    /// The changes that replaced identifying fields.
    pub(crate) const REPLACED: [Self; 2] = [Self::Replaced, Self::ImportReplaced];

    /// Returns the stable code that is stored.
    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::Anonymised => "anonymised",
            Self::Removed => "removed",
            Self::Replaced => "replaced",
            Self::Marked => "marked",
            Self::Imported => "imported",
            Self::ImportConfirmed => "import_confirmed",
            Self::ImportReplaced => "import_replaced",
            Self::MadeStaff => "made_staff",
            Self::LastRoleTaken => "last_role_taken",
        }
    }

    /// Returns the changes that a limit counts.
    pub(crate) const fn of(counted: Counted) -> &'static [Self] {
        match counted {
            Counted::Anonymised => &[Self::Anonymised, Self::Removed],
            Counted::Marked => &[Self::Marked],
            Counted::Replaced => &[Self::Replaced],
        }
    }
}

/// Stores changes of users with their number of fields, in the transaction of the changes.
pub async fn record(
    db: &impl ConnectionTrait,
    actor: Actor,
    change: Change,
    users: impl IntoIterator<Item = (UserNumber, usize)>,
) -> Result<(), DbErr> {
    let rows = users.into_iter().map(|(user, fields)| manual_changes::ActiveModel {
        id: NotSet,
        at: Set(Clock::real()),
        actor_number: Set(actor.staff.map(|staff| staff.0)),
        channel: Set(actor.channel.code().to_owned()),
        kind: Set(change.code().to_owned()),
        user_number: Set(Some(user.0)),
        fields: Set(i32::try_from(fields).unwrap_or(i32::MAX)),
        confirmed_by: Set(None),
    });
    bulk_insert::insert(db, rows).await
}

/// Returns whether a user has had a change of this kind since an instant.
pub(crate) async fn was_changed(
    db: &impl ConnectionTrait,
    user: UserNumber,
    change: Change,
    since: DateTime<Utc>,
) -> Result<bool, DbErr> {
    let changes = manual_changes::Entity::find()
        .filter(manual_changes::Column::UserNumber.eq(user.0))
        .filter(manual_changes::Column::Kind.eq(change.code()))
        .filter(manual_changes::Column::At.gt(since));
    Ok(changes.count(db).await? > 0)
}

/// Returns how many identifying values of a user edits and imports have replaced within a day.
pub async fn replaced_before(db: &impl ConnectionTrait, user: UserNumber) -> Result<usize, DbErr> {
    fields(db, user, &Change::REPLACED, Duration::hours(Window::Day.hours())).await
}

/// Returns how many identifying values of a user edits and imports have removed or replaced within these days.
pub async fn changed_before(db: &impl ConnectionTrait, user: UserNumber, days: i64) -> Result<usize, DbErr> {
    let [by_staff, by_import] = Change::REPLACED;
    fields(db, user, &[by_staff, by_import, Change::Removed], Duration::days(days)).await
}

async fn fields(
    db: &impl ConnectionTrait,
    user: UserNumber,
    kinds: &[Change],
    time: Duration,
) -> Result<usize, DbErr> {
    let sql = format!(
        "SELECT CAST(COALESCE(SUM(fields), 0) AS BIGINT) AS n FROM manual_changes \
         WHERE user_number = ? AND kind IN ({}) AND at > ?",
        dialect::placeholders(kinds.len())
    );
    let mut values: Vec<Value> = vec![user.0.into()];
    values.extend(kinds.iter().map(|kind| Value::from(kind.code())));
    values.push((Clock::real() - time).into());
    Ok(usize::try_from(number(db, &sql, values).await?).unwrap_or_default())
}

/// Returns the number `n` that a query selects.
pub(crate) async fn number(db: &impl ConnectionTrait, sql: &str, values: Vec<Value>) -> Result<i64, DbErr> {
    let row = db.query_one_raw(dialect::bind(db.get_database_backend(), sql, values)).await?;
    row.map_or(Ok(0), |row| row.try_get("", "n"))
}

/// Returns how many identifying values of each of these users were replaced within a day.
pub async fn replaced_before_of(
    db: &impl ConnectionTrait,
    users: impl Iterator<Item = i64>,
) -> Result<HashMap<i64, usize>, DbErr> {
    let backend = db.get_database_backend();
    let sql = format!(
        "SELECT user_number, CAST(SUM(fields) AS BIGINT) AS n FROM manual_changes WHERE {} AND kind IN (?, ?) \
         AND at > ? GROUP BY user_number",
        dialect::in_list(backend, "user_number")
    );
    let mut values = vec![dialect::id_list(backend, users)];
    values.extend(Change::REPLACED.map(|kind| kind.code().into()));
    values.push((Clock::real() - Duration::hours(Window::Day.hours())).into());
    let rows = db.query_all_raw(dialect::bind(backend, &sql, values)).await?;
    let of = |row: &sea_orm::QueryResult| {
        let fields: i64 = row.try_get("", "n")?;
        Ok((row.try_get("", "user_number")?, usize::try_from(fields).unwrap_or_default()))
    };
    rows.iter().map(of).collect()
}

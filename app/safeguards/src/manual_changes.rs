//! Manual changes: changes by staff or an import that remove or replace identifying values, or make a user eligible
//! earlier. All servers count them in one table.

use chrono::{DateTime, Duration, Utc};
use db::entity::manual_changes;
use db::{Clock, bulk_insert, dialect};
use policy::{ManualChange, UserNumber, Window};
use sea_orm::sea_query::Value;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, NotSet, PaginatorTrait, QueryFilter, QuerySelect, Set,
};
use std::collections::HashMap;
use trail::Actor;

/// Stores changes of users with their number of fields, in the transaction of the changes.
pub async fn record(
    db: &impl ConnectionTrait,
    actor: Actor,
    change: ManualChange,
    users: impl IntoIterator<Item = (UserNumber, usize)>,
) -> Result<(), DbErr> {
    let rows = users.into_iter().map(|(user, fields)| manual_changes::ActiveModel {
        id: NotSet,
        at: Set(Clock::system_now()),
        actor_number: Set(actor.staff.map(|staff| staff.0)),
        channel: Set(actor.channel),
        kind: Set(change),
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
    change: ManualChange,
    since: DateTime<Utc>,
) -> Result<bool, DbErr> {
    let changes = manual_changes::Entity::find()
        .filter(manual_changes::Column::UserNumber.eq(user.0))
        .filter(manual_changes::Column::Kind.eq(change))
        .filter(manual_changes::Column::At.gt(since));
    Ok(changes.count(db).await? > 0)
}

/// Returns how many identifying values of a user edits and imports have replaced within a day.
pub async fn replaced_before(db: &impl ConnectionTrait, user: UserNumber) -> Result<usize, DbErr> {
    fields(db, user, &ManualChange::REPLACED, Duration::hours(Window::Day.hours())).await
}

/// Returns how many identifying values of a user edits and imports have removed or replaced within these days.
pub async fn changed_before(db: &impl ConnectionTrait, user: UserNumber, days: i64) -> Result<usize, DbErr> {
    let [by_staff, by_import] = ManualChange::REPLACED;
    fields(db, user, &[by_staff, by_import, ManualChange::Removed], Duration::days(days)).await
}

async fn fields(
    db: &impl ConnectionTrait,
    user: UserNumber,
    kinds: &[ManualChange],
    time: Duration,
) -> Result<usize, DbErr> {
    let fields: Option<Option<i64>> = manual_changes::Entity::find()
        .select_only()
        .column_as(manual_changes::Column::Fields.sum(), "fields")
        .filter(manual_changes::Column::UserNumber.eq(user.0))
        .filter(manual_changes::Column::Kind.is_in(kinds.iter().copied()))
        .filter(manual_changes::Column::At.gt(Clock::system_now() - time))
        .into_tuple()
        .one(db)
        .await?;
    Ok(fields.flatten().and_then(|fields| usize::try_from(fields).ok()).unwrap_or_default())
}

/// Returns how many identifying values of each of these users were replaced within a day.
pub async fn replaced_before_of(
    db: &impl ConnectionTrait,
    users: impl Iterator<Item = i64>,
) -> Result<HashMap<i64, usize>, DbErr> {
    let backend = db.get_database_backend();
    // Raw SQL: `dialect::in_list` takes any number of users as one value.
    let sql = format!(
        "SELECT user_number, CAST(SUM(fields) AS BIGINT) AS n FROM manual_changes WHERE {} AND kind IN (?, ?) \
         AND at > ? GROUP BY user_number",
        dialect::in_list(backend, "user_number")
    );
    let mut values = vec![dialect::id_list(backend, users)];
    values.extend(ManualChange::REPLACED.map(Value::from));
    values.push((Clock::system_now() - Duration::hours(Window::Day.hours())).into());
    let rows = db.query_all_raw(dialect::bind(backend, &sql, values)).await?;
    let of = |row: &sea_orm::QueryResult| {
        let fields: i64 = row.try_get("", "n")?;
        Ok((row.try_get("", "user_number")?, usize::try_from(fields).unwrap_or_default()))
    };
    rows.iter().map(of).collect()
}

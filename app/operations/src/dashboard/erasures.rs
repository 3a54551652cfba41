//! The number of users anonymised in each of the last months.

use chrono::{Datelike, Months, NaiveDate};
use db::RecordsError;
use db::entity::{runs, tasks};
use policy::{Action, RunKind, TaskType};
use sea_orm::sea_query::{ExprTrait, Query};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QuerySelect};
use trail::{Actor, Store};

/// The number of months, including the current one.
pub const SHOWN_MONTHS: u32 = 12;

/// The users anonymised in one month.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ErasuresOfMonth {
    /// The first day of the month.
    pub month: NaiveDate,
    /// The number of users.
    pub users: i64,
}

/// Returns the numbers of the last months, the oldest first. Months without a run have 0 users.
pub async fn erasures(store: &Store, actor: Actor) -> Result<Vec<ErasuresOfMonth>, RecordsError> {
    actor.require(Action::SeeAudit)?;
    let today = store.clock.today();
    let this = today.with_day(1).unwrap_or(today);
    let months = (0..SHOWN_MONTHS).rev().filter_map(|ago| this.checked_sub_months(Months::new(ago)));
    let mut months: Vec<ErasuresOfMonth> = months.map(|month| ErasuresOfMonth { month, users: 0 }).collect();
    let first = months.first().map_or(this, |first| first.month);
    let anonymising = Query::select()
        .column(tasks::Column::Id)
        .from(tasks::Entity)
        .and_where(tasks::Column::TaskType.eq(TaskType::AnonymiseUserData))
        .to_owned();
    // The sum of a BIGINT is a NUMERIC on PostgreSQL.
    let days: Vec<(NaiveDate, i64)> = runs::Entity::find()
        .select_only()
        .column(runs::Column::Today)
        .column_as(runs::Column::Done.sum().cast_as("BIGINT"), "done")
        .filter(runs::Column::Kind.is_in([RunKind::Manual, RunKind::Scheduled, RunKind::Single]))
        .filter(
            Condition::any()
                .add(runs::Column::TaskId.is_null())
                .add(runs::Column::TaskId.in_subquery(anonymising)),
        )
        .filter(runs::Column::Today.gte(first))
        .group_by(runs::Column::Today)
        .into_tuple()
        .all(&store.db)
        .await?;
    for (day, users) in days {
        let of = |month: &&mut ErasuresOfMonth| {
            (month.month.year(), month.month.month()) == (day.year(), day.month())
        };
        if let Some(month) = months.iter_mut().find(of) {
            month.users += users;
        }
    }
    Ok(months)
}

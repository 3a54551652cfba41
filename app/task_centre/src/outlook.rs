//! The outlook of a user: what each active task will do with the record, and when.

use crate::task::{Confirmation, confirmation};
use chrono::{Duration, NaiveTime};
use db::RecordsError;
use db::entity::tasks;
use erasure::eligibility;
use policy::forecast::{Forecast, NextStart, forecast};
use policy::timezone::{at_wall_time, instants};
use policy::{Policy, Schedule, TaskId, TaskType, UserNumber};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde::Serialize;
use trail::Store;
use trail::task_name::TaskName;

/// Maximum number of tasks in the outlook of a user.
const MAX_TASKS: u64 = 50;

/// The future effect of one active task on a user.
#[derive(Clone, Debug, Serialize)]
pub struct Outlook {
    /// The task.
    pub task: TaskId,
    /// Its description, shown only to staff who see the task.
    #[serde(skip)]
    pub name: TaskName,
    /// The forecast of its policy.
    pub forecast: Forecast,
    /// The way in which the task starts.
    pub start: NextStart,
    /// Whether its next scheduled run stops for a confirmation.
    pub waits: bool,
}

/// Returns the outlook of a user for the active tasks that anonymise, in order of creation, at most `MAX_TASKS`.
pub async fn of_user(store: &Store, number: UserNumber) -> Result<Vec<Outlook>, RecordsError> {
    let facts = eligibility::facts(&store.db, &[number]).await?;
    let (_, facts) = facts.first().ok_or(RecordsError::NotFound("user"))?;
    let active = tasks::Entity::find()
        .filter(tasks::Column::Active.eq(true))
        .filter(tasks::Column::DeletedAt.is_null())
        .filter(tasks::Column::TaskType.eq(TaskType::AnonymiseUserData))
        .order_by_asc(tasks::Column::Id)
        .limit(MAX_TASKS)
        .all(&store.db)
        .await?;
    let outlook = |task: tasks::Model| {
        let policy: &Policy = task.settings.policy()?;
        let forecast = forecast(facts, policy, store.clock.today());
        Some(Outlook {
            task: TaskId(task.id),
            name: TaskName::new(&task),
            forecast,
            start: start(store, &task.schedule, forecast),
            waits: confirmation(&task) != Confirmation::Given,
        })
    };
    Ok(active.into_iter().filter_map(outlook).collect())
}

/// Returns how a task starts for a user with this forecast.
fn start(store: &Store, schedule: &Schedule, forecast: Forecast) -> NextStart {
    if schedule.is_manual_only() {
        return NextStart::ByHand;
    }
    let clock = &store.clock;
    let now = clock.now();
    let from = match forecast {
        Forecast::From { day, .. } => {
            now.max(at_wall_time(clock.zone(), day.and_time(NaiveTime::MIN)).at - Duration::milliseconds(1))
        }
        Forecast::Never(_) => now,
    };
    match instants(schedule, clock.zone(), from).next() {
        Some(at) => NextStart::On(at.with_timezone(&clock.zone()).date_naive()),
        None => NextStart::Over,
    }
}

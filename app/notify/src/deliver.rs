//! Delivers events to their recipients. Each delivery is claimed by one process for a short time, tried, and then
//! settled; a failed one waits longer each time. Several are tried at the same time.

use crate::message::Notification;
use crate::{due, mail, message, spread, webhook};
use chrono::{DateTime, TimeDelta, Utc};
use db::entity::notification_deliveries::{ActiveModel, Column, Entity, Model};
use db::entity::{credentials, legal_holds, notifications, users, webhooks};
use db::{Clock, RecordsError};
use identity::staff::CredentialKind;
use policy::UserNumber;
use policy::notification::{DeliveryProblem, DeliveryState, Event, MAX_ATTEMPTS, seconds_to_next};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, DatabaseTransaction, EntityTrait, PaginatorTrait, QueryFilter,
    QueryOrder, QuerySelect, QueryTrait as _, Set,
};
use std::sync::Mutex;
use std::time::Duration;
use tokio::task::JoinSet;
use trail::Store;
use trail::library;
use trail::roles::roles_of;
use uuid::Uuid;

/// Maximum number of deliveries that a process attempts at the same time. A receiver that does not answer delays no
/// other.
const MAX_CONCURRENT: usize = 8;
/// The pause between two searches for due deliveries while others are in progress.
const SEARCH_INTERVAL: Duration = Duration::from_secs(1);
/// Duration for which a process holds a delivery. It exceeds the time limits of a mail server and a receiver together.
const HELD: TimeDelta = TimeDelta::minutes(5);
/// Duration for which ended deliveries and their events stay in the list.
const KEPT: TimeDelta = TimeDelta::days(30);
/// The pause between two searches for what the calendar makes due, and between two deletions of old rows.
const DAILY_WORK_INTERVAL: TimeDelta = TimeDelta::hours(1);

/// Determines recipients and delivers everything that is due, until nothing is left or the process stops.
pub async fn work(store: &Store) -> Result<(), RecordsError> {
    run_daily_work(store).await?;
    let mut running = JoinSet::new();
    let searched = deliver_all(store, &mut running).await;
    // After an error no further delivery begins. Those in progress are settled.
    while running.join_next().await.is_some() {}
    searched
}

/// Begins deliveries until none is due and none is in progress.
async fn deliver_all(store: &Store, running: &mut JoinSet<()>) -> Result<(), RecordsError> {
    loop {
        if !store.is_stopping() {
            spread::spread(store).await?;
            begin_due(store, running).await?;
        }
        tokio::select! {
            ended = running.join_next() => {
                if ended.is_none() {
                    return Ok(());
                }
            }
            () = tokio::time::sleep(SEARCH_INTERVAL) => {}
        }
    }
}

/// Begins due deliveries, as many as are possible at the same time. Each is a separate task: one that holds a
/// transaction must not wait for the search.
async fn begin_due(store: &Store, running: &mut JoinSet<()>) -> Result<(), RecordsError> {
    while running.len() < MAX_CONCURRENT {
        let Some(claimed) = claim(store).await? else { break };
        let store = store.clone();
        running.spawn(async move {
            if let Err(error) = deliver(&store, claimed).await {
                tracing::error!(code = error.code(), "a notification could not be delivered");
            }
        });
    }
    Ok(())
}

/// The time of this process's last daily work.
#[derive(Default)]
struct LastWork(Mutex<Option<DateTime<Utc>>>);

/// Writes the events that follow from the calendar, and deletes old rows.
async fn run_daily_work(store: &Store) -> Result<(), RecordsError> {
    let last = store.process_state::<LastWork>();
    let now = Clock::system_now();
    {
        let mut last = last.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if last.is_some_and(|last| now - last < DAILY_WORK_INTERVAL) {
            return Ok(());
        }
        *last = Some(now);
    }
    due::post(store).await?;
    delete_old(store, now - KEPT).await
}

/// Deletes deliveries that ended long ago, and events without deliveries. The event of a legal hold stays until the hold
/// is released, because its key prevents that each search writes it again.
async fn delete_old(store: &Store, before: DateTime<Utc>) -> Result<(), RecordsError> {
    let tx = store.begin().await?;
    Entity::delete_many()
        .filter(Column::EndedAt.lt(before))
        .filter(Column::State.ne(DeliveryState::Failed))
        .exec(&tx)
        .await?;
    let with_deliveries = Entity::find().select_only().column(Column::NotificationId).into_query();
    let released = legal_holds::Entity::find()
        .select_only()
        .column(legal_holds::Column::Id)
        .filter(legal_holds::Column::ReleasedOn.is_not_null())
        .into_query();
    let cannot_repeat = Condition::any()
        .add(notifications::Column::Event.ne(Event::LegalHoldDue))
        .add(notifications::Column::LegalHoldId.in_subquery(released));
    notifications::Entity::delete_many()
        .filter(notifications::Column::SpreadAt.lt(before))
        .filter(notifications::Column::Id.not_in_subquery(with_deliveries))
        .filter(cannot_repeat)
        .exec(&tx)
        .await?;
    store.commit(tx).await
}

/// A delivery that this process holds.
struct Claimed {
    row: Model,
    holder: String,
}

/// Takes the delivery that has been due for longest. None if none is due. A delivery without attempts left has failed:
/// the process ended during the last one.
async fn claim(store: &Store) -> Result<Option<Claimed>, RecordsError> {
    let now = Clock::system_now();
    let is_free = Condition::any().add(Column::HeldUntil.is_null()).add(Column::HeldUntil.lt(now));
    let due = Entity::find()
        .filter(Column::State.eq(DeliveryState::Waiting))
        .filter(Column::NextAt.lte(now))
        .filter(is_free)
        .order_by_asc(Column::NextAt)
        .order_by_asc(Column::Id)
        .limit(1);
    while due.clone().count(&store.db).await? > 0 {
        let tx = store.begin().await?;
        let Some(row) = due.clone().lock_exclusive().one(&tx).await? else { return Ok(None) };
        // Another process may have taken it while this one waited for the lock.
        if row.held_until.is_some_and(|until| until >= now) || row.state != DeliveryState::Waiting {
            return Ok(None);
        }
        if row.attempts >= MAX_ATTEMPTS {
            fail(row.id, DeliveryProblem::Interrupted, now).update(&tx).await?;
            store.commit(tx).await?;
            continue;
        }
        let holder = Uuid::new_v4().to_string();
        let held = ActiveModel {
            id: Set(row.id),
            holder: Set(Some(holder.clone())),
            held_until: Set(Some(now + HELD)),
            attempts: Set(row.attempts + 1),
            ..Default::default()
        };
        let row = held.update(&tx).await?;
        store.commit(tx).await?;
        return Ok(Some(Claimed { row, holder }));
    }
    Ok(None)
}

/// Returns the change that makes a delivery a failed one.
fn fail(delivery: i64, problem: DeliveryProblem, now: DateTime<Utc>) -> ActiveModel {
    ActiveModel {
        id: Set(delivery),
        state: Set(DeliveryState::Failed),
        problem: Set(Some(problem)),
        holder: Set(None),
        held_until: Set(None),
        ended_at: Set(Some(now)),
        ..Default::default()
    }
}

/// The end of an attempt.
enum Outcome {
    Delivered,
    Failed(DeliveryProblem),
    /// The recipient may not have it any more.
    Skipped(DeliveryProblem),
    /// The process stops.
    Interrupted,
}

async fn deliver(store: &Store, claimed: Claimed) -> Result<(), RecordsError> {
    let row = &claimed.row;
    let notification = notifications::Entity::find_by_id(row.notification_id).one(&store.db).await?;
    let notification = notification.ok_or(RecordsError::NotFound("notification"))?;
    let outcome = tokio::select! {
        outcome = attempt(store, row, &notification) => outcome?,
        // The shutdown does not wait for a receiver that answers slowly.
        () = store.stopped() => Outcome::Interrupted,
    };
    let event = notification.event.code();
    match outcome {
        Outcome::Delivered => tracing::info!(delivery = row.id, event, "a notification was delivered"),
        Outcome::Interrupted => tracing::info!(delivery = row.id, event, "a delivery was interrupted"),
        Outcome::Failed(problem) | Outcome::Skipped(problem) => {
            tracing::warn!(
                delivery = row.id,
                event,
                attempts = row.attempts,
                problem = problem.code(),
                "a notification was not delivered"
            );
        }
    }
    settle(store, claimed, outcome).await
}

async fn attempt(store: &Store, row: &Model, about: &Notification) -> Result<Outcome, RecordsError> {
    match (row.user_number, row.webhook_id) {
        (Some(staff), _) => to_staff(store, UserNumber(staff), &row.message_id, about).await,
        (None, Some(webhook)) => to_webhook(store, webhook, &row.message_id, about).await,
        (None, None) => Ok(Outcome::Skipped(DeliveryProblem::NoAddress)),
    }
}

/// Sends a mail to a member of staff. The address is read here, and permission and sign-in are checked again.
async fn to_staff(
    store: &Store,
    staff: UserNumber,
    message_id: &str,
    about: &Notification,
) -> Result<Outcome, RecordsError> {
    let user = users::Entity::find_by_id(staff.0).one(&store.db).await?;
    let Some(user) = user.filter(|user| user.anonymised_on.is_none()) else {
        return Ok(Outcome::Skipped(DeliveryProblem::NoPermission));
    };
    let may_see = roles_of(&store.db, staff).await?.may(about.event.needs());
    if !may_see || !can_sign_in(store, staff).await? {
        return Ok(Outcome::Skipped(DeliveryProblem::NoPermission));
    }
    let Some(address) = user.email.filter(|address| mail::is_usable(address)) else {
        return Ok(Outcome::Skipped(DeliveryProblem::NoAddress));
    };
    let library = library::read(&store.db).await?;
    let sent = mail::send(store, &address, message::mail(store, &library, about), message_id).await;
    Ok(sent.map_or_else(Outcome::Failed, |()| Outcome::Delivered))
}

async fn can_sign_in(store: &Store, staff: UserNumber) -> Result<bool, RecordsError> {
    let kinds = [CredentialKind::Password, CredentialKind::Provider].map(CredentialKind::code);
    let ways = credentials::Entity::find()
        .filter(credentials::Column::UserNumber.eq(staff.0))
        .filter(credentials::Column::Kind.is_in(kinds));
    Ok(ways.count(&store.db).await? > 0)
}

async fn to_webhook(
    store: &Store,
    webhook: i64,
    message_id: &str,
    about: &Notification,
) -> Result<Outcome, RecordsError> {
    let row = webhooks::Entity::find_by_id(webhook).one(&store.db).await?;
    let Some(row) = row.filter(|row| row.disabled_at.is_none()) else {
        return Ok(Outcome::Skipped(DeliveryProblem::Disabled));
    };
    let posted = webhook::post(store, &row, message_id, about).await;
    Ok(posted.map_or_else(Outcome::Failed, |()| Outcome::Delivered))
}

/// Stores the end of an attempt, unless another process has taken the delivery over.
async fn settle(store: &Store, claimed: Claimed, outcome: Outcome) -> Result<(), RecordsError> {
    let now = Clock::system_now();
    let tx = store.begin().await?;
    let row = Entity::find_by_id(claimed.row.id).lock_exclusive().one(&tx).await?;
    let Some(row) = row.filter(|row| row.holder.as_ref() == Some(&claimed.holder)) else { return Ok(()) };
    let mut settled =
        ActiveModel { id: Set(row.id), holder: Set(None), held_until: Set(None), ..Default::default() };
    let (state, problem) = match outcome {
        Outcome::Delivered => (DeliveryState::Delivered, None),
        Outcome::Skipped(problem) => (DeliveryState::Skipped, Some(problem)),
        Outcome::Interrupted => {
            // It is due for the next process, and the attempt does not count.
            settled.attempts = Set(row.attempts - 1);
            (DeliveryState::Waiting, row.problem)
        }
        Outcome::Failed(_) if is_disabled(&tx, row.webhook_id).await? => {
            (DeliveryState::Skipped, Some(DeliveryProblem::Disabled))
        }
        Outcome::Failed(problem) => match seconds_to_next(row.attempts) {
            Some(seconds) if problem.is_temporary() => {
                settled.next_at = Set(now + TimeDelta::seconds(seconds));
                (DeliveryState::Waiting, Some(problem))
            }
            _ => (DeliveryState::Failed, Some(problem)),
        },
    };
    settled.state = Set(state);
    settled.problem = Set(problem);
    if state != DeliveryState::Waiting {
        settled.ended_at = Set(Some(now));
    }
    settled.update(&tx).await?;
    store.commit(tx).await
}

/// Returns whether the webhook of a delivery was disabled, perhaps during the attempt.
async fn is_disabled(tx: &DatabaseTransaction, webhook: Option<i64>) -> Result<bool, RecordsError> {
    let Some(webhook) = webhook else { return Ok(false) };
    let row = webhooks::Entity::find_by_id(webhook).one(tx).await?;
    Ok(row.is_none_or(|row| row.disabled_at.is_some()))
}

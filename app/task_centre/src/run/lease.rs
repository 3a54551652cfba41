//! The lease: which process executes a run, and whether that process is alive.
//!
//! A process that takes up a run writes a random name into it, then a heartbeat every few seconds. Another process
//! takes over a run whose last heartbeat is older than the lease. A process that lost its lease notices that in
//! the transaction of its next batch and stops.

use chrono::{DateTime, Utc};
use db::entity::runs;
use db::{Clock, RecordsError};
use policy::{Phase, RunId, RunState, UserNumber};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    Set, SqlErr,
};
use std::time::Duration;
use tokio::task::JoinHandle;
use trail::audit::{self, AuditAction, Subject};
use trail::{Actor, Store};
use transfer::run_import;

/// The right to execute one run. A background task writes heartbeats while this value lives.
#[derive(Debug)]
pub(super) struct Lease {
    pub(super) run: RunId,
    holder: String,
    heartbeats: JoinHandle<()>,
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.heartbeats.abort();
    }
}

/// The result of trying to take up a run.
#[derive(Debug)]
pub(super) enum Claim {
    /// This process holds it.
    Taken(Lease),
    /// The run has ended with this state.
    Ended(RunState),
    /// Another run is active, or another process holds this one.
    Busy,
    /// No run is waiting.
    Nothing,
}

/// The status of a lease before the next batch of its holder.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum LeaseStatus {
    /// Continue.
    Ours,
    /// Stop: the run was cancelled.
    Cancelled,
    /// Stop: another process has taken over the run or ended it.
    Lost,
}

/// Returns whether the process that held the run is presumed dead.
pub(super) fn is_abandoned(
    holder: Option<&str>,
    heartbeat_at: Option<DateTime<Utc>>,
    lease: Duration,
    now: DateTime<Utc>,
) -> bool {
    let silent = heartbeat_at.map(|at| (now - at).to_std().unwrap_or_default());
    holder.is_none() || silent.is_none_or(|silent| silent > lease)
}

/// Takes up the abandoned run, if any, else the queued run `wanted`, else the oldest queued run.
pub(super) async fn claim(store: &Store, wanted: Option<RunId>) -> Result<Claim, RecordsError> {
    let tx = store.begin().await?;
    if let Some(wanted) = wanted {
        let run = runs::Entity::find_by_id(wanted.0).one(&tx).await?.ok_or(RecordsError::NotFound("run"))?;
        if run.state.is_final() {
            return Ok(Claim::Ended(run.state));
        }
    }
    let under_way = runs::Entity::find()
        .filter(runs::Column::State.is_in(RunState::UNDER_WAY))
        .lock_exclusive()
        .one(&tx)
        .await?;
    let (run, interrupted) = match under_way {
        // On SQLite the heartbeats of this process wait for its import.
        Some(run) if run_import::is_under_way(store, RunId(run.id)) => return Ok(Claim::Busy),
        Some(run)
            if is_abandoned(
                run.holder.as_deref(),
                run.heartbeat_at,
                store.settings.lease,
                Clock::system_now(),
            ) =>
        {
            (run, true)
        }
        Some(_) => return Ok(Claim::Busy),
        None => match queued(&tx, wanted).await? {
            Some(run) => (run, false),
            None => return Ok(Claim::Nothing),
        },
    };
    take(store, tx, run, interrupted).await
}

async fn queued(
    tx: &DatabaseTransaction,
    wanted: Option<RunId>,
) -> Result<Option<runs::Model>, RecordsError> {
    let mut find = runs::Entity::find()
        .filter(runs::Column::State.eq(RunState::Queued))
        .order_by_asc(runs::Column::Id)
        .limit(1);
    if let Some(wanted) = wanted {
        find = find.filter(runs::Column::Id.eq(wanted.0));
    }
    Ok(find.lock_exclusive().one(tx).await?)
}

async fn take(
    store: &Store,
    tx: DatabaseTransaction,
    run: runs::Model,
    interrupted: bool,
) -> Result<Claim, RecordsError> {
    let holder = uuid::Uuid::new_v4().to_string();
    let now = Clock::system_now();
    let id = RunId(run.id);
    let cancelling = run.state == RunState::Cancelling;
    let state = if cancelling { RunState::Cancelling } else { RunState::Running };
    let taken = runs::ActiveModel {
        id: Set(run.id),
        state: Set(state),
        holder: Set(Some(holder.clone())),
        heartbeat_at: Set(Some(now)),
        started_at: Set(run.started_at.or(Some(now))),
        interruptions: Set(run.interruptions + i32::from(interrupted)),
        ..Default::default()
    };
    match taken.update(&tx).await {
        Err(error) if matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_))) => {
            return Ok(Claim::Busy);
        }
        done => done?,
    };
    if interrupted {
        let actor = Actor::unprivileged(run.actor_number.map(UserNumber), run.channel);
        audit::record_event(
            &tx,
            &store.clock,
            actor,
            AuditAction::RunTakenUp,
            Subject::Run(id.0),
            Some(id),
            "",
        )
        .await?;
    }
    store.commit(tx).await?;
    tracing::info!(run = id.0, interrupted, "run taken up");
    let heartbeats = tokio::spawn(send_heartbeats(store.clone(), id, holder.clone()));
    Ok(Claim::Taken(Lease { run: id, holder, heartbeats }))
}

/// Writes four heartbeats in each lease period, until the lease is dropped or lost.
async fn send_heartbeats(store: Store, run: RunId, holder: String) {
    loop {
        tokio::time::sleep(store.settings.lease / 4).await;
        let given = runs::Entity::update_many()
            .col_expr(runs::Column::HeartbeatAt, Expr::value(Clock::system_now()))
            .filter(runs::Column::Id.eq(run.0))
            .filter(runs::Column::Holder.eq(holder.as_str()))
            .exec(&store.db)
            .await;
        if given.is_ok_and(|given| given.rows_affected == 0) {
            return;
        }
    }
}

impl Lease {
    /// Returns the random name of this process for the run.
    pub(super) fn holder(&self) -> &str {
        &self.holder
    }

    /// Stores the phase that the run has reached, and a heartbeat.
    pub(super) async fn enter(&self, store: &Store, phase: Phase) -> Result<(), RecordsError> {
        runs::Entity::update_many()
            .col_expr(runs::Column::Phase, Expr::value(phase))
            .col_expr(runs::Column::HeartbeatAt, Expr::value(Clock::system_now()))
            .filter(runs::Column::Id.eq(self.run.0))
            .exec(&store.db)
            .await?;
        Ok(())
    }

    /// Locks the run in the transaction of a batch and returns the state of the lease.
    pub(super) async fn status(&self, tx: &DatabaseTransaction) -> Result<LeaseStatus, RecordsError> {
        let run = runs::Entity::find_by_id(self.run.0).lock_exclusive().one(tx).await?;
        let Some(run) = run.filter(|run| run.holder.as_deref() == Some(self.holder.as_str())) else {
            return Ok(LeaseStatus::Lost);
        };
        Ok(match run.state {
            RunState::Running => LeaseStatus::Ours,
            RunState::Cancelling => LeaseStatus::Cancelled,
            _ => LeaseStatus::Lost,
        })
    }

    /// Releases the run, so that the next process needn't wait for the lease to expire.
    pub(super) async fn release(&self, store: &Store) -> Result<(), RecordsError> {
        let tx = store.begin().await?;
        match self.status(&tx).await? {
            LeaseStatus::Lost => return Ok(()),
            LeaseStatus::Ours => {
                runs::Entity::update_many()
                    .col_expr(runs::Column::State, Expr::value(RunState::Interrupted))
                    .col_expr(runs::Column::Holder, Expr::value(Option::<String>::None))
                    .filter(runs::Column::Id.eq(self.run.0))
                    .exec(&tx)
                    .await?;
            }
            LeaseStatus::Cancelled => {
                runs::Entity::update_many()
                    .col_expr(runs::Column::Holder, Expr::value(Option::<String>::None))
                    .filter(runs::Column::Id.eq(self.run.0))
                    .exec(&tx)
                    .await?;
            }
        }
        store.commit(tx).await?;
        Ok(())
    }
}

//! Executes a run of the task type *Announce anonymising*: a few e-mails at a time.
//!
//! The row of an announcement is committed before its e-mail is sent, and settled afterwards. A process that takes the
//! run over finds the rows between both. It can't know whether the mail server has these e-mails, so it reports them and
//! sends none of them again.

use super::announced_users::{Recipient, assess_for, policy_of};
use super::ended::{Ended, must_stop};
use super::lease::{Lease, LeaseStatus};
use super::retries::{Retries, retrying};
use super::{finish, outcomes, safety};
use crate::announcement;
use db::entity::{announcements, runs, users};
use db::{RecordsError, dialect};
use erasure::anonymise::Outcomes;
use erasure::eligibility::KEPT_SINCE;
use erasure::run_counts;
use futures::future::join_all;
use notify::mail::{self, Mail};
use policy::announcement::{AnnouncementState, BOUNCED, UNCLEAR};
use policy::notification::DeliveryProblem;
use policy::{AnnouncementSettings, Phase, Reason, RunId, RunKind, RunState, UserNumber};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter,
    QueryOrder, QuerySelect, Set,
};
use std::time::Duration;
use trail::{Actor, Store, library};

/// The number of e-mails that are sent at the same time.
const MAX_CONCURRENT: u64 = 8;
/// How often the e-mails of a batch are tried while the mail server does not answer.
const MAX_ATTEMPTS: u32 = 3;
/// The pause before the next attempt.
const RETRY_INTERVAL: Duration = Duration::from_secs(2);
/// How long a process that is shutting down waits for the mail server.
const STOPPING_TIMEOUT: Duration = Duration::from_secs(5);

/// The error code of a run that can't send e-mail, because the installation is not configured for it.
const NOT_CONFIGURED: &str = "mail_not_configured";

/// A run that announces.
struct Job<'a> {
    run: &'a runs::Model,
    settings: &'a AnnouncementSettings,
    actor: Actor,
}

/// An e-mail to one user. It is in memory only.
struct Letter {
    announcement: i64,
    number: UserNumber,
    address: String,
    message_id: String,
    mail: Mail,
}

/// The result of sending one e-mail.
type Sent = Result<(), DeliveryProblem>;

/// Announces the anonymising to the users of a run and ends the run.
pub(super) async fn execute(
    store: &Store,
    lease: &Lease,
    run: &runs::Model,
    settings: &AnnouncementSettings,
) -> Result<RunState, RecordsError> {
    let actor = Actor::unprivileged(run.actor_number.map(UserNumber), run.channel);
    let job = Job { run, settings, actor };
    retrying(store, || lease.enter(store, Phase::Announcing)).await?;
    let ended = match announce_all(store, lease, &job).await {
        Ok(ended) => ended,
        Err(error) if error.is_temporary() => return Err(error),
        Err(error) => {
            tracing::error!(run = run.id, code = error.code(), "a run could not announce its users");
            Ended::Failed(error.code())
        }
    };
    match ended {
        Ended::LeaseLost => Ok(RunState::Interrupted),
        Ended::ShuttingDown => {
            lease.release(store).await?;
            Ok(RunState::Interrupted)
        }
        ended => retrying(store, || end(store, lease, &job, ended)).await,
    }
}

async fn announce_all(store: &Store, lease: &Lease, job: &Job<'_>) -> Result<Ended, RecordsError> {
    if let Some(ended) = retrying(store, || report_unclear(store, lease)).await? {
        return Ok(ended);
    }
    if job.run.previewed > 0 && announcement::why_not(store).is_some() {
        return Ok(Ended::Failed(NOT_CONFIGURED));
    }
    let mut retries = Retries::default();
    let mut after = UserNumber(i64::MIN);
    loop {
        if store.is_stopping() {
            return Ok(Ended::ShuttingDown);
        }
        let letters = match prepare(store, lease, job, after).await {
            Ok(Batch::Send(letters, last)) => {
                after = last;
                letters
            }
            Ok(Batch::Stop(ended)) => return Ok(ended),
            Err(error) if error.is_temporary() => {
                retries.wait(store, error).await?;
                continue;
            }
            Err(error) => return Err(error),
        };
        retries = Retries::default();
        let Some(sent) = send(store, &letters).await else { return Ok(Ended::ShuttingDown) };
        if let Some(ended) = retrying(store, || settle(store, lease, &letters, &sent)).await? {
            return Ok(ended);
        }
        if let Some(problem) = problem_of_server(&sent) {
            return Ok(Ended::Failed(problem.code()));
        }
    }
}

/// Reports the e-mails that an interrupted process was sending.
async fn report_unclear(store: &Store, lease: &Lease) -> Result<Option<Ended>, RecordsError> {
    let tx = store.begin().await?;
    if let Some(ended) = must_stop(lease, &tx).await? {
        // A cancelled run reports them, too.
        if ended == Ended::LeaseLost {
            return Ok(Some(ended));
        }
    }
    let rows = announcements::Entity::find()
        .filter(announcements::Column::RunId.eq(lease.run.0))
        .filter(announcements::Column::State.eq(AnnouncementState::Sending))
        .all(&tx)
        .await?;
    if rows.is_empty() {
        return Ok(None);
    }
    let numbers: Vec<UserNumber> = rows.iter().map(|row| UserNumber(row.user_number)).collect();
    record_announced(&tx, store, &numbers).await?;
    for row in rows {
        set_state(&tx, store, row.id, AnnouncementState::Unclear, None).await?;
        outcomes::record_failure(&tx, lease.run, UserNumber(row.user_number), UNCLEAR).await?;
    }
    store.commit(tx).await?;
    Ok(None)
}

/// The next users.
enum Batch {
    /// Their e-mails are to be sent, and the last of them. Empty if all of them are skipped.
    Send(Vec<Letter>, UserNumber),
    /// The run must stop.
    Stop(Ended),
}

/// Assesses the next users after `after` again, and stores the announcements of those who still get an e-mail.
async fn prepare(
    store: &Store,
    lease: &Lease,
    job: &Job<'_>,
    after: UserNumber,
) -> Result<Batch, RecordsError> {
    let tx = store.begin().await?;
    if let Some(ended) = must_stop(lease, &tx).await? {
        return Ok(Batch::Stop(ended));
    }
    let numbers = outcomes::remaining(&tx, lease.run, after, MAX_CONCURRENT).await?;
    let Some(last) = numbers.last().copied() else { return Ok(Batch::Stop(Ended::Completed)) };
    let users = users::Entity::find()
        .filter(users::Column::Number.is_in(numbers.iter().map(|number| number.0)))
        .order_by_asc(users::Column::Number)
        .lock_exclusive()
        .all(&tx)
        .await?;
    let policy = policy_of(&tx, job.settings).await?;
    let (recipients, skipped) = assess_for(&tx, job.settings, (&policy, job.run.today), users).await?;
    let library = library::read(&tx).await?;
    let mut letters = Vec::new();
    for recipient in recipients {
        let (token, token_digest) = announcement::new_link();
        let message_id = announcement::new_message_id();
        let row = announcements::ActiveModel {
            user_number: Set(recipient.number.0),
            task_id: Set(job.settings.task.0),
            run_id: Set(lease.run.0),
            due_on: Set(recipient.due_on),
            token_digest: Set(token_digest),
            message_id: Set(message_id.clone()),
            state: Set(AnnouncementState::Sending),
            ..Default::default()
        };
        let row = row.insert(&tx).await?;
        let Recipient { number, name, address, due_on } = recipient;
        let of_user = (name.as_str(), due_on, token.reveal());
        let [subject, body] = announcement::mail(store, &library, job.settings, of_user);
        letters.push(Letter {
            announcement: row.id,
            number,
            address,
            message_id,
            mail: Mail { subject, body },
        });
    }
    record_skipped(&tx, lease.run, skipped).await?;
    store.commit(tx).await?;
    Ok(Batch::Send(letters, last))
}

async fn record_skipped(
    tx: &DatabaseTransaction,
    run: RunId,
    skipped: Vec<(UserNumber, Reason)>,
) -> Result<(), RecordsError> {
    if !skipped.is_empty() {
        outcomes::record(tx, run, &Outcomes { skipped, ..Outcomes::default() }).await?;
    }
    Ok(())
}

/// Sends the e-mails of a batch. `None` if the process stops before the mail server has answered.
///
/// All attempts send the same e-mail, so that a mail program shows one that arrives twice only once.
async fn send(store: &Store, letters: &[Letter]) -> Option<Vec<Sent>> {
    let mut attempt = 1;
    loop {
        let all = join_all(
            letters.iter().map(|one| mail::send(store, &one.address, one.mail.clone(), &one.message_id)),
        );
        let sent = tokio::select! {
            sent = all => sent,
            () = stopped_for_long(store) => return None,
        };
        if problem_of_server(&sent).is_none() || attempt == MAX_ATTEMPTS || store.is_stopping() {
            return Some(sent);
        }
        attempt += 1;
        tokio::select! {
            () = tokio::time::sleep(RETRY_INTERVAL) => {}
            () = store.stopped() => return Some(sent),
        }
    }
}

async fn stopped_for_long(store: &Store) {
    store.stopped().await;
    tokio::time::sleep(STOPPING_TIMEOUT).await;
}

/// Returns the problem of the mail server if it has accepted and rejected no e-mail of a batch.
fn problem_of_server(sent: &[Sent]) -> Option<DeliveryProblem> {
    let mut last = None;
    for one in sent {
        match one {
            Err(
                problem @ (DeliveryProblem::Connection
                | DeliveryProblem::Timeout
                | DeliveryProblem::Login
                | DeliveryProblem::Refused
                | DeliveryProblem::NotConfigured),
            ) => last = Some(*problem),
            _ => return None,
        }
    }
    last
}

/// Stores what became of the e-mails of a batch. Returns why the run must stop, or `None`.
async fn settle(
    store: &Store,
    lease: &Lease,
    letters: &[Letter],
    sent: &[Sent],
) -> Result<Option<Ended>, RecordsError> {
    let tx = store.begin().await?;
    // A cancelled run stops before its next batch.
    if lease.status(&tx).await? == LeaseStatus::Lost {
        return Ok(Some(Ended::LeaseLost));
    }
    let arrived = letters.iter().zip(sent).filter(|(_, result)| result.is_ok());
    let done: Vec<UserNumber> = arrived.map(|(letter, _)| letter.number).collect();
    // Users are locked before announcements, as by an answer.
    record_announced(&tx, store, &done).await?;
    for (letter, result) in letters.iter().zip(sent) {
        let (state, code) = match result {
            Ok(()) => (AnnouncementState::Sent, None),
            Err(DeliveryProblem::Rejected | DeliveryProblem::NoAddress) => {
                (AnnouncementState::Bounced, Some(BOUNCED))
            }
            Err(problem) => (AnnouncementState::Failed, Some(problem.code())),
        };
        set_state(&tx, store, letter.announcement, state, result.err()).await?;
        if let Some(code) = code {
            tracing::warn!(run = lease.run.0, code, "an announcement was not sent");
            outcomes::record_failure(&tx, lease.run, letter.number, code).await?;
        }
    }
    if !done.is_empty() {
        outcomes::record(&tx, lease.run, &Outcomes { done, ..Outcomes::default() }).await?;
    }
    store.commit(tx).await?;
    Ok(None)
}

/// Records on the users that their accounts are announced today. An activity from today on keeps them.
///
/// What kept an account before is fixed, because an activity before today does not count any more.
async fn record_announced(
    tx: &DatabaseTransaction,
    store: &Store,
    numbers: &[UserNumber],
) -> Result<(), RecordsError> {
    if numbers.is_empty() {
        return Ok(());
    }
    let backend = tx.get_database_backend();
    // Raw SQL: one UPDATE for a batch, with a fragment of `eligibility`. A user can have been anonymised meanwhile.
    let sql = format!(
        "UPDATE users AS u SET kept_on = {KEPT_SINCE}, announced_on = ? WHERE u.anonymised_on IS NULL AND {}",
        dialect::in_list(backend, "u.number")
    );
    let list = dialect::id_list(backend, numbers.iter().map(|number| number.0));
    tx.execute_raw(dialect::bind(backend, &sql, vec![store.clock.today().into(), list])).await?;
    Ok(())
}

async fn set_state(
    tx: &DatabaseTransaction,
    store: &Store,
    id: i64,
    state: AnnouncementState,
    problem: Option<DeliveryProblem>,
) -> Result<(), RecordsError> {
    // A user can have been anonymised meanwhile, which deletes the row, or have answered.
    let sent_at = (state != AnnouncementState::Failed).then(|| store.clock.now());
    announcements::Entity::update_many()
        .col_expr(announcements::Column::State, Expr::value(state))
        .col_expr(announcements::Column::Problem, Expr::value(problem))
        .col_expr(announcements::Column::SentAt, Expr::value(sent_at))
        .filter(announcements::Column::Id.eq(id))
        .filter(announcements::Column::State.eq(AnnouncementState::Sending))
        .exec(tx)
        .await?;
    Ok(())
}

/// Ends a run: its state follows from the outcomes of its users. A completed manual run confirms the settings.
async fn end(store: &Store, lease: &Lease, job: &Job<'_>, ended: Ended) -> Result<RunState, RecordsError> {
    let tx = store.begin().await?;
    let is_cancelled = match lease.status(&tx).await? {
        LeaseStatus::Ours => false,
        LeaseStatus::Cancelled => true,
        LeaseStatus::Lost => return Ok(RunState::Interrupted),
    };
    let [done, skipped, failed] = outcomes::counted(&tx, lease.run).await?;
    let of_counts = if is_cancelled { RunState::of_cancelled } else { RunState::of_counts };
    let state = match (ended, of_counts(job.run.previewed, done, skipped, failed)) {
        (Ended::Failed(code), _) => {
            run_counts::add(&tx, lease.run, "error", code, 1).await?;
            RunState::Failed
        }
        (_, Some(state)) => state,
        (_, None) => {
            tracing::error!(run = job.run.id, "the users of a run don't add up to its preview");
            run_counts::add(&tx, lease.run, "error", "counts_differ", 1).await?;
            RunState::Failed
        }
    };
    runs::ActiveModel {
        id: Set(lease.run.0),
        done: Set(done),
        skipped: Set(skipped),
        failed: Set(failed),
        ..Default::default()
    }
    .update(&tx)
    .await?;
    finish::end_without_people(&tx, store, (lease.run, job.actor), state, None).await?;
    if job.run.kind == RunKind::Manual && state.confirms(done) && !safety::is_partial(job.run) {
        finish::confirm_settings(&tx, job.run).await?;
    }
    store.commit(tx).await?;
    Ok(state)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_batch_without_any_answer_is_a_problem_of_the_server() {
        use DeliveryProblem::{Connection, Rejected, RejectedForNow, Timeout};
        for (sent, expected) in [
            (vec![], None),
            (vec![Ok(()), Err(Connection)], None),
            (vec![Err(Rejected)], None),
            (vec![Err(RejectedForNow), Err(Timeout)], None),
            (vec![Err(Connection), Err(Timeout)], Some(Timeout)),
        ] {
            assert_eq!(problem_of_server(&sent), expected, "{sent:?}");
        }
    }
}

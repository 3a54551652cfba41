//! The users of *Announce anonymising*: those that a task can anonymise within some days, with an e-mail address.

use super::stored_verdicts;
use chrono::{Days, NaiveDate};
use db::entity::{announcements, run_members, runs, tasks, users};
use db::{RecordsError, dialect};
use erasure::eligibility;
use notify::mail;
use policy::assess::{first_eligible_day, inactive_since};
use policy::{
    AnnouncementSettings, Policy, Reason, RunId, RunMode, TaskSettings, UserNumber, Verdict, assess,
};
use sea_orm::sea_query::Value;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
};
use std::collections::{BTreeMap, BTreeSet};
use trail::person::display_name;

/// Number of users whose addresses are read at a time.
const USERS_PER_READ: u64 = 500;

/// A user who gets an e-mail. It is in memory only.
pub(super) struct Recipient {
    /// The user.
    pub(super) number: UserNumber,
    /// The name, for the greeting.
    pub(super) name: String,
    /// The address.
    pub(super) address: String,
    /// The first day on which the task can anonymise the user.
    pub(super) due_on: NaiveDate,
}

/// Returns the policy of the task that will anonymise the users. Rejects a deleted task.
pub(super) async fn policy_of(
    db: &impl ConnectionTrait,
    settings: &AnnouncementSettings,
) -> Result<Policy, RecordsError> {
    let task = tasks::Entity::find_by_id(settings.task.0).one(db).await?;
    match task.filter(|task| task.deleted_at.is_none()).map(|task| task.settings) {
        Some(TaskSettings::AnonymiseUserData(policy)) => Ok(policy),
        _ => Err(RecordsError::Refused(format!(
            "Task {}, whose users are announced, was deleted. Edit this task and choose another one",
            settings.task
        ))),
    }
}

/// Returns the day on which users must be eligible to be announced today.
fn last_day(settings: &AnnouncementSettings, today: NaiveDate) -> NaiveDate {
    today.checked_add_days(Days::new(settings.days_before.get().into())).unwrap_or(today)
}

/// Stores the users of a preview: eligible ones get an e-mail.
pub(super) async fn store(
    tx: &DatabaseTransaction,
    run: &runs::Model,
    settings: &AnnouncementSettings,
) -> Result<(), RecordsError> {
    let policy = policy_of(tx, settings).await?;
    stored_verdicts::store(tx, run, (&policy, last_day(settings, run.today)), None).await?;
    let mut after = i64::MIN;
    loop {
        let numbers: Vec<i64> = run_members::Entity::find()
            .select_only()
            .column(run_members::Column::UserNumber)
            .filter(run_members::Column::RunId.eq(run.id))
            .filter(run_members::Column::Reason.eq(Reason::Eligible.number()))
            .filter(run_members::Column::UserNumber.gt(after))
            .order_by_asc(run_members::Column::UserNumber)
            .limit(USERS_PER_READ)
            .into_tuple()
            .all(tx)
            .await?;
        let Some(last) = numbers.last() else { return Ok(()) };
        after = *last;
        let users = users::Entity::find().filter(users::Column::Number.is_in(numbers)).all(tx).await?;
        let (_, left) = assess_for(tx, settings, (&policy, run.today), users).await?;
        let mut by_reason: BTreeMap<Reason, Vec<UserNumber>> = BTreeMap::new();
        for (number, reason) in left {
            by_reason.entry(reason).or_default().push(number);
        }
        for (reason, numbers) in by_reason {
            set_reason(tx, RunId(run.id), reason, &numbers).await?;
        }
    }
}

async fn set_reason(
    tx: &DatabaseTransaction,
    run: RunId,
    reason: Reason,
    numbers: &[UserNumber],
) -> Result<(), RecordsError> {
    let backend = tx.get_database_backend();
    // Raw SQL: one UPDATE for a batch, whose users `dialect::in_list` takes as one value.
    let sql = format!(
        "UPDATE run_members SET reason = ? WHERE run_id = ? AND {}",
        dialect::in_list(backend, "user_number")
    );
    let values: Vec<Value> = vec![
        reason.number().into(),
        run.0.into(),
        dialect::id_list(backend, numbers.iter().map(|number| number.0)),
    ];
    tx.execute_raw(dialect::bind(backend, &sql, values)).await?;
    Ok(())
}

/// Returns those of the users who get an e-mail today, and the others with the reason.
pub(super) async fn assess_for(
    db: &impl ConnectionTrait,
    settings: &AnnouncementSettings,
    (policy, today): (&Policy, NaiveDate),
    users: Vec<users::Model>,
) -> Result<(Vec<Recipient>, Vec<(UserNumber, Reason)>), RecordsError> {
    let users: BTreeMap<i64, users::Model> = users.into_iter().map(|user| (user.number, user)).collect();
    let numbers: Vec<UserNumber> = users.keys().copied().map(UserNumber).collect();
    let facts = eligibility::facts(db, &numbers).await?;
    let before = announcements::Entity::find()
        .filter(announcements::Column::UserNumber.is_in(users.keys().copied()))
        .filter(announcements::Column::TaskId.eq(settings.task.0))
        .all(db)
        .await?;
    let announced: BTreeSet<(i64, NaiveDate)> = before
        .into_iter()
        .filter(|one| one.state.counts())
        .map(|one| (one.user_number, one.due_on))
        .collect();
    let (mut recipients, mut left) = (Vec::new(), Vec::new());
    for (number, facts) in facts {
        let verdict = assess(&facts, policy, last_day(settings, today), RunMode::Bulk);
        let since = inactive_since(facts.last_activity_on, facts.created_on);
        let due = first_eligible_day(
            &policy.conditions,
            facts.leaving_on,
            since,
            facts.marked_on,
            facts.kept_since,
        );
        let due_on = match (verdict, due) {
            (Verdict::Eligible, Ok(due)) => due,
            (Verdict::Eligible, Err(reason)) => {
                left.push((number, reason));
                continue;
            }
            (verdict, _) => {
                left.push((number, verdict.reason()));
                continue;
            }
        };
        // An answer moves no date that lies in the future. The user is announced once it has passed.
        let if_kept =
            first_eligible_day(&policy.conditions, facts.leaving_on, since, facts.marked_on, Some(today));
        if if_kept.is_ok_and(|day| day <= due_on) {
            left.push((number, Reason::Waiting));
            continue;
        }
        let user = users.get(&number.0);
        let address = user.and_then(|user| user.email.clone()).filter(|address| mail::is_usable(address));
        match (user, address) {
            _ if announced.contains(&(number.0, due_on)) => left.push((number, Reason::AlreadyAnnounced)),
            (Some(user), Some(address)) => {
                recipients.push(Recipient { number, name: display_name(user), address, due_on });
            }
            _ => left.push((number, Reason::WithoutEmail)),
        }
    }
    Ok((recipients, left))
}

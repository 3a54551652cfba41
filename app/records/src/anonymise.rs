//! The anonymiser: the one function that every way of anonymising calls.
//!
//! It takes numbers of users, locks them, assesses each again, changes every place that the register of personal
//! data names, writes the audit and leaves the commit to the caller: a person is either untouched or done.

mod everyone;
mod person;

use crate::actor::Actor;
use crate::audit::Deed;
use crate::clock::Clock;
use crate::entity::audit_events;
use crate::{dialect, selection};
use policy::register::{Owner, TABLES};
use policy::{Policy, Reason, RunId, Selection, UserNumber, Verdict, assess};
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, Set};
use std::collections::BTreeMap;

/// The most people that are anonymised in one transaction.
pub const BATCH: u64 = 500;

/// What is to be done, and for whom.
#[derive(Clone, Debug)]
pub(crate) struct Job<'a> {
    /// The run that this belongs to.
    pub(crate) run: RunId,
    /// The policy of the run.
    pub(crate) policy: &'a Policy,
    /// The day of the run.
    pub(crate) today: chrono::NaiveDate,
    /// Whether conditions and scope count.
    pub(crate) selection: Selection,
    /// Who started the run.
    pub(crate) actor: Actor,
}

/// What was done.
#[derive(Debug, Default)]
pub(crate) struct Outcomes {
    /// People who are anonymised now.
    pub(crate) done: Vec<UserNumber>,
    /// The random keys of their records, in the same order, for the ledger.
    pub(crate) keys: Vec<String>,
    /// People who were left alone, and why.
    pub(crate) skipped: Vec<(UserNumber, Reason)>,
    /// Rows that were changed or deleted, by table.
    pub(crate) rows: BTreeMap<&'static str, u64>,
}

/// Anonymises those of these users whom the policy lets, inside the transaction of the caller.
pub(crate) async fn anonymise(
    tx: &DatabaseTransaction,
    clock: &Clock,
    job: &Job<'_>,
    numbers: &[UserNumber],
) -> Result<Outcomes, DbErr> {
    lock(tx, numbers).await?;
    let mut outcomes = Outcomes::default();
    let older = match job.selection {
        Selection::Reapply => selection::under_older_rules(tx, numbers).await?,
        _ => Vec::new(),
    };
    for (number, facts) in selection::facts(tx, numbers).await? {
        if job.selection == Selection::Reapply && !older.contains(&number) {
            outcomes.skipped.push((number, Reason::AlreadyAnonymised));
            continue;
        }
        match assess(&facts, job.policy, job.today, job.selection) {
            Verdict::Eligible => outcomes.done.push(number),
            verdict => outcomes.skipped.push((number, verdict.reason())),
        }
    }
    if outcomes.done.is_empty() {
        return Ok(outcomes);
    }
    let people = person::read(tx, job.policy, &outcomes.done).await?;
    outcomes.keys = people.iter().map(|person| person.uuid.clone()).collect();
    for table in TABLES {
        let rows = match table.owner {
            Owner::Nobody => continue,
            Owner::User("number") => person::replace(tx, job, &people).await?,
            Owner::User(_) | Owner::Loan(_) => everyone::clear(tx, job.policy, table, &outcomes.done).await?,
        };
        if rows > 0 {
            outcomes.rows.insert(table.name, rows);
        }
    }
    note(tx, clock, job, &outcomes.done).await?;
    Ok(outcomes)
}

/// Locks the users in the order of their numbers, so that two transactions can never wait for each other.
/// Loans and requests that are being made for them wait, or are seen by the assessment that follows.
async fn lock(tx: &DatabaseTransaction, numbers: &[UserNumber]) -> Result<(), DbErr> {
    let backend = tx.get_database_backend();
    let lock = dialect::for_update(backend);
    if lock.is_empty() || numbers.is_empty() {
        return Ok(());
    }
    let places = dialect::places(numbers.len());
    let sql = format!("SELECT number FROM users WHERE number IN ({places}) ORDER BY number{lock}");
    let values = numbers.iter().map(|number| number.0.into()).collect();
    tx.query_all_raw(dialect::statement(backend, &sql, values)).await?;
    Ok(())
}

/// One audit event for each person, in the same transaction: what cannot be noted is not done.
async fn note(
    tx: &DatabaseTransaction,
    clock: &Clock,
    job: &Job<'_>,
    done: &[UserNumber],
) -> Result<(), DbErr> {
    let event = audit_events::ActiveModel {
        at: Set(clock.now()),
        actor_number: Set(job.actor.staff.map(|staff| staff.0)),
        channel: Set(job.actor.channel.code().to_owned()),
        action: Set(Deed::UserAnonymised.code().to_owned()),
        subject_kind: Set("user".to_owned()),
        run_id: Set(Some(job.run.0)),
        detail: Set(format!("rules={}", policy::RULES_VERSION)),
        ..Default::default()
    };
    let events = done
        .iter()
        .map(|number| audit_events::ActiveModel { subject_id: Set(Some(number.0)), ..event.clone() });
    audit_events::Entity::insert_many(events).exec_without_returning(tx).await?;
    Ok(())
}

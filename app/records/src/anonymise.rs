//! The anonymiser: the one function that every way of anonymising calls.
//!
//! It takes numbers of users, locks them, assesses each again, changes every place that the register of personal
//! data names, and leaves audit and commit to the caller (`ledger::commit`, or the replay): a person is either untouched
//! or done.

mod everyone;
mod person;

use crate::actor::Actor;
use crate::selection;
use policy::register::{Owner, TABLES};
use policy::{Policy, Reason, RunId, Selection, UserNumber, Verdict, assess};
use sea_orm::{DatabaseTransaction, DbErr};
use std::collections::BTreeMap;
use tracing::Instrument as _;

/// The most people that are anonymised in one transaction.
pub const BATCH: u64 = 1_000;

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

/// Anonymises those of these users whom the policy lets, inside the transaction of the caller, who notes them
/// ([`crate::audit::note_people`]) when nothing else is left to change.
pub(crate) async fn anonymise(
    tx: &DatabaseTransaction,
    job: &Job<'_>,
    numbers: &[UserNumber],
) -> Result<Outcomes, DbErr> {
    let mut outcomes = Outcomes::default();
    let mut people = Vec::new();
    let assessed = selection::lock(tx, numbers).instrument(tracing::debug_span!("assess")).await?;
    for candidate in assessed {
        if job.selection == Selection::Reapply && !candidate.is_under_older_rules() {
            outcomes.skipped.push((candidate.number, Reason::AlreadyAnonymised));
            continue;
        }
        match assess(&candidate.facts, job.policy, job.today, job.selection) {
            Verdict::Eligible => people.push(candidate),
            verdict => outcomes.skipped.push((candidate.number, verdict.reason())),
        }
    }
    if people.is_empty() {
        return Ok(outcomes);
    }
    outcomes.done = people.iter().map(|person| person.number).collect();
    outcomes.keys = people.iter().map(|person| person.uuid.clone()).collect();
    for table in TABLES {
        let span = tracing::debug_span!("change", table = table.name);
        let rows = match table.owner {
            Owner::Nobody => continue,
            Owner::User("number") => person::replace(tx, job, &people).instrument(span).await?,
            Owner::User(_) | Owner::Loan(_) => {
                everyone::clear(tx, job.policy, table, &outcomes.done).instrument(span).await?
            }
        };
        if rows > 0 {
            outcomes.rows.insert(table.name, rows);
        }
    }
    Ok(outcomes)
}

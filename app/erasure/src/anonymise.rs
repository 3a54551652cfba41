//! The anonymiser: the one function behind every way of anonymising.
//!
//! It locks the users, assesses each again and changes every place in the register of personal data. The caller
//! records the audit event and commits (`ledger::commit`, or the replay). A user is therefore either untouched or
//! completely anonymised.

mod related_rows;
mod user_row;

use crate::eligibility::{self, Candidate};
use db::RecordsError;
use policy::personal_data::{RowOwner, TABLES};
use policy::{Policy, Reason, RunId, RunMode, UserNumber, Verdict, assess};
use safeguards::suppression::list::NormalKeys;
use safeguards::{key_periods, suppression};
use sea_orm::DatabaseTransaction;
use std::collections::BTreeMap;
use tracing::Instrument as _;
use trail::{Actor, Store};

/// The maximum number of users anonymised in one transaction.
pub const USERS_PER_BATCH: u64 = 1_000;

/// A request to anonymise users.
#[derive(Clone, Debug)]
pub struct ErasureRequest<'a> {
    /// The run that the request belongs to.
    pub run: RunId,
    /// The policy of the run.
    pub policy: &'a Policy,
    /// The day that verdicts are computed for.
    pub today: chrono::NaiveDate,
    /// Determines whether conditions and scope apply.
    pub mode: RunMode,
    /// The actor who started the run.
    pub actor: Actor,
}

/// The result of a request.
#[derive(Debug, Default)]
pub struct Outcomes {
    /// The users who were anonymised.
    pub done: Vec<UserNumber>,
    /// The random keys of their records, in the same order, for the ledger.
    pub keys: Vec<String>,
    /// The users who were left unchanged, with the reason.
    pub skipped: Vec<(UserNumber, Reason)>,
    /// Further codes for the audit event of each user: `reason=left`.
    pub codes: String,
    /// The number of rows changed or deleted, by table.
    pub rows: BTreeMap<&'static str, u64>,
}

/// Anonymises those of the users that the policy selects, in the caller's transaction. As its last change the
/// caller must record them in the audit ([`trail::audit::note_people`]).
///
/// Adds their current and former external identifiers, `UserID`s and barcodes, and their e-mail addresses, to the
/// suppression list.
pub async fn anonymise(
    store: &Store,
    tx: &DatabaseTransaction,
    request: &ErasureRequest<'_>,
    numbers: &[UserNumber],
) -> Result<Outcomes, RecordsError> {
    let mut outcomes = Outcomes::default();
    let mut people = Vec::new();
    let assessed = eligibility::lock(tx, numbers).instrument(tracing::debug_span!("assess")).await?;
    for candidate in assessed {
        if request.mode == RunMode::Reapply && !candidate.is_under_older_rules() {
            outcomes.skipped.push((candidate.number, Reason::AlreadyAnonymised));
            continue;
        }
        match assess(&candidate.facts, request.policy, request.today, request.mode) {
            Verdict::Eligible => people.push(candidate),
            verdict => outcomes.skipped.push((candidate.number, verdict.reason())),
        }
    }
    if people.is_empty() {
        return Ok(outcomes);
    }
    let mut keys: NormalKeys = people.iter().map(Candidate::keys).collect();
    let persons = people.iter().filter(|person| !person.facts.fictitious).map(|person| person.number.0);
    keys.extend(key_periods::former_keys(tx, persons).await?);
    suppression::list::add(tx, store, keys).instrument(tracing::debug_span!("suppress")).await?;
    outcomes.done = people.iter().map(|person| person.number).collect();
    outcomes.keys = people.iter().map(|person| person.uuid.clone()).collect();
    for table in TABLES {
        let span = tracing::debug_span!("change", table = table.name);
        let rows = match table.owner {
            RowOwner::NoUser => continue,
            RowOwner::User("number") => user_row::replace(tx, request, &people).instrument(span).await?,
            RowOwner::User(_) | RowOwner::Loan(_) => {
                related_rows::clear(tx, request.policy, table, &outcomes.done).instrument(span).await?
            }
        };
        if rows > 0 {
            outcomes.rows.insert(table.name, rows);
        }
    }
    Ok(outcomes)
}

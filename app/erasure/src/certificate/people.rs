//! Counting the users of a run.

use super::residue::ResidueCounts;
use db::RecordsError;
use db::entity::run_members;
use policy::{Outcome, Reason, Residue, RunId, UserNumber};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use trail::Store;

/// The number of users read at a time.
const USERS_PER_READ: u64 = 20_000;

/// The counts of the users of a run.
#[derive(Default)]
pub(super) struct UserCounts {
    pub(super) done: i64,
    pub(super) skipped: BTreeMap<String, i64>,
    pub(super) failed: BTreeMap<String, i64>,
    pub(super) residue: ResidueCounts,
    /// The SHA-256 over user numbers and outcomes.
    pub(super) sha256: String,
}

/// The result for one user of a run.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Counted {
    /// The outcome. None for a user that the run did not reach.
    pub outcome: Option<Outcome>,
    /// The reason for skipping the user.
    pub reason: Option<Reason>,
    /// The code of the failure.
    pub failure: Option<String>,
}

/// One user with everything that a certificate counts.
struct Member {
    number: UserNumber,
    counted: Counted,
    residue: Option<Residue>,
}

impl UserCounts {
    pub(super) async fn count(db: &impl ConnectionTrait, run: RunId) -> Result<Self, RecordsError> {
        let mut people = Self::default();
        let mut sum = Sha256::new_with_prefix("lethe-users-1\n");
        members(db, run, |member| {
            let Counted { outcome, reason, failure } = member.counted;
            let (reason, failure) = (reason.map(Reason::code), failure.unwrap_or_default());
            let outcome_code = outcome.map_or("", Outcome::code);
            let line = format!("{} {outcome_code} {} {failure}\n", member.number, reason.unwrap_or_default());
            sum.update(line);
            match outcome {
                None => {}
                Some(Outcome::Done) => {
                    people.done += 1;
                    *people.residue.count_mut(member.residue) += 1;
                }
                Some(Outcome::Skipped) => {
                    let reason = reason.ok_or(RecordsError::Corrupt("reason"))?;
                    *people.skipped.entry(reason.to_owned()).or_default() += 1;
                }
                Some(Outcome::Failed) => {
                    let code = if failure.is_empty() { "unknown".to_owned() } else { failure };
                    *people.failed.entry(code).or_default() += 1;
                }
            }
            Ok(())
        })
        .await?;
        people.sha256 = base16ct::lower::encode_string(&sum.finalize());
        Ok(people)
    }

    pub(super) fn counted(&self) -> i64 {
        self.done + self.skipped.values().sum::<i64>() + self.failed.values().sum::<i64>()
    }
}

/// Groups all users of a run by result, each group in the order of user numbers. The printed certificate lists
/// them.
pub async fn users(store: &Store, run: RunId) -> Result<Vec<(Counted, Vec<UserNumber>)>, RecordsError> {
    let mut by: BTreeMap<Counted, Vec<UserNumber>> = BTreeMap::new();
    members(&store.db, run, |member| {
        by.entry(member.counted).or_default().push(member.number);
        Ok(())
    })
    .await?;
    // Users without an outcome come last.
    let (none, some): (Vec<_>, Vec<_>) = by.into_iter().partition(|(counted, _)| counted.outcome.is_none());
    Ok([some, none].concat())
}

/// User number, outcome, number of the reason, code of the failure and residue.
type Row = (i64, Option<Outcome>, Option<i16>, Option<String>, Option<Residue>);

/// Calls a function for each user of a run, in the order of user numbers.
async fn members(
    db: &impl ConnectionTrait,
    run: RunId,
    mut each: impl FnMut(Member) -> Result<(), RecordsError>,
) -> Result<(), RecordsError> {
    let mut after = i64::MIN;
    loop {
        let rows: Vec<Row> = run_members::Entity::find()
            .select_only()
            .columns([
                run_members::Column::UserNumber,
                run_members::Column::Outcome,
                run_members::Column::OutcomeReason,
                run_members::Column::Failure,
                run_members::Column::Residue,
            ])
            .filter(run_members::Column::RunId.eq(run.0))
            .filter(run_members::Column::UserNumber.gt(after))
            .order_by_asc(run_members::Column::UserNumber)
            .limit(USERS_PER_READ)
            .into_tuple()
            .all(db)
            .await?;
        let Some(last) = rows.last() else { return Ok(()) };
        after = last.0;
        for (number, outcome, reason, failure, residue) in rows {
            let counted = Counted { outcome, reason: reason.and_then(Reason::from_number), failure };
            each(Member { number: UserNumber(number), counted, residue })?;
        }
    }
}

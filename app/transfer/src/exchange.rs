//! Lines that take keys which other users still have: swaps and chains.
//!
//! Such lines wait for the end of the file. By then each key that they take must be free, or another one of these lines
//! must give it up. All keys that they give up are freed before any of these lines is written.

use super::problem::{LineProblem, in_cell, in_column};
use super::user_match::{KeyedLine, Match, Matches, TWICE};
use super::{ROWS_PER_CHUNK, guard};
use chrono::NaiveDate;
use db::RecordsError;
use db::bulk_insert::MAX_PARAMETERS;
use db::entity::users;
use policy::form::Problem;
use policy::suppression::KeyKind;
use safeguards::key_periods::{self, Change};
use safeguards::legal_hold;
use safeguards::suppression::KeyForm;
use safeguards::suppression::check::Checker;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, DatabaseTransaction, DbErr, EntityTrait, QueryFilter};
use std::collections::{HashMap, HashSet};

/// A line with its user.
struct Candidate {
    line: KeyedLine,
    found: Match,
    /// The keys that its user gives up.
    frees: Vec<KeyForm>,
    problem: Option<LineProblem>,
}

impl Candidate {
    fn frees(&self, kind: KeyKind) -> bool {
        self.problem.is_none() && self.frees.iter().any(|(of, _)| *of == kind)
    }
}

/// Frees the keys that the lines exchange. Returns the lines to write now, and the problems of the others.
pub(super) async fn free_keys(
    tx: &DatabaseTransaction,
    checker: &Checker,
    today: NaiveDate,
    (lines, seen): (Vec<KeyedLine>, &HashSet<i64>),
) -> Result<(Vec<KeyedLine>, Vec<LineProblem>), RecordsError> {
    let matches = Matches::find(tx, &lines).await?;
    let numbers = || matches.users.keys().copied();
    let staff = guard::staff_among(tx, numbers()).await?;
    let held = legal_hold::in_force_among(tx, numbers()).await?;
    let suppressed = suppressed(tx, checker, &matches, (&lines, seen)).await?;
    let mut candidates = Vec::with_capacity(lines.len());
    let mut problems = Vec::new();
    let (mut users, mut keys) = (HashSet::new(), HashSet::new());
    for line in lines {
        let found = match matches.user(&line, seen) {
            Ok(found) => found,
            Err(problem) => {
                problems.push(problem);
                continue;
            }
        };
        if let Some(kind) = claimed_before(&line, &found, &mut users, &mut keys) {
            problems.push(in_cell(line.line.number, kind.field(), TWICE.to_owned()));
            continue;
        }
        let user = found.user.and_then(|(number, _)| matches.users.get(&number));
        let frees = match user {
            // These lines are skipped or held, so that their users give up nothing.
            Some(user) if staff.contains(&user.number) || held.contains(&user.number) => Vec::new(),
            Some(_) if suppressed.contains(&line.line.number) => Vec::new(),
            Some(user) => given_up(user, &line),
            None => Vec::new(),
        };
        candidates.push(Candidate { line, found, frees, problem: None });
    }
    reject_the_blocked(&mut candidates);
    free(tx, today, &candidates).await?;
    let mut ready = Vec::with_capacity(candidates.len());
    for candidate in candidates {
        match candidate.problem {
            None => ready.push(candidate.line),
            Some(problem) => problems.push(problem),
        }
    }
    Ok((ready, problems))
}

/// Returns the numbers of the lines that would give a user the external identifier of an anonymised one.
async fn suppressed(
    tx: &DatabaseTransaction,
    checker: &Checker,
    matches: &Matches,
    (lines, seen): (&[KeyedLine], &HashSet<i64>),
) -> Result<HashSet<u64>, RecordsError> {
    let gives_identifier = |line: &&KeyedLine| {
        let user = matches.user(line, seen).ok().and_then(|found| found.user);
        user.is_some_and(|(user, _)| matches.gives_identifier(line, user))
    };
    let lines: Vec<&KeyedLine> = lines.iter().filter(gives_identifier).collect();
    let mut suppressed = HashSet::new();
    for some in lines.chunks(ROWS_PER_CHUNK) {
        let keys: Vec<_> = some.iter().map(|line| line.line.key_values()).collect();
        let found = checker.check(tx, &keys).await?;
        let held = some.iter().zip(found).filter(|(_, found)| found.held_by.is_some());
        suppressed.extend(held.map(|(line, _)| line.line.number));
    }
    Ok(suppressed)
}

/// Returns the key that this line shares with an earlier line, or by which both match the same user.
fn claimed_before(
    line: &KeyedLine,
    found: &Match,
    users: &mut HashSet<i64>,
    keys: &mut HashSet<KeyForm>,
) -> Option<KeyKind> {
    let first = line.keys.first().map(|(kind, _)| *kind);
    let same_user = found.user.is_some_and(|(user, _)| !users.insert(user));
    let same_key = line.keys.iter().find(|key| keys.contains(*key)).map(|(kind, _)| *kind);
    let claimed = same_key.or(first.filter(|_| same_user));
    if claimed.is_none() {
        keys.extend(line.keys.iter().cloned());
    }
    claimed
}

/// Returns the keys that the user has and that the line replaces. An empty cell replaces no key.
fn given_up(user: &users::Model, line: &KeyedLine) -> Vec<KeyForm> {
    let replaced = user.key_forms().filter(|(kind, form)| line.key(*kind).is_some_and(|new| new != *form));
    replaced.map(|(kind, form)| (kind, form.to_owned())).collect()
}

/// Rejects the lines that take a key which no line frees, until every remaining line can be written. Each rejected line
/// keeps its own keys, so that the lines that wait for those are rejected next.
fn reject_the_blocked(candidates: &mut [Candidate]) {
    let by_user: HashMap<i64, usize> = candidates
        .iter()
        .enumerate()
        .filter_map(|(place, candidate)| Some((candidate.found.user?.0, place)))
        .collect();
    let mut waiting: HashMap<i64, Vec<(usize, KeyKind)>> = HashMap::new();
    let mut rejected = Vec::new();
    for (place, candidate) in candidates.iter().enumerate() {
        // The last one decides, so that the problem names the strongest key.
        for (kind, owner) in candidate.found.blocked.iter().rev() {
            let line = by_user.get(owner).and_then(|place| candidates.get(*place));
            if line.is_some_and(|line| line.frees(*kind)) {
                waiting.entry(*owner).or_default().push((place, *kind));
            } else {
                rejected.push((place, *kind));
            }
        }
    }
    while let Some((place, kind)) = rejected.pop() {
        let Some(candidate) = candidates.get_mut(place).filter(|candidate| candidate.problem.is_none())
        else {
            continue;
        };
        candidate.problem = Some(in_column(candidate.line.line.number, kind.field(), &Problem::Taken));
        if let Some((user, _)) = candidate.found.user {
            rejected.extend(waiting.remove(&user).unwrap_or_default());
        }
    }
}

/// Empties the normal forms of the keys that the lines give up. Writing the lines sets the new ones.
async fn free(
    tx: &DatabaseTransaction,
    today: NaiveDate,
    candidates: &[Candidate],
) -> Result<(), RecordsError> {
    let ready = candidates.iter().filter(|candidate| candidate.problem.is_none());
    let lost: Vec<Change> = ready
        .filter(|candidate| !candidate.frees.is_empty())
        .filter_map(|candidate| {
            Some(Change::of_lost(candidate.found.user?.0, today, candidate.frees.clone()))
        })
        .collect();
    key_periods::record_lost(tx, today, &lost).await?;
    for kind in KeyKind::ALL {
        let freeing = candidates.iter().filter(|candidate| candidate.frees(kind));
        let numbers: Vec<i64> = freeing.filter_map(|candidate| Some(candidate.found.user?.0)).collect();
        clear(tx, kind, &numbers).await?;
    }
    Ok(())
}

/// Empties the normal form of a key of these users.
pub(super) async fn clear(tx: &DatabaseTransaction, kind: KeyKind, users: &[i64]) -> Result<(), DbErr> {
    let Some(column) = users::key_column(kind) else { return Ok(()) };
    for some in users.chunks(MAX_PARAMETERS) {
        users::Entity::update_many()
            .col_expr(column, Expr::value(Option::<String>::None))
            .filter(users::Column::Number.is_in(some.iter().copied()))
            .exec(tx)
            .await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::user_line::UserLine;

    fn candidate(user: i64, takes_from: i64) -> Candidate {
        let mut line = UserLine::default();
        line.number = u64::try_from(user).expect("a number");
        let found =
            Match { user: Some((user, KeyKind::UserId)), blocked: vec![(KeyKind::Barcode, takes_from)] };
        let frees = vec![(KeyKind::Barcode, format!("b{user}"))];
        Candidate { line: KeyedLine { line, keys: Vec::new() }, found, frees, problem: None }
    }

    fn rejected(mut candidates: Vec<Candidate>) -> usize {
        reject_the_blocked(&mut candidates);
        candidates.iter().filter(|candidate| candidate.problem.is_some()).count()
    }

    /// A spreadsheet that sorts one column shifts the barcodes of all users. Their number is that of a large library: one
    /// pass over all lines for each rejected one would take hours.
    #[test]
    fn a_shifted_column_is_rejected_at_once_and_a_ring_is_not() {
        let count = 200_000;
        let shifted = (1..=count).map(|user| candidate(user, user + 1)).collect();
        assert_eq!(
            rejected(shifted),
            usize::try_from(count).expect("a number"),
            "the last key is of another user"
        );
        let ring = (1..=count).map(|user| candidate(user, user % count + 1)).collect();
        assert_eq!(rejected(ring), 0);
        let two = vec![candidate(1, 2), candidate(2, 1), candidate(3, 9), candidate(4, 3)];
        assert_eq!(rejected(two), 2);
    }
}

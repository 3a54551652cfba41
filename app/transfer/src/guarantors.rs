//! Resolves guarantors, which a file names by UserID, possibly before their own lines.

mod rings;

use super::ROWS_PER_CHUNK;
use super::problem::{FileProblems, in_cell, in_column};
use db::RecordsError;
use db::dialect;
use db::entity::users;
use policy::form::Problem;
use policy::key_form::normal;
use rings::NewGuarantor;
use safeguards::suppression::KeyValues;
use safeguards::suppression::check::Checker;
use sea_orm::sea_query::Value;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, QueryFilter, QuerySelect,
};
use std::collections::{BTreeSet, HashMap};

/// What a line does beside setting the guarantor.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum RestOfLine {
    Creates,
    Changes,
    Nothing,
}

/// A user whose guarantor must be resolved.
pub(super) struct Wanted {
    pub(super) line: u64,
    pub(super) user: i64,
    /// UserID of the guarantor.
    pub(super) guarantor: String,
    /// Current guarantor.
    pub(super) so_far: Option<i64>,
    /// What the line does otherwise.
    pub(super) rest: RestOfLine,
}

/// The result of the whole file.
pub(super) struct Finished {
    /// Number of users that became changed by a guarantor.
    pub(super) changed: u64,
    /// Number of guarantors left out because they are anonymised.
    pub(super) left_out: u64,
    /// Number of users whose guarantor is changed.
    pub(super) new_guarantors: u64,
    /// Number of users whose only change was a guarantor that is not possible.
    pub(super) taken_back: u64,
}

/// All guarantors to resolve.
#[derive(Default)]
pub(super) struct Guarantors {
    fresh: Vec<Wanted>,
    /// Not found so far: they may follow later in the file.
    waiting: Vec<Wanted>,
    /// The new guarantors of this file.
    set: Vec<NewGuarantor>,
}

impl Guarantors {
    pub(super) fn want(&mut self, wanted: Wanted) {
        self.fresh.push(wanted);
    }

    /// Stores the guarantors found by now. Returns the number of users that become changed by this.
    pub(super) async fn resolve(&mut self, tx: &DatabaseTransaction) -> Result<u64, DbErr> {
        let fresh = std::mem::take(&mut self.fresh);
        let (set, missing) = resolve(tx, fresh).await?;
        self.waiting.extend(missing);
        Ok(self.add(set))
    }

    /// Adds new guarantors. Returns the number of users that become changed by this.
    fn add(&mut self, set: Vec<NewGuarantor>) -> u64 {
        let changed = set.iter().filter(|one| one.rest == RestOfLine::Nothing).count() as u64;
        self.set.extend(set);
        changed
    }

    /// Stores the guarantors found at the end of the file. The missing ones become problems, except anonymised users:
    /// they are left out.
    pub(super) async fn finish(
        &mut self,
        tx: &DatabaseTransaction,
        checker: &Checker,
        problems: &mut FileProblems,
    ) -> Result<Finished, RecordsError> {
        let (set, missing) = resolve(tx, std::mem::take(&mut self.waiting)).await?;
        let changed = self.add(set);
        let keys: Vec<KeyValues<'_>> = missing
            .iter()
            .map(|one| KeyValues { user_id: Some(&one.guarantor), ..KeyValues::default() })
            .collect();
        let suppressed = checker.check(tx, &keys).await?;
        let mut left_out = 0;
        for (one, suppressed) in missing.iter().zip(suppressed) {
            if suppressed.held_by.is_some() {
                left_out += 1;
                continue;
            }
            let problem = "No other user has this UserID".to_owned();
            problems.add(in_cell(one.line, "guarantor_user_id", problem));
        }
        let of_known_users =
            |set: &[NewGuarantor]| set.iter().filter(|one| one.rest != RestOfLine::Creates).count() as u64;
        let new_guarantors = of_known_users(&self.set);
        let rings = rings::take_back(tx, std::mem::take(&mut self.set)).await?;
        let new_guarantors = new_guarantors - of_known_users(&rings);
        for ring in &rings {
            problems.add(in_column(ring.line, "guarantor_user_id", &Problem::GuarantorRing));
        }
        let taken_back = rings.iter().filter(|ring| ring.rest == RestOfLine::Nothing).count() as u64;
        Ok(Finished { changed, left_out, new_guarantors, taken_back })
    }
}

async fn resolve(
    tx: &DatabaseTransaction,
    wanted: Vec<Wanted>,
) -> Result<(Vec<NewGuarantor>, Vec<Wanted>), DbErr> {
    let mut set = Vec::new();
    let mut missing = Vec::new();
    let mut wanted = wanted.into_iter().peekable();
    while wanted.peek().is_some() {
        let some: Vec<Wanted> = wanted.by_ref().take(ROWS_PER_CHUNK).collect();
        let names: BTreeSet<String> = some.iter().map(|one| normal(&one.guarantor)).collect();
        let found: Vec<(Option<String>, i64)> = users::Entity::find()
            .select_only()
            .columns([users::Column::UserIdKey, users::Column::Number])
            .filter(users::Column::UserIdKey.is_in(names))
            .lock_exclusive()
            .into_tuple()
            .all(tx)
            .await?;
        let found: HashMap<Option<String>, i64> = found.into_iter().collect();
        let mut pairs: Vec<Value> = Vec::new();
        for one in some {
            match found.get(&Some(normal(&one.guarantor))) {
                Some(number) if *number != one.user => {
                    if one.so_far != Some(*number) {
                        pairs.extend([one.user.into(), (*number).into()]);
                        set.push(NewGuarantor {
                            line: one.line,
                            user: one.user,
                            guarantor: *number,
                            so_far: one.so_far,
                            rest: one.rest,
                        });
                    }
                }
                _ => missing.push(one),
            }
        }
        write(tx, pairs).await?;
    }
    Ok((set, missing))
}

/// Stores pairs of user and guarantor.
async fn write(tx: &DatabaseTransaction, pairs: Vec<Value>) -> Result<(), DbErr> {
    if pairs.is_empty() {
        return Ok(());
    }
    let rows = vec!["(CAST(? AS BIGINT), CAST(? AS BIGINT))"; pairs.len() / 2].join(", ");
    // Raw SQL: one UPDATE from a list of VALUES for many users.
    let sql = format!(
        "WITH v (number, guarantor) AS (VALUES {rows}) UPDATE users SET guarantor_number = v.guarantor, \
         version = users.version + 1 FROM v WHERE users.number = v.number"
    );
    tx.execute_raw(dialect::bind(tx.get_database_backend(), &sql, pairs)).await?;
    Ok(())
}

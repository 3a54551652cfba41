//! Rings of guarantors: users who are guarantors of each other, directly or through others. No user of a ring could be
//! anonymised.

use super::{RestOfLine, write};
use db::entity::users;
use sea_orm::sea_query::Value;
use sea_orm::{ColumnTrait, DatabaseTransaction, DbErr, EntityTrait, QueryFilter, QuerySelect};
use std::collections::{HashMap, HashSet};

/// A guarantor that a line gave to a user.
pub(super) struct NewGuarantor {
    pub(super) line: u64,
    /// The column that names the guarantor.
    pub(super) column: &'static str,
    pub(super) user: i64,
    pub(super) guarantor: i64,
    /// The current guarantor.
    pub(super) current: Option<i64>,
    /// The other effect of the line.
    pub(super) rest: RestOfLine,
}

/// Takes back the new guarantors that close a ring, and returns them. Of the lines of a ring, it is the last one.
pub(super) async fn take_back(
    tx: &DatabaseTransaction,
    mut set: Vec<NewGuarantor>,
) -> Result<Vec<NewGuarantor>, DbErr> {
    if set.is_empty() {
        return Ok(Vec::new());
    }
    let links: Vec<(i64, Option<i64>)> = users::Entity::find()
        .select_only()
        .columns([users::Column::Number, users::Column::GuarantorNumber])
        .filter(users::Column::GuarantorNumber.is_not_null())
        .into_tuple()
        .all(tx)
        .await?;
    let links = links.into_iter().filter_map(|(user, guarantor)| Some((user, guarantor?)));
    let mut guarantors: HashMap<i64, i64> = links.collect();
    for one in &set {
        guarantors.remove(&one.user);
    }
    set.sort_by_key(|one| one.line);
    let mut closing = Vec::new();
    let mut pairs: Vec<Value> = Vec::new();
    for one in set {
        if !closes_ring(&guarantors, one.user, one.guarantor) {
            guarantors.insert(one.user, one.guarantor);
            continue;
        }
        let kept = one.current.filter(|current| !closes_ring(&guarantors, one.user, *current));
        if let Some(kept) = kept {
            guarantors.insert(one.user, kept);
        }
        pairs.extend([one.user.into(), kept.into()]);
        closing.push(one);
    }
    write(tx, pairs).await?;
    Ok(closing)
}

/// Returns whether a user is a guarantor of the new guarantor, directly or through others.
fn closes_ring(guarantors: &HashMap<i64, i64>, user: i64, guarantor: i64) -> bool {
    let mut passed = HashSet::new();
    let mut next = Some(guarantor);
    while let Some(number) = next.filter(|number| passed.insert(*number)) {
        if number == user {
            return true;
        }
        next = guarantors.get(&number).copied();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ring_has_any_length() {
        let guarantors = HashMap::from([(1, 2), (2, 3), (7, 8), (8, 7)]);
        for (user, guarantor, closes) in
            [(3, 1, true), (2, 1, true), (1, 1, true), (4, 1, false), (3, 4, false), (4, 7, false)]
        {
            assert_eq!(closes_ring(&guarantors, user, guarantor), closes, "{user} {guarantor}");
        }
    }
}

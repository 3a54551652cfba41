//! Pairs the lines of a file with rows of the database that have no key of their own.

use super::rows::Row;
use super::seen::Ids;
use chrono::NaiveDate;
use sea_orm::{DatabaseTransaction, DbErr, EntityTrait, QueryOrder, QuerySelect};
use std::collections::{HashMap, HashSet};
use std::hash::Hash;

/// Below the id of every row.
const NO_ROW: i64 = 0;

/// Maximum number of comparisons of the lines and rows with one description. More of them are paired in their order.
const MAX_COMPARISONS: usize = 10_000;

/// Pairs the lines with rows that were in the database before the import, each with another one.
///
/// A user can have several equal charges on one day. Each line belongs to the row that it fits best, so that the same
/// file changes nothing when it is imported again. Rows that the file itself creates belong to the lines that created
/// them.
///
/// The memory does not grow with the lines: one bit for each paired row, in blocks of 64 rows with about 30 bytes each.
pub(super) struct Pairing {
    /// The last row before the import. No other transaction imports meanwhile.
    last: i64,
    /// Rows of the lines so far.
    paired: Ids,
}

/// The fit of a line to a row, the best first.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Fit {
    /// The row has the end and everything else that the line says.
    Same,
    /// The line does not change the row.
    Unchanged,
    /// The row has the end that the line says.
    SameEnd,
    /// The row is open, and the line ends it.
    Ends,
    /// Any other line with the same description.
    Other,
}

impl Fit {
    /// Compares a line that says this end, and would change the row in this way.
    fn compare<R: Row>(row: &R, after: &R, end: Option<NaiveDate>) -> Self {
        match (row.ended_on() == end, row == after) {
            (true, true) => Self::Same,
            (false, true) => Self::Unchanged,
            (true, false) => Self::SameEnd,
            (false, false) if row.ended_on().is_none() => Self::Ends,
            (false, false) => Self::Other,
        }
    }
}

impl Pairing {
    /// Begins an import of rows of this table.
    pub(super) async fn begin<E>(tx: &DatabaseTransaction, id: E::Column) -> Result<Self, DbErr>
    where
        E: EntityTrait,
    {
        let last: Option<i64> =
            E::find().select_only().column(id).order_by_desc(id).into_tuple().one(tx).await?;
        Ok(Self { last: last.unwrap_or(NO_ROW), paired: Ids::default() })
    }

    /// Returns whether the table had no row before the import.
    pub(super) const fn is_first(&self) -> bool {
        self.last == NO_ROW
    }

    /// Returns the last row before the import.
    pub(super) const fn last(&self) -> i64 {
        self.last
    }

    /// Returns whether an earlier line has created the row, or was paired with it.
    pub(super) fn is_of_earlier_line(&self, row: &impl Row) -> bool {
        row.id() > self.last || self.paired.contains(row.id())
    }

    /// Returns the row of each line, or `None` for a line that creates one. `known` has the rows by description, oldest
    /// first. `after` returns the end that a line says, and the row as the line would change it.
    pub(super) fn pair<K: Eq + Hash, L, R: Row>(
        &mut self,
        lines: &[(K, L)],
        mut known: HashMap<K, Vec<R>>,
        after: impl Fn(&L, &R) -> (Option<NaiveDate>, R),
    ) -> Vec<Option<R>> {
        let mut pairs: Vec<Option<R>> = Vec::new();
        pairs.resize_with(lines.len(), || None);
        if known.is_empty() {
            return pairs;
        }
        let mut groups: HashMap<&K, Vec<(usize, &L)>> = HashMap::with_capacity(lines.len());
        for (place, (key, line)) in lines.iter().enumerate() {
            groups.entry(key).or_default().push((place, line));
        }
        for (key, group) in groups {
            let mut free = known.remove(key).unwrap_or_default();
            free.retain(|row| !self.is_of_earlier_line(row));
            let fit = |(_, line): &(usize, &L), row: &R| {
                let (end, after) = after(line, row);
                Fit::compare(row, &after, end)
            };
            let found = best_pairs(&group, &free, fit);
            let mut free: Vec<Option<R>> = free.into_iter().map(Some).collect();
            for (line, row) in found {
                let row = free.get_mut(row).and_then(Option::take);
                if let Some(row) = &row {
                    self.paired.insert(row.id());
                }
                if let Some(pair) = group.get(line).and_then(|(place, _)| pairs.get_mut(*place)) {
                    *pair = row;
                }
            }
        }
        pairs
    }
}

/// Returns the places of lines and rows that belong together: those that fit best, then those at the same place.
fn best_pairs<L, R, F: Ord>(lines: &[L], rows: &[R], fit: impl Fn(&L, &R) -> F) -> Vec<(usize, usize)> {
    let comparisons = lines.len().saturating_mul(rows.len());
    if comparisons <= 1 || comparisons > MAX_COMPARISONS {
        return (0..lines.len().min(rows.len())).map(|place| (place, place)).collect();
    }
    let mut candidates = Vec::with_capacity(comparisons);
    for (at, line) in lines.iter().enumerate() {
        candidates
            .extend(rows.iter().enumerate().map(|(row, of)| (fit(line, of), at.abs_diff(row), at, row)));
    }
    candidates.sort_unstable();
    let (mut used_lines, mut used_rows) = (HashSet::new(), HashSet::new());
    let mut pairs = Vec::with_capacity(lines.len().min(rows.len()));
    for (_, _, line, row) in candidates {
        if !used_lines.contains(&line) && used_rows.insert(row) {
            used_lines.insert(line);
            pairs.push((line, row));
        }
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_ones_are_paired_first_and_then_those_at_the_same_place() {
        let pairs = |lines: &[u8], rows: &[u8]| {
            let mut pairs = best_pairs(lines, rows, |line, row| line.abs_diff(*row));
            pairs.sort_unstable();
            pairs
        };
        assert_eq!(pairs(&[1, 2], &[2, 1]), [(0, 1), (1, 0)]);
        assert_eq!(pairs(&[5, 1], &[1, 1]), [(0, 0), (1, 1)]);
        assert_eq!(pairs(&[1, 1, 1], &[1]), [(0, 0)]);
        assert_eq!(pairs(&[1], &[3, 1, 1]), [(0, 1)]);
        assert_eq!(pairs(&[], &[1]), []);
        let many = vec![1; 200];
        assert_eq!(pairs(&many, &many).len(), 200, "too many to compare");
    }
}

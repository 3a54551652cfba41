//! Lists users for identity systems, page by page.
//!
//! The protocol counts positions from the first user. A page that follows another one begins after its last user, so
//! the database doesn't read the pages before it. A user who disappears in between moves no other one out of sight. A
//! page in the middle is found by its position.

use super::condition::UserCondition;
use super::{ProvisionedUser, provisioned, visible};
use db::entity::{custom_values, users};
use db::{RecordsError, checksum};
use policy::Action;
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use trail::{Actor, Store};

/// Number of pages whose ends this process remembers. A list needs one of them at a time.
const MAX_PAGE_ENDS: usize = 256;

/// Where pages end.
#[derive(Debug, Default)]
struct PageEnds(Mutex<VecDeque<(Position, i64)>>);

/// The position of the next page, and the digest of the condition of its list.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Position {
    condition: String,
    first: u64,
}

impl Position {
    fn new(condition: &UserCondition, first: u64) -> Self {
        Self { condition: checksum::sha256(&[format!("{condition:?}").as_bytes()]), first }
    }
}

impl PageEnds {
    /// Returns the last user before a position, if a page ended there.
    fn before(&self, position: &Position) -> Option<i64> {
        let ends = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        ends.iter().find(|(known, _)| known == position).map(|(_, number)| *number)
    }

    fn remember(&self, position: Position, last: i64) {
        let mut ends = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        ends.retain(|(known, _)| *known != position);
        ends.push_back((position, last));
        if ends.len() > MAX_PAGE_ENDS {
            ends.pop_front();
        }
    }
}

/// Returns the number of users that meet a condition, and `count` of them from position `first`, counted from 0.
pub async fn find(
    store: &Store,
    actor: Actor,
    condition: &UserCondition,
    (first, count): (u64, u64),
) -> Result<(u64, Vec<ProvisionedUser>), RecordsError> {
    actor.require(Action::SeeUsers)?;
    let today = store.clock.today();
    let found = users::Entity::find().filter(visible()).filter(condition.sql(today)?);
    let total = found.clone().count(&store.db).await?;
    if count == 0 {
        return Ok((total, Vec::new()));
    }
    let ends = store.process_state::<PageEnds>();
    let page = match ends.before(&Position::new(condition, first)) {
        Some(last) => found.filter(users::Column::Number.gt(last)),
        None if first >= total => return Ok((total, Vec::new())),
        None => found.offset(first),
    };
    let rows = page.order_by_asc(users::Column::Number).limit(count).all(&store.db).await?;
    if let Some(last) = rows.last() {
        ends.remember(Position::new(condition, first + rows.len() as u64), last.number);
    }
    let mut custom: HashMap<i64, BTreeMap<String, String>> = HashMap::new();
    let values = custom_values::Entity::find()
        .filter(custom_values::Column::UserNumber.is_in(rows.iter().map(|user| user.number)))
        .all(&store.db)
        .await?;
    for value in values {
        custom.entry(value.user_number).or_default().insert(value.field_key, value.value);
    }
    let user =
        |user: &users::Model| provisioned(user, custom.remove(&user.number).unwrap_or_default(), today);
    Ok((total, rows.iter().map(user).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bounded_number_of_page_ends_is_remembered() {
        let (ends, all) = (PageEnds::default(), UserCondition::none());
        for first in 1..=MAX_PAGE_ENDS as u64 + 1 {
            ends.remember(Position::new(&all, first), 7);
        }
        assert_eq!(ends.before(&Position::new(&all, 1)), None, "the oldest one is forgotten");
        assert_eq!(ends.before(&Position::new(&all, 2)), Some(7));
        ends.remember(Position::new(&all, 2), 8);
        assert_eq!(ends.before(&Position::new(&all, 2)), Some(8));
        assert_eq!(ends.before(&Position::new(&UserCondition::Active, 2)), None, "another list");
    }
}

//! Which user a line is about.

use super::columns::KEYS;
use super::problem::{LineProblem, in_cell, in_column};
use super::user_line::UserLine;
use crate::entity::users;
use policy::form::Problem;
use sea_orm::{ColumnTrait, DatabaseTransaction, DbErr, EntityTrait, QueryFilter, QuerySelect};
use std::collections::{HashMap, HashSet};

/// The users of a chunk of lines: those that are there, and those that lines before have brought.
#[derive(Default)]
pub(super) struct Matches {
    /// Who has a key: the column and what stands in it.
    owners: HashMap<(&'static str, String), Owner>,
    /// The users that were found, by number.
    pub(super) users: HashMap<i64, users::Model>,
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Owner {
    /// The user of this number.
    User(i64),
    /// A new user, whom the line of this number brings.
    Line(u64),
}

impl Matches {
    /// Finds and locks everybody who has a key of one of these lines.
    pub(super) async fn find(tx: &DatabaseTransaction, lines: &[UserLine]) -> Result<Self, DbErr> {
        let mut matches = Self::default();
        for (key, column) in
            KEYS.into_iter().zip([users::Column::ExternalId, users::Column::UserId, users::Column::Barcode])
        {
            let values: Vec<&str> = lines.iter().filter_map(|line| line.key(key)).collect();
            if values.is_empty() {
                continue;
            }
            let found = users::Entity::find().filter(column.is_in(values)).lock_exclusive().all(tx).await?;
            for user in found {
                let number = user.number;
                matches.users.entry(number).or_insert(user);
            }
        }
        let owned: Vec<_> = matches.users.values().flat_map(keys_of).collect();
        matches.owners.extend(owned);
        Ok(matches)
    }

    /// The user a line is about; None for a new one. `seen` are the users that lines before were about.
    pub(super) fn whom(&self, line: &UserLine, seen: &HashSet<i64>) -> Result<Option<i64>, LineProblem> {
        let mut whom = None;
        for key in KEYS {
            let Some(value) = line.key(key) else { continue };
            let Some(owner) = self.owners.get(&(key, value.to_owned())) else { continue };
            let before = match owner {
                Owner::Line(_) => true,
                Owner::User(number) => seen.contains(number),
            };
            if before {
                let problem = "This stands on a line before already: one user, one line".to_owned();
                return Err(in_cell(line.number, key, problem));
            }
            let Owner::User(number) = *owner else { continue };
            match whom {
                None if key != "external_id" && self.is_another(number, line) => {
                    return Err(in_column(line.number, key, &Problem::Taken));
                }
                None => whom = Some(number),
                Some(one) if one != number => return Err(in_column(line.number, key, &Problem::Taken)),
                Some(_) => {}
            }
        }
        Ok(whom)
    }

    /// Whether the user is known under another external identifier than the line's.
    fn is_another(&self, number: i64, line: &UserLine) -> bool {
        let known = self.users.get(&number).and_then(|user| user.external_id.as_deref());
        known.zip(line.key("external_id")).is_some_and(|(known, new)| known != new)
    }

    /// Notes the keys of a new user.
    pub(super) fn brings(&mut self, line: u64, user: &users::Model) {
        self.owners.extend(keys_of(user).into_iter().map(|(key, _)| (key, Owner::Line(line))));
    }

    /// Notes the keys that a user has now.
    pub(super) fn changes(&mut self, before: &users::Model, after: &users::Model) {
        for (key, _) in keys_of(before) {
            self.owners.remove(&key);
        }
        self.owners.extend(keys_of(after));
    }
}

fn keys_of(user: &users::Model) -> Vec<((&'static str, String), Owner)> {
    KEYS.into_iter()
        .zip([&user.external_id, &user.user_id, &user.barcode])
        .filter_map(|(key, value)| Some(((key, value.clone()?), Owner::User(user.number))))
        .collect()
}

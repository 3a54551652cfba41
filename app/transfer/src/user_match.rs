//! Matches lines to users.

use super::columns::KEYS;
use super::problem::{LineProblem, in_cell, in_column};
use super::user_line::UserLine;
use db::entity::users;
use policy::form::Problem;
use sea_orm::{ColumnTrait, DatabaseTransaction, DbErr, EntityTrait, QueryFilter, QuerySelect};
use std::collections::{HashMap, HashSet};

/// The users of a chunk of lines: existing ones, and new ones from previous lines.
#[derive(Default)]
pub(super) struct Matches {
    /// The owner of each key, by column and value.
    owners: HashMap<(&'static str, String), Owner>,
    /// The existing users by number.
    pub(super) users: HashMap<i64, users::Model>,
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Owner {
    /// The user with this number.
    User(i64),
    /// A new user, from the line with this number.
    Line(u64),
}

impl Matches {
    /// Finds and locks all users who have a key of one of these lines.
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

    /// Returns the user of a line, or `None` for a new one. `seen` contains the users of previous lines.
    ///
    /// Returns an error if a previous line had the same user, or if the keys belong to different users.
    pub(super) fn user(&self, line: &UserLine, seen: &HashSet<i64>) -> Result<Option<i64>, LineProblem> {
        let mut found = None;
        for key in KEYS {
            let Some(value) = line.key(key) else { continue };
            let Some(owner) = self.owners.get(&(key, value.to_owned())) else { continue };
            let before = match owner {
                Owner::Line(_) => true,
                Owner::User(number) => seen.contains(number),
            };
            if before {
                let problem = "Already used on an earlier line. Each user may have only one line".to_owned();
                return Err(in_cell(line.number, key, problem));
            }
            let Owner::User(number) = *owner else { continue };
            match found {
                None if key != "external_id" && self.is_another(number, line) => {
                    return Err(in_column(line.number, key, &Problem::Taken));
                }
                None => found = Some(number),
                Some(one) if one != number => return Err(in_column(line.number, key, &Problem::Taken)),
                Some(_) => {}
            }
        }
        Ok(found)
    }

    /// Returns whether the user has an external identifier other than the line's.
    fn is_another(&self, number: i64, line: &UserLine) -> bool {
        let known = self.users.get(&number).and_then(|user| user.external_id.as_deref());
        known.zip(line.key("external_id")).is_some_and(|(known, new)| known != new)
    }

    /// Adds the keys of a new user.
    pub(super) fn brings(&mut self, line: u64, user: &users::Model) {
        self.owners.extend(keys_of(user).into_iter().map(|(key, _)| (key, Owner::Line(line))));
    }

    /// Replaces the keys of a changed user.
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

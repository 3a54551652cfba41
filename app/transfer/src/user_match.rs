//! Matches lines to users.

use super::problem::{LineProblem, in_cell, in_column};
use super::user_line::UserLine;
use db::bulk_insert::MAX_PARAMETERS;
use db::entity::users;
use policy::form::Problem;
use policy::key_form::normal;
use policy::suppression::KeyKind;
use safeguards::suppression::KeyForm;
use sea_orm::{ColumnTrait, DatabaseTransaction, DbErr, EntityTrait, QueryFilter, QuerySelect};
use std::collections::{HashMap, HashSet};

/// The problem of a second line with the same key.
pub(super) const TWICE: &str = "Already used on an earlier line. Each user may have only one line";

/// A line with its keys in their normal forms, the strongest first.
pub(super) struct KeyedLine {
    pub(super) line: UserLine,
    pub(super) keys: Vec<KeyForm>,
}

impl KeyedLine {
    pub(super) fn new(line: UserLine) -> Self {
        let keys = [KeyKind::ExternalId, KeyKind::UserId, KeyKind::Barcode]
            .into_iter()
            .filter_map(|kind| Some((kind, normal(line.key(kind.field())?))))
            .collect();
        Self { line, keys }
    }

    /// Returns the line's key of this kind.
    pub(super) fn key(&self, kind: KeyKind) -> Option<&str> {
        self.keys.iter().find(|(of, _)| *of == kind).map(|(_, form)| form.as_str())
    }
}

/// The users of a chunk of lines: existing ones, and new ones from previous lines.
#[derive(Default)]
pub(super) struct Matches {
    /// The owner of each key.
    owners: HashMap<KeyForm, Owner>,
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

/// The user of a line.
#[derive(Debug, Default)]
pub(super) struct Match {
    /// The number of the user, and the kind of the key by which the user was found. `None` for a new user.
    pub(super) user: Option<(i64, KeyKind)>,
    /// The line's other keys that belong to other users, with their numbers. A later line can free them.
    pub(super) blocked: Vec<(KeyKind, i64)>,
}

impl Matches {
    /// Finds and locks all users who have a key of one of these lines.
    pub(super) async fn find(tx: &DatabaseTransaction, lines: &[KeyedLine]) -> Result<Self, DbErr> {
        let mut matches = Self::default();
        for kind in KeyKind::ALL {
            let Some(column) = users::key_column(kind) else { continue };
            let forms: Vec<&str> = lines.iter().filter_map(|line| line.key(kind)).collect();
            for some in forms.chunks(MAX_PARAMETERS) {
                let these = users::Entity::find().filter(column.is_in(some.iter().copied()));
                for user in these.lock_exclusive().all(tx).await? {
                    matches.users.entry(user.number).or_insert(user);
                }
            }
        }
        let owned: Vec<_> = matches.users.values().flat_map(keys_of).collect();
        matches.owners.extend(owned);
        // The keys of some users are free by now, although their lines come later.
        matches.users.values_mut().for_each(users::Model::derive);
        Ok(matches)
    }

    /// Returns the user of a line: the owner of its strongest key. `seen` contains the users of previous lines.
    ///
    /// The owner of a weaker key is another person if the external identifiers differ. Returns an error if a previous
    /// line had one of the keys.
    pub(super) fn user(&self, line: &KeyedLine, seen: &HashSet<i64>) -> Result<Match, LineProblem> {
        let mut found = Match::default();
        for key in &line.keys {
            let Some(owner) = self.owners.get(key) else { continue };
            let number = match *owner {
                Owner::User(number) if !seen.contains(&number) => number,
                Owner::User(_) | Owner::Line(_) => {
                    let (number, column) = (line.line.number, key.0.field());
                    return Err(match found.user {
                        Some(_) => in_column(number, column, &Problem::Taken),
                        None => in_cell(number, column, TWICE.to_owned()),
                    });
                }
            };
            match found.user {
                Some((user, _)) if user == number => {}
                None if !self.is_another(number, line) => found.user = Some((number, key.0)),
                _ => found.blocked.push((key.0, number)),
            }
        }
        Ok(found)
    }

    /// Returns whether the user has an external identifier other than the line's.
    fn is_another(&self, number: i64, line: &KeyedLine) -> bool {
        let known = self.users.get(&number).and_then(|user| user.external_id_key.as_deref());
        known.zip(line.key(KeyKind::ExternalId)).is_some_and(|(known, new)| known != new)
    }

    /// Returns whether a line would create a user, or give a user an external identifier. Another person can have had the
    /// identifier.
    pub(super) fn brings_person(&self, line: &KeyedLine, seen: &HashSet<i64>) -> bool {
        let Ok(found) = self.user(line, seen) else { return false };
        // A line that waits for its keys is checked when it has them.
        found.blocked.is_empty() && found.user.is_none_or(|(number, _)| self.gives_identifier(line, number))
    }

    /// Returns whether a line would give its user an external identifier.
    pub(super) fn gives_identifier(&self, line: &KeyedLine, user: i64) -> bool {
        let has_none = self.users.get(&user).is_some_and(|user| user.external_id_key.is_none());
        has_none && line.key(KeyKind::ExternalId).is_some()
    }

    /// Adds the keys of a new user.
    pub(super) fn brings(&mut self, line: u64, user: &users::Model) {
        self.owners.extend(keys_of(user).into_iter().map(|(key, _)| (key, Owner::Line(line))));
    }

    /// Replaces the keys of a changed user.
    pub(super) fn changes(&mut self, before: &users::Model, after: &users::Model) {
        for (key, owner) in keys_of(before) {
            if self.owners.get(&key) == Some(&owner) {
                self.owners.remove(&key);
            }
        }
        self.owners.extend(keys_of(after));
    }
}

fn keys_of(user: &users::Model) -> Vec<(KeyForm, Owner)> {
    user.key_forms().map(|(kind, form)| ((kind, form.to_owned()), Owner::User(user.number))).collect()
}

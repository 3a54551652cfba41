//! The parts of a user that other modules need: the display name, the words that find the user, and the lock of the
//! record.

use crate::store::Store;
use db::RecordsError;
use db::entity::users;
use policy::UserNumber;
use policy::search_words::SearchWords;
use policy::user_field::{FieldKind, Search, Section};
use sea_orm::sea_query::Expr;
use sea_orm::{
    DatabaseTransaction, DbErr, EntityTrait, IdenStatic, JoinType, QueryResult, QuerySelect, Select,
};
use serde::Serialize;
use std::collections::BTreeSet;

/// Shown for a record without a name.
const NAMELESS: &str = "(no name)";

/// The columns of a user's name.
const NAME_COLUMNS: [users::Column; 4] = [
    users::Column::Replacement,
    users::Column::FirstName,
    users::Column::PreferredName,
    users::Column::LastName,
];

/// The parts of a user's name, for queries on other tables that show the user.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Name {
    replacement: Option<String>,
    first: Option<String>,
    preferred: Option<String>,
    last: Option<String>,
}

impl Name {
    /// Returns the name columns for a `SELECT` list, where `table` is the alias of `users`. [`Name::from_row`] reads
    /// them.
    pub fn select_list(table: &str) -> String {
        NAME_COLUMNS
            .map(|column| format!("{table}.{column} AS {table}_{column}", column = column.as_str()))
            .join(", ")
    }

    /// Joins the user with the number in a column, as `table`, and selects the name columns for [`Name::from_row`].
    pub fn join<E: EntityTrait>(select: Select<E>, number: E::Column, table: &'static str) -> Select<E> {
        let user = E::belongs_to(users::Entity).from(number).to(users::Column::Number);
        Self::select(select.join_as(JoinType::LeftJoin, user.into(), table), table)
    }

    /// Selects the name columns of a joined user for [`Name::from_row`].
    pub fn select<E: EntityTrait>(select: Select<E>, table: &'static str) -> Select<E> {
        NAME_COLUMNS.into_iter().fold(select, |select, column| {
            select.column_as(Expr::col((table, column)), format!("{table}_{}", column.as_str()))
        })
    }

    /// Reads the columns of [`Name::select_list`] or [`Name::select`].
    pub fn from_row(row: &QueryResult, table: &str) -> Result<Self, DbErr> {
        let column = |name: &str| row.try_get("", &format!("{table}_{name}"));
        Ok(Self {
            replacement: column("replacement")?,
            first: column("first_name")?,
            preferred: column("preferred_name")?,
            last: column("last_name")?,
        })
    }

    /// Returns the display name.
    pub fn shown(&self) -> String {
        if let Some(replacement) = &self.replacement {
            return replacement.clone();
        }
        let preferred = self.preferred.as_ref().filter(|name| self.first.as_ref() != Some(name));
        let preferred = match (&self.first, preferred) {
            (Some(_), Some(name)) => Some(format!("({name})")),
            (None, name) => name.cloned(),
            (Some(_), None) => None,
        };
        let parts = [self.first.clone(), preferred, self.last.clone()];
        let shown = parts.into_iter().flatten().collect::<Vec<_>>().join(" ");
        if shown.is_empty() { NAMELESS.to_owned() } else { shown }
    }
}

/// Returns the display name: the replacement of an anonymised user, else first name, preferred name in brackets,
/// last name.
pub fn display_name(user: &users::Model) -> String {
    Name {
        replacement: user.replacement.clone(),
        first: user.first_name.clone(),
        preferred: user.preferred_name.clone(),
        last: user.last_name.clone(),
    }
    .shown()
}

/// A user linked from a page.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Person {
    /// User number.
    pub number: UserNumber,
    /// The user's current name.
    pub name: String,
}

/// Locks and reads the record of a user.
///
/// Every change to rows that belong to a user takes this lock first, to exclude other writers such as the
/// anonymiser.
pub async fn lock(tx: &DatabaseTransaction, number: UserNumber) -> Result<users::Model, RecordsError> {
    let user = users::Entity::find_by_id(number.0).lock_exclusive().one(tx).await?;
    user.ok_or(RecordsError::NotFound("user"))
}

/// Returns the error for changing an anonymised user.
pub fn anonymised(number: UserNumber) -> RecordsError {
    RecordsError::Refused(format!(
        "User {number} has been anonymised. The record cannot be restored or edited"
    ))
}

/// Returns the display name of the user with this number, or `None` if there is no such user.
pub async fn name_of(store: &Store, number: UserNumber) -> Result<Option<String>, RecordsError> {
    let user = users::Entity::find_by_id(number.0).one(&store.db).await?;
    Ok(user.as_ref().map(display_name))
}

/// Returns the words that find a user, as stored in `user_words`. Empty for an anonymised user.
pub fn search_words(user: &users::Model) -> BTreeSet<String> {
    let mut words = SearchWords::default();
    for (field, value) in user.fields() {
        let Some(value) = value.text() else { continue };
        match (field.search, field.section, field.kind) {
            (Search::Unsearched, ..) => {}
            (Search::ByNumber, ..) => words.phone(value),
            (Search::Searched, Section::Names, _) => words.name(value),
            (Search::Searched, _, FieldKind::Email) => words.email(value),
            (Search::Searched, ..) => words.key(value),
        }
    }
    // Every spelling of a key finds the user.
    user.key_forms().for_each(|(_, form)| words.key(form));
    words.into_set()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_shows_what_there_is() {
        let name = |first: &str, preferred: &str, last: &str| {
            let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
            Name { replacement: None, first: some(first), preferred: some(preferred), last: some(last) }
                .shown()
        };
        assert_eq!(name("Ana María", "", "Ng"), "Ana María Ng");
        assert_eq!(name("Ana", "Annie", "Ng"), "Ana (Annie) Ng");
        assert_eq!(name("Ana", "Ana", "Ng"), "Ana Ng");
        assert_eq!(name("", "Annie", ""), "Annie");
        assert_eq!(name("", "", ""), NAMELESS);
        let anonymised = Name { replacement: Some("Anonymised user 7F3KQ2".to_owned()), ..Name::default() };
        assert_eq!(anonymised.shown(), "Anonymised user 7F3KQ2");
    }
}

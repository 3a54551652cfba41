//! The search index: the words by which a search finds a user, see `policy::search_words`.

use crate::entity::user_words;
use policy::user_search::{Term, Test, UserSearch};
use sea_orm::sea_query::Value;
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, Set};
use std::collections::BTreeSet;

/// Replaces the words of a user.
pub async fn replace(
    db: &impl ConnectionTrait,
    user_number: i64,
    words: BTreeSet<String>,
) -> Result<(), DbErr> {
    user_words::Entity::delete_many().filter(user_words::Column::UserNumber.eq(user_number)).exec(db).await?;
    let rows = words
        .into_iter()
        .map(|word| user_words::ActiveModel { word: Set(word), user_number: Set(user_number) });
    user_words::Entity::insert_many(rows).exec_without_returning(db).await?;
    Ok(())
}

/// A table of words.
#[derive(Clone, Copy)]
struct Index {
    table: &'static str,
    owner: &'static str,
}

const USERS: Index = Index { table: "user_words", owner: "user_number" };
const CATALOGUE: Index = Index { table: "catalogue_words", owner: "record_id" };

/// Returns the condition that a column has the number of a user who matches the search, and its values.
pub fn matching(search: &UserSearch, column: &str) -> (String, Vec<Value>) {
    USERS.matching(search, column)
}

/// Returns the condition that a column has the id of a catalogue record whose title or author matches the search, and
/// its values.
pub fn matching_titles(search: &UserSearch, column: &str) -> (String, Vec<Value>) {
    CATALOGUE.matching(search, column)
}

/// Raw SQL: each word is a range of the index, and the sets of their owners are united and intersected.
impl Index {
    fn matching(self, search: &UserSearch, column: &str) -> (String, Vec<Value>) {
        let mut values = Vec::new();
        if !search.can_find() {
            return ("FALSE".to_owned(), values);
        }
        let terms: Vec<String> = search.terms.iter().map(|term| self.term(term, &mut values)).collect();
        if search.whole.is_empty() {
            let each: Vec<String> = terms.iter().map(|term| format!("{column} IN ({term})")).collect();
            return (format!("({})", each.join(" AND ")), values);
        }
        let mut users = Vec::new();
        if !terms.is_empty() {
            users.push(self.all_of(&terms));
        }
        users.extend(search.whole.iter().map(|test| self.test(test, &mut values)));
        (format!("{column} IN ({})", users.join(" UNION ")), values)
    }

    /// Returns the query for the users that a term matches.
    fn term(self, term: &Term, values: &mut Vec<Value>) -> String {
        let meanings: Vec<String> = term
            .meanings
            .iter()
            .map(|tests| self.all_of(&tests.iter().map(|test| self.test(test, values)).collect::<Vec<_>>()))
            .collect();
        meanings.join(" UNION ")
    }

    /// Returns the query for the users that all these queries return.
    fn all_of(self, queries: &[String]) -> String {
        if let [one] = queries {
            return one.clone();
        }
        let owner = self.owner;
        // Both databases read a chain of UNION and INTERSECT differently, so each part is a separate query.
        let parts: Vec<String> =
            queries.iter().map(|query| format!("SELECT {owner} FROM ({query}) AS part")).collect();
        format!("SELECT {owner} FROM ({}) AS found", parts.join(" INTERSECT "))
    }

    fn test(self, test: &Test, values: &mut Vec<Value>) -> String {
        let Self { table, owner } = self;
        match test {
            Test::Begins(word) => {
                values.extend([word.as_str().into(), format!("{word}{}", char::MAX).into()]);
                format!("SELECT {owner} FROM {table} WHERE word >= ? AND word < ?")
            }
            Test::Is(word) => {
                values.push(word.as_str().into());
                format!("SELECT {owner} FROM {table} WHERE word = ?")
            }
            Test::Number(number) => {
                values.push((*number).into());
                format!("SELECT CAST(? AS BIGINT) AS {owner}")
            }
            Test::Replacement(name) => {
                values.push(name.as_str().into());
                format!("SELECT number AS {owner} FROM users WHERE replacement = ?")
            }
        }
    }
}

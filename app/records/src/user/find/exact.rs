//! The one user that a search names by a key.

use super::{UserQuery, count};
use db::RecordsError;
use db::entity::{user_words, users};
use policy::UserNumber;
use policy::key_form::normal;
use policy::letters::fold;
use policy::user_search::{ExactKeys, UserSearch};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QuerySelect};
use std::collections::BTreeSet;
use trail::Store;

/// The maximum number of users who are compared. More of them share an e-mail address.
const MAX_COMPARED: u64 = 20;

/// Returns the user whose user number, `UserID`, barcode, external identifier or e-mail address is the text.
///
/// `None` if there is no such user, or more than one. A text that can be a name is a key only if the search finds no
/// other user: a last name is no `UserID`.
pub async fn exact_match(store: &Store, text: &str) -> Result<Option<UserNumber>, RecordsError> {
    let ExactKeys { keys, number, may_be_name } = UserSearch::parse(text).exact;
    if keys.is_empty() && number.is_none() {
        return Ok(None);
    }
    let forms: Vec<String> = keys.iter().map(|key| normal(key)).collect();
    let mut is_key = Condition::any();
    for column in [users::Column::UserIdKey, users::Column::BarcodeKey, users::Column::ExternalIdKey] {
        is_key = is_key.add(column.is_in(forms.iter().cloned()));
    }
    if let Some(number) = number {
        is_key = is_key.add(users::Column::Number.eq(number));
    }
    let mut candidates = users::Entity::find().filter(is_key).limit(MAX_COMPARED).all(&store.db).await?;
    if !may_be_name {
        candidates.extend(with_word(store, &keys).await?);
    }
    let matching = candidates.iter().filter(|user| number == Some(user.number) || has_key(user, &forms));
    let numbers: BTreeSet<i64> = matching.map(|user| user.number).collect();
    let (Some(only), 1) = (numbers.first(), numbers.len()) else { return Ok(None) };
    if may_be_name {
        let query = UserQuery { text: text.to_owned(), ..UserQuery::default() };
        if count(store, &query, 2).await? != 1 {
            return Ok(None);
        }
    }
    Ok(Some(UserNumber(*only)))
}

/// Returns users with one of the keys as a word of the search index. It has e-mail addresses, and keys without
/// their signs.
async fn with_word(store: &Store, keys: &[String]) -> Result<Vec<users::Model>, RecordsError> {
    let numbers: Vec<i64> = user_words::Entity::find()
        .select_only()
        .column(user_words::Column::UserNumber)
        .distinct()
        .filter(user_words::Column::Word.is_in(keys.iter().map(|key| fold(key))))
        .limit(MAX_COMPARED)
        .into_tuple()
        .all(&store.db)
        .await?;
    Ok(users::Entity::find().filter(users::Column::Number.is_in(numbers)).all(&store.db).await?)
}

/// Returns whether one of the normal forms is a key of the user, apart from spaces and signs.
fn has_key(user: &users::Model, forms: &[String]) -> bool {
    let letters = |key: &str| key.chars().filter(|c| c.is_alphanumeric()).collect::<String>();
    let is_grouped = |own: &str, form: &str| {
        let (own_letters, form_letters) = (letters(own), letters(form));
        !form_letters.is_empty() && form_letters.len() == form.len() && own_letters == form_letters
    };
    let email = user.email.as_deref().map(normal);
    user.key_forms().any(|(_, own)| forms.iter().any(|form| own == form || is_grouped(own, form)))
        || email.is_some_and(|email| forms.contains(&email))
}

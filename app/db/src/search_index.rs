//! The search index: words from names, UserID, e-mail, barcode and external identifier, without case and accents.

use crate::entity::user_words;
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, Set};
use std::collections::BTreeSet;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Folds a text for searching: lower case, without accents.
pub fn fold(text: &str) -> String {
    text.nfkd().filter(|c| !is_combining_mark(*c)).flat_map(char::to_lowercase).collect()
}

/// Returns the folded words of these texts.
pub fn words<'a>(texts: impl IntoIterator<Item = &'a str>) -> BTreeSet<String> {
    texts
        .into_iter()
        .flat_map(|text| fold(text).split_whitespace().map(str::to_owned).collect::<Vec<_>>())
        .collect()
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_and_accents_do_not_matter() {
        assert_eq!(fold("Ångström ÉCOLE Straße"), "angstrom ecole straße");
        let found = words(["Ana María", "ana@example.org", "Щербакова\u{301}"]);
        assert_eq!(found.into_iter().collect::<Vec<_>>(), ["ana", "ana@example.org", "maria", "щербакова"]);
    }
}

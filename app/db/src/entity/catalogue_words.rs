//! A word of the search index of the catalogue.

use sea_orm::entity::prelude::*;

/// A word of a title or author. The register of personal data (`policy::personal_data`) documents the columns.
#[sea_orm::compact_model]
#[derive(Clone, Debug, DeriveEntityModel, Eq, PartialEq)]
#[sea_orm(table_name = "catalogue_words")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub word: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub record_id: i64,
}

#[derive(Clone, Copy, Debug, DeriveRelation, EnumIter)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    /// Returns the words of a record: those of its title and author.
    pub fn for_record(record_id: i64, title: &str, author: Option<&str>) -> impl Iterator<Item = Self> {
        let mut words = policy::search_words::SearchWords::default();
        words.text(title);
        if let Some(author) = author {
            words.text(author);
        }
        words.into_set().into_iter().map(move |word| Self { word, record_id })
    }
}

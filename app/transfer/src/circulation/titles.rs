//! Catalogue records of imported requests.

use chrono::NaiveDate;
use db::bulk_insert::insert;
use db::entity::{catalogue_records, catalogue_words};
use sea_orm::sea_query::{Expr, ExprTrait as _, Func};
use sea_orm::{DatabaseTransaction, DbErr, EntityTrait, Insert, QueryFilter, QueryOrder, Set};
use std::collections::{BTreeSet, HashMap};

/// Returns the first catalogue record of each title. Creates the missing ones.
pub(super) async fn records_by_title(
    tx: &DatabaseTransaction,
    today: NaiveDate,
    titles: BTreeSet<&str>,
) -> Result<HashMap<String, i64>, DbErr> {
    if titles.is_empty() {
        return Ok(HashMap::new());
    }
    let found = catalogue_records::Entity::find()
        // The index has the titles in lower case.
        .filter(
            Expr::expr(Func::lower(Expr::col(catalogue_records::Column::Title)))
                .is_in(titles.iter().map(|title| Expr::from(Func::lower(Expr::val(*title))))),
        )
        .order_by_desc(catalogue_records::Column::Id)
        .all(tx)
        .await?;
    // The oldest record comes last and wins.
    let mut records: HashMap<String, i64> =
        found.into_iter().map(|record| (record.title, record.id)).collect();
    let missing: Vec<catalogue_records::ActiveModel> = titles
        .into_iter()
        .filter(|title| !records.contains_key(*title))
        .map(|title| catalogue_records::ActiveModel {
            title: Set(title.to_owned()),
            created_on: Set(today),
            ..Default::default()
        })
        .collect();
    if !missing.is_empty() {
        let made = Insert::<catalogue_records::ActiveModel>::many(missing).exec_with_returning(tx).await?;
        add_words(tx, made.iter().map(|record| (record.id, record.title.as_str()))).await?;
        records.extend(made.into_iter().map(|record| (record.title, record.id)));
    }
    Ok(records)
}

/// Adds the search words of new records.
pub(super) async fn add_words<'a>(
    tx: &DatabaseTransaction,
    records: impl Iterator<Item = (i64, &'a str)>,
) -> Result<(), DbErr> {
    let words: Vec<_> =
        records.flat_map(|(id, title)| catalogue_words::Model::for_record(id, title, None)).collect();
    insert(tx, words).await
}

//! Items of imported loans.

use super::titles::add_words;
use chrono::NaiveDate;
use db::bulk_insert::insert_returning;
use db::entity::{catalogue_records, items};
use db::{dialect, lookup};
use sea_orm::{ConnectionTrait as _, DatabaseTransaction, DbErr, Set};
use std::collections::{BTreeMap, HashMap};

/// An item as a line describes it.
pub(super) struct NewItem<'a> {
    pub(super) title: Option<&'a str>,
    pub(super) branch: &'a str,
}

/// Returns the items by barcode, and how many of them are new. Creates the missing ones.
pub(super) async fn by_barcode(
    tx: &DatabaseTransaction,
    today: NaiveDate,
    mut wanted: BTreeMap<&str, NewItem<'_>>,
) -> Result<(HashMap<String, i64>, u64), DbErr> {
    let these = format!("FROM items WHERE {}", dialect::in_text_list(tx.get_database_backend(), "barcode"));
    let barcodes = dialect::text_list(wanted.keys().copied())?;
    let found: Vec<(String, i64)> = lookup::rows(tx, &["barcode", "id"], (&these, vec![barcodes])).await?;
    let mut known: HashMap<String, i64> = found.into_iter().collect();
    wanted.retain(|barcode, _| !known.contains_key(*barcode));
    if wanted.is_empty() {
        return Ok((known, 0));
    }
    let title = |barcode: &str, item: &NewItem<'_>| {
        item.title.map_or_else(|| format!("(no title, item {barcode})"), str::to_owned)
    };
    let records = wanted.iter().map(|(barcode, item)| catalogue_records::ActiveModel {
        title: Set(title(barcode, item)),
        created_on: Set(today),
        ..Default::default()
    });
    let returned = [catalogue_records::Column::Title, catalogue_records::Column::Id];
    let made = insert_returning(tx, records.collect::<Vec<_>>(), &returned).await?;
    let made: Vec<(i64, String)> = made
        .iter()
        .map(|record| Ok((record.try_get("", "id")?, record.try_get("", "title")?)))
        .collect::<Result<_, DbErr>>()?;
    add_words(tx, made.iter().map(|(id, title)| (*id, title.as_str()))).await?;
    // Records with the same title are interchangeable, so any of them fits an item with that title.
    let mut ids: HashMap<String, Vec<i64>> = HashMap::new();
    for (id, title) in made {
        ids.entry(title).or_default().push(id);
    }
    let mut rows = Vec::with_capacity(wanted.len());
    for (barcode, item) in &wanted {
        let id = ids.get_mut(&title(barcode, item)).and_then(Vec::pop).ok_or(DbErr::RecordNotInserted)?;
        rows.push(items::ActiveModel {
            record_id: Set(id),
            barcode: Set((*barcode).to_owned()),
            branch: Set(item.branch.to_owned()),
            ..Default::default()
        });
    }
    let made = insert_returning(tx, rows, &[items::Column::Barcode, items::Column::Id]).await?;
    let new = made.len() as u64;
    for item in made {
        known.insert(item.try_get("", "barcode")?, item.try_get("", "id")?);
    }
    Ok((known, new))
}

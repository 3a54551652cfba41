//! Items of imported loans.

use chrono::NaiveDate;
use db::entity::{catalogue_records, items};
use sea_orm::{ColumnTrait, DatabaseTransaction, DbErr, EntityTrait, Insert, QueryFilter, Set};
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
    let barcodes = items::Column::Barcode.is_in(wanted.keys().copied());
    let found = items::Entity::find().filter(barcodes).all(tx).await?;
    let mut known: HashMap<String, i64> = found.into_iter().map(|item| (item.barcode, item.id)).collect();
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
    let made = Insert::<catalogue_records::ActiveModel>::many(records).exec_with_returning(tx).await?;
    // Records with the same title are interchangeable, so any of them fits an item with that title.
    let mut ids: HashMap<String, Vec<i64>> = HashMap::new();
    for record in made {
        ids.entry(record.title).or_default().push(record.id);
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
    let made = Insert::<items::ActiveModel>::many(rows).exec_with_returning(tx).await?;
    let new = made.len() as u64;
    known.extend(made.into_iter().map(|item| (item.barcode, item.id)));
    Ok((known, new))
}

//! Exports loans.

use super::columns;
use super::problem::TransferError;
use super::{ExportSummary, ROWS_PER_CHUNK};
use chrono::NaiveDate;
use db::csv_text::escaped;
use db::entity::{catalogue_records, items, loans, users};
use policy::Action;
use policy::dates::iso;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, JoinType, QueryFilter, QueryOrder, QueryResult,
    QuerySelect, QueryTrait,
};
use std::io::Write;
use trail::audit::{self, AuditAction, Subject};
use trail::{Actor, Store};

/// Writes all loans as CSV in the format of [`super`]. Of an anonymised borrower, only the user number is written.
pub async fn export_loans(
    store: &Store,
    actor: Actor,
    out: impl Write,
) -> Result<ExportSummary, TransferError> {
    actor.require(Action::Administer)?;
    audit::record_event_in_own_tx(store, actor, AuditAction::Exported, Subject::Library, "loans").await?;
    let user =
        loans::Entity::belongs_to(users::Entity).from(loans::Column::UserNumber).to(users::Column::Number);
    let item = loans::Entity::belongs_to(items::Entity).from(loans::Column::ItemId).to(items::Column::Id);
    let title = items::Entity::belongs_to(catalogue_records::Entity)
        .from(items::Column::RecordId)
        .to(catalogue_records::Column::Id);
    let select = loans::Entity::find()
        .columns([users::Column::ExternalId, users::Column::UserId, users::Column::Barcode])
        .column(users::Column::AnonymisedOn)
        .column_as(items::Column::Barcode, "item_barcode")
        .column(catalogue_records::Column::Title)
        .join(JoinType::InnerJoin, user.into())
        .join(JoinType::LeftJoin, item.into())
        .join(JoinType::LeftJoin, title.into())
        .order_by_asc(loans::Column::Id)
        .limit(ROWS_PER_CHUNK as u64);
    let mut csv = csv::Writer::from_writer(out);
    csv.write_record(columns::loan())?;
    let mut summary = ExportSummary::default();
    let mut after: i64 = 0;
    loop {
        let select = select.clone().filter(loans::Column::Id.gt(after));
        let rows = store.db.query_all(&select.into_query()).await?;
        let Some(last) = rows.last() else { break };
        after = last.try_get("", "id")?;
        for row in &rows {
            csv.write_record(cells(row)?.iter().map(|cell| escaped(cell).into_owned()))?;
            summary.lines += 1;
        }
    }
    csv.flush()?;
    Ok(summary)
}

/// Returns the cells of a loan, in column order.
fn cells(row: &QueryResult) -> Result<Vec<String>, DbErr> {
    columns::loan()
        .map(|column| {
            Ok(match column {
                "user_number" => row.try_get::<i64>("", column)?.to_string(),
                "renewals" => row.try_get::<i32>("", column)?.to_string(),
                "issued_on" | "due_on" | "returned_on" => {
                    row.try_get::<Option<NaiveDate>>("", column)?.map(iso).unwrap_or_default()
                }
                "anonymised" => {
                    let anonymised = row.try_get::<Option<NaiveDate>>("", "anonymised_on")?.is_some();
                    if anonymised { "yes" } else { "no" }.to_owned()
                }
                _ => row.try_get::<Option<String>>("", column)?.unwrap_or_default(),
            })
        })
        .collect()
}

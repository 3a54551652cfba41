//! Exports loans.

use super::columns::LOAN;
use super::problem::TransferError;
use super::{CHUNK, ExportSummary};
use chrono::NaiveDate;
use db::csv_text::escaped;
use db::dialect;
use policy::Action;
use policy::dates::iso;
use sea_orm::{ConnectionTrait, DbErr, QueryResult};
use std::io::Write;
use trail::actor::Actor;
use trail::audit::{self, AuditAction, Subject};
use trail::store::Store;

/// Writes all loans as CSV in the format of [`super`]. Of an anonymised borrower, only the user number is written.
pub async fn export_loans(
    store: &Store,
    actor: Actor,
    out: impl Write,
) -> Result<ExportSummary, TransferError> {
    actor.require(Action::Administer)?;
    audit::record_event_in_own_tx(store, actor, AuditAction::Exported, Subject::Library, "loans").await?;
    let sql = "SELECT l.id, l.user_number, u.external_id, u.user_id, u.barcode, i.barcode AS item_barcode, \
               c.title, l.branch, l.category, l.department, l.issued_on, l.due_on, l.returned_on, l.renewals, \
               l.note, l.return_note, u.anonymised_on FROM loans l JOIN users u ON u.number = l.user_number \
               LEFT JOIN items i ON i.id = l.item_id LEFT JOIN catalogue_records c ON c.id = i.record_id \
               WHERE l.id > ? ORDER BY l.id LIMIT ?";
    let backend = store.db.get_database_backend();
    let mut csv = csv::Writer::from_writer(out);
    csv.write_record(LOAN)?;
    let mut summary = ExportSummary::default();
    let mut after: i64 = 0;
    loop {
        let rows_wanted = i64::try_from(CHUNK).unwrap_or(i64::MAX);
        let values = vec![after.into(), rows_wanted.into()];
        let rows = store.db.query_all_raw(dialect::bind(backend, sql, values)).await?;
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
    LOAN.iter()
        .map(|column| {
            Ok(match *column {
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

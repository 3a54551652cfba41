//! Lists of the loans, requests, charges and messages of one user, the newest first.

use chrono::{DateTime, NaiveDate, Utc};
use db::dialect;
use db::error::RecordsError;
use db::pagination::{Page, Paging};
use policy::{CatalogueRecordId, ChargeId, LoanId, MessageId, RequestId, UserNumber};
use sea_orm::{ConnectionTrait, DbErr, QueryResult};
use serde::Serialize;
use trail::store::Store;

/// Selects the loans to list.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Loans {
    /// Loans that are not returned.
    Open,
    /// Loans that are returned.
    Past,
}

/// A loan.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs, reason = "the register of personal data documents the fields")]
pub struct Loan {
    pub id: LoanId,
    /// The catalogue record of the item and its title. None if the item no longer exists.
    pub record: Option<(CatalogueRecordId, String)>,
    pub item_barcode: Option<String>,
    /// The name of the branch, or its code if it has no name.
    pub branch: String,
    pub category: Option<String>,
    pub department: Option<String>,
    pub issued_on: NaiveDate,
    pub due_on: NaiveDate,
    pub returned_on: Option<NaiveDate>,
    pub renewals: i32,
    pub note: Option<String>,
    pub return_note: Option<String>,
}

/// A request.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs, reason = "the register of personal data documents the fields")]
pub struct Request {
    pub id: RequestId,
    pub record: Option<(CatalogueRecordId, String)>,
    /// The name of the branch, or its code if it has no name.
    pub branch: String,
    pub placed_on: NaiveDate,
    pub status: String,
    pub closed_on: Option<NaiveDate>,
    pub note: Option<String>,
    pub cancel_reason: Option<String>,
}

/// A charge or a credit.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs, reason = "the register of personal data documents the fields")]
pub struct Charge {
    pub id: ChargeId,
    pub loan: Option<LoanId>,
    pub kind: String,
    pub cents: i64,
    pub charged_on: NaiveDate,
    pub settled_on: Option<NaiveDate>,
    pub note: Option<String>,
}

/// A message sent to the user.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs, reason = "the register of personal data documents the fields")]
pub struct Message {
    pub id: MessageId,
    pub kind: String,
    pub channel: String,
    pub sent_at: DateTime<Utc>,
    pub recipient: Option<String>,
    pub subject: Option<String>,
    pub body: Option<String>,
}

/// Lists the loans of a user.
pub async fn loans(
    store: &Store,
    user: UserNumber,
    which: Loans,
    paging: &Paging,
) -> Result<Page<Loan>, RecordsError> {
    let state = match which {
        Loans::Open => "x.returned_on IS NULL",
        Loans::Past => "x.returned_on IS NOT NULL",
    };
    let select = "SELECT x.*, COALESCE(b.name, x.branch) AS branch_name, i.barcode AS item_barcode, \
                  c.id AS record_id, c.title AS record_title FROM loans x \
                  LEFT JOIN terms b ON b.kind = 'branch' AND b.code = x.branch \
                  LEFT JOIN items i ON i.id = x.item_id LEFT JOIN catalogue_records c ON c.id = i.record_id";
    let loan = |row: &QueryResult| {
        Ok(Loan {
            id: LoanId(row.try_get("", "id")?),
            record: record(row)?,
            item_barcode: row.try_get("", "item_barcode")?,
            branch: row.try_get("", "branch_name")?,
            category: row.try_get("", "category")?,
            department: row.try_get("", "department")?,
            issued_on: row.try_get("", "issued_on")?,
            due_on: row.try_get("", "due_on")?,
            returned_on: row.try_get("", "returned_on")?,
            renewals: row.try_get("", "renewals")?,
            note: row.try_get("", "note")?,
            return_note: row.try_get("", "return_note")?,
        })
    };
    newest_first(store, select, state, user, paging, loan, |loan| loan.id.0).await
}

/// Lists the requests of a user.
pub async fn requests(
    store: &Store,
    user: UserNumber,
    paging: &Paging,
) -> Result<Page<Request>, RecordsError> {
    let select = "SELECT x.*, COALESCE(b.name, x.branch) AS branch_name, c.title AS record_title \
                  FROM requests x LEFT JOIN terms b ON b.kind = 'branch' AND b.code = x.branch \
                  LEFT JOIN catalogue_records c ON c.id = x.record_id";
    let request = |row: &QueryResult| {
        Ok(Request {
            id: RequestId(row.try_get("", "id")?),
            record: record(row)?,
            branch: row.try_get("", "branch_name")?,
            placed_on: row.try_get("", "placed_on")?,
            status: row.try_get("", "status")?,
            closed_on: row.try_get("", "closed_on")?,
            note: row.try_get("", "note")?,
            cancel_reason: row.try_get("", "cancel_reason")?,
        })
    };
    newest_first(store, select, "TRUE", user, paging, request, |request| request.id.0).await
}

/// Lists the charges and credits of a user.
pub async fn charges(store: &Store, user: UserNumber, paging: &Paging) -> Result<Page<Charge>, RecordsError> {
    let charge = |row: &QueryResult| {
        Ok(Charge {
            id: ChargeId(row.try_get("", "id")?),
            loan: row.try_get::<Option<i64>>("", "loan_id")?.map(LoanId),
            kind: row.try_get("", "kind")?,
            cents: row.try_get("", "cents")?,
            charged_on: row.try_get("", "charged_on")?,
            settled_on: row.try_get("", "settled_on")?,
            note: row.try_get("", "note")?,
        })
    };
    newest_first(store, "SELECT x.* FROM charges x", "TRUE", user, paging, charge, |charge| charge.id.0).await
}

/// Lists the messages sent to a user.
pub async fn messages(
    store: &Store,
    user: UserNumber,
    paging: &Paging,
) -> Result<Page<Message>, RecordsError> {
    let message = |row: &QueryResult| {
        Ok(Message {
            id: MessageId(row.try_get("", "id")?),
            kind: row.try_get("", "kind")?,
            channel: row.try_get("", "channel")?,
            sent_at: row.try_get("", "sent_at")?,
            recipient: row.try_get("", "recipient")?,
            subject: row.try_get("", "subject")?,
            body: row.try_get("", "body")?,
        })
    };
    newest_first(store, "SELECT x.* FROM messages x", "TRUE", user, paging, message, |message| message.id.0)
        .await
}

fn record(row: &QueryResult) -> Result<Option<(CatalogueRecordId, String)>, DbErr> {
    let id: Option<i64> = row.try_get("", "record_id")?;
    let title: Option<String> = row.try_get("", "record_title")?;
    Ok(id.map(CatalogueRecordId).zip(title))
}

/// Returns a page of the rows `x` of a user, keyed by id.
async fn newest_first<T>(
    store: &Store,
    select: &str,
    state: &str,
    user: UserNumber,
    paging: &Paging,
    of_row: impl Fn(&QueryResult) -> Result<T, DbErr>,
    id: impl Fn(&T) -> i64,
) -> Result<Page<T>, RecordsError> {
    let before = paging.after.as_deref().and_then(|after| after.parse::<i64>().ok()).unwrap_or(i64::MAX);
    let sql = format!(
        "{select} WHERE x.user_number = ? AND {state} AND x.id < ? ORDER BY x.id DESC LIMIT {}",
        paging.limit()
    );
    let values = vec![user.0.into(), before.into()];
    let rows = store.db.query_all_raw(dialect::bind(store.db.get_database_backend(), &sql, values)).await?;
    let rows = rows.iter().map(of_row).collect::<Result<Vec<T>, DbErr>>()?;
    Ok(Page::of(rows, paging, |row| id(row).to_string()))
}

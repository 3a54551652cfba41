//! Lists of the loans, requests, charges and messages of one user, the newest first.

use chrono::{DateTime, NaiveDate, Utc};
use db::RecordsError;
use db::entity::{catalogue_records, charges, items, loans, messages, requests, terms};
use db::pagination::{Page, Paging};
use policy::{CatalogueRecordId, ChargeId, LoanId, MessageId, RequestId, TermKind, UserNumber};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, JoinType, QueryFilter, QueryOrder, QueryResult,
    QuerySelect, QueryTrait, Select,
};
use serde::Serialize;
use trail::Store;
use trail::terms::terms_of;

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
    /// `None` if the amount is not known.
    pub cents: Option<i64>,
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
        Loans::Open => loans::Column::ReturnedOn.is_null(),
        Loans::Past => loans::Column::ReturnedOn.is_not_null(),
    };
    let item = loans::Entity::belongs_to(items::Entity).from(loans::Column::ItemId).to(items::Column::Id);
    let title = items::Entity::belongs_to(catalogue_records::Entity)
        .from(items::Column::RecordId)
        .to(catalogue_records::Column::Id);
    let select = loans::Entity::find()
        .column_as(terms::Column::Name, "branch_name")
        .column_as(items::Column::Barcode, "item_barcode")
        .column_as(catalogue_records::Column::Id, "record_id")
        .column_as(catalogue_records::Column::Title, "record_title")
        .join(JoinType::LeftJoin, terms_of::<loans::Entity>(loans::Column::Branch, TermKind::Branch))
        .join(JoinType::LeftJoin, item.into())
        .join(JoinType::LeftJoin, title.into())
        .filter(loans::Column::UserNumber.eq(user.0))
        .filter(state);
    let loan = |row: &QueryResult| {
        Ok(Loan {
            id: LoanId(row.try_get("", "id")?),
            record: record(row)?,
            item_barcode: row.try_get("", "item_barcode")?,
            branch: branch(row)?,
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
    let rows = newest_first(store, select, loans::Column::Id, paging).await?;
    page(&rows, paging, loan, |loan| loan.id.0)
}

/// Lists the requests of a user.
pub async fn requests(
    store: &Store,
    user: UserNumber,
    paging: &Paging,
) -> Result<Page<Request>, RecordsError> {
    let title = requests::Entity::belongs_to(catalogue_records::Entity)
        .from(requests::Column::RecordId)
        .to(catalogue_records::Column::Id);
    let select = requests::Entity::find()
        .column_as(terms::Column::Name, "branch_name")
        .column_as(catalogue_records::Column::Title, "record_title")
        .join(JoinType::LeftJoin, terms_of::<requests::Entity>(requests::Column::Branch, TermKind::Branch))
        .join(JoinType::LeftJoin, title.into())
        .filter(requests::Column::UserNumber.eq(user.0));
    let request = |row: &QueryResult| {
        Ok(Request {
            id: RequestId(row.try_get("", "id")?),
            record: record(row)?,
            branch: branch(row)?,
            placed_on: row.try_get("", "placed_on")?,
            status: row.try_get("", "status")?,
            closed_on: row.try_get("", "closed_on")?,
            note: row.try_get("", "note")?,
            cancel_reason: row.try_get("", "cancel_reason")?,
        })
    };
    let rows = newest_first(store, select, requests::Column::Id, paging).await?;
    page(&rows, paging, request, |request| request.id.0)
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
    let select = charges::Entity::find().filter(charges::Column::UserNumber.eq(user.0));
    let rows = newest_first(store, select, charges::Column::Id, paging).await?;
    page(&rows, paging, charge, |charge| charge.id.0)
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
    let select = messages::Entity::find().filter(messages::Column::UserNumber.eq(user.0));
    let rows = newest_first(store, select, messages::Column::Id, paging).await?;
    page(&rows, paging, message, |message| message.id.0)
}

/// Returns the name of the branch, or its code if it has no name.
fn branch(row: &QueryResult) -> Result<String, DbErr> {
    match row.try_get("", "branch_name")? {
        Some(name) => Ok(name),
        None => row.try_get("", "branch"),
    }
}

fn record(row: &QueryResult) -> Result<Option<(CatalogueRecordId, String)>, DbErr> {
    let id: Option<i64> = row.try_get("", "record_id")?;
    let title: Option<String> = row.try_get("", "record_title")?;
    Ok(id.map(CatalogueRecordId).zip(title))
}

/// Reads the rows of a page, the newest first.
async fn newest_first<E: EntityTrait>(
    store: &Store,
    select: Select<E>,
    id: E::Column,
    paging: &Paging,
) -> Result<Vec<QueryResult>, DbErr> {
    let before = paging.after.as_deref().and_then(|after| after.parse::<i64>().ok()).unwrap_or(i64::MAX);
    let select = select.filter(id.lt(before)).order_by_desc(id).limit(paging.limit());
    store.db.query_all(&select.into_query()).await
}

/// Returns a page of these rows, keyed by id.
fn page<T>(
    rows: &[QueryResult],
    paging: &Paging,
    of_row: impl Fn(&QueryResult) -> Result<T, DbErr>,
    id: impl Fn(&T) -> i64,
) -> Result<Page<T>, RecordsError> {
    let rows = rows.iter().map(of_row).collect::<Result<Vec<T>, DbErr>>()?;
    Ok(Page::from_rows(rows, paging, |row| id(row).to_string()))
}

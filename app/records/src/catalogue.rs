//! Catalogue records with their creators and editors, and their items.

use chrono::NaiveDate;
use db::entity::{items, loans, terms, users};
use db::pagination::{Page, Paging};
use db::search_index::matching_titles;
use db::{RecordsError, dialect};
use policy::user_search::{UserSearch, cleaned};
use policy::{Action, CatalogueRecordId, ItemId, LoanId, TermKind, UserNumber, text};
use sea_orm::sea_query::{IntoCondition, Value};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, JoinType, QueryFilter, QueryOrder, QueryResult,
    QuerySelect, QueryTrait,
};
use serde::Serialize;
use trail::person::{Name, Person};
use trail::terms::terms_of;
use trail::{Actor, Store};

/// A catalogue record.
#[derive(Clone, Debug, Serialize)]
pub struct CatalogueRecord {
    /// The id.
    pub id: CatalogueRecordId,
    /// The title of the work.
    pub title: String,
    /// The author of the work.
    pub author: Option<String>,
    /// The year of publication.
    pub year: Option<i32>,
    /// The creator of the record, by current name.
    pub created_by: Option<Person>,
    /// The date of creation.
    pub created_on: NaiveDate,
    /// The user who last changed the record, by current name.
    pub changed_by: Option<Person>,
    /// The date of the last change.
    pub changed_on: Option<NaiveDate>,
}

/// An item of a record.
#[derive(Clone, Debug, Serialize)]
pub struct Item {
    /// The id.
    pub id: ItemId,
    /// The barcode.
    pub barcode: String,
    /// The name of the branch, or its code if it has no name.
    pub branch: String,
    /// The shelf mark.
    pub shelf_mark: Option<String>,
    /// The open loan. None if the item is not on loan.
    pub on_loan: Option<ItemLoan>,
}

/// The open loan of an item.
#[derive(Clone, Debug, Serialize)]
pub struct ItemLoan {
    /// The id.
    pub id: LoanId,
    /// The borrower, by current name. None if the actor lacks the permission to see users.
    pub borrower: Option<Person>,
    /// The due date.
    pub due_on: NaiveDate,
}

/// Lists records by title. `typed` has words of title or author, each by its beginning, or the barcode
/// of an item. It is empty for all.
pub async fn list(
    store: &Store,
    typed: &str,
    paging: &Paging,
) -> Result<Page<CatalogueRecord>, RecordsError> {
    let title = text::line(&cleaned(typed), text::MAX_SHORT_CHARS)
        .map_err(|problem| RecordsError::field("title", problem))?;
    let mut wheres = vec!["TRUE".to_owned()];
    let mut values: Vec<Value> = Vec::new();
    if !title.is_empty() {
        if let Some(record) = record_of_item(store, &title).await? {
            wheres.push("x.id = ?".to_owned());
            values.push(record.into());
        } else {
            let (matches, words) = matching_titles(&UserSearch::parse_title(&title), "x.id");
            wheres.push(matches);
            values.extend(words);
        }
    }
    if let Some(after) = key(paging) {
        let place = "(SELECT LOWER(b.title) FROM catalogue_records b WHERE b.id = ?)";
        wheres.push(format!("(LOWER(x.title), x.id) > ({place}, ?)"));
        values.extend([after.into(), after.into()]);
    }
    let more =
        format!("WHERE {} ORDER BY LOWER(x.title), x.id LIMIT {}", wheres.join(" AND "), paging.limit());
    let rows = records(&store.db, &more, values).await?;
    Ok(Page::from_rows(rows, paging, |record| record.id.to_string()))
}

/// Returns the record of the item whose barcode is this text, as it is scanned or printed.
async fn record_of_item(store: &Store, text: &str) -> Result<Option<i64>, RecordsError> {
    let keys = UserSearch::parse(text).exact.keys;
    let item = items::Entity::find().filter(items::Column::Barcode.is_in(keys)).one(&store.db).await?;
    Ok(item.map(|item| item.record_id))
}

/// Lists the records that a user created or last changed, the newest first.
pub async fn made_by(
    store: &Store,
    user: UserNumber,
    paging: &Paging,
) -> Result<Page<CatalogueRecord>, RecordsError> {
    let more = format!(
        "WHERE x.id IN (SELECT id FROM catalogue_records WHERE created_by = ? \
         UNION SELECT id FROM catalogue_records WHERE changed_by = ?) AND x.id < ? ORDER BY x.id DESC LIMIT {}",
        paging.limit()
    );
    let values = vec![user.0.into(), user.0.into(), key(paging).unwrap_or(i64::MAX).into()];
    let rows = records(&store.db, &more, values).await?;
    Ok(Page::from_rows(rows, paging, |record| record.id.to_string()))
}

/// Reads one record.
pub async fn read(store: &Store, id: CatalogueRecordId) -> Result<CatalogueRecord, RecordsError> {
    let found = records(&store.db, "WHERE x.id = ?", vec![id.0.into()]).await?;
    found.into_iter().next().ok_or(RecordsError::NotFound("catalogue record"))
}

/// Lists the items of a record, each with its open loan. Borrowers are shown only to actors who may see users:
/// cataloguers do not need to know who reads what.
pub async fn items(
    store: &Store,
    actor: Actor,
    record: CatalogueRecordId,
    paging: &Paging,
) -> Result<Page<Item>, RecordsError> {
    let open_loan = items::Entity::belongs_to(loans::Entity)
        .from(items::Column::Id)
        .to(loans::Column::ItemId)
        .on_condition(|_, _| loans::Column::ReturnedOn.is_null().into_condition());
    let borrower =
        loans::Entity::belongs_to(users::Entity).from(loans::Column::UserNumber).to(users::Column::Number);
    let select = items::Entity::find()
        .column_as(terms::Column::Name, "branch_name")
        .column_as(loans::Column::Id, "loan_id")
        .columns([loans::Column::DueOn, loans::Column::UserNumber])
        .join(JoinType::LeftJoin, terms_of::<items::Entity>(items::Column::Branch, TermKind::Branch))
        .join(JoinType::LeftJoin, open_loan.into())
        .join_as(JoinType::LeftJoin, borrower.into(), "u")
        .filter(items::Column::RecordId.eq(record.0))
        .filter(items::Column::Id.gt(key(paging).unwrap_or(0)))
        .order_by_asc(items::Column::Id)
        .limit(paging.limit());
    let rows = store.db.query_all(&Name::select(select, "u").into_query()).await?;
    let items = rows.iter().map(|row| item(row, actor)).collect::<Result<Vec<_>, DbErr>>()?;
    Ok(Page::from_rows(items, paging, |item| item.id.to_string()))
}

fn key(paging: &Paging) -> Option<i64> {
    paging.after.as_deref()?.parse().ok()
}

/// Reads records `x`. `more` follows the joins.
///
/// Raw SQL: the lists compare pairs of lower-case title and id, as the index does, or unite two indexes.
async fn records(
    db: &impl ConnectionTrait,
    more: &str,
    values: Vec<Value>,
) -> Result<Vec<CatalogueRecord>, DbErr> {
    let sql = format!(
        "SELECT x.id, x.title, x.author, x.year, x.created_by, x.created_on, x.changed_by, x.changed_on, {}, {} \
         FROM catalogue_records x LEFT JOIN users m ON m.number = x.created_by \
         LEFT JOIN users c ON c.number = x.changed_by {more}",
        Name::select_list("m"),
        Name::select_list("c"),
    );
    let rows = db.query_all_raw(dialect::bind(db.get_database_backend(), &sql, values)).await?;
    rows.iter()
        .map(|row| {
            Ok(CatalogueRecord {
                id: CatalogueRecordId(row.try_get("", "id")?),
                title: row.try_get("", "title")?,
                author: row.try_get("", "author")?,
                year: row.try_get("", "year")?,
                created_by: person(row, "created_by", "m")?,
                created_on: row.try_get("", "created_on")?,
                changed_by: person(row, "changed_by", "c")?,
                changed_on: row.try_get("", "changed_on")?,
            })
        })
        .collect()
}

fn person(row: &QueryResult, number: &str, table: &str) -> Result<Option<Person>, DbErr> {
    let Some(number) = row.try_get::<Option<i64>>("", number)? else { return Ok(None) };
    Ok(Some(Person { number: UserNumber(number), name: Name::from_row(row, table)?.shown() }))
}

fn item(row: &QueryResult, actor: Actor) -> Result<Item, DbErr> {
    let sees_borrower = actor.may(Action::SeeUsers);
    let on_loan = match row.try_get::<Option<i64>>("", "loan_id")? {
        Some(id) => Some(ItemLoan {
            id: LoanId(id),
            borrower: if sees_borrower { person(row, "user_number", "u")? } else { None },
            due_on: row.try_get("", "due_on")?,
        }),
        None => None,
    };
    Ok(Item {
        id: ItemId(row.try_get("", "id")?),
        barcode: row.try_get("", "barcode")?,
        branch: match row.try_get("", "branch_name")? {
            Some(name) => name,
            None => row.try_get("", "branch")?,
        },
        shelf_mark: row.try_get("", "shelf_mark")?,
        on_loan,
    })
}

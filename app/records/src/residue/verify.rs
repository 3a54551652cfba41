//! After the fact: the old values are gone, so what can be checked is whether the places are empty that must be.
//!
//! Of users who are not anonymised yet the same search as in a run says where their values stand now.

use super::memory::Memory;
use super::places::{NotSearched, places};
use super::review::{Finding, FindingQuery, findings};
use super::scan::find;
use super::value::ValueKind;
use crate::dialect;
use crate::error::RecordsError;
use crate::page::{MOST_ROWS, Paging};
use crate::store::Store;
use policy::register::{Action, Owner, TABLES, Table, differences};
use policy::{LoanText, Policy, Residue, UserNumber};
use sea_orm::{ConnectionTrait, DbErr, Value};
use serde::Serialize;
use std::collections::BTreeMap;

/// The most fields of one column that are listed.
const MOST_LEFT: usize = 100;

/// What is there that should not be.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Verification {
    /// Anonymised users who were checked.
    pub anonymised: i64,
    /// Tables and columns that the register does not know, or the schema does not have.
    pub unregistered: Vec<String>,
    /// Fields of anonymised users that must be empty and are not; the first hundred of each column.
    pub left: Vec<Left>,
    /// Places of residue about which nobody has decided yet; the first hundred.
    pub open: Vec<Finding>,
    /// Anonymised users whose old values were gone before they could be searched for.
    pub undeterminable: i64,
    /// Where values of users stand who are not anonymised yet.
    pub standing: Vec<Stands>,
    /// Columns in which no text can be searched for.
    pub not_searched: Vec<NotSearched>,
}

/// A field of an anonymised user that must be empty and is not.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
pub struct Left {
    /// The user.
    pub user: UserNumber,
    /// The table.
    pub table: &'static str,
    /// The column; for rows that must be gone, the one that names the user.
    pub column: &'static str,
}

/// Where values of a user stand who is not anonymised yet.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
pub struct Stands {
    /// The user.
    pub user: UserNumber,
    /// The table.
    pub table: String,
    /// The column.
    pub column: String,
    /// The kind of value.
    pub kind: ValueKind,
    /// In how many rows.
    pub rows: usize,
}

impl Verification {
    /// Whether nothing of anybody who was asked for is left, as far as can be known, and all of it can be known.
    pub fn is_clean(&self) -> bool {
        self.unregistered.is_empty()
            && self.left.is_empty()
            && self.open.is_empty()
            && self.undeterminable == 0
            && self.standing.is_empty()
    }
}

/// Checks all anonymised users, or these users, anonymised or not.
pub async fn verify(store: &Store, numbers: &[UserNumber]) -> Result<Verification, RecordsError> {
    let schema = dialect::schema(&store.db).await?;
    let schema = schema.iter().map(|(name, columns)| (name.as_str(), columns.as_slice()));
    Ok(Verification {
        anonymised: number(
            store,
            "SELECT COUNT(*) AS n FROM users u WHERE u.anonymised_on IS NOT NULL",
            numbers,
        )
        .await?,
        unregistered: differences(TABLES, schema),
        left: left(store, numbers).await?,
        open: open(store, numbers).await?,
        undeterminable: undeterminable(store, numbers).await?,
        standing: standing(store, numbers).await?,
        not_searched: places(&dialect::tables(&store.db).await?).1,
    })
}

/// ` AND u.number IN (…)` for the users that were asked for; nothing for all.
fn among(numbers: &[UserNumber]) -> (String, Vec<Value>) {
    if numbers.is_empty() {
        return (String::new(), Vec::new());
    }
    let sql = format!(" AND u.number IN ({})", dialect::places(numbers.len()));
    (sql, numbers.iter().map(|number| number.0.into()).collect())
}

async fn number(store: &Store, sql: &str, numbers: &[UserNumber]) -> Result<i64, DbErr> {
    let (among, values) = among(numbers);
    let statement = dialect::statement(store.db.get_database_backend(), &format!("{sql}{among}"), values);
    store.db.query_one_raw(statement).await?.map_or(Ok(0), |row| row.try_get("", "n"))
}

async fn undeterminable(store: &Store, numbers: &[UserNumber]) -> Result<i64, DbErr> {
    let sql = format!(
        "SELECT COUNT(DISTINCT u.number) AS n FROM users u JOIN run_members m ON m.user_number = u.number \
         WHERE m.residue = '{}'",
        Residue::Undeterminable.code()
    );
    number(store, &sql, numbers).await
}

/// What the register says must be empty, whatever the policy of the run was.
async fn left(store: &Store, numbers: &[UserNumber]) -> Result<Vec<Left>, DbErr> {
    let (among, values) = among(numbers);
    let backend = store.db.get_database_backend();
    let mut left = Vec::new();
    for table in TABLES {
        for (column, filled) in must_be_empty(table) {
            let from = match table.owner {
                Owner::Nobody => continue,
                Owner::User("number") => "users u".to_owned(),
                Owner::User(owner) => format!("{} x JOIN users u ON u.number = x.{owner}", table.name),
                Owner::Loan(loan) => format!(
                    "{} x JOIN loans l ON l.id = x.{loan} JOIN users u ON u.number = l.user_number",
                    table.name
                ),
            };
            let sql = format!(
                "SELECT DISTINCT u.number AS number FROM {from} WHERE u.anonymised_on IS NOT NULL AND {filled}{among} \
                 ORDER BY 1 LIMIT {MOST_LEFT}"
            );
            for row in store.db.query_all_raw(dialect::statement(backend, &sql, values.clone())).await? {
                left.push(Left { user: UserNumber(row.try_get("", "number")?), table: table.name, column });
            }
        }
    }
    left.sort();
    Ok(left)
}

/// The columns of a table that must be empty once their user is anonymised, and how it is seen that one is not.
fn must_be_empty(table: &Table) -> Vec<(&'static str, String)> {
    let row = if table.name == "users" { "u" } else { "x" };
    if table.deletes_rows() {
        let owner = match table.owner {
            Owner::User(column) | Owner::Loan(column) => column,
            Owner::Nobody => return Vec::new(),
        };
        return vec![(owner, "1 = 1".to_owned())];
    }
    let columns = table.columns.iter().filter_map(|column| {
        let name = column.name;
        let filled = match column.action {
            Action::Clear => format!("{row}.{name} IS NOT NULL"),
            Action::ClearText => format!("{row}.{name} IS NOT NULL AND {row}.{name} <> '{}'", LoanText::MARK),
            Action::Replace => format!("{row}.{name} IS NULL"),
            _ => return None,
        };
        Some((name, filled))
    });
    columns.collect()
}

async fn open(store: &Store, numbers: &[UserNumber]) -> Result<Vec<Finding>, RecordsError> {
    let paging = Paging { after: None, rows: Some(MOST_ROWS) };
    if numbers.is_empty() {
        let query = FindingQuery { decided: Some(false), ..FindingQuery::default() };
        return Ok(findings(store, &query, &paging).await?.rows);
    }
    let mut open = Vec::new();
    for user in numbers {
        let query = FindingQuery { user: Some(*user), decided: Some(false), ..FindingQuery::default() };
        open.extend(findings(store, &query, &paging).await?.rows);
    }
    Ok(open)
}

/// The same search as in a run, for those of these users who are not anonymised yet.
async fn standing(store: &Store, numbers: &[UserNumber]) -> Result<Vec<Stands>, RecordsError> {
    if numbers.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!(
        "SELECT number FROM users WHERE anonymised_on IS NULL AND number IN ({}) ORDER BY number",
        dialect::places(numbers.len())
    );
    let values = numbers.iter().map(|number| number.0.into()).collect();
    let rows =
        store.db.query_all_raw(dialect::statement(store.db.get_database_backend(), &sql, values)).await?;
    let living = rows.iter().map(|row| row.try_get("", "number").map(UserNumber));
    let living = living.collect::<Result<Vec<_>, DbErr>>()?;
    let memory = Memory::read(&store.db, &Policy::default(), &living).await?;
    if memory.people() == 0 {
        return Ok(Vec::new());
    }
    let mut counts: BTreeMap<(UserNumber, String, String, ValueKind), usize> = BTreeMap::new();
    for hit in find(store, memory).await?.hits {
        *counts.entry((hit.user, hit.table.to_string(), hit.column.to_string(), hit.kind)).or_default() += 1;
    }
    let stands = |((user, table, column, kind), rows)| Stands { user, table, column, kind, rows };
    Ok(counts.into_iter().map(stands).collect())
}

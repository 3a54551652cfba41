//! Counts the rows of a report.
//!
//! Raw SQL: one statement over all loans or requests, with month and year as fragments of `db::dialect`.

use super::{Counted, Key, NONE, Report, ReportQuery, Row};
use chrono::{Months, NaiveDate};
use db::entity::terms;
use db::{RecordsError, dialect};
use policy::{TermKind, dates};
use sea_orm::sea_query::Value;
use sea_orm::{ConnectionTrait, DatabaseBackend, DbErr, EntityTrait, QueryResult};
use std::collections::{BTreeMap, BTreeSet};
use trail::Store;
use trail::terms::Spellings;

/// Counts a report. Reads only loans or requests, and the names of branches, categories and departments.
pub async fn count(store: &Store, report: Report, query: &ReportQuery) -> Result<Counted, RecordsError> {
    let keys = report.keys_by(query.by);
    let backend = store.db.get_database_backend();
    let mut columns = Vec::new();
    for key in &keys {
        columns.push(column(store, report, *key).await?);
    }
    let rows = store.db.query_all_raw(statement(backend, report, query, columns)).await?;
    let mut counted: BTreeMap<Vec<Option<String>>, [i64; 2]> = BTreeMap::new();
    for row in &rows {
        counted.insert(codes(row, keys.len())?, numbers(row, report)?);
    }
    if keys == [Key::Month] {
        fill(&mut counted);
    }
    let total = match store.db.query_one_raw(statement(backend, report, query, Vec::new())).await? {
        Some(row) => numbers(&row, report)?,
        None => [0, 0],
    };
    let names = names(store).await?;
    let rows = counted
        .into_iter()
        .map(|(codes, numbers)| {
            let labels = keys.iter().zip(codes).map(|(key, code)| label(*key, code, &names)).collect();
            Row { labels, numbers }
        })
        .collect();
    let headings = report.numbers();
    Ok(Counted { report, from: query.from, to: query.to, keys, headings, rows, total })
}

/// An expression by which rows are counted, with its values.
type Column = (String, Vec<Value>);

/// Returns the expression of a key.
async fn column(store: &Store, report: Report, key: Key) -> Result<Column, RecordsError> {
    let backend = store.db.get_database_backend();
    let (table, date) = report.source();
    match key {
        Key::Month => Ok((dialect::month(backend, date), Vec::new())),
        Key::Year => Ok((dialect::year(backend, date), Vec::new())),
        Key::Branch => one_spelling(store, table, TermKind::Branch).await,
        Key::Category => one_spelling(store, table, TermKind::Category).await,
        Key::Department => one_spelling(store, table, TermKind::Department).await,
    }
}

/// Returns the expression of a code in one spelling: `LAW` and `law` are one department.
async fn one_spelling(store: &Store, table: &str, kind: TermKind) -> Result<Column, RecordsError> {
    let name = kind.code();
    let sql = format!("SELECT DISTINCT {name} AS code FROM {table} WHERE {name} IS NOT NULL ORDER BY 1");
    let rows =
        store.db.query_all_raw(dialect::bind(store.db.get_database_backend(), &sql, Vec::new())).await?;
    let mut spellings = Spellings::load(&store.db).await?;
    let mut values = Vec::new();
    for row in rows {
        let code: String = row.try_get("", "code")?;
        let spelled = spellings.learn(kind, code.clone());
        if spelled != code {
            values.extend([Value::from(code), Value::from(spelled)]);
        }
    }
    if values.is_empty() {
        return Ok((name.to_owned(), values));
    }
    let cases = " WHEN CAST(? AS TEXT) THEN CAST(? AS TEXT)".repeat(values.len() / 2);
    Ok((format!("CASE {name}{cases} ELSE {name} END"), values))
}

/// Returns the SQL that counts events and distinct users by these columns, or over all rows if there is none.
fn statement(
    backend: DatabaseBackend,
    report: Report,
    query: &ReportQuery,
    columns: Vec<Column>,
) -> sea_orm::Statement {
    let (table, date) = report.source();
    let mut selected = Vec::new();
    let mut places = Vec::new();
    let mut values: Vec<Value> = Vec::new();
    for (place, (expression, of_column)) in columns.into_iter().enumerate() {
        selected.push(format!("{expression} AS k{place}"));
        places.push((place + 1).to_string());
        values.extend(of_column);
    }
    let mut wheres = Vec::new();
    for (limit, comparison) in [(query.from, ">="), (query.to, "<=")] {
        if let Some(limit) = limit {
            wheres.push(format!("{date} {comparison} ?"));
            values.push(limit.into());
        }
    }
    let filter = if wheres.is_empty() { String::new() } else { format!(" WHERE {}", wheres.join(" AND ")) };
    let group = if places.is_empty() { String::new() } else { format!(" GROUP BY {}", places.join(", ")) };
    selected.extend(["COUNT(*) AS events", "COUNT(DISTINCT user_number) AS people"].map(str::to_owned));
    let sql = format!("SELECT {} FROM {table}{filter}{group}", selected.join(", "));
    dialect::bind(backend, &sql, values)
}

fn codes(row: &QueryResult, count: usize) -> Result<Vec<Option<String>>, DbErr> {
    (0..count).map(|place| row.try_get("", &format!("k{place}"))).collect()
}

fn numbers(row: &QueryResult, report: Report) -> Result<[i64; 2], DbErr> {
    let (events, people) = (row.try_get("", "events")?, row.try_get("", "people")?);
    Ok(if report.is_about_users() { [people, events] } else { [events, people] })
}

/// Adds the empty months between the first and the last month, so that gaps are visible.
fn fill(counted: &mut BTreeMap<Vec<Option<String>>, [i64; 2]>) {
    let seen: BTreeSet<NaiveDate> =
        counted.keys().flatten().flatten().filter_map(|code| first_of_month(code)).collect();
    let (Some(first), Some(last)) = (seen.first(), seen.last()) else { return };
    let mut month = *first;
    while month < *last {
        counted.entry(vec![Some(month.format("%Y-%m").to_string())]).or_insert([0, 0]);
        let Some(next) = month.checked_add_months(Months::new(1)) else { return };
        month = next;
    }
}

fn first_of_month(code: &str) -> Option<NaiveDate> {
    format!("{code}-01").parse().ok()
}

/// Returns the names of branches, categories and departments by kind and code.
async fn names(store: &Store) -> Result<BTreeMap<(TermKind, String), String>, DbErr> {
    let terms = terms::Entity::find().all(&store.db).await?;
    Ok(terms.into_iter().map(|term| ((term.kind, term.code), term.name)).collect())
}

fn label(key: Key, code: Option<String>, names: &BTreeMap<(TermKind, String), String>) -> String {
    let Some(code) = code else { return NONE.to_owned() };
    let kind = match key {
        Key::Month => return first_of_month(&code).map_or(code, dates::shown_month),
        Key::Year => return code,
        Key::Branch => TermKind::Branch,
        Key::Category => TermKind::Category,
        Key::Department => TermKind::Department,
    };
    names.get(&(kind, code.clone())).cloned().unwrap_or(code)
}

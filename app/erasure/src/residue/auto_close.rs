//! Closes findings whose text has disappeared, e.g. because a later batch of the same run cleared the row.

use super::review::{CellRef, CurrentText, close, now_at};
use super::searched_tables::{Key, searched_tables};
use crate::certificate;
use db::RecordsError;
use db::dialect::{self, TableFacts, quoted};
use db::entity::findings;
use policy::residue::FindingDecision;
use policy::{NoteTreatment, RunId};
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use std::collections::{BTreeMap, HashSet};
use trail::{Actor, Store};

/// Number of findings processed together.
const FINDINGS_PER_READ: u64 = 1_000;

/// Closes the findings of a run whose text has disappeared, and records an audit event for each.
pub async fn close_what_is_gone(store: &Store, actor: Actor, run: RunId) -> Result<(), RecordsError> {
    let mut tables = Vec::new();
    let mut after = i64::MIN;
    loop {
        let open = findings::Entity::find()
            .filter(findings::Column::RunId.eq(run.0))
            .filter(findings::Column::Decision.is_null())
            .filter(findings::Column::Id.gt(after))
            .order_by_asc(findings::Column::Id)
            .limit(FINDINGS_PER_READ)
            .all(&store.db)
            .await?;
        let Some(last) = open.last() else { return Ok(()) };
        after = last.id;
        if tables.is_empty() {
            tables = dialect::tables(&store.db).await?;
        }
        close_open(store, actor, run, &gone(&store.db, &tables, &open).await?).await?;
    }
}

/// Returns whether any open finding identifies its row by position.
pub async fn notes_positions(store: &Store) -> Result<bool, RecordsError> {
    let noted: Vec<String> = findings::Entity::find()
        .select_only()
        .column(findings::Column::TableName)
        .distinct()
        .filter(findings::Column::Decision.is_null())
        .into_tuple()
        .all(&store.db)
        .await?;
    if noted.is_empty() {
        return Ok(false);
    }
    let (searched, _) = searched_tables(&dialect::tables(&store.db).await?);
    Ok(searched.iter().any(|table| table.key == Key::Position && noted.contains(&table.table)))
}

/// Closes these findings of a run, except those that were decided in the meantime.
async fn close_open(store: &Store, actor: Actor, run: RunId, gone: &[i64]) -> Result<(), RecordsError> {
    if gone.is_empty() {
        return Ok(());
    }
    let tx = store.begin().await?;
    let open = findings::Entity::find()
        .filter(findings::Column::Id.is_in(gone.iter().copied()))
        .filter(findings::Column::Decision.is_null())
        .order_by_asc(findings::Column::Id)
        .lock_exclusive()
        .all(&tx)
        .await?;
    close(&tx, store, actor, &open, FindingDecision::Gone).await?;
    certificate::follow(&tx, store, run).await?;
    store.commit(tx).await
}

/// Returns the findings whose text has disappeared.
async fn gone(
    db: &impl ConnectionTrait,
    tables: &[TableFacts],
    open: &[findings::Model],
) -> Result<Vec<i64>, DbErr> {
    let mut columns: BTreeMap<(&str, &str), Vec<&findings::Model>> = BTreeMap::new();
    for finding in open {
        columns.entry((&finding.table_name, &finding.column_name)).or_default().push(finding);
    }
    let mut gone = Vec::new();
    for findings in columns.into_values() {
        let Some(cell) = CellRef::find(tables, findings[0]) else {
            gone.extend(findings.iter().map(|finding| finding.id));
            continue;
        };
        if let Key::Columns(key) = &cell.searched.key
            && let [(key, true)] = &key[..]
        {
            let filled = filled(db, &cell, key, &findings).await?;
            let is_gone = |finding: &&&findings::Model| {
                finding.row_key.parse().is_ok_and(|key: i64| !filled.contains(&key))
            };
            gone.extend(findings.iter().filter(is_gone).map(|finding| finding.id));
            continue;
        }
        for finding in findings {
            if now_at(db, tables, finding).await? == CurrentText::Nothing {
                gone.push(finding.id);
            }
        }
    }
    Ok(gone)
}

/// Returns the keys of the rows in which the column still contains text.
async fn filled(
    db: &impl ConnectionTrait,
    cell: &CellRef<'_>,
    key: &str,
    findings: &[&findings::Model],
) -> Result<HashSet<i64>, DbErr> {
    let backend = db.get_database_backend();
    let key = format!("t.{}", quoted(key));
    // Raw SQL: the findings name the table and the column; `dialect::in_list` takes their keys as one value.
    let sql = format!(
        "SELECT CAST({key} AS BIGINT) AS key FROM {} AS t WHERE {} AND CAST(t.{} AS TEXT) NOT IN ('', '{}')",
        quoted(&cell.facts.name),
        dialect::in_list(backend, &key),
        quoted(&cell.column.name),
        NoteTreatment::MARK,
    );
    let list = dialect::id_list(backend, findings.iter().filter_map(|finding| finding.row_key.parse().ok()));
    let rows = db.query_all_raw(dialect::bind(backend, &sql, vec![list])).await?;
    rows.iter().map(|row| row.try_get("", "key")).collect()
}

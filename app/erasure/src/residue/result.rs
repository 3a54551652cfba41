//! Stores the result of a search in its run: one result for each user, one row for each finding, never a value.

use super::match_filter::Match;
use super::scan::Findings;
use crate::{certificate, run_counts};
use db::entity::{findings, run_members};
use db::{RecordsError, bulk_insert, dialect};
use policy::notification::Event;
use policy::{Outcome, Residue, RunId, UserNumber};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, QueryFilter, Set};
use std::collections::BTreeSet;
use trail::Store;
use trail::outbox::{self, About};

/// Number of users updated with one statement.
const USERS_PER_STATEMENT: usize = 2_000;

/// Stores everything in one transaction.
pub(super) async fn write(store: &Store, run: RunId, findings: &Findings) -> Result<(), RecordsError> {
    let found: BTreeSet<UserNumber> = findings.matches.iter().map(|found| found.user).collect();
    let people = (0..).take(findings.search.people()).map(|person| findings.search.values_of(person).0);
    let clean: Vec<UserNumber> = people.filter(|number| !found.contains(number)).collect();
    let found: Vec<UserNumber> = found.into_iter().collect();

    let tx = store.begin().await?;
    set(&tx, run, &clean, Residue::Clean).await?;
    set(&tx, run, &found, Residue::WithFindings).await?;
    let at = store.clock.now();
    let rows: Vec<findings::ActiveModel> = findings.matches.iter().map(|found| row(run, found, at)).collect();
    if !rows.is_empty() {
        let about = About { run: Some(run), ..About::default() };
        // A long run is searched in several parts.
        let once = Some(format!("findings/{run}"));
        outbox::post(&tx, &store.clock, Event::FindingsOpen, about, once).await?;
    }
    bulk_insert::insert(&tx, rows).await?;
    certificate::make_again(&tx, store, run).await?;
    store.commit(tx).await?;
    Ok(())
}

fn row(run: RunId, found: &Match, at: chrono::DateTime<chrono::Utc>) -> findings::ActiveModel {
    findings::ActiveModel {
        run_id: Set(Some(run.0)),
        user_number: Set(found.user.0),
        table_name: Set(found.table.to_string()),
        column_name: Set(found.column.to_string()),
        row_key: Set(found.row.clone()),
        what: Set(found.kind),
        found_at: Set(at),
        ..Default::default()
    }
}

/// Stores the result of users of the run who have none yet, and updates the run's counts.
async fn set(
    tx: &DatabaseTransaction,
    run: RunId,
    numbers: &[UserNumber],
    result: Residue,
) -> Result<(), DbErr> {
    let mut changed = 0;
    let backend = tx.get_database_backend();
    // Raw SQL: `dialect::in_list` takes thousands of users as one value, so all chunks use the same statement.
    let sql = format!(
        "UPDATE run_members SET residue = ? WHERE run_id = ? AND residue IS NULL AND {}",
        dialect::in_list(backend, "user_number")
    );
    for numbers in numbers.chunks(USERS_PER_STATEMENT) {
        let list = dialect::id_list(backend, numbers.iter().map(|number| number.0));
        let values = vec![result.into(), run.0.into(), list];
        let updated = tx.execute_raw(dialect::bind(backend, &sql, values)).await?;
        changed += updated.rows_affected();
    }
    if changed > 0 {
        run_counts::add(tx, run, "residue", result.code(), changed).await?;
    }
    Ok(())
}

/// Sets the result of all users of the run without one to undeterminable.
pub async fn give_up(store: &Store, run: RunId) -> Result<(), RecordsError> {
    let tx = store.begin().await?;
    let updated = run_members::Entity::update_many()
        .col_expr(run_members::Column::Residue, Expr::value(Residue::Undeterminable))
        .filter(run_members::Column::RunId.eq(run.0))
        .filter(run_members::Column::Outcome.eq(Outcome::Done))
        .filter(run_members::Column::Residue.is_null())
        .exec(&tx)
        .await?;
    if updated.rows_affected > 0 {
        run_counts::add(&tx, run, "residue", Residue::Undeterminable.code(), updated.rows_affected).await?;
        certificate::make_again(&tx, store, run).await?;
    }
    store.commit(tx).await?;
    Ok(())
}

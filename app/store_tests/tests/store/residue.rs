//! The residue scan finds everything that is left, ignores values of other users, and reports only searched users as
//! clean.

mod decision_effects;
mod examples;
mod oracle;
mod other_users;
mod people;
mod plant;
mod precision;
mod random_libraries;
mod recall;
mod review;
mod single;
mod verify;

use crate::support::{add, five_days};
use db::entity::{findings, run_members, users};
use plant::Cells;
use policy::{Field, Outcome, Policy, Residue, RunId, Scope, Treatment};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseBackend, EntityTrait, QueryFilter, QueryOrder, Set, Statement,
};
use std::collections::BTreeMap;
use trail::Store;

/// Returns a policy for all users who left more than five days ago, which removes everything it can.
fn policy_that_removes_everything() -> Policy {
    Policy {
        fields: Field::ALL.into_iter().map(|field| (field, Treatment::Remove)).collect(),
        scope: Scope::All,
        ..five_days()
    }
}

async fn findings_of(store: &Store, run: RunId) -> Vec<findings::Model> {
    findings::Entity::find()
        .filter(findings::Column::RunId.eq(run.0))
        .order_by_asc(findings::Column::Id)
        .all(&store.db)
        .await
        .unwrap()
}

fn cells_of(findings: &[findings::Model]) -> Cells {
    findings
        .iter()
        .map(|finding| (finding.user_number, finding.table_name.clone(), finding.column_name.clone()))
        .collect()
}

/// Returns the result of the scan for each user of a run.
async fn results(store: &Store, run: RunId) -> BTreeMap<i64, Option<Residue>> {
    let members = run_members::Entity::find()
        .filter(run_members::Column::RunId.eq(run.0))
        .filter(run_members::Column::Outcome.eq(Outcome::Done))
        .all(&store.db)
        .await
        .unwrap();
    members.into_iter().map(|member| (member.user_number, member.residue)).collect()
}

/// Adds a user who stays, with these values.
async fn neighbour(store: &Store, name: &str, more: users::ActiveModel) -> i64 {
    let user = users::ActiveModel {
        uuid: Set(format!("neighbour {name}")),
        leaving_on: Set(None),
        marked_on: Set(None),
        ..more
    };
    add(store, user).await.number
}

/// Executes SQL with `?` for values, all of them texts.
async fn execute_with(store: &Store, sql: &str, texts: &[&str]) {
    let db = &store.db;
    let backend = db.get_database_backend();
    let mut sql = sql.to_owned();
    if backend == DatabaseBackend::Postgres {
        for number in 1..=texts.len() {
            sql = sql.replacen('?', &format!("${number}"), 1);
        }
    }
    let values: Vec<sea_orm::Value> = texts.iter().map(|text| (*text).into()).collect();
    db.execute_raw(Statement::from_sql_and_values(backend, sql, values)).await.unwrap();
}

async fn a_loan(store: &Store, id: i64, user: i64, note: &str) {
    let sql = format!(
        "INSERT INTO loans (id, user_number, branch, issued_on, due_on, returned_on, renewals, note) \
         VALUES ({id}, {user}, 'main', '2017-05-01', '2017-06-01', '2017-05-20', 0, ?)"
    );
    execute_with(store, &sql, &[note]).await;
}

async fn a_message(store: &Store, id: i64, user: i64, recipient: &str, body: &str) {
    let sql = format!(
        "INSERT INTO messages (id, user_number, kind, channel, sent_at, recipient, body) \
         VALUES ({id}, {user}, 'notice', 'email', '2017-05-01T10:00:00+00:00', ?, ?)"
    );
    execute_with(store, &sql, &[recipient, body]).await;
}

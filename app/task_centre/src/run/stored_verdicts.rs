//! Stores the verdicts of a policy as the users of a preview.

use chrono::NaiveDate;
use db::entity::runs;
use db::{RecordsError, dialect};
use erasure::eligibility;
use policy::{Policy, UserNumber};
use sea_orm::{ConnectionTrait, DatabaseTransaction};
use std::collections::BTreeSet;

/// Stores the verdicts of a policy on a day, on all users or on listed ones.
pub(super) async fn store(
    tx: &DatabaseTransaction,
    run: &runs::Model,
    (policy, day): (&Policy, NaiveDate),
    listed: Option<&BTreeSet<UserNumber>>,
) -> Result<(), RecordsError> {
    let backend = tx.get_database_backend();
    let (verdicts, mut values) = match listed {
        None => eligibility::verdicts_sql(policy, day),
        Some(listed) => eligibility::verdicts_of_sql(backend, policy, day, listed.iter().copied()),
    };
    // Raw SQL: one INSERT … SELECT stores the verdicts, whose query is a fragment of `eligibility`.
    let sql = format!(
        "INSERT INTO run_members (run_id, user_number, reason, blockers) \
         SELECT CAST(? AS BIGINT), number, reason, blockers FROM ({verdicts}) verdicts"
    );
    values.insert(0, run.id.into());
    tx.execute_raw(dialect::bind(backend, &sql, values)).await?;
    dialect::analyze(tx, "run_members").await?;
    Ok(())
}

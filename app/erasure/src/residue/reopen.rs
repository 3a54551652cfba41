//! Reopens a decision on a finding. A removed text can't be restored.

use crate::certificate;
use db::RecordsError;
use db::entity::findings;
use policy::residue::FindingDecision;
use policy::{Action, RunId};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use trail::audit::{self, AuditAction, Subject};
use trail::{Actor, Store};

/// Reopens the decision on a finding, and on the findings of other users decided together with it.
///
/// Rejects the request if the finding is open or its text was removed.
pub async fn reopen(store: &Store, actor: Actor, id: i64) -> Result<(), RecordsError> {
    actor.require(Action::DecideResidue)?;
    let tx = store.begin().await?;
    let finding = findings::Entity::find_by_id(id)
        .lock_exclusive()
        .one(&tx)
        .await?
        .ok_or(RecordsError::NotFound("finding"))?;
    reopen_within(&tx, store, actor, &finding).await?;
    store.commit(tx).await
}

/// The same within the caller's transaction. The caller has checked the permission and locked the finding.
pub async fn reopen_within(
    tx: &DatabaseTransaction,
    store: &Store,
    actor: Actor,
    finding: &findings::Model,
) -> Result<(), RecordsError> {
    match finding.decision {
        None => return Err(RecordsError::Stale),
        Some(FindingDecision::Removed) => {
            return Err(RecordsError::Refused(
                "The text was removed and cannot be restored. Nothing was changed".to_owned(),
            ));
        }
        Some(FindingDecision::Kept | FindingDecision::Gone) => {}
    }
    let together = findings::Entity::find()
        .filter(findings::Column::TableName.eq(finding.table_name.as_str()))
        .filter(findings::Column::ColumnName.eq(finding.column_name.as_str()))
        .filter(findings::Column::RowKey.eq(finding.row_key.as_str()))
        .filter(findings::Column::Decision.eq(finding.decision))
        .filter(findings::Column::DecidedAt.eq(finding.decided_at))
        .order_by_asc(findings::Column::Id)
        .all(tx)
        .await?;
    for one in together.iter().filter(|one| one.decided_by == finding.decided_by) {
        findings::Entity::update_many()
            .col_expr(findings::Column::Decision, Expr::value(None::<String>))
            .col_expr(findings::Column::DecidedAt, Expr::value(None::<chrono::DateTime<chrono::Utc>>))
            .col_expr(findings::Column::DecidedBy, Expr::value(None::<i64>))
            .filter(findings::Column::Id.eq(one.id))
            .exec(tx)
            .await?;
        let detail = format!("finding={},{}.{}", one.id, one.table_name, one.column_name);
        let (subject, run) = (Subject::User(one.user_number), one.run_id.map(RunId));
        audit::record_event(tx, &store.clock, actor, AuditAction::ResidueReopened, subject, run, &detail)
            .await?;
    }
    certificate::follow_place(tx, store, finding).await
}

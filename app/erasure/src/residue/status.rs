//! The result of the search for one user, as shown on the record's page.

use super::MAX_SCAN_AGE;
use db::RecordsError;
use db::entity::{audit_events, findings, run_members, runs};
use policy::{Residue, RunId, RunKind, UserNumber};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde::Serialize;
use trail::Store;
use trail::audit::AuditAction;

/// The state of an anonymised user's residue.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ResidueStatus {
    /// None of the old values was found.
    Clean,
    /// Old values were found.
    Found {
        /// Number of open findings.
        open: u64,
        /// Number of decided findings.
        decided: u64,
    },
    /// The old values were lost before the search.
    Undeterminable,
    /// The search is in progress, or follows at the end of the run.
    UnderWay,
}

/// Returns the state and the run that anonymised the user, or `None` if no run did.
pub async fn status(store: &Store, user: UserNumber) -> Result<Option<(RunId, ResidueStatus)>, RecordsError> {
    let Some(run) = run_of(store, user).await? else { return Ok(None) };
    let member = run_members::Entity::find_by_id((run.0, user.0)).one(&store.db).await?;
    let residue = member.and_then(|member| member.residue);
    let status = match residue {
        Some(Residue::Clean) => ResidueStatus::Clean,
        Some(Residue::WithFindings) => found(store, run, user).await?,
        None if is_under_way(store, run).await? => ResidueStatus::UnderWay,
        Some(Residue::Undeterminable) | None => ResidueStatus::Undeterminable,
    };
    Ok(Some((run, status)))
}

/// Returns the run that last anonymised this user, from the audit.
async fn run_of(store: &Store, user: UserNumber) -> Result<Option<RunId>, RecordsError> {
    let run: Option<i64> = audit_events::Entity::find()
        .select_only()
        .column(audit_events::Column::RunId)
        .filter(audit_events::Column::SubjectKind.eq("user"))
        .filter(audit_events::Column::SubjectId.eq(user.0))
        .filter(audit_events::Column::Action.eq(AuditAction::UserAnonymised.code()))
        .filter(audit_events::Column::RunId.is_not_null())
        .order_by_desc(audit_events::Column::Id)
        .into_tuple()
        .one(&store.db)
        .await?;
    Ok(run.map(RunId))
}

async fn found(store: &Store, run: RunId, user: UserNumber) -> Result<ResidueStatus, RecordsError> {
    let findings = findings::Entity::find()
        .filter(findings::Column::RunId.eq(run.0))
        .filter(findings::Column::UserNumber.eq(user.0))
        .all(&store.db)
        .await?;
    let open = findings.iter().filter(|finding| finding.decision.is_none()).count() as u64;
    Ok(ResidueStatus::Found { open, decided: findings.len() as u64 - open })
}

async fn is_under_way(store: &Store, run: RunId) -> Result<bool, RecordsError> {
    let Some(run) = runs::Entity::find_by_id(run.0).one(&store.db).await? else { return Ok(false) };
    if run.kind == RunKind::Single {
        let age = (store.clock.now() - run.created_at).to_std().unwrap_or_default();
        return Ok(age < MAX_SCAN_AGE);
    }
    Ok(run.state.is_under_way())
}

//! Work that waits for a decision by staff.

use crate::health::{self, Condition, ConditionKind};
use db::RecordsError;
use db::entity::{findings, held_lines};
use policy::{Action, RunId};
use safeguards::approval;
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
use trail::{Actor, Store};

/// The kind of work that waits.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum WaitingKind {
    /// Requests that the actor may decide, at most one page of them.
    Approvals,
    /// Runs that a safety limit stopped.
    Runs,
    /// Lines of import files without a decision.
    HeldLines,
    /// Open residue findings.
    Findings,
    /// Legal holds that are due for review.
    LegalHolds,
    /// Open access requests that are due within a week, or overdue.
    AccessRequests,
}

/// The amount of waiting work of one kind.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Waiting {
    /// The kind of work.
    pub kind: WaitingKind,
    /// The number, above 0.
    pub count: i64,
    /// The run that a safety limit stopped. `None` if there are several, and for everything else.
    pub run: Option<RunId>,
}

/// Returns what waits for the actor. Empty if nothing does.
pub async fn waiting(store: &Store, actor: Actor) -> Result<Vec<Waiting>, RecordsError> {
    let conditions =
        if actor.may(Action::SeeTasks) { health::read(store).await?.conditions } else { Vec::new() };
    let stopped = stopped_runs(actor, &conditions);
    let only = if let [run] = stopped[..] { Some(run) } else { None };
    let holds = conditions.iter().find_map(|one| match one.what {
        ConditionKind::LegalHoldsDue { holds } => Some(holds),
        _ => None,
    });
    let requests = conditions.iter().find_map(|one| match one.what {
        ConditionKind::AccessRequestsDue { requests } => Some(requests),
        _ => None,
    });
    let only_for = |count: Option<i64>, action| count.filter(|_| actor.may(action)).unwrap_or_default();
    let counts = [
        (WaitingKind::Approvals, approval::decidable(store, actor).await?),
        (WaitingKind::Runs, i64::try_from(stopped.len()).unwrap_or(i64::MAX)),
        (WaitingKind::HeldLines, held_lines(store, actor).await?),
        (WaitingKind::Findings, findings(store, actor).await?),
        (WaitingKind::LegalHolds, only_for(holds, Action::PlaceLegalHolds)),
        (WaitingKind::AccessRequests, only_for(requests, Action::HandleAccessRequests)),
    ];
    let waiting = counts.into_iter().filter(|(_, count)| *count > 0);
    let of = |(kind, count)| Waiting { kind, count, run: only.filter(|_| kind == WaitingKind::Runs) };
    Ok(waiting.map(of).collect())
}

/// Returns the runs that a safety limit stopped, if the actor may start them again.
fn stopped_runs(actor: Actor, conditions: &[Condition]) -> Vec<RunId> {
    if !actor.may(Action::Run) {
        return Vec::new();
    }
    let stopped = conditions.iter().filter(|one| matches!(one.what, ConditionKind::StoppedByLimit(_)));
    stopped.filter_map(|one| one.run).collect()
}

/// Counts the held lines without a decision, which a partial index covers.
async fn held_lines(store: &Store, actor: Actor) -> Result<i64, RecordsError> {
    if !actor.may(Action::EditUsers) {
        return Ok(0);
    }
    let waiting = held_lines::Entity::find().filter(held_lines::Column::Decision.is_null());
    Ok(i64::try_from(waiting.count(&store.db).await?).unwrap_or(i64::MAX))
}

/// Counts the open findings, which a partial index covers.
async fn findings(store: &Store, actor: Actor) -> Result<i64, RecordsError> {
    if !actor.may(Action::SeeResidue) {
        return Ok(0);
    }
    let open = findings::Entity::find().filter(findings::Column::Decision.is_null());
    Ok(i64::try_from(open.count(&store.db).await?).unwrap_or(i64::MAX))
}

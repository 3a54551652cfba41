//! Imports a file of any kind, from any entry point.

use super::circulation::{self, Charges, Loans, Requests};
use super::import_history::{ImportResult, ReportLine};
use super::import_users;
use super::order::{ImportOrder, Imported, record};
use super::private_copy::PrivateCopy;
use super::problem::{FileProblems, TransferError};
use policy::Action;
use policy::import::ImportState;
use policy::import_profile::FileKind;
use trail::audit::{self, AuditAction, Subject};
use trail::{Actor, Store};

/// Imports a file. The changes, their audit event and the history are committed together.
///
/// A rejected file changes nothing; the audit and the history record that it was rejected.
pub async fn import(store: &Store, actor: Actor, order: &ImportOrder<'_>) -> Result<Imported, TransferError> {
    actor.require(Action::Import)?;
    import_permitted(store, actor, order).await
}

/// Like [`import`], for a run that a permitted person or the schedule has started.
pub(super) async fn import_permitted(
    store: &Store,
    actor: Actor,
    order: &ImportOrder<'_>,
) -> Result<Imported, TransferError> {
    if order.dry_run {
        return check(store, actor, order).await;
    }
    let long_write = store.vitals.begin_long_write();
    let done = import_by_kind(store, actor, order).await;
    drop(long_write);
    if let Err(TransferError::File(problems)) = &done {
        let sha256 = order.run.map(|run| run.sha256.to_owned());
        let result = ImportResult { sha256, ..rejected(problems) };
        let detail = format!("{},problems={}", order.profile.kind.code(), problems.total);
        let tx = store.begin().await?;
        record((&tx, store), actor, order, result).await?;
        audit::record_event(
            &tx,
            &store.clock,
            actor,
            AuditAction::ImportRejected,
            Subject::Library,
            None,
            &detail,
        )
        .await?;
        store.commit(tx).await?;
    }
    done
}

/// Checks a file, on a private copy of the database if there can be one.
async fn check(store: &Store, actor: Actor, order: &ImportOrder<'_>) -> Result<Imported, TransferError> {
    let Some(copy) = PrivateCopy::make(store, order.file).await? else {
        let _long_write = store.vitals.begin_long_write();
        return import_by_kind(store, actor, order).await;
    };
    let done = import_by_kind(&copy.store, actor, order).await;
    copy.erase().await?;
    done
}

async fn import_by_kind(
    store: &Store,
    actor: Actor,
    order: &ImportOrder<'_>,
) -> Result<Imported, TransferError> {
    match order.profile.kind {
        FileKind::Users => import_users::import(store, actor, order).await,
        FileKind::Loans => circulation::import::<Loans>(store, actor, order).await,
        FileKind::Requests => circulation::import::<Requests>(store, actor, order).await,
        FileKind::Charges => circulation::import::<Charges>(store, actor, order).await,
    }
}

/// Returns the result of a file with problems.
pub(super) fn rejected(problems: &FileProblems) -> ImportResult {
    ImportResult {
        state: ImportState::Rejected,
        sha256: None,
        counts: None,
        reason: Some(problems.to_string()),
        report: problems.problems.iter().map(ReportLine::from).collect(),
    }
}

//! The second person of an uploaded file that exceeds the safety limits.

use super::import::import;
use super::import_history::{self, Import};
use super::order::{ImportOrder, Imported};
use super::problem::TransferError;
use db::RecordsError;
use policy::import::ImportState;
use policy::{Action, ApprovalId, ImportId};
use safeguards::approval::{self, Approval, ApprovalSubject};
use trail::{Actor, Store};

/// The state of the approval that a file needs.
#[derive(Clone, Debug)]
pub struct ImportApproval {
    /// The newest request for this file.
    pub newest: Option<Approval>,
    /// Why this member of staff can't import the file yet, as sentences without the last full stop.
    pub missing: Option<String>,
}

/// Returns the state of the approval. `None` if no second person is needed.
pub async fn state(
    store: &Store,
    actor: Actor,
    import: &Import,
) -> Result<Option<ImportApproval>, RecordsError> {
    let Some(subject) = subject(import) else { return Ok(None) };
    if !approval::four_eyes(store, Action::Approve).await? {
        return Ok(None);
    }
    let newest = approval::of_import(store, &subject).await?;
    let why = "A second person must approve this file, because it exceeds a safety limit";
    let missing = approval::why_not_yet(store, actor, &subject, why).await?;
    Ok(Some(ImportApproval { newest, missing }))
}

/// Requests approval to import a checked file. Returns the waiting request if there is one.
pub async fn request(store: &Store, actor: Actor, id: ImportId) -> Result<ApprovalId, RecordsError> {
    actor.require(Action::Import)?;
    let import = import_history::read(store, actor, id).await?;
    let subject = subject(&import).filter(|_| import.state == ImportState::Checked);
    let is_needed = approval::four_eyes(store, Action::Approve).await?;
    let Some(subject) = subject.filter(|_| is_needed) else { return Err(not_needed()) };
    approval::request_import(store, actor, subject).await
}

/// Requests approval to import a file on the command line that exceeds the safety limits. Imports nothing. Returns the
/// waiting request if there is one.
pub async fn request_import(
    store: &Store,
    actor: Actor,
    order: &ImportOrder<'_>,
) -> Result<ApprovalId, TransferError> {
    let order = ImportOrder { dry_run: true, ..order.clone() };
    let Imported { sha256, stop, .. } = import(store, actor, &order).await?;
    let is_needed = approval::four_eyes(store, Action::Approve).await?;
    let Some(stop) = stop.filter(|_| is_needed) else { return Err(not_needed().into()) };
    let subject = ApprovalSubject::import_of(sha256, (stop.number, stop.counted_by));
    Ok(approval::request_import(store, actor, subject).await?)
}

fn not_needed() -> RecordsError {
    let why = "No second person is needed: the file is within the limits. Import it";
    RecordsError::Refused(why.to_owned())
}

/// Returns the subject of the approval. `None` if the check has found the file within the limits.
fn subject(import: &Import) -> Option<ApprovalSubject> {
    let counts = import.counts.as_ref()?;
    let number = (counts.over_limit?, counts.counted_by);
    Some(ApprovalSubject::import_of(import.sha256.clone()?, number))
}

//! The second person of an uploaded file that exceeds the safety limits.

use super::import_history::{self, Import};
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
pub async fn of(
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
    let Some(subject) = subject.filter(|_| is_needed) else {
        let why = "No second person is needed: the file is within the limits. Import it";
        return Err(RecordsError::Refused(why.to_owned()));
    };
    approval::request_import(store, actor, subject).await
}

/// Returns the subject of the approval. `None` if the check has found the file within the limits.
fn subject(import: &Import) -> Option<ApprovalSubject> {
    let counts = import.counts.as_ref()?;
    let number = (counts.over_limit?, counts.counted_by);
    Some(ApprovalSubject::import_of(import.sha256.clone()?, number))
}

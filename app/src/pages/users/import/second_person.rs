//! The section about the second person of a file that exceeds the safety limits.

use super::actions::RequestImportApproval;
use crate::pages::approvals::second_person::{Request, section};
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use policy::four_eyes::APPROVAL_HOURS;
use trail::Actor;
use transfer::import_approval::ImportApproval;
use transfer::import_history::Import;

/// Renders why a second person is needed, the state of the request, and the next action.
pub(super) fn view(
    import: &Import,
    approval: ImportApproval,
    actor: Actor,
    here: &str,
) -> impl IntoView + use<> {
    let text = format!(
        "A second person must approve this file, because it exceeds a safety limit. An approval is valid for \
         {APPROVAL_HOURS} hours, for one import of this file."
    );
    let request = Request {
        function: RequestImportApproval::PATH,
        values: vec![("import", import.id.to_string())],
        page: here.to_owned(),
    };
    section(text, (approval.newest, approval.missing), Some(request), actor)
}

//! The section about the second person of a file that exceeds the safety limits.

use super::actions::RequestImportApproval;
use crate::components::{PostButton, ProblemSummary};
use crate::form::error_for;
use crate::pages::approvals::second_person::request_status;
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use policy::four_eyes::APPROVAL_HOURS;
use safeguards::approval::ApprovalStatus;
use transfer::import_approval::ImportApproval;
use transfer::import_history::Import;

/// Renders why a second person is needed, the state of the request, and the next action.
pub(super) fn section(import: &Import, approval: ImportApproval, here: &str) -> impl IntoView + use<> {
    let ImportApproval { newest, missing } = approval;
    let status = newest.as_ref().map(|approval| approval.status);
    let can_ask = missing.is_some() && status != Some(ApprovalStatus::Waiting);
    let ask = can_ask.then(|| {
        let values = vec![("import", import.id.to_string())];
        let function = RequestImportApproval::PATH;
        view! { <PostButton function page=here.to_owned() values label="Request approval" /> }
    });
    let missing = missing.filter(|_| status.is_some()).map(|why| view! { <p>{why} "."</p> });
    view! {
        <section class="notice warning" aria-labelledby="second-person">
            <h2 id="second-person">"Second person required"</h2>
            <ProblemSummary error=error_for(RequestImportApproval::PATH) />
            <p>
                "A second person must approve this file, because it exceeds a safety limit. An approval is valid for "
                {APPROVAL_HOURS.to_string()} " hours, for one import of this file."
            </p>
            {newest.as_ref().map(request_status)}
            {missing}
            {ask}
        </section>
    }
}

//! The server functions that request, approve, decline and withdraw.

use crate::components::flash;
use crate::error::AppError;
use crate::state::{actor, store};
use leptos::prelude::*;
use leptos::server_fn::codec::PostUrl;
use policy::{ApprovalId, RunId, UserNumber};
use safeguards::approval::{self, About};
use serde::{Deserialize, Serialize};
use task_centre::approval_workflow;

/// Identifies the preview.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PreviewRef {
    preview: i64,
}

/// Identifies the member of staff.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StaffRef {
    user: i64,
}

/// Identifies the request.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RequestRef {
    approval: i64,
}

/// Identifies the request to approve, with the typed number of users of a run or an import.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ApproveForm {
    pub(super) approval: i64,
    #[serde(default)]
    pub(super) confirm: String,
}

/// Requests approval for the run of a preview.
#[server(prefix = "/do", endpoint = "request_approval", input = PostUrl)]
pub(crate) async fn request_approval(form: PreviewRef) -> Result<(), AppError> {
    approval_workflow::request(&store(), actor(), RunId(form.preview)).await?;
    flash::redirect(&format!("/runs/{}?done=approval-requested", form.preview));
    Ok(())
}

/// Requests approval for more manual changes than the safety limits allow.
#[server(prefix = "/do", endpoint = "request_more_changes", input = PostUrl)]
pub(crate) async fn request_more_changes() -> Result<(), AppError> {
    approval_workflow::request_more_changes(&store(), actor()).await?;
    flash::redirect("/approvals?done=approval-requested");
    Ok(())
}

/// Requests approval for anonymising a member of staff.
#[server(prefix = "/do", endpoint = "request_staff_anonymising", input = PostUrl)]
pub(crate) async fn request_staff_anonymising(form: StaffRef) -> Result<(), AppError> {
    approval_workflow::request_staff_anonymising(&store(), actor(), UserNumber(form.user)).await?;
    flash::redirect(&format!("/users/{}/anonymise?done=approval-requested", form.user));
    Ok(())
}

/// Approves the request of another member of staff.
#[server(prefix = "/do", endpoint = "approve_request", input = PostUrl)]
pub(crate) async fn approve_request(form: ApproveForm) -> Result<(), AppError> {
    let (store, id) = (store(), ApprovalId(form.approval));
    approval_workflow::approve_confirmed(&store, actor(), id, &form.confirm).await?;
    let next = match approval::read(&store, id).await?.about {
        About::Run { preview, .. } => format!("/runs/{preview}?done=approved"),
        About::LegalHoldRelease { hold } => format!("/legal-holds/{hold}?done=legal-hold-released"),
        About::SuppressionKey => "/suppression?done=suppression-key-destroyed".to_owned(),
        About::Reapply | About::MoreChanges | About::ApiChanges | About::Import { .. } => {
            "/approvals?done=approved".to_owned()
        }
        // An approver may see the record, but may lack the permission to anonymise.
        About::StaffAnonymising { .. } => format!("/approvals/{id}?done=approved"),
    };
    flash::redirect(&next);
    Ok(())
}

/// Declines the request of another member of staff.
#[server(prefix = "/do", endpoint = "decline_request", input = PostUrl)]
pub(crate) async fn decline_request(form: RequestRef) -> Result<(), AppError> {
    let decision = approval::decline(&store(), actor(), ApprovalId(form.approval)).await?;
    flash::redirect(&format!("/approvals?done={}", decision.code()));
    Ok(())
}

/// Withdraws a request of the actor.
#[server(prefix = "/do", endpoint = "withdraw_request", input = PostUrl)]
pub(crate) async fn withdraw_request(form: RequestRef) -> Result<(), AppError> {
    let decision = approval::withdraw(&store(), actor(), ApprovalId(form.approval)).await?;
    flash::redirect(&format!("/approvals?done={}", decision.code()));
    Ok(())
}

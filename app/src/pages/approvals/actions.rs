//! Asking, approving, declining, withdrawing.

use crate::error::AppError;
use crate::state::{actor, store};
use leptos::prelude::*;
use leptos::server_fn::codec::PostUrl;
use policy::{ApprovalId, RunId, UserNumber};
use records::approval::{self, About};
use records::approval_workflow;
use serde::{Deserialize, Serialize};

/// Names the preview.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PreviewRef {
    preview: i64,
}

/// Names the member of staff.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StaffRef {
    user: i64,
}

/// Names the request.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RequestRef {
    approval: i64,
}

/// Names the request to approve; the number of users of a run or an import, typed to confirm.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ApproveForm {
    pub(super) approval: i64,
    #[serde(default)]
    pub(super) confirm: String,
}

/// Asks a second person to approve the run of a preview.
#[server(prefix = "/do", endpoint = "ask_approval", input = PostUrl)]
pub(crate) async fn ask_approval(form: PreviewRef) -> Result<(), AppError> {
    approval_workflow::ask(&store(), actor(), RunId(form.preview)).await?;
    leptos_axum::redirect(&format!("/runs/{}?done=approval-asked", form.preview));
    Ok(())
}

/// Asks a second person to approve more manual changes than the safety limits allow.
#[server(prefix = "/do", endpoint = "ask_more_changes", input = PostUrl)]
pub(crate) async fn ask_more_changes() -> Result<(), AppError> {
    approval_workflow::ask_more_changes(&store(), actor()).await?;
    leptos_axum::redirect("/approvals?done=approval-asked");
    Ok(())
}

/// Asks a second person to approve that a member of staff is anonymised.
#[server(prefix = "/do", endpoint = "ask_staff_anonymising", input = PostUrl)]
pub(crate) async fn ask_staff_anonymising(form: StaffRef) -> Result<(), AppError> {
    approval_workflow::ask_staff_anonymising(&store(), actor(), UserNumber(form.user)).await?;
    leptos_axum::redirect(&format!("/users/{}/anonymise?done=approval-asked", form.user));
    Ok(())
}

/// Approves what somebody else has asked for.
#[server(prefix = "/do", endpoint = "approve_request", input = PostUrl)]
pub(crate) async fn approve_request(form: ApproveForm) -> Result<(), AppError> {
    let (store, id) = (store(), ApprovalId(form.approval));
    approval_workflow::approve_confirmed(&store, actor(), id, &form.confirm).await?;
    let next = match approval::read(&store, id).await?.about {
        About::Run { preview, .. } => format!("/runs/{preview}?done=approved"),
        About::HoldRelease { hold } => format!("/legal-holds/{hold}?done=hold-released"),
        About::Reapply | About::MoreChanges | About::Import { .. } => "/approvals?done=approved".to_owned(),
        // The approver may see the record and need not be allowed to anonymise.
        About::StaffAnonymising { .. } => format!("/approvals/{id}?done=approved"),
    };
    leptos_axum::redirect(&next);
    Ok(())
}

/// Declines the request of another member of staff.
#[server(prefix = "/do", endpoint = "decline_request", input = PostUrl)]
pub(crate) async fn decline_request(form: RequestRef) -> Result<(), AppError> {
    let decision = approval::decline(&store(), actor(), ApprovalId(form.approval)).await?;
    leptos_axum::redirect(&format!("/approvals?done={}", decision.code()));
    Ok(())
}

/// Withdraws one's own request.
#[server(prefix = "/do", endpoint = "withdraw_request", input = PostUrl)]
pub(crate) async fn withdraw_request(form: RequestRef) -> Result<(), AppError> {
    let decision = approval::withdraw(&store(), actor(), ApprovalId(form.approval)).await?;
    leptos_axum::redirect(&format!("/approvals?done={}", decision.code()));
    Ok(())
}

//! Asking, approving, declining.

use crate::error::AppError;
use crate::state::{actor, store};
use leptos::prelude::*;
use leptos::server_fn::codec::PostUrl;
use policy::{ApprovalId, RunId};
use records::approval::{self, About};
use serde::{Deserialize, Serialize};

/// Names the preview.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PreviewRef {
    preview: i64,
}

/// Names the request.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RequestRef {
    approval: i64,
}

/// Names the request to approve; the number of users of a run, typed to confirm.
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
    approval::ask(&store(), actor(), RunId(form.preview)).await?;
    leptos_axum::redirect(&format!("/runs/{}?done=approval-asked", form.preview));
    Ok(())
}

/// Approves what somebody else has asked for.
#[server(prefix = "/do", endpoint = "approve_request", input = PostUrl)]
pub(crate) async fn approve_request(form: ApproveForm) -> Result<(), AppError> {
    let (store, id) = (store(), ApprovalId(form.approval));
    approval::approve_confirmed(&store, actor(), id, &form.confirm).await?;
    let next = match approval::read(&store, id).await?.about {
        About::Run { preview, .. } => format!("/runs/{preview}?done=approved"),
        About::HoldRelease { hold } => format!("/holds/{hold}?done=hold-released"),
        About::Reapply => "/approvals?done=approved".to_owned(),
    };
    leptos_axum::redirect(&next);
    Ok(())
}

/// Declines what somebody else has asked for, or takes back what one has asked for oneself.
#[server(prefix = "/do", endpoint = "decline_request", input = PostUrl)]
pub(crate) async fn decline_request(form: RequestRef) -> Result<(), AppError> {
    approval::decline(&store(), actor(), ApprovalId(form.approval)).await?;
    leptos_axum::redirect("/approvals?done=declined");
    Ok(())
}

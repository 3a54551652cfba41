//! The server functions of legal holds.

use crate::components::flash;
use crate::error::AppError;
use crate::state::{actor, store};
use leptos::prelude::*;
use leptos::server_fn::codec::PostUrl;
use policy::LegalHoldId;
use policy::legal_hold::LegalHoldForm;
use safeguards::legal_hold;
use serde::{Deserialize, Serialize};

/// Identifies the hold.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LegalHoldRef {
    hold: i64,
}

/// A hold, and its typed next review date.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ReviewForm {
    pub(super) hold: i64,
    #[serde(default)]
    pub(super) review_on: String,
}

/// Places a hold.
#[server(prefix = "/do", endpoint = "place_legal_hold", input = PostUrl)]
pub(super) async fn place_legal_hold(form: LegalHoldForm) -> Result<(), AppError> {
    let id = legal_hold::place(&store(), actor(), &form).await?;
    flash::redirect(&format!("/legal-holds/{id}?done=legal-hold-placed"));
    Ok(())
}

/// Sets the next review date.
#[server(prefix = "/do", endpoint = "review_legal_hold", input = PostUrl)]
pub(super) async fn review_legal_hold(form: ReviewForm) -> Result<(), AppError> {
    legal_hold::review(&store(), actor(), LegalHoldId(form.hold), &form.review_on).await?;
    flash::redirect(&format!("/legal-holds/{}?done=legal-hold-reviewed", form.hold));
    Ok(())
}

/// Requests the release of a hold by another member of staff.
#[server(prefix = "/do", endpoint = "request_legal_hold_release", input = PostUrl)]
pub(super) async fn request_legal_hold_release(form: LegalHoldRef) -> Result<(), AppError> {
    legal_hold::request_legal_hold_release(&store(), actor(), LegalHoldId(form.hold)).await?;
    flash::redirect(&format!("/legal-holds/{}?done=release-requested", form.hold));
    Ok(())
}

/// Releases a hold.
#[server(prefix = "/do", endpoint = "release_legal_hold", input = PostUrl)]
pub(super) async fn release_legal_hold(form: LegalHoldRef) -> Result<(), AppError> {
    legal_hold::release(&store(), actor(), LegalHoldId(form.hold)).await?;
    flash::redirect(&format!("/legal-holds/{}?done=legal-hold-released", form.hold));
    Ok(())
}

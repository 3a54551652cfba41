//! Discards a preview.

use crate::components::{AskFirst, flash};
use crate::error::AppError;
use crate::state::{actor, store};
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use leptos::server_fn::codec::PostUrl;
use policy::RunId;
use serde::{Deserialize, Serialize};
use task_centre::run;

/// Identifies the preview.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PreviewRef {
    preview: i64,
}

/// Discards a preview, so that it can't be run any more.
#[server(prefix = "/do", endpoint = "discard_preview", input = PostUrl)]
pub(super) async fn discard_preview(form: PreviewRef) -> Result<(), AppError> {
    run::discard(&store(), actor(), RunId(form.preview)).await?;
    flash::redirect(&format!("/runs/{}?done=preview-discarded", form.preview));
    Ok(())
}

/// Renders the form that discards a preview after a confirmation.
pub(super) fn discard_form(preview: RunId) -> impl IntoView {
    view! {
        <AskFirst function=DiscardPreview::PATH page=format!("/runs/{preview}") label="Discard preview"
            values=vec![("preview", preview.to_string())]
            consequence="The preview can no longer be run, and the list of its users is deleted. Its numbers stay in \
                         the list of runs. No user changes." />
    }
}

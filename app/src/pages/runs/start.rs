//! Starts the run of a preview.

use crate::error::AppError;
use crate::state::{actor, store};
use leptos::prelude::*;
use leptos::server_fn::codec::PostUrl;
use policy::RunId;
use serde::{Deserialize, Serialize};
use task_centre::run;

/// The preview, and the typed number of users.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StartRunForm {
    pub(super) preview: i64,
    #[serde(default)]
    pub(super) confirm: String,
}

/// Starts the run of a preview. The run continues when the browser is closed.
#[server(prefix = "/do", endpoint = "start_run", input = PostUrl)]
pub(super) async fn start_run(form: StartRunForm) -> Result<(), AppError> {
    let store = store();
    let run = run::start(&store, actor(), RunId(form.preview), &form.confirm).await?;
    tokio::spawn(async move {
        if let Err(error) = run::work(&store).await {
            tracing::error!(code = error.code(), "a run was interrupted");
        }
    });
    leptos_axum::redirect(&format!("/runs/{run}"));
    Ok(())
}

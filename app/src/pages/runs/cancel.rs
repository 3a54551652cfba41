//! The server functions of a run: cancelling it, and cleaning the database files after it.

use crate::components::flash;
use crate::error::AppError;
use crate::state::{actor, store};
use erasure::maintenance;
use leptos::prelude::*;
use leptos::server_fn::codec::PostUrl;
use policy::RunId;
use serde::{Deserialize, Serialize};
use task_centre::run;

/// Identifies the run.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RunRef {
    pub(super) run: i64,
}

/// Cancels a run before its next batch. Anonymised users stay anonymised.
#[server(prefix = "/do", endpoint = "cancel_run", input = PostUrl)]
pub(super) async fn cancel_run(form: RunRef) -> Result<(), AppError> {
    run::cancel(&store(), actor(), RunId(form.run)).await?;
    leptos_axum::redirect(&format!("/runs/{}", form.run));
    Ok(())
}

/// Rewrites the user tables, so that the database files contain no old row.
#[server(prefix = "/do", endpoint = "clean_files", input = PostUrl)]
pub(super) async fn clean_files(form: RunRef) -> Result<(), AppError> {
    let run = run::read(&store(), RunId(form.run)).await?.id;
    maintenance::full(&store(), actor()).await?;
    flash::redirect(&format!("/runs/{run}?done=files-cleaned"));
    Ok(())
}

//! What can be done to a run: cancelling it, and cleaning the database files after it.

use crate::error::AppError;
use crate::state::{actor, store};
use leptos::prelude::*;
use leptos::server_fn::codec::PostUrl;
use policy::RunId;
use records::{maintenance, run};
use serde::{Deserialize, Serialize};

/// Names the run.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RunRef {
    pub(super) run: i64,
}

/// Cancels a run: it stops between people. Who is done stays done.
#[server(prefix = "/do", endpoint = "cancel_run", input = PostUrl)]
pub(super) async fn cancel_run(form: RunRef) -> Result<(), AppError> {
    run::cancel(&store(), actor(), RunId(form.run)).await?;
    leptos_axum::redirect(&format!("/runs/{}", form.run));
    Ok(())
}

/// Rewrites the tables of users, so that no byte of an old row is left in the database files.
#[server(prefix = "/do", endpoint = "clean_files", input = PostUrl)]
pub(super) async fn clean_files(form: RunRef) -> Result<(), AppError> {
    maintenance::full(&store(), actor()).await?;
    leptos_axum::redirect(&format!("/runs/{}?done=files-cleaned", form.run));
    Ok(())
}

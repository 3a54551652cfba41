//! Cancelling a run.

use crate::error::AppError;
use crate::state::{actor, store};
use leptos::prelude::*;
use leptos::server_fn::codec::PostUrl;
use policy::RunId;
use records::run;
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

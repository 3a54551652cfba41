//! Starts the run of a preview.

use crate::components::{FieldProblem, ProblemSummary, ReauthHint};
use crate::error::{AppError, field_errors};
use crate::form::{Token, action, failed_submission};
use crate::state::{actor, store};
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use leptos::server_fn::codec::PostUrl;
use policy::RunId;
use policy::numbers::grouped;
use serde::{Deserialize, Serialize};
use task_centre::run::{self, Run};

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

/// The texts of a task type about starting the run of a preview.
pub(super) struct StartTexts {
    pub(super) heading: &'static str,
    /// The statement that nothing happened, if the typed number is wrong.
    pub(super) not_done: &'static str,
    /// The label of the button.
    pub(super) button: String,
}

/// Renders the form that starts the run after the number of its preview is typed. `consequence` says what the run does.
pub(super) fn start_form(run: &Run, texts: StartTexts, consequence: AnyView) -> impl IntoView + use<> {
    let count = grouped(run.previewed);
    let here = format!("/runs/{}", run.id);
    let posted = failed_submission::<StartRunForm>(StartRun::PATH);
    let (typed, error) = posted.map_or((String::new(), None), |(form, error)| (form.confirm, Some(error)));
    let errors = field_errors(error.as_ref());
    let invalid = errors.message("confirm").map(|_| "true");
    view! {
        <section class="confirm" aria-labelledby="run-now">
            <h2 id="run-now">{texts.heading}</h2>
            <ProblemSummary error />
            {(!errors.is_empty()).then(|| view! { <p>{texts.not_done}</p> })}
            {consequence}
            <form method="post" action=action(StartRun::PATH, &here)>
                <Token />
                <ReauthHint page=here.clone() />
                <input type="hidden" name="form[preview]" value=run.id.to_string() />
                <div class="field">
                    <label for="confirm">"To confirm, type " {count}</label>
                    <input id="confirm" name="form[confirm]" type="text" inputmode="numeric" autocomplete="off"
                        value=typed aria-describedby="confirm-problem" aria-invalid=invalid />
                    <FieldProblem field="confirm" errors />
                </div>
                <button class="danger" type="submit">{texts.button}</button>
            </form>
        </section>
    }
}

//! The second step: a code of the authenticator app, or a recovery code.

use super::{
    AllowedAttempt, bare_page, bounded_page, count_attempt, errors_outside_fields, redirect_to_next_step,
    remember_caller, return_page,
};
use crate::components::{FieldProblem, PostButton, ProblemSummary, SignOut};
use crate::cookie;
use crate::error::{AppError, field_errors};
use crate::form::{action, error_for, failed_submission};
use crate::rate_limit::AttemptKind;
use crate::state::{session, store};
use identity::session::{self, Stage};
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use leptos::server_fn::codec::PostUrl;
use serde::{Deserialize, Serialize};

/// The code, and the page to go to.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CodeForm {
    #[serde(default)]
    code: String,
    #[serde(default)]
    page: String,
}

/// Completes the sign-in with a code.
#[server(prefix = "/do", endpoint = "second_factor", input = PostUrl)]
pub(super) async fn second_factor(form: CodeForm) -> Result<(), AppError> {
    let session = session().ok_or(AppError::NotSignedIn)?;
    let AllowedAttempt { device, .. } = count_attempt(AttemptKind::Code, &session).await?;
    let token = session::second_factor(&store(), &session, &form.code, device.as_deref()).await?;
    cookie::set_session(&token);
    remember_caller(session.user).await;
    redirect_to_next_step(Stage::SignedIn, &form.page);
    Ok(())
}

/// Asks for the code.
#[component]
pub fn SecondFactorPage() -> impl IntoView {
    let (typed, error) = match failed_submission::<CodeForm>(SecondFactor::PATH) {
        Some((typed, error)) => (typed, Some(error)),
        None => (CodeForm { page: return_page(), ..CodeForm::default() }, error_for(SecondFactor::PATH)),
    };
    let errors = field_errors(error.as_ref());
    let post = action(SecondFactor::PATH, "/sign-in/code");
    bare_page(
        "Second step",
        view! {
            <ProblemSummary error=errors_outside_fields(error, &["code"]) />
            <form method="post" action=post class="narrow">
                <crate::form::Token />
                <input type="hidden" name="form[page]" value=bounded_page(&typed.page) />
                <div class="field">
                    <label for="code">"Code from your authenticator app"</label>
                    <input
                        id="code" name="form[code]" autocomplete="one-time-code" inputmode="text" autocapitalize="none"
                        spellcheck="false" required autofocus aria-describedby="code-problem code-help"
                    />
                    <p class="hint" id="code-help">"Six digits. Without the app, enter one of your recovery \
                                                    codes."</p>
                    <FieldProblem field="code" errors />
                </div>
                <div class="buttons"><button class="primary" type="submit">"Sign in"</button></div>
            </form>
            <PostButton function=SignOut::PATH page="/sign-in" values=vec![] label="Start again" />
        },
    )
}

//! The second step: a code of the authenticator app, or a recovery code.

use super::{Allowed, attempt, beside_fields, carried_page, go_on, keep_known, plain, wanted_page};
use crate::components::{FieldProblem, PostButton, ProblemSummary};
use crate::cookie;
use crate::error::{AppError, field_errors};
use crate::form_post::{action, refusal, submitted};
use crate::pages::sign_in::SignOut;
use crate::rate_limit::Shown;
use crate::state::{session, store};
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use leptos::server_fn::codec::PostUrl;
use records::session::{self, Stage};
use serde::{Deserialize, Serialize};

/// The code, and where to go.
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
    let Allowed { device, .. } = attempt(Shown::Code, &session).await?;
    let token = session::second_factor(&store(), &session, &form.code, device.as_deref()).await?;
    cookie::keep(&token);
    keep_known(session.user).await;
    go_on(Stage::Whole, &form.page);
    Ok(())
}

/// Asks for the code.
#[component]
pub fn SecondFactorPage() -> impl IntoView {
    let (typed, error) = match submitted::<CodeForm>(SecondFactor::PATH) {
        Some((typed, error)) => (typed, Some(error)),
        None => (CodeForm { page: wanted_page(), ..CodeForm::default() }, refusal(SecondFactor::PATH)),
    };
    let errors = field_errors(error.as_ref());
    let post = action(SecondFactor::PATH, "/sign-in/code");
    plain(
        "Second step",
        view! {
            <ProblemSummary error=beside_fields(error, &["code"]) />
            <form method="post" action=post class="narrow">
                <crate::form_post::Token />
                <input type="hidden" name="form[page]" value=carried_page(&typed.page) />
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
            <PostButton function=SignOut::PATH page="/sign-in" values=vec![] words="Start again" />
        },
    )
}

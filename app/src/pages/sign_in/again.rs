//! Showing again who one is, before what cannot be undone.

use super::{ProviderLink, ProviderProblem, count_try, go_on, plain, wanted_page};
use crate::cookie;
use crate::error::{AppError, field_errors};
use crate::parts::{FieldProblem, ProblemSummary, UserName, page as page_of};
use crate::state::{session, store};
use crate::submission::{action, refusal, submitted};
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use leptos::server_fn::codec::PostUrl;
use policy::permission::FRESH_MINUTES;
use records::session::{self, Stage};
use records::{RecordsError, user};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// Password and code, and where to go on.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AgainForm {
    #[serde(default)]
    password: String,
    #[serde(default)]
    code: String,
    #[serde(default)]
    page: String,
}

/// Proves again who it is. The session gets a new key.
#[server(prefix = "/do", endpoint = "sign_in_again", input = PostUrl)]
pub(super) async fn sign_in_again(form: AgainForm) -> Result<(), AppError> {
    let session = session().ok_or(AppError::NotSignedIn)?;
    count_try(&format!("again {}", session.user))?;
    let token = session::again(&store(), &session, Zeroizing::new(form.password), &form.code).await?;
    cookie::keep(&token);
    go_on(Stage::Whole, &form.page);
    Ok(())
}

/// Asks for password and code.
#[component]
pub fn SignInAgainPage() -> impl IntoView {
    let (page, error) = match submitted::<AgainForm>(SignInAgain::PATH) {
        Some((typed, error)) => (typed.page, Some(error)),
        None => (wanted_page(), refusal(SignInAgain::PATH)),
    };
    let errors = field_errors(error.as_ref());
    let post = action(SignInAgain::PATH, "/sign-in/again");
    let session = session();
    page_of(async move {
        let user = session.map(|session| session.user).ok_or(RecordsError::NotFound("session"))?;
        let user_id = user::read(&store(), user).await?.user_id.unwrap_or_default();
        let has_app = session::has_app(&store(), user).await?;
        let provider = session::is_connected(&store(), user).await?.then(|| {
            view! { <ProviderLink path="/sign-in/provider/again" page=page.clone() /> }
        });
        let code = has_app.then(|| {
            let errors = errors.clone();
            view! {
                <div class="field">
                    <label for="code">"Code of your authenticator app"</label>
                    <input
                        id="code" name="form[code]" autocomplete="one-time-code" autocapitalize="none" spellcheck="false"
                        maxlength="40" required aria-describedby="code-problem"
                    />
                    <FieldProblem field="code" errors />
                </div>
            }
        });
        Ok(plain(
            "Show that it is you",
            view! {
                <p>
                    "What you want to do cannot be undone, or opens the way to it. It needs a sign-in of the last "
                    {FRESH_MINUTES} " minutes. Afterwards you are back on your page; do it there once more."
                </p>
                <ProviderProblem />
                <ProblemSummary error=error.filter(|error| !matches!(error, AppError::Invalid(_))) />
                <form method="post" action=post class="narrow">
                    <crate::submission::Token />
                    <input type="hidden" name="form[page]" value=page.clone() />
                    <UserName user_id />
                    <div class="field">
                        <label for="password">"Password"</label>
                        <input
                            id="password" type="password" name="form[password]" autocomplete="current-password" maxlength="128"
                            required autofocus aria-describedby="password-problem"
                        />
                        <FieldProblem field="password" errors />
                    </div>
                    {code}
                    <div class="buttons">
                        <button class="primary" type="submit">"Go on"</button>
                        <a href=page>"Back"</a>
                    </div>
                </form>
                {provider}
            },
        ))
    })
}

//! The first step: `UserID` and password.

use super::{
    AllowedAttempt, MAX_USER_ID_CHARACTERS, ProviderLink, ProviderProblem, bare_page, bounded_page,
    count_sign_in_attempt, errors_outside_fields, redirect_to_next_step, remember_caller, return_page,
};
use crate::components::{FieldProblem, ProblemSummary, SignOut};
use crate::cookie;
use crate::error::{AppError, field_errors};
use crate::form::{action, error_for, failed_submission};
use crate::state::{SessionEnded, extension, session, store};
use identity::session::{self, Stage};
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use leptos::server_fn::codec::PostUrl;
use policy::form::{FieldErrors, Problem};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// UserID and password, and the page to go to.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SignInForm {
    #[serde(default)]
    user_id: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    page: String,
}

/// Signs in with `UserID` and password. An earlier session ends.
#[server(prefix = "/do", endpoint = "sign_in", input = PostUrl)]
pub(super) async fn sign_in(form: SignInForm) -> Result<(), AppError> {
    let store = store();
    if form.user_id.trim().is_empty() || form.password.is_empty() {
        let problem = Problem::required("your UserID and password");
        return Err(AppError::Invalid(FieldErrors::one("password", problem)));
    }
    if is_too_long(&form.user_id) {
        let problem = Problem::TooLong { max: MAX_USER_ID_CHARACTERS };
        return Err(AppError::Invalid(FieldErrors::one("user_id", problem)));
    }
    let (user, AllowedAttempt { caller, .. }) = count_sign_in_attempt(&form.user_id).await?;
    let before = session();
    let (token, stage) =
        session::sign_in(&store, &form.user_id, Zeroizing::new(form.password), caller).await?;
    if let Some(before) = before {
        session::end(&store, &before).await?;
    }
    cookie::set_session(&token);
    if let Some(user) = user.filter(|_| stage == Stage::SignedIn) {
        remember_caller(user).await;
    }
    redirect_to_next_step(stage, &form.page);
    Ok(())
}

fn is_too_long(user_id: &str) -> bool {
    user_id.chars().count() > MAX_USER_ID_CHARACTERS
}

/// Asks for `UserID` and password.
#[component]
pub fn SignInPage() -> impl IntoView {
    let (typed, error) = match failed_submission::<SignInForm>(SignIn::PATH) {
        Some((typed, error)) => (typed, Some(error)),
        None => (SignInForm { page: return_page(), ..SignInForm::default() }, error_for(SignIn::PATH)),
    };
    let ended = (error.is_none() && extension::<SessionEnded>().is_some()).then(|| {
        view! {
            <div class="notice info" role="status">
                <p>"Your session has ended. After signing in you will return to your page."</p>
            </div>
        }
    });
    let errors = field_errors(error.as_ref());
    // A name longer than any UserID is not sent back, so that large requests get small answers.
    let user_id = if is_too_long(&typed.user_id) { String::new() } else { typed.user_id };
    let page = bounded_page(&typed.page);
    let post = action(SignIn::PATH, "/sign-in");
    bare_page(
        "Sign in",
        view! {
            <ProviderProblem />
            {ended}
            <ProblemSummary error=errors_outside_fields(error, &["user_id", "password"]) />
            <ProblemSummary error=error_for(SignOut::PATH) />
            <form method="post" action=post class="narrow">
                <crate::form::Token />
                <input type="hidden" name="form[page]" value=page.clone() />
                <div class="field">
                    <label for="user_id">"UserID"</label>
                    <input
                        id="user_id" name="form[user_id]" value=user_id autocomplete="username" autocapitalize="none"
                        spellcheck="false" required autofocus aria-describedby="user_id-problem"
                    />
                    <FieldProblem field="user_id" errors=errors.clone() />
                </div>
                <div class="field">
                    <label for="password">"Password"</label>
                    <input
                        id="password" type="password" name="form[password]" autocomplete="current-password"
                        required aria-describedby="password-problem"
                    />
                    <FieldProblem field="password" errors />
                </div>
                <div class="buttons"><button class="primary" type="submit">"Sign in"</button></div>
            </form>
            <ProviderLink path="/sign-in/provider" page />
            <p>"Forgotten your password? Ask an administrator for a link to set a new one."</p>
        },
    )
}

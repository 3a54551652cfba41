//! A new sign-in before irreversible actions and changes of credentials.

use super::{
    AllowedAttempt, ProviderLink, ProviderProblem, bare_page, bounded_page, count_attempt,
    errors_outside_fields, redirect_to_next_step, return_page,
};
use crate::components::{FieldProblem, ProblemSummary, UserName, guarded_page, query};
use crate::cookie;
use crate::error::{AppError, field_errors};
use crate::form::{action, error_for, failed_submission};
use crate::rate_limit::AttemptKind;
use crate::state::{session, store};
use db::RecordsError;
use identity::session::{self, Again, AgainFor, Stage};
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use leptos::server_fn::codec::PostUrl;
use policy::permission::FRESH_MINUTES;
use records::user;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// Password and code, and the page to return to.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ReauthForm {
    #[serde(default)]
    password: String,
    #[serde(default)]
    code: String,
    #[serde(default)]
    page: String,
    /// Whether the sign-in precedes a change of credentials.
    #[serde(default)]
    changes_sign_in: bool,
}

/// Signs in again. The session gets a new token.
#[server(prefix = "/do", endpoint = "sign_in_again", input = PostUrl)]
pub(super) async fn sign_in_again(form: ReauthForm) -> Result<(), AppError> {
    let session = session().ok_or(AppError::NotSignedIn)?;
    let AllowedAttempt { device, .. } = count_attempt(AttemptKind::Reauthentication, &session).await?;
    let shown = Again {
        purpose: if form.changes_sign_in { AgainFor::ChangeSignIn } else { AgainFor::Irreversible },
        password: Zeroizing::new(form.password),
        code: &form.code,
        device: device.as_deref(),
    };
    let token = session::again(&store(), &session, shown).await?;
    cookie::set_session(&token);
    redirect_to_next_step(Stage::SignedIn, &form.page);
    Ok(())
}

/// The value of `for` in the address of a sign-in that precedes a change of credentials.
pub const CHANGES_SIGN_IN: &str = "sign-in";

/// Asks for password and code.
#[component]
pub fn SignInAgainPage() -> impl IntoView {
    let (page, changes_sign_in, error) = match failed_submission::<ReauthForm>(SignInAgain::PATH) {
        Some((typed, error)) => (bounded_page(&typed.page), typed.changes_sign_in, Some(error)),
        None => (return_page(), query("for") == CHANGES_SIGN_IN, error_for(SignInAgain::PATH)),
    };
    let errors = field_errors(error.as_ref());
    let post = action(SignInAgain::PATH, "/sign-in/again");
    let session = session();
    guarded_page(async move {
        let user = session.map(|session| session.user).ok_or(RecordsError::NotFound("session"))?;
        let user_id = user::read(&store(), user).await?.user_id.unwrap_or_default();
        let has_app = session::has_app(&store(), user).await?;
        let has_password = session::has_password(&store(), user).await?;
        // Before a change of credentials, a password or app of Lethe is required if there is one.
        let is_by_provider =
            session::is_connected(&store(), user).await? && !(changes_sign_in && (has_app || has_password));
        let provider = is_by_provider.then(|| {
            view! { <ProviderLink path="/sign-in/provider/again" page=page.clone() changes_sign_in /> }
        });
        let code = has_app.then(|| {
            let errors = errors.clone();
            view! {
                <div class="field">
                    <label for="code">"Code from your authenticator app"</label>
                    <input
                        id="code" name="form[code]" autocomplete="one-time-code" autocapitalize="none" spellcheck="false"
                        required aria-describedby="code-problem"
                    />
                    <FieldProblem field="code" errors />
                </div>
            }
        });
        let password = (has_password || !has_app).then(|| {
            view! {
                <div class="field">
                    <label for="password">"Password"</label>
                    <input
                        id="password" type="password" name="form[password]" autocomplete="current-password"
                        required autofocus aria-describedby="password-problem"
                    />
                    <FieldProblem field="password" errors />
                </div>
            }
        });
        let shown: Vec<&str> = [("code", code.is_some()), ("password", password.is_some())]
            .iter()
            .filter_map(|(field, is_shown)| is_shown.then_some(*field))
            .collect();
        let why = if changes_sign_in {
            view! {
                <p>
                    "Before you change how you sign in, sign in again, even if you have just done so. This \
                     keeps a person who has taken over your session from locking you out. You then have "
                    {FRESH_MINUTES} " minutes to make the change."
                </p>
            }
            .into_any()
        } else {
            view! {
                <p>
                    "This action is irreversible or enables an irreversible one. It requires a sign-in within \
                     the last "
                    {FRESH_MINUTES} " minutes. You will return to your page and confirm there."
                </p>
            }
            .into_any()
        };
        let changes = changes_sign_in.then(|| {
            view! { <input type="hidden" name="form[changes_sign_in]" value="true" /> }
        });
        Ok(bare_page(
            "Confirm it's you",
            view! {
                {why}
                <ProviderProblem />
                <ProblemSummary error=errors_outside_fields(error, &shown) />
                <form method="post" action=post class="narrow">
                    <crate::form::Token />
                    <input type="hidden" name="form[page]" value=page.clone() />
                    {changes}
                    <UserName user_id />
                    {password} {code}
                    <div class="buttons">
                        <button class="primary" type="submit">"Continue"</button>
                        <a href=page>"Back"</a>
                    </div>
                </form>
                {provider}
            },
        ))
    })
}

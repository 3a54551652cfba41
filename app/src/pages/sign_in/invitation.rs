//! The page of an invitation: the invited user sets a password.

use super::{bare_page, count_attempt_from_address, redirect_to_next_step};
use crate::components::{NewPasswordFields, ProblemSummary, UserName, guarded_page};
use crate::cookie;
use crate::error::{AppError, field_errors};
use crate::form::{action, error_for};
use crate::state::store;
use db::RecordsError;
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use leptos::server_fn::codec::PostUrl;
use leptos_router::hooks::use_params_map;
use records::accounts;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// The key of the invitation, and the new password typed twice.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AcceptForm {
    key: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    repeated: String,
}

/// Sets the password.
#[server(prefix = "/do", endpoint = "accept_invitation", input = PostUrl)]
pub(super) async fn accept_invitation(form: AcceptForm) -> Result<(), AppError> {
    count_attempt_from_address()?;
    let (token, stage) =
        accounts::accept(&store(), &form.key, Zeroizing::new(form.password), &form.repeated).await?;
    cookie::set_session(&token);
    redirect_to_next_step(stage, "/");
    Ok(())
}

/// Asks for a password.
#[component]
pub fn InvitationPage() -> impl IntoView {
    let key = use_params_map().with_untracked(|params| params.get("key")).unwrap_or_default();
    let error = error_for(AcceptInvitation::PATH);
    let errors = field_errors(error.as_ref());
    guarded_page(async move {
        let (_, user_id) = accounts::invited(&store(), &key)
            .await?
            .ok_or(RecordsError::NotFound("invitation, or it has expired or has been used"))?;
        let post = action(AcceptInvitation::PATH, &format!("/invitation/{key}"));
        Ok(bare_page(
            "Set your password",
            view! {
                <p>"You will sign in as " <b>{user_id.clone()}</b> "."</p>
                <ProblemSummary error />
                <form method="post" action=post class="narrow">
                    <crate::form::Token />
                    <input type="hidden" name="form[key]" value=key />
                    <UserName user_id />
                    <NewPasswordFields note="It never expires." is_first=true errors />
                    <div class="buttons"><button class="primary" type="submit">"Set password"</button></div>
                </form>
            },
        ))
    })
}

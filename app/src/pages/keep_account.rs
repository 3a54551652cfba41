//! The page of the link in an announcement: the user keeps the account. It needs no sign-in and shows no personal data.

use crate::components::{BareLayout, ProblemSummary, guarded_page};
use crate::error::AppError;
use crate::form::{Token, action, error_for};
use crate::pages::sign_in::count_answer;
use crate::state::store;
use http::{HeaderName, HeaderValue, StatusCode};
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use leptos::server_fn::codec::PostUrl;
use leptos_axum::ResponseOptions;
use leptos_router::hooks::use_params_map;
use policy::dates;
use serde::{Deserialize, Serialize};
use task_centre::announcement::{self, LinkState};
use trail::library;

/// Keeps a link that was published by mistake out of search engines.
const NO_INDEX: HeaderName = HeaderName::from_static("x-robots-tag");

/// The token of the link.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(in crate::pages) struct KeepForm {
    token: String,
}

/// Keeps the account to which a link belongs.
#[server(prefix = "/do", endpoint = "keep_account", input = PostUrl)]
pub(in crate::pages) async fn keep_account(form: KeepForm) -> Result<(), AppError> {
    count_answer()?;
    announcement::keep(&store(), &form.token).await?;
    leptos_axum::redirect(&format!("/keep/{}", form.token));
    Ok(())
}

/// Asks whether the user keeps the account, or says until when it is kept. Opening the page changes nothing.
#[component]
pub fn KeepAccountPage() -> impl IntoView {
    let token = use_params_map().with_untracked(|params| params.get("token")).unwrap_or_default();
    // An unknown link has the page below.
    let error = error_for(KeepAccount::PATH).filter(|error| !matches!(error, AppError::NotFound(_)));
    let response = expect_context::<ResponseOptions>();
    response.insert_header(NO_INDEX, HeaderValue::from_static("noindex"));
    guarded_page(async move {
        let store = store();
        let library = library::read(&store.db).await?;
        let name = library.name.unwrap_or_else(|| "Your library".to_owned());
        let contact = library.contact.map(|contact| view! { <p class="lines">{contact}</p> });
        let content = match announcement::look(&store, &token).await? {
            LinkState::Open => open(name, token).into_any(),
            LinkState::Kept(until) => kept(until.map(dates::shown)).into_any(),
            LinkState::Invalid => {
                response.set_status(StatusCode::NOT_FOUND);
                view! {
                    <p><b>"This link does not work."</b></p>
                    <p>
                        "It may be incomplete, or too old. Copy the whole address from the e-mail. To keep your \
                         account, you can also borrow something or ask your library."
                    </p>
                }
                .into_any()
            }
        };
        Ok(view! {
            <BareLayout title="Your account">
                <ProblemSummary error />
                {content}
                {contact}
            </BareLayout>
        })
    })
}

fn open(name: String, token: String) -> impl IntoView {
    let post = action(KeepAccount::PATH, &format!("/keep/{token}"));
    view! {
        <p>
            {name} " will remove your personal data from its records, because your account has ended or was not used \
             for some time. Do you want to keep the account?"
        </p>
        <form method="post" action=post class="narrow">
            <Token />
            <input type="hidden" name="form[token]" value=token />
            <div class="buttons"><button class="primary" type="submit">"Keep account"</button></div>
        </form>
    }
}

fn kept(until: Option<String>) -> impl IntoView {
    let until = until.map(|day| {
        format!(" The rule that was announced does not apply before {day}, and only if you do not use the account.")
    });
    view! {
        <p><b>"Your account is kept."</b> {until}</p>
        <p>"You can close this page. Your library has your answer."</p>
    }
}

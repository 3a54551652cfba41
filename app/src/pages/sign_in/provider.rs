//! Single sign-on on the pages.

use super::CHANGES_SIGN_IN;
use crate::components::{Notice, PostButton, ProblemSummary, flash, query};
use crate::error::AppError;
use crate::form::error_for;
use crate::state::{AppState, session, store};
use crate::url::percent_encoded;
use identity::session;
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use leptos::server_fn::codec::PostUrl;

/// Why a sign-in at the identity provider failed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SignInProblem {
    /// The answer does not belong to a request of this browser, or came too late.
    LoginState,
    /// The user did not sign in at the provider, or lacks a required claim.
    Declined,
    /// The provider cannot be reached, or its answer is invalid.
    Provider,
    /// The account at the provider is not connected to a user with a role.
    NotConnected,
    /// The account at the provider is connected to another user.
    OtherUser,
    /// The provider did not ask the user to sign in again.
    NoFreshSignIn,
    /// Too many attempts.
    TooMany,
}

impl SignInProblem {
    const ALL: [Self; 7] = [
        Self::LoginState,
        Self::Declined,
        Self::Provider,
        Self::NotConnected,
        Self::OtherUser,
        Self::NoFreshSignIn,
        Self::TooMany,
    ];

    /// Returns the code in the address of a page.
    pub const fn code(self) -> &'static str {
        match self {
            Self::LoginState => "login-state",
            Self::Declined => "declined",
            Self::Provider => "provider",
            Self::NotConnected => "not-connected",
            Self::OtherUser => "other-user",
            Self::NoFreshSignIn => "not-asked-again",
            Self::TooMany => "too-many",
        }
    }

    fn label(self, name: &str) -> String {
        match self {
            Self::LoginState => format!(
                "Signing in with {name} took too long or was started in another browser. \
                                   Try again"
            ),
            Self::Declined => format!("You returned from {name} without signing in there"),
            Self::Provider => {
                format!(
                    "{name} cannot be reached or sent an invalid answer. Try again later, or use your \
                     password"
                )
            }
            Self::NotConnected => format!(
                "Your account at {name} is not connected to a user here. Sign in with your password, then \
                 connect it on your account page"
            ),
            Self::OtherUser => {
                format!("This account at {name} is connected to another user. Nothing was changed")
            }
            Self::NoFreshSignIn => {
                format!("{name} did not ask you to sign in again. Use your password instead")
            }
            Self::TooMany => "Too many attempts. Wait a minute, then try again".to_owned(),
        }
    }
}

/// Returns the name of the identity provider, if there is one.
fn provider() -> Option<String> {
    expect_context::<AppState>().single_sign_on.map(|provider| provider.0.to_string())
}

/// Links to the sign-in at the identity provider. Empty if there is none.
#[component]
pub(crate) fn ProviderLink(
    /// The address that starts the sign-in.
    path: &'static str,
    /// The page to go to afterwards.
    page: String,
    /// Whether the sign-in precedes a change of credentials.
    #[prop(optional)]
    changes_sign_in: bool,
) -> impl IntoView {
    let name = provider()?;
    let purpose = if changes_sign_in { format!("&for={CHANGES_SIGN_IN}") } else { String::new() };
    let href = format!("{path}?page={}{purpose}", percent_encoded(&page));
    Some(view! {
        <p class="buttons"><a class="button" href=href>"Sign in with " {name}</a></p>
    })
}

/// Shows why a sign-in at the identity provider failed.
#[component]
pub(crate) fn ProviderProblem() -> impl IntoView {
    let name = provider()?;
    let code = query("problem");
    let problem = SignInProblem::ALL.into_iter().find(|problem| problem.code() == code)?;
    let label = format!("{}.", problem.label(&name));
    Some(view! { <Notice kind="danger"><p>{label}</p></Notice> })
}

/// Disconnects the signed-in member of staff from the identity provider.
#[server(prefix = "/do", endpoint = "disconnect_provider", input = PostUrl)]
pub(crate) async fn disconnect_provider() -> Result<(), AppError> {
    let session = session().ok_or(AppError::NotSignedIn)?;
    session::disconnect(&store(), &session).await?;
    flash::redirect("/account?done=provider-disconnected");
    Ok(())
}

/// Shows single sign-on on the account page. Empty if there is no identity provider.
#[component]
pub(crate) fn Connection(
    /// Whether the signed-in member of staff is connected.
    is_connected: bool,
    /// The proof that this page starts the connection.
    connecting: String,
) -> impl IntoView {
    let name = provider()?;
    let change = if is_connected {
        view! {
            <p>"You are connected: you can sign in with " {name.clone()} " or with your password."</p>
            <PostButton function=DisconnectProvider::PATH page="/account" values=vec![]
                label="Disconnect single sign-on" />
        }
        .into_any()
    } else {
        let href = format!("/account/provider?from={connecting}");
        view! {
            <p>
                "You sign in with your password. Connect your account at " {name.clone()}
                " to use it instead: you will sign in there and return to this page."
            </p>
            <p><a href=href>"Connect single sign-on"</a></p>
        }
        .into_any()
    };
    Some(view! {
        <section aria-labelledby="provider">
            <h2 id="provider">"Single sign-on"</h2>
            <ProviderProblem />
            <ProblemSummary error=error_for(DisconnectProvider::PATH) />
            {change}
        </section>
    })
}

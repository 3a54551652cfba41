//! Single sign-on, as the pages show it.

use super::CHANGES_SIGN_IN;
use crate::components::{Notice, PostButton, ProblemSummary, percent_encoded, query};
use crate::error::AppError;
use crate::form_post::error_for;
use crate::state::{AppState, session, store};
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use leptos::server_fn::codec::PostUrl;
use records::session;

/// Why somebody who came back from the identity provider is not signed in.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SignInProblem {
    /// The answer does not belong to a question of this browser, or came too late.
    LoginState,
    /// They did not sign in there, or may not use Lethe by what the provider says.
    Declined,
    /// The provider cannot be reached, or what it says cannot be believed.
    Provider,
    /// The account there is connected with nobody here who has a role.
    NotConnected,
    /// The account there is connected with another user.
    OtherUser,
    /// They should have been asked again who they are.
    NoFreshSignIn,
    /// Too many tries.
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

    /// The code in the address of a page.
    pub const fn code(self) -> &'static str {
        match self {
            Self::LoginState => "login-state",
            Self::Declined => "declined",
            Self::Provider => "provider",
            Self::NotConnected => "nobody",
            Self::OtherUser => "somebody-else",
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

/// What the identity provider is called, where there is one.
fn provider() -> Option<String> {
    expect_context::<AppState>().single_sign_on.map(|provider| provider.0.to_string())
}

/// The way in by the identity provider; nothing where the library has none.
#[component]
pub(crate) fn ProviderLink(
    /// The address that begins it.
    path: &'static str,
    /// Where to go afterwards.
    page: String,
    /// Whether it is to change what they sign in with.
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

/// Why somebody has come back without anything having been done.
#[component]
pub(crate) fn ProviderProblem() -> impl IntoView {
    let name = provider()?;
    let code = query("problem");
    let problem = SignInProblem::ALL.into_iter().find(|problem| problem.code() == code)?;
    let label = format!("{}.", problem.label(&name));
    Some(view! { <Notice kind="danger"><p>{label}</p></Notice> })
}

/// Whoever is signed in does not sign in by the provider any more.
#[server(prefix = "/do", endpoint = "disconnect_provider", input = PostUrl)]
pub(crate) async fn disconnect_provider() -> Result<(), AppError> {
    let session = session().ok_or(AppError::NotSignedIn)?;
    session::disconnect(&store(), &session).await?;
    leptos_axum::redirect("/account?done=provider-disconnected");
    Ok(())
}

/// The part of one's own account about single sign-on; nothing where the library has no provider.
#[component]
pub(crate) fn Connection(
    /// Whether whoever is signed in is connected.
    is_connected: bool,
    /// What shows that this page leads to the provider.
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

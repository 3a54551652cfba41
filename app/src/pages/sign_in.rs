//! Signing in: password, second factor and its setup, and a new sign-in before irreversible actions.

mod again;
mod app;
mod attempt;
mod code;
mod invitation;
mod password;
mod provider;

pub use again::{CHANGES_SIGN_IN, SignInAgainPage};
pub use app::SetUpAppPage;
use attempt::MAX_USER_ID_CHARACTERS;
pub use attempt::remember_address_and_device;
pub(crate) use attempt::{
    AllowedAttempt, count_answer, count_attempt, count_attempt_from_address, count_sign_in_attempt,
    remember_caller,
};
pub use code::SecondFactorPage;
pub use invitation::InvitationPage;
pub use password::SignInPage;
pub use provider::SignInProblem;
pub(crate) use provider::{Connection, ProviderLink, ProviderProblem};

use crate::components::{BareLayout, query};
use crate::error::AppError;
use crate::form;
use crate::url::percent_encoded;
use identity::session::Stage;
use leptos::prelude::*;

/// Redirects to the next step of the sign-in. `page` is the page that the caller requested at first.
fn redirect_to_next_step(stage: Stage, page: &str) {
    leptos_axum::redirect(&next_step(stage, page));
}

/// Returns the address of the next step of the sign-in. `page` is the page that the caller requested at first.
pub fn next_step(stage: Stage, page: &str) -> String {
    let step = match stage {
        Stage::SignedIn => return local_page(page),
        Stage::SecondFactor => "/sign-in/code",
        Stage::SetUp => "/sign-in/app",
    };
    format!("{step}?page={}", percent_encoded(&local_page(page)))
}

/// Returns a page of this server, also from the address of its form. Anything else becomes the start page.
pub fn local_page(page: &str) -> String {
    let page = if page.starts_with('/') { page.parse().map(|uri| form::page_for(&uri)).ok() } else { None };
    page.filter(|page| !page.starts_with("/sign-in")).unwrap_or_else(|| "/".to_owned())
}

/// Returns the page that the caller requested at first, from the page's address.
fn return_page() -> String {
    local_page(&query("page"))
}

/// Returns the error if none of these fields shows it. It belongs above the form.
fn errors_outside_fields(error: Option<AppError>, fields: &[&str]) -> Option<AppError> {
    error.filter(|error| match error {
        AppError::Invalid(errors) => errors.0.iter().any(|error| !fields.contains(&error.field.as_str())),
        _ => true,
    })
}

/// Returns the page to go to afterwards. A page that is too long for an address becomes the start page.
fn bounded_page(page: &str) -> String {
    if page.len() > MAX_PAGE_BYTES { "/".to_owned() } else { page.to_owned() }
}

/// The maximum length of the page in a sign-in form, in bytes.
const MAX_PAGE_BYTES: usize = 4_096;

/// Renders a page without modules.
fn bare_page(title: &'static str, children: impl IntoView + 'static) -> impl IntoView {
    view! { <BareLayout title>{children}</BareLayout> }
}

#[cfg(test)]
mod tests {
    use super::local_page;

    #[test]
    fn the_sign_in_leads_only_to_pages_of_this_server() {
        for (page, is) in [
            ("/users/7?tab=loans", "/users/7?tab=loans"),
            ("//evil.example", "/"),
            ("https://evil.example", "/"),
            ("/\\evil", "/"),
            ("/sign-in", "/"),
            ("/do/x", "/"),
            ("/do/x?page=/users/7", "/users/7"),
            ("/do/x?page=//evil.example", "/"),
            ("/do/x?page=/do/y", "/"),
            ("", "/"),
        ] {
            assert_eq!(local_page(page), is, "{page}");
        }
    }
}

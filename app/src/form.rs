//! The forms of pages: where a form posts to, its hidden fields, and what was typed if its page is rendered again.
//!
//! A form is plain, so that it works without WebAssembly. It posts to the address of its server function, with its own
//! page in the query: `/do/save_task?page=/tasks/new`. If it is not executed, that page is rendered again with the
//! `FailedSubmission` in its context. Typed values are not stored: a short form that outlives its answer is encrypted
//! into the address of the page (`kept`).

pub(crate) mod kept;

use crate::error::AppError;
use crate::state::extension;
use crate::url::{is_text, percent_encoded};
use axum::body::Bytes;
use http::Uri;
use leptos::prelude::*;
use serde::de::DeserializeOwned;

/// The prefix of the server functions that plain forms post to.
pub const PREFIX: &str = "/do";
/// The field of the token that binds a form to its session.
pub const TOKEN: &str = "form_token";
/// The field of the idempotency key.
pub(crate) const KEY: &str = "form_key";
/// The maximum nesting of field names: `form[fields][phone]`.
const DEPTH: usize = 5;

/// A posted form that was not executed.
#[derive(Clone, Debug)]
pub(crate) struct FailedSubmission {
    /// The path of its server function.
    pub(crate) path: String,
    /// The fields without token and key.
    pub(crate) body: Bytes,
    /// The reason.
    pub(crate) error: AppError,
}

/// The one field that contains all values of a form.
#[derive(serde::Deserialize)]
struct FormEnvelope<T> {
    form: T,
}

/// Returns the typed form of this server function and its error, if the page is rendered again because of it.
pub(crate) fn failed_submission<T: DeserializeOwned>(function_path: &str) -> Option<(T, AppError)> {
    let failed = failed().filter(|failed| failed.path == function_path)?;
    let sent: FormEnvelope<T> = read(&failed.body)?;
    Some((sent.form, failed.error))
}

/// Returns the error of the form of this server function, if the page is rendered again because of it.
pub(crate) fn error_for(function_path: &str) -> Option<AppError> {
    failed().filter(|failed| failed.path == function_path).map(|failed| failed.error)
}

/// Returns the form because of which the page is rendered again, from the context or from the page's address.
fn failed() -> Option<FailedSubmission> {
    use_context::<FailedSubmission>().or_else(kept::from_address)
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Option<T> {
    serde_qs::Config::new(DEPTH, false).deserialize_bytes(body).ok()
}

/// Returns the address that a form on `page` posts to.
pub(crate) fn action(function_path: &str, page: &str) -> String {
    format!("{function_path}?page={}", percent_encoded(page))
}

/// The token that binds the forms of a page to its session. Forms without it are rejected. The web server adds it to
/// the extensions of the request.
#[derive(Clone, Debug)]
pub struct FormToken(pub String);

/// The idempotency key of the forms of one page. The web server adds a random one to the extensions of each request.
#[derive(Clone, Debug)]
pub struct FormKey(pub String);

/// Renders the hidden fields of token and key. Every form that posts needs them.
#[component]
pub(crate) fn Token() -> impl IntoView {
    let key = extension::<FormKey>().map(|key| view! { <input type="hidden" name=KEY value=key.0 /> });
    extension::<FormToken>().map(|token| view! { <input type="hidden" name=TOKEN value=token.0 /> {key} })
}

/// Returns the page of an address; for a form, the page in its query. Only pages of this server are returned,
/// otherwise the start page.
pub fn page_for(uri: &Uri) -> String {
    #[derive(serde::Deserialize)]
    struct Query {
        page: String,
    }
    let page = if uri.path().starts_with(PREFIX) {
        uri.query().and_then(|query| read::<Query>(query.as_bytes())).map(|query| query.page)
    } else {
        uri.path_and_query().map(ToString::to_string)
    };
    page.filter(|page| is_local_page(page)).unwrap_or_else(|| "/".to_owned())
}

/// Returns whether this is the address of a page of this server.
fn is_local_page(page: &str) -> bool {
    page.starts_with('/')
        && !page.starts_with("//")
        && !page.starts_with(PREFIX)
        && page.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\')
        && is_text(page)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pages_of_this_server_are_shown_again() {
        for (address, page) in [
            ("/do/x?page=/tasks/new", "/tasks/new"),
            ("/do/x?page=/users%3Fq=ng%26after=1", "/users?q=ng&after=1"),
            ("/do/x?page=//evil.example", "/"),
            ("/do/x?page=https://evil.example", "/"),
            ("/do/x?page=/do/x", "/"),
            ("/do/x?page=/%5Cevil", "/"),
            ("/do/x", "/"),
            ("/users?page=/tasks", "/users?page=/tasks"),
        ] {
            assert_eq!(page_for(&Uri::from_static(address)), page, "{address}");
        }
        let address = action("/do/x", "/users?q=ng&after=1");
        assert_eq!(page_for(&Uri::try_from(address).expect("an address")), "/users?q=ng&after=1");
    }
}

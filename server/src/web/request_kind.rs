//! The kind of a request, which decides the form of an error response.

use app::form;
use axum::extract::Request;
use axum::http::Method;

/// The kind of a request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum RequestKind {
    /// A page.
    Page,
    /// A posted form, or a call of an island.
    Change,
    /// Data for a program.
    Data,
}

impl RequestKind {
    pub(super) fn from_request(request: &Request) -> Self {
        match (is_page(request), request.method().is_safe()) {
            (true, true) => Self::Page,
            (_, false) => Self::Change,
            (false, true) => Self::Data,
        }
    }
}

/// Returns whether the response is a page for a person, not data for a program.
pub(super) fn is_page(request: &Request) -> bool {
    let path = request.uri().path();
    let is_form = path.starts_with(form::PREFIX);
    (request.method() == Method::GET
        && !["/api/", "/events/", "/scim/"].iter().any(|of| path.starts_with(of)))
        || is_form
}

//! Background requests: a page sends them without any action of its user. They do not extend the session.

#[cfg(feature = "ssr")]
use http::Uri;

/// The query of a background request for a page.
pub(crate) const BACKGROUND_QUERY: &str = "by=itself";

/// The prefixes of the other background requests.
#[cfg(feature = "ssr")]
const BACKGROUND_ROUTES: [&str; 3] = ["/api/session_time", "/api/run_progress", "/events/"];

/// Returns whether this is the address of a background request.
#[cfg(feature = "ssr")]
pub fn is_background_request(address: &Uri) -> bool {
    BACKGROUND_ROUTES.iter().any(|one| address.path().starts_with(one))
        || address.query().is_some_and(|query| query.split('&').any(|value| value == BACKGROUND_QUERY))
}

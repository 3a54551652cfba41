//! The content security policy of every page.

use http::HeaderValue;
use http::header::CONTENT_SECURITY_POLICY;
use leptos::nonce::Nonce;
use leptos::prelude::use_context;
use leptos_axum::ResponseOptions;

/// Sets the content security policy: scripts with this page's nonce, and nothing from other origins.
pub(crate) fn forbid_foreign_content(nonce: Option<&Nonce>) {
    let (Some(response), Some(nonce)) = (use_context::<ResponseOptions>(), nonce) else { return };
    // While a developer works on the pages, they connect to the server that reloads them.
    let connect = if cfg!(debug_assertions) && std::env::var_os("LEPTOS_WATCH").is_some() {
        "connect-src 'self' ws:; "
    } else {
        ""
    };
    let policy = format!(
        "default-src 'self'; script-src 'nonce-{nonce}' 'strict-dynamic' 'wasm-unsafe-eval'; style-src 'self'; \
         {connect}img-src 'self' data:; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
    );
    if let Ok(value) = HeaderValue::try_from(policy) {
        response.insert_header(CONTENT_SECURITY_POLICY, value);
    }
}

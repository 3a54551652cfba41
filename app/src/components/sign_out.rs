//! Signing out.

use crate::cookie;
use crate::error::AppError;
use crate::state::{session, store};
use identity::session;
use leptos::prelude::*;
use leptos::server_fn::codec::PostUrl;

/// Ends the session, on the server and in the browser.
#[server(prefix = "/do", endpoint = "sign_out", input = PostUrl)]
pub(crate) async fn sign_out() -> Result<(), AppError> {
    if let Some(session) = session() {
        session::end(&store(), &session).await?;
    }
    cookie::clear_session();
    leptos_axum::redirect("/sign-in");
    Ok(())
}

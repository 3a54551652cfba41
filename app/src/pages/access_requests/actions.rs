//! The server functions of access requests.

use super::address;
use crate::components::flash;
use crate::error::AppError;
use crate::state::{actor, store};
use leptos::prelude::*;
use leptos::server_fn::codec::PostUrl;
use policy::AccessRequestId;
use policy::access_request::{AccessRequestForm, ClosingForm};
use records::access_request;

/// Records an access request.
#[server(prefix = "/do", endpoint = "record_access_request", input = PostUrl)]
pub(super) async fn record_access_request(form: AccessRequestForm) -> Result<(), AppError> {
    let id = access_request::record(&store(), actor(), &form).await?;
    flash::redirect(&format!("{}?done=access-request-recorded", address(id)));
    Ok(())
}

/// Closes an access request.
#[server(prefix = "/do", endpoint = "close_access_request", input = PostUrl)]
pub(super) async fn close_access_request(form: ClosingForm) -> Result<(), AppError> {
    access_request::close(&store(), actor(), &form).await?;
    let here = address(AccessRequestId(form.request));
    flash::redirect(&format!("{here}?done=access-request-closed"));
    Ok(())
}

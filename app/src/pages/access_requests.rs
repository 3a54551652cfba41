//! Access requests: the list, one request, the form that records one, and everything held about a user.

mod actions;
mod data;
mod download;
mod form;
mod list;
mod notice;
mod one;

pub use data::UserDataPage;
pub use download::user_data_json;
pub(crate) use form::record_form;
pub use list::AccessRequestListPage;
pub(crate) use list::request_table;
pub(crate) use notice::open_requests;
pub use one::AccessRequestPage;

use policy::AccessRequestId;

/// Returns the address of a request.
fn address(id: AccessRequestId) -> String {
    format!("/access-requests/{id}")
}

//! SCIM 2.0 (RFC 7643, RFC 7644): how the JSON of an identity system becomes changes of users.
//!
//! This crate knows the protocol and neither the database nor HTTP. `server::web::scim` receives the requests and calls
//! `records::user::provision`.
//!
//! One table ([`schema`]) lists the attributes. `/Schemas`, the reading of bodies, paths and filters derive from it.
//! Attributes outside of the table are ignored in a body, and rejected as a path or in a filter.

pub mod discovery;
mod error;
mod filter;
mod patch;
mod projection;
mod resource;
pub mod schema;

pub use error::{ScimError, ScimType};
pub use filter::parse as parse_filter;
pub use patch::apply as apply_patch;
pub use projection::Projection;
pub use resource::{Document, Wanted, location, to_json};

/// The media type of SCIM.
pub const MEDIA_TYPE: &str = "application/scim+json";
/// The path of the API.
pub const BASE: &str = "/scim/v2";
/// The schema of a list.
pub const LIST_RESPONSE: &str = "urn:ietf:params:scim:api:messages:2.0:ListResponse";
/// The schema of a search that is posted.
pub const SEARCH_REQUEST: &str = "urn:ietf:params:scim:api:messages:2.0:SearchRequest";
/// Maximum number of users in one answer.
pub const MAX_RESULTS: u64 = 200;
/// The number of users in one answer, if the caller sets none.
pub const DEFAULT_RESULTS: u64 = 100;

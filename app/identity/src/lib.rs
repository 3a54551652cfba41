//! Staff accounts, passwords, second factors, sessions and API keys.

pub mod api_key;
pub mod session;
pub mod staff;

pub use session::Session;
pub use staff::Caller;

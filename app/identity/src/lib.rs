//! Staff accounts, passwords, second factors and sessions.

pub mod session;
pub mod staff;

pub use session::Session;
pub use staff::Caller;

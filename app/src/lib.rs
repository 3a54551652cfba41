//! The pages, the interactive islands in them, and the server functions behind them.
//!
//! Pages are rendered on the server only (feature `ssr`): their data appears in the HTML and nowhere else. Islands
//! are compiled for both sides: the server renders them, and the browser hydrates them (feature `hydrate`). Every
//! form is a plain form that posts to a server function, so that every page works without WebAssembly.
// The views of pages are deeply nested types.
#![recursion_limit = "256"]

pub mod background_request;
pub mod error;
pub mod islands;
pub(crate) mod picked;

#[cfg(feature = "ssr")]
pub(crate) mod components;
#[cfg(feature = "ssr")]
pub mod cookie;
#[cfg(feature = "ssr")]
pub(crate) mod csv_download;
#[cfg(feature = "ssr")]
pub mod form;
#[cfg(feature = "ssr")]
pub mod form_post;
#[cfg(feature = "ssr")]
mod help;
#[cfg(feature = "ssr")]
pub mod pages;
#[cfg(feature = "ssr")]
pub(crate) mod preview_turn;
#[cfg(feature = "ssr")]
pub(crate) mod private_search;
#[cfg(feature = "ssr")]
pub mod rate_limit;
#[cfg(feature = "ssr")]
pub mod route_access;
#[cfg(feature = "ssr")]
pub mod routes;
#[cfg(feature = "ssr")]
pub mod state;
#[cfg(feature = "ssr")]
pub mod url;
#[cfg(feature = "ssr")]
pub(crate) mod user_search;

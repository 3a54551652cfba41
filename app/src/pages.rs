//! The pages: a folder for each noun, a file for each page, server functions beside the page that uses them.

mod home;
mod not_found;
pub(crate) mod outcomes;
pub(crate) mod security;

pub use home::HomePage;
pub use not_found::NotFoundPage;

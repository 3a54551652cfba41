//! Users: search, record, changes.

mod name;

pub use name::{Name, display_name, search_words};

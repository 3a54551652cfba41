//! Legal holds: the list, one hold, and the form that places one.

mod actions;
mod form;
mod list;
mod one;
mod table;

pub(crate) use form::place_form;
pub use list::LegalHoldListPage;
pub use one::LegalHoldPage;
pub(crate) use table::hold_table;

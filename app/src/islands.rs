//! The interactive parts of pages. The server renders them, the browser wakes them.
//!
//! Whatever is handed to an island stands in the page's HTML: no personal value may be.

mod theme_switch;

pub use theme_switch::ThemeSwitch;

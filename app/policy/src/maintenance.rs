//! Cleaning of the database files.

use crate::stored::coded_enum;
use serde::Serialize;

coded_enum! {
    /// The result of cleaning the files.
    #[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
    #[serde(rename_all = "snake_case")]
    pub enum Maintenance: "result of the maintenance" {
        /// The log was truncated (SQLite), or the space of old rows was freed and the statistics updated (PostgreSQL).
        Done = "done",
        /// Every table with data of users was rewritten, without old rows.
        Full = "full",
        /// Not complete: other connections were active all the time, or a reader still needs old rows.
        Busy = "busy",
    }
}

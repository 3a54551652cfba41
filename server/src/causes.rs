//! Texts of errors with their causes, for administrators. They contain no value of a row and no password.

use db::{RecordsError, error};
use std::error::Error;

/// Returns an error and its causes as one text.
pub(crate) fn describe(error: &anyhow::Error) -> String {
    let mut parts: Vec<String> = Vec::new();
    for link in error.chain() {
        if let Some(error) = link.downcast_ref::<RecordsError>() {
            parts.push(describe_records(error));
            break;
        }
        // The text of a database error can contain values of rows; `database_cause` leaves them out.
        if let Some(cause) = error::database_cause(link) {
            parts.push(cause);
            break;
        }
        parts.push(link.to_string());
    }
    // A transparent error repeats the text of its cause.
    parts.dedup_by(|next, before| before.contains(&**next));
    parts.join(": ")
}

/// Returns an error of the store with the cause that the database gave.
pub(crate) fn describe_records(error: &RecordsError) -> String {
    match error.source().and_then(error::database_cause) {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}

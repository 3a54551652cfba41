//! Errors with their causes, as an administrator needs them: no value of a row, no password.

use records::{RecordsError, error};
use std::error::Error;

/// An error and all that caused it.
pub(crate) fn of(error: &anyhow::Error) -> String {
    let mut words: Vec<String> = Vec::new();
    for link in error.chain() {
        if let Some(error) = link.downcast_ref::<RecordsError>() {
            words.push(of_records(error));
            break;
        }
        // Whatever the database says is for the one place that leaves out values.
        if let Some(cause) = error::database_cause(link) {
            words.push(cause);
            break;
        }
        words.push(link.to_string());
    }
    // An error that is passed on as it is comes twice.
    words.dedup_by(|next, before| before.contains(&**next));
    words.join(": ")
}

/// An error of the records, with what the database said.
pub(crate) fn of_records(error: &RecordsError) -> String {
    match error.source().and_then(error::database_cause) {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}

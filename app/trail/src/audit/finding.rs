//! The findings of a verification of the audit.

use chrono::NaiveDate;
use serde::Serialize;

/// A difference between the stored audit and what Lethe wrote.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(tag = "finding", rename_all = "snake_case")]
pub enum AuditFinding {
    /// The event at this position, or its MAC, was changed. If both were, the next event is reported too, because
    /// its MAC can no longer be checked.
    Changed {
        /// The position.
        sequence: i64,
    },
    /// The events at these positions were removed.
    Missing {
        /// The first position.
        from: i64,
        /// The last position.
        to: i64,
    },
    /// The event at this position belongs to another position.
    Reordered {
        /// The position.
        sequence: i64,
    },
    /// Every event after this position was removed.
    Cut {
        /// The last position with an event.
        after: i64,
    },
    /// An event was inserted: it has no position, or one that Lethe did not assign.
    Inserted {
        /// The id of the event.
        id: i64,
    },
    /// The row that stores the end of the chain is missing or was changed.
    HeadDiffers,
    /// An anchor does not match the chain or is not authentic.
    AnchorDiffers {
        /// The day of the anchor. None if it is unreadable.
        date: Option<NaiveDate>,
    },
}

impl AuditFinding {
    /// Returns the finding as a sentence.
    pub fn label(&self) -> String {
        match self {
            Self::Changed { sequence } => format!("Event {sequence} was changed"),
            Self::Missing { from, to } if from == to => format!("Event {from} is missing"),
            Self::Missing { from, to } => format!("Events {from} to {to} are missing"),
            Self::Reordered { sequence } => {
                format!("The event at position {sequence} belongs to another position")
            }
            Self::Cut { after } => format!("The chain was truncated after event {after}"),
            Self::Inserted { id } => format!("The row with id {id} was inserted outside Lethe"),
            Self::HeadDiffers => "The stored end does not match the end of the chain".to_owned(),
            Self::AnchorDiffers { date: Some(date) } => {
                format!("The anchor of {date} does not match the chain")
            }
            Self::AnchorDiffers { date: None } => "A line of the anchor file cannot be read".to_owned(),
        }
    }
}

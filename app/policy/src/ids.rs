//! Typed identifiers, so that a loan can't be mistaken for a user.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::num::ParseIntError;
use std::str::FromStr;

macro_rules! id {
    ($(#[$doc:meta] $name:ident),* $(,)?) => {$(
        #[$doc]
        #[derive(
            Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize,
        )]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = ParseIntError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.trim().parse().map(Self)
            }
        }
    )*};
}

id! {
    /// The number of a user: shown on every page, never reused. It differs from the *UserID*, the login name.
    UserNumber,
    /// A loan.
    LoanId,
    /// A request.
    RequestId,
    /// A charge or a credit.
    ChargeId,
    /// A message sent to a user.
    MessageId,
    /// A catalogue record.
    CatalogueRecordId,
    /// An item of a catalogue record.
    ItemId,
    /// A saved task of the task centre.
    TaskId,
    /// One execution of a task.
    RunId,
    /// A checked or imported file.
    ImportId,
    /// An import profile that was made on a page or the command line.
    ImportProfileId,
    /// A legal hold.
    LegalHoldId,
    /// A request for approval and its approval.
    ApprovalId,
    /// The delivery of a notification.
    DeliveryId,
    /// A webhook.
    WebhookId,
    /// An API key.
    ApiKeyId,
    /// A line of an import file that the suppression list holds.
    HeldLineId,
    /// A request of a user for a copy of their data.
    AccessRequestId,
    /// A saved search for users.
    SavedSearchId,
}

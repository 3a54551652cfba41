//! The table of access requests.

use super::DataClass::{FreeText, Link, NotPersonal, QuasiIdentifier};
use super::ErasureAction::{Clear, Keep};
use super::{RowOwner, Table, entry};

pub(super) const ACCESS_REQUESTS: Table = Table {
    name: "access_requests",
    label: "Access requests",
    owner: RowOwner::User("user_number"),
    columns: &[
        entry("id", NotPersonal, Keep, "Key"),
        entry("user_number", Link, Keep, "User: leads to the anonymised record"),
        entry("state", NotPersonal, Keep, "State, as a code"),
        entry("received_on", QuasiIdentifier, Keep, "Received: proof that the library answered in time"),
        entry("due_on", QuasiIdentifier, Keep, "To be answered by"),
        entry("recorded_by", Link, Keep, "Member of staff who recorded it"),
        entry("closed_on", QuasiIdentifier, Keep, "Closed: proof that the library answered in time"),
        entry("closed_by", Link, Keep, "Member of staff who closed it"),
        entry("decline_reason", NotPersonal, Keep, "Reason for declining, as a code"),
        entry("answer", FreeText, Clear, "Answer"),
    ],
};

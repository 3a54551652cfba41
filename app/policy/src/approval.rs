//! Requests for approval: their subjects and decisions.

use crate::stored::coded_enum;
use serde::Serialize;

coded_enum! {
    /// The kind of a subject.
    #[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
    #[serde(rename_all = "snake_case")]
    pub enum ApprovalKind: "kind of the approval" {
        /// The run of a preview.
        Run = "run",
        /// A run that applies the current rules to users anonymised under older ones.
        Reapply = "reapply",
        /// The release of a legal hold.
        LegalHoldRelease = "legal_hold_release",
        /// More manual changes than the safety limits allow.
        MoreChanges = "more_changes",
        /// Anonymising a member of staff.
        StaffAnonymising = "staff_anonymising",
        /// An import that exceeds the safety limits.
        Import = "import",
        /// More changes by identity systems than the safety limits of imports allow.
        ApiChanges = "api_changes",
        /// Destroying the key of the suppression list.
        SuppressionKey = "suppression_key",
    }
}

coded_enum! {
    /// The decision about a request.
    #[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
    #[serde(rename_all = "snake_case")]
    pub enum ApprovalDecision: "decision" {
        /// A second person agreed.
        Approved = "approved",
        /// A second person disagreed.
        Declined = "declined",
        /// The member of staff who made the request took it back.
        Withdrawn = "withdrawn",
        /// The subject was executed without a second person.
        NotNeeded = "not_needed",
    }
}

//! The actions and subjects of audit events: stored codes and labels.

use policy::UserNumber;

/// Defines the actions, each with its stored code and label.
macro_rules! deeds {
    ($($deed:ident $code:literal $words:literal,)+) => {
        /// An action that an event records.
        #[derive(Clone, Copy, Debug, Eq, PartialEq)]
        #[allow(missing_docs, reason = "the words say it")]
        pub enum Deed {
            $($deed,)+
        }

        impl Deed {
            /// All actions, in the order of selection lists.
            pub const ALL: &[Self] = &[$(Self::$deed,)+];

            /// Returns the stable code that is stored.
            pub const fn code(self) -> &'static str {
                match self {
                    $(Self::$deed => $code,)+
                }
            }

            /// Returns the label for pages.
            pub const fn words(self) -> &'static str {
                match self {
                    $(Self::$deed => $words,)+
                }
            }
        }
    };
}

deeds! {
    SignedIn "signed_in" "Signed in",
    SignInFailed "sign_in_failed" "Sign-in failed",
    CodesRefused "codes_refused" "Wrong codes entered",
    SignedOut "signed_out" "Signed out",
    SessionEnded "session_ended" "Session ended",
    PasswordSet "password_set" "Password set",
    SecondFactorSet "second_factor_set" "Second factor set",
    RecoveryCodeUsed "recovery_code_used" "Recovery code used",
    ProviderConnected "provider_connected" "Connected with single sign-on",
    ProviderDisconnected "provider_disconnected" "Disconnected from single sign-on",
    StaffInvited "staff_invited" "Invited to set a password",
    StaffDisabled "staff_disabled" "Staff account disabled",
    StaffEnabled "staff_enabled" "Staff account enabled again",
    SignInRemoved "sign_in_removed" "Sign-in removed",
    SignInRestored "sign_in_restored" "Sign-in restored",
    RoleGiven "role_given" "Role given",
    RoleTaken "role_taken" "Role taken away",
    Refused "refused" "Refused",
    ApprovalAsked "approval_asked" "Approval asked for",
    ApprovalGiven "approval_given" "Approved",
    ApprovalDeclined "approval_declined" "Approval declined",
    ApprovalWithdrawn "approval_withdrawn" "Approval request withdrawn",
    ApprovalNotNeeded "approval_not_needed" "Approval request no longer needed",
    LimitReached "limit_reached" "Safety limit reached",
    ProtectionWeakened "protection_weakened" "Protection weakened",
    UserCreated "user_created" "User created",
    UserChanged "user_changed" "User changed",
    IdentityRemoved "identity_removed" "Identifying fields removed",
    UserMarked "user_marked" "User marked for deletion",
    UserUnmarked "user_unmarked" "Mark for deletion removed",
    UserAnonymised "user_anonymised" "User anonymised",
    LoanReturned "loan_returned" "Loan returned",
    LoanReopened "loan_reopened" "Return of a loan undone",
    RequestCancelled "request_cancelled" "Request cancelled",
    RequestReopened "request_reopened" "Cancellation of a request undone",
    ChargeSettled "charge_settled" "Charge settled",
    ChargeReopened "charge_reopened" "Settlement of a charge undone",
    LegalHoldPlaced "legal_hold_placed" "Legal hold placed",
    LegalHoldReviewed "legal_hold_reviewed" "Legal hold reviewed",
    LegalHoldReleaseAsked "legal_hold_release_asked" "Release of a legal hold asked for",
    LegalHoldReleased "legal_hold_released" "Legal hold released",
    TaskCreated "task_created" "Task created",
    TaskChanged "task_changed" "Task changed",
    TaskCopied "task_copied" "Task copied",
    TaskActivated "task_activated" "Task switched on",
    TaskDeactivated "task_deactivated" "Task switched off",
    TaskReassigned "task_reassigned" "Task given to another owner",
    TaskMadeDefault "task_made_default" "Task made the one for single users",
    TaskDeleted "task_deleted" "Task deleted",
    TaskExported "task_exported" "Task exported",
    Previewed "previewed" "Previewed",
    RunStarted "run_started" "Run started",
    RunTakenUp "run_taken_up" "Run taken up again",
    RunCancelled "run_cancelled" "Run cancelled",
    RunStopped "run_stopped" "Run stopped",
    RunFinished "run_finished" "Run finished",
    BackedUp "backed_up" "Backup made",
    KeyReplaced "key_replaced" "Key of the installation replaced",
    FilesMaintained "files_maintained" "Database files maintained",
    LedgerReplayed "ledger_replayed" "Ledger replayed",
    LedgerStartedOver "ledger_started_over" "Ledger started over",
    ResidueRemoved "residue_removed" "Residue removed",
    ResidueKept "residue_kept" "Residue kept",
    ResidueGone "residue_gone" "Residue gone",
    ResidueReopened "residue_reopened" "Decision about residue reopened",
    Imported "imported" "Imported",
    Exported "exported" "Exported",
}

impl Deed {
    /// Returns the action with this code. None for a code of another version of Lethe.
    pub fn of_code(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|deed| deed.code() == code)
    }
}

/// The record that an action applies to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Subject {
    /// A user, by number.
    User(i64),
    /// A task, by id.
    Task(i64),
    /// A run or preview, by id.
    Run(i64),
    /// A request for approval, by id.
    Approval(i64),
    /// A legal hold, by id.
    LegalHold(i64),
    /// The whole library.
    Library,
}

impl Subject {
    /// The codes and labels of all kinds.
    pub const KINDS: [(&'static str, &'static str); 6] = [
        ("user", "User"),
        ("task", "Task"),
        ("run", "Run or preview"),
        ("approval", "Approval"),
        ("legal_hold", "Legal hold"),
        ("library", "Library"),
    ];

    /// Returns the stable code of the kind, and the id.
    pub const fn parts(self) -> (&'static str, Option<i64>) {
        match self {
            Self::User(id) => ("user", Some(id)),
            Self::Task(id) => ("task", Some(id)),
            Self::Run(id) => ("run", Some(id)),
            Self::Approval(id) => ("approval", Some(id)),
            Self::LegalHold(id) => ("legal_hold", Some(id)),
            Self::Library => ("library", None),
        }
    }

    /// Returns the subject of this kind and id. None for a kind of another version of Lethe.
    pub fn of_parts(kind: &str, id: Option<i64>) -> Option<Self> {
        Some(match (kind, id) {
            ("user", Some(id)) => Self::User(id),
            ("task", Some(id)) => Self::Task(id),
            ("run", Some(id)) => Self::Run(id),
            ("approval", Some(id)) => Self::Approval(id),
            ("legal_hold", Some(id)) => Self::LegalHold(id),
            ("library", None) => Self::Library,
            _ => return None,
        })
    }
}

impl From<UserNumber> for Subject {
    fn from(number: UserNumber) -> Self {
        Self::User(number.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn codes_are_read_back_and_each_stands_for_one_deed() {
        let codes: BTreeSet<&str> = Deed::ALL.iter().map(|deed| deed.code()).collect();
        assert_eq!(codes.len(), Deed::ALL.len());
        for deed in Deed::ALL {
            assert_eq!(Deed::of_code(deed.code()), Some(*deed));
        }
        assert_eq!(Deed::of_code("user_deleted"), None);
    }

    #[test]
    fn subjects_are_read_back() {
        for (kind, _) in Subject::KINDS {
            let id = (kind != "library").then_some(7);
            let subject = Subject::of_parts(kind, id).expect("a subject");
            assert_eq!(subject.parts(), (kind, id));
        }
        assert_eq!(Subject::of_parts("user", None), None);
        assert_eq!(Subject::of_parts("loan", Some(7)), None);
    }
}

//! The actions and subjects of audit events: stored codes and labels.

use policy::UserNumber;

/// Defines the actions, each with its stored code and label.
macro_rules! audit_actions {
    ($($action:ident $code:literal $label:literal,)+) => {
        /// An action that an event records.
        #[derive(Clone, Copy, Debug, Eq, PartialEq)]
        #[allow(missing_docs, reason = "the labels document them")]
        pub enum AuditAction {
            $($action,)+
        }

        impl AuditAction {
            /// All actions, in the order of selection lists.
            pub const ALL: &[Self] = &[$(Self::$action,)+];

            /// Returns the stable code that is stored.
            pub const fn code(self) -> &'static str {
                match self {
                    $(Self::$action => $code,)+
                }
            }

            /// Returns the label for pages.
            pub const fn label(self) -> &'static str {
                match self {
                    $(Self::$action => $label,)+
                }
            }
        }
    };
}

audit_actions! {
    SignedIn "signed_in" "Signed in",
    SignInFailed "sign_in_failed" "Sign-in failed",
    CodesRefused "codes_refused" "Wrong codes entered",
    SignedOut "signed_out" "Signed out",
    SessionEnded "session_ended" "Session ended",
    PasswordSet "password_set" "Password set",
    SecondFactorSet "second_factor_set" "Second factor set up",
    RecoveryCodeUsed "recovery_code_used" "Recovery code used",
    ProviderConnected "provider_connected" "Single sign-on connected",
    ProviderDisconnected "provider_disconnected" "Single sign-on disconnected",
    StaffInvited "staff_invited" "Invitation created",
    StaffDisabled "staff_disabled" "Sign-in disabled",
    StaffEnabled "staff_enabled" "Sign-in enabled again",
    SignInRemoved "sign_in_removed" "Sign-in removed",
    SignInRestored "sign_in_restored" "Sign-in restored",
    RoleGranted "role_granted" "Role added",
    RoleRevoked "role_revoked" "Role removed",
    ApiKeyCreated "api_key_created" "API key created",
    ApiKeyRevoked "api_key_revoked" "API key revoked",
    ApiKeyRefused "api_key_refused" "Wrong API key used",
    CustomFieldAdded "custom_field_added" "Custom field added",
    CustomFieldChanged "custom_field_changed" "Custom field changed",
    CustomFieldRemoved "custom_field_removed" "Custom field removed",
    NotificationsChosen "notifications_chosen" "Notifications chosen",
    WebhookCreated "webhook_created" "Webhook created",
    WebhookDisabled "webhook_disabled" "Webhook disabled",
    TestMessageSent "test_message_sent" "Test message sent",
    DeliveryRetried "delivery_retried" "Delivery tried again",
    DeliveryDiscarded "delivery_discarded" "Delivery discarded",
    LibraryChanged "library_changed" "Library settings saved",
    ImportProfileCreated "import_profile_created" "Import profile created",
    ImportProfileChanged "import_profile_changed" "Import profile saved",
    ImportProfileDeleted "import_profile_deleted" "Import profile deleted",
    Refused "refused" "Refused",
    ApprovalRequested "approval_requested" "Approval requested",
    ApprovalGiven "approval_given" "Approval request approved",
    ApprovalDeclined "approval_declined" "Approval request declined",
    ApprovalWithdrawn "approval_withdrawn" "Approval request withdrawn",
    ApprovalNotNeeded "approval_not_needed" "Approval request no longer needed",
    LimitReached "limit_reached" "Safety limit reached",
    ProtectionWeakened "protection_weakened" "Safety setting weakened",
    UserCreated "user_created" "User created",
    UserChanged "user_changed" "User saved",
    IdentityRemoved "identity_removed" "Identifying fields removed",
    SearchSaved "search_saved" "Search saved",
    SearchChanged "search_changed" "Saved search changed",
    SearchDeleted "search_deleted" "Saved search deleted",
    UserMarked "user_marked" "User marked for deletion",
    UserUnmarked "user_unmarked" "Deletion mark removed",
    AccountKept "account_kept" "Account kept by the user",
    AnnouncementBounced "announcement_bounced" "Announcement bounced",
    UserAnonymised "user_anonymised" "User anonymised",
    LoanReturned "loan_returned" "Loan returned",
    LoanReopened "loan_reopened" "Loan return undone",
    RequestCancelled "request_cancelled" "Request cancelled",
    RequestReopened "request_reopened" "Request cancellation undone",
    ChargeSettled "charge_settled" "Charge settled",
    ChargeReopened "charge_reopened" "Charge settlement undone",
    LegalHoldPlaced "legal_hold_placed" "Legal hold placed",
    LegalHoldReviewed "legal_hold_reviewed" "Legal hold reviewed",
    LegalHoldReleaseRequested "legal_hold_release_requested" "Legal hold release requested",
    LegalHoldReleased "legal_hold_released" "Legal hold released",
    AccessRequestRecorded "access_request_recorded" "Access request recorded",
    AccessRequestClosed "access_request_closed" "Access request closed",
    UserDataExported "user_data_exported" "Everything held about a user exported",
    UsersMerged "users_merged" "Users merged",
    HeldLineDecided "held_line_decided" "Held line decided",
    SuppressionKeyDestroyed "suppression_key_destroyed" "Key of the suppression list destroyed",
    TaskCreated "task_created" "Task created",
    TaskChanged "task_changed" "Task saved",
    TaskCopied "task_copied" "Task copied",
    TaskActivated "task_activated" "Task activated",
    TaskDeactivated "task_deactivated" "Task deactivated",
    TaskReassigned "task_reassigned" "Task reassigned",
    TaskMadeDefault "task_made_default" "Task set as default for single users",
    TaskDeleted "task_deleted" "Task deleted",
    LetterChanged "letter_changed" "Letter text saved",
    TaskExported "task_exported" "Task exported",
    Previewed "previewed" "Preview created",
    PreviewDiscarded "preview_discarded" "Preview discarded",
    UserExcluded "user_excluded" "User excluded from preview",
    UserIncluded "user_included" "User included in preview again",
    RunStarted "run_started" "Run started",
    RunTakenUp "run_taken_up" "Run resumed",
    RunCancelled "run_cancelled" "Run cancelled",
    RunStopped "run_stopped" "Run stopped for confirmation",
    RunFinished "run_finished" "Run finished",
    BackedUp "backed_up" "Backup created",
    BackupDrilled "backup_drilled" "Restore drill ended",
    AuditVerified "audit_verified" "Audit verified",
    KeyReplaced "key_replaced" "Installation key replaced",
    FilesMaintained "files_maintained" "Database files cleaned",
    LedgerReplayed "ledger_replayed" "Ledger replayed",
    LedgerReset "ledger_reset" "Ledger reset",
    ResidueRemoved "residue_removed" "Residue removed",
    ResidueKept "residue_kept" "Residue kept",
    ResidueGone "residue_gone" "Residue recorded as gone",
    ResidueReopened "residue_reopened" "Residue decision reopened",
    Imported "imported" "File imported",
    ImportRejected "import_rejected" "Import rejected",
    Exported "exported" "Exported",
}

impl AuditAction {
    /// Returns the action with this code. None for a code of another version of Lethe.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|action| action.code() == code)
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
    /// An API key, by id.
    ApiKey(i64),
    /// A held line of an import file, by id.
    HeldLine(i64),
    /// A webhook, by id.
    Webhook(i64),
    /// The whole library.
    Library,
}

impl Subject {
    /// The codes and labels of all kinds.
    pub const KINDS: [(&'static str, &'static str); 9] = [
        ("user", "User"),
        ("task", "Task"),
        ("run", "Run or preview"),
        ("approval", "Approval"),
        ("legal_hold", "Legal hold"),
        ("api_key", "API key"),
        ("held_line", "Held line"),
        ("webhook", "Webhook"),
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
            Self::ApiKey(id) => ("api_key", Some(id)),
            Self::HeldLine(id) => ("held_line", Some(id)),
            Self::Webhook(id) => ("webhook", Some(id)),
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
            ("api_key", Some(id)) => Self::ApiKey(id),
            ("held_line", Some(id)) => Self::HeldLine(id),
            ("webhook", Some(id)) => Self::Webhook(id),
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
    fn codes_are_read_back_and_are_distinct() {
        let codes: BTreeSet<&str> = AuditAction::ALL.iter().map(|action| action.code()).collect();
        assert_eq!(codes.len(), AuditAction::ALL.len());
        for action in AuditAction::ALL {
            assert_eq!(AuditAction::from_code(action.code()), Some(*action));
        }
        assert_eq!(AuditAction::from_code("user_deleted"), None);
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

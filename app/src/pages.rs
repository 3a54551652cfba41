//! The pages: one folder for each noun, one file for each page. Server functions are beside the page that uses them.

mod access_requests;
mod account;
mod account_notices;
mod account_notifications;
mod api_keys;
mod approvals;
mod audit;
mod catalogue;
mod custom_fields;
mod forbidden;
mod help;
mod home;
mod keep_account;
mod legal_holds;
mod letters;
mod library;
mod not_found;
mod notifications;
mod personal_data;
mod reports;
mod residue;
mod runs;
pub(crate) mod security;
mod sign_in;
mod staff;
mod suppression;
mod tasks;
mod users;

pub use crate::components::flash::with_proof;
pub use access_requests::{AccessRequestListPage, AccessRequestPage, UserDataPage, user_data_json};
pub use account::AccountPage;
use account_notifications::notification_ticks;
pub use api_keys::ApiKeysPage;
pub use approvals::{ApprovalPage, ApprovalsPage};
pub use audit::{AuditPage, audit_csv};
pub use catalogue::{CatalogueListPage, CatalogueRecordPage};
pub use custom_fields::CustomFieldsPage;
pub use forbidden::{FORBIDDEN, ForbiddenPage};
pub use help::{HelpListPage, HelpPage};
pub use home::HomePage;
pub use keep_account::KeepAccountPage;
pub use legal_holds::{LegalHoldListPage, LegalHoldPage};
pub use letters::{LetterTextPage, PreviewLettersPage, ReceiptPage, UserLetterPage};
pub use library::LibraryPage;
pub use not_found::NotFoundPage;
pub use notifications::NotificationsPage;
pub use personal_data::PersonalDataPage;
pub use reports::{ReportPage, ReportsPage, report_csv};
pub use residue::ResiduePage;
pub use runs::{CertificatePage, RunListPage, RunPage, members_csv};
pub use sign_in::{
    CHANGES_SIGN_IN, InvitationPage, SecondFactorPage, SetUpAppPage, SignInAgainPage, SignInPage,
    SignInProblem, local_page, next_step, remember_address_and_device,
};
pub use staff::StaffPage;
pub use suppression::SuppressionPage;
pub use tasks::{
    DeactivateTaskPage, DeleteTaskPage, EditTaskPage, ListedPreviewPage, NewTaskPage, TaskListPage,
    TaskOwnersPage, TaskPage, preview_of_file,
};
pub use users::{
    AnonymiseUserPage, EditImportProfilePage, EditUserPage, HeldLinesPage, ImportListPage, ImportPage,
    ImportProfilesPage, MergeUsersPage, NewImportProfilePage, NewUserPage, SavedSearchesPage, UserPage,
    UserSearchPage, import_report_csv,
};

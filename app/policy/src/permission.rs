//! The permissions of each role, in one table.
//!
//! Pages use it to hide actions that are not allowed. The called function checks it again.

use crate::role::Role;
use serde::{Deserialize, Serialize};

/// An action that needs a permission.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Search users and read their records.
    SeeUsers,
    /// Create and edit users, mark them for deletion, return loans, cancel requests, settle charges.
    EditUsers,
    /// Anonymise a single user from the record.
    AnonymiseOne,
    /// Read catalogue records.
    SeeCatalogue,
    /// Read reports and export them as CSV.
    SeeReports,
    /// Read tasks, runs, their users and certificates.
    SeeTasks,
    /// Create, edit, activate and delete tasks.
    EditTasks,
    /// Create previews.
    Preview,
    /// Export the users of a preview or run as CSV.
    ExportRunUsers,
    /// Start and cancel runs.
    Run,
    /// Approve requests of other staff.
    Approve,
    /// Read residue findings.
    SeeResidue,
    /// Decide on residue findings.
    DecideResidue,
    /// Place legal holds, change their review date, request their release.
    PlaceLegalHolds,
    /// Release legal holds.
    ReleaseLegalHolds,
    /// Record and answer access requests, and export everything held about a user.
    HandleAccessRequests,
    /// Destroy the key of the suppression list.
    DestroySuppressionKey,
    /// Read the audit.
    SeeAudit,
    /// Add staff, grant and revoke roles, end sessions of others.
    ManageStaff,
    /// Import users, loans, requests and charges.
    Import,
    /// Operate the installation: export, clean the database files, reset the ledger.
    Administer,
}

impl Action {
    /// All actions, in table order.
    pub const ALL: [Self; 21] = [
        Self::SeeUsers,
        Self::EditUsers,
        Self::AnonymiseOne,
        Self::SeeCatalogue,
        Self::SeeReports,
        Self::SeeTasks,
        Self::EditTasks,
        Self::Preview,
        Self::ExportRunUsers,
        Self::Run,
        Self::Approve,
        Self::SeeResidue,
        Self::DecideResidue,
        Self::PlaceLegalHolds,
        Self::ReleaseLegalHolds,
        Self::HandleAccessRequests,
        Self::DestroySuppressionKey,
        Self::SeeAudit,
        Self::ManageStaff,
        Self::Import,
        Self::Administer,
    ];

    /// Returns the stable code for the audit and logs.
    pub const fn code(self) -> &'static str {
        match self {
            Self::SeeUsers => "see_users",
            Self::EditUsers => "edit_users",
            Self::AnonymiseOne => "anonymise_one",
            Self::SeeCatalogue => "see_catalogue",
            Self::SeeReports => "see_reports",
            Self::SeeTasks => "see_tasks",
            Self::EditTasks => "edit_tasks",
            Self::Preview => "preview",
            Self::ExportRunUsers => "export_run_users",
            Self::Run => "run",
            Self::Approve => "approve",
            Self::SeeResidue => "see_residue",
            Self::DecideResidue => "decide_residue",
            Self::PlaceLegalHolds => "place_legal_holds",
            Self::ReleaseLegalHolds => "release_legal_holds",
            Self::HandleAccessRequests => "handle_access_requests",
            Self::DestroySuppressionKey => "destroy_suppression_key",
            Self::SeeAudit => "see_audit",
            Self::ManageStaff => "manage_staff",
            Self::Import => "import",
            Self::Administer => "administer",
        }
    }

    /// Returns the action as text, to follow “permission to”.
    pub const fn label(self) -> &'static str {
        match self {
            Self::SeeUsers => "see users",
            Self::EditUsers => "edit users and their loans",
            Self::AnonymiseOne => "anonymise users",
            Self::SeeCatalogue => "see the catalogue",
            Self::SeeReports => "see reports",
            Self::SeeTasks => "see tasks and runs",
            Self::EditTasks => "edit tasks",
            Self::Preview => "create previews",
            Self::ExportRunUsers => "export the users of previews and runs",
            Self::Run => "start or cancel runs",
            Self::Approve => "approve requests of other staff",
            Self::SeeResidue => "see residue",
            Self::DecideResidue => "decide about residue",
            Self::PlaceLegalHolds => "place legal holds",
            Self::ReleaseLegalHolds => "release legal holds",
            Self::HandleAccessRequests => "handle access requests",
            Self::DestroySuppressionKey => "destroy the key of the suppression list",
            Self::SeeAudit => "see the audit",
            Self::ManageStaff => "manage staff",
            Self::Import => "import files",
            Self::Administer => "administer the library",
        }
    }

    /// Returns whether it needs a sign-in within the last [`FRESH_MINUTES`] minutes.
    ///
    /// That applies to irreversible actions, and to actions that enable them.
    pub const fn needs_fresh_sign_in(self) -> bool {
        matches!(
            self,
            Self::AnonymiseOne
                | Self::Run
                | Self::Approve
                | Self::DecideResidue
                | Self::ReleaseLegalHolds
                | Self::DestroySuppressionKey
                | Self::ManageStaff
        )
    }

    /// Returns whether it needs a second factor, because it can anonymise or enables anonymising.
    pub const fn needs_second_factor(self) -> bool {
        self.needs_fresh_sign_in()
    }
}

/// Maximum age of a sign-in for irreversible actions, in minutes.
pub const FRESH_MINUTES: i64 = 5;

/// The table of permissions.
impl Role {
    /// Returns whether this role may perform an action.
    pub const fn may(self, action: Action) -> bool {
        use Action::{
            Administer, AnonymiseOne, Approve, DecideResidue, DestroySuppressionKey, EditTasks, EditUsers,
            ExportRunUsers, HandleAccessRequests, Import, ManageStaff, PlaceLegalHolds, Preview,
            ReleaseLegalHolds, Run, SeeAudit, SeeCatalogue, SeeReports, SeeResidue, SeeTasks, SeeUsers,
        };
        match self {
            Self::Librarian => {
                matches!(
                    action,
                    SeeUsers
                        | EditUsers
                        | AnonymiseOne
                        | SeeCatalogue
                        | SeeReports
                        | SeeTasks
                        | HandleAccessRequests
                )
            }
            Self::Cataloguer => matches!(action, SeeCatalogue | SeeReports),
            Self::SystemsLibrarian => matches!(
                action,
                SeeUsers
                    | EditUsers
                    | AnonymiseOne
                    | SeeCatalogue
                    | SeeReports
                    | SeeTasks
                    | EditTasks
                    | Preview
                    | ExportRunUsers
                    | Run
                    | Approve
                    | SeeResidue
                    | DecideResidue
                    | HandleAccessRequests
                    | Import
            ),
            Self::Dpo => matches!(
                action,
                SeeUsers
                    | SeeCatalogue
                    | SeeReports
                    | SeeTasks
                    | Preview
                    | ExportRunUsers
                    | Approve
                    | SeeResidue
                    | DecideResidue
                    | PlaceLegalHolds
                    | ReleaseLegalHolds
                    | HandleAccessRequests
                    | DestroySuppressionKey
                    | SeeAudit
            ),
            // Administrators may do everything except what is reserved for the data protection officer.
            Self::Administrator => match action {
                PlaceLegalHolds | ReleaseLegalHolds | DestroySuppressionKey => false,
                SeeUsers | EditUsers | AnonymiseOne | SeeCatalogue | SeeReports | SeeTasks | EditTasks
                | Preview | ExportRunUsers | Run | Approve | SeeResidue | DecideResidue
                | HandleAccessRequests | SeeAudit | ManageStaff | Import | Administer => true,
            },
            Self::Statistics => matches!(action, SeeReports),
        }
    }
}

/// The roles of one user.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Roles(u8);

impl Roles {
    /// All roles, for the command line, which has access to the files anyway.
    pub const ALL: Self = Self(u8::MAX);

    /// Returns whether this role is among them.
    pub const fn has(self, role: Role) -> bool {
        self.0 & bit(role) != 0
    }

    /// Returns whether there are none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Returns whether one of them may perform an action.
    pub fn may(self, action: Action) -> bool {
        self.iter().any(|role| role.may(action))
    }

    /// Returns whether these roles require a second factor.
    pub fn need_second_factor(self) -> bool {
        Action::ALL.into_iter().any(|action| action.needs_second_factor() && self.may(action))
    }

    /// Returns the roles, in page order.
    pub fn iter(self) -> impl Iterator<Item = Role> {
        Role::ALL.into_iter().filter(move |role| self.has(*role))
    }
}

impl FromIterator<Role> for Roles {
    fn from_iter<I: IntoIterator<Item = Role>>(roles: I) -> Self {
        Self(roles.into_iter().fold(0, |bits, role| bits | bit(role)))
    }
}

const fn bit(role: Role) -> u8 {
    match role {
        Role::Librarian => 1,
        Role::Cataloguer => 2,
        Role::SystemsLibrarian => 4,
        Role::Dpo => 8,
        Role::Administrator => 16,
        Role::Statistics => 32,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statistics_see_reports_and_nothing_else() {
        for action in Action::ALL {
            assert_eq!(Role::Statistics.may(action), action == Action::SeeReports, "{action:?}");
        }
    }

    #[test]
    fn roles_that_may_anonymise_require_a_second_factor() {
        for role in Role::ALL {
            let roles = Roles::from_iter([role]);
            let anonymises = roles.may(Action::AnonymiseOne) || roles.may(Action::Run);
            assert!(!anonymises || roles.need_second_factor(), "{role:?}");
        }
        assert!(!Roles::from_iter([Role::Statistics, Role::Cataloguer]).need_second_factor());
    }

    #[test]
    fn only_the_data_protection_officer_releases_legal_holds_and_destroys_the_suppression_key() {
        for role in Role::ALL {
            for action in [Action::ReleaseLegalHolds, Action::DestroySuppressionKey] {
                assert_eq!(role.may(action), role == Role::Dpo, "{role:?} {action:?}");
            }
        }
    }

    #[test]
    fn several_roles_add_up() {
        let roles: Roles = [Role::Dpo, Role::Cataloguer].into_iter().collect();
        assert!(roles.has(Role::Dpo) && !roles.has(Role::Librarian) && !roles.is_empty());
        assert_eq!(roles.iter().collect::<Vec<_>>(), [Role::Cataloguer, Role::Dpo]);
        assert!(roles.may(Action::SeeAudit) && !roles.may(Action::Run));
        assert!(Roles::default().is_empty() && !Roles::default().may(Action::SeeReports));
        assert!(Roles::ALL.iter().eq(Role::ALL));
    }
}

//! Who may do what: roles times actions, in one table.
//!
//! The pages read it to hide what somebody may not do; `records` reads it where the change is made.

use crate::role::Role;
use serde::{Deserialize, Serialize};

/// Something that needs a permission.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Search users and read their records.
    SeeUsers,
    /// Create and edit users, mark them for deletion, return loans, cancel requests, settle charges.
    EditUsers,
    /// Anonymise one user from the record.
    AnonymiseOne,
    /// Read catalogue records.
    SeeCatalogue,
    /// Read reports and load them as CSV.
    SeeReports,
    /// Read tasks, runs, their people and certificates.
    SeeTasks,
    /// Create, change, switch and delete tasks.
    EditTasks,
    /// Make a preview.
    Preview,
    /// Start and cancel runs.
    Run,
    /// Approve what somebody else has asked for.
    Approve,
    /// Read the list of residue.
    SeeResidue,
    /// Decide what is done about residue.
    DecideResidue,
    /// Place legal holds, change their review date, ask for their release.
    PlaceHolds,
    /// Release legal holds.
    ReleaseHolds,
    /// Read the audit.
    SeeAudit,
    /// Add staff, give and take roles, end other people's sessions.
    ManageStaff,
    /// Import, export, maintain the files, start the ledger over: what is done where the program is installed.
    Administer,
}

impl Action {
    /// All actions, in the order of the table.
    pub const ALL: [Self; 17] = [
        Self::SeeUsers,
        Self::EditUsers,
        Self::AnonymiseOne,
        Self::SeeCatalogue,
        Self::SeeReports,
        Self::SeeTasks,
        Self::EditTasks,
        Self::Preview,
        Self::Run,
        Self::Approve,
        Self::SeeResidue,
        Self::DecideResidue,
        Self::PlaceHolds,
        Self::ReleaseHolds,
        Self::SeeAudit,
        Self::ManageStaff,
        Self::Administer,
    ];

    /// The stable code, for the audit and for logs.
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
            Self::Run => "run",
            Self::Approve => "approve",
            Self::SeeResidue => "see_residue",
            Self::DecideResidue => "decide_residue",
            Self::PlaceHolds => "place_holds",
            Self::ReleaseHolds => "release_holds",
            Self::SeeAudit => "see_audit",
            Self::ManageStaff => "manage_staff",
            Self::Administer => "administer",
        }
    }

    /// What it is, to follow “may not”.
    pub const fn words(self) -> &'static str {
        match self {
            Self::SeeUsers => "see users",
            Self::EditUsers => "edit users and their loans",
            Self::AnonymiseOne => "anonymise users",
            Self::SeeCatalogue => "see the catalogue",
            Self::SeeReports => "see reports",
            Self::SeeTasks => "see tasks and runs",
            Self::EditTasks => "edit tasks",
            Self::Preview => "create previews",
            Self::Run => "start or cancel runs",
            Self::Approve => "approve requests of other staff",
            Self::SeeResidue => "see residue",
            Self::DecideResidue => "decide about residue",
            Self::PlaceHolds => "place legal holds",
            Self::ReleaseHolds => "release legal holds",
            Self::SeeAudit => "see the audit",
            Self::ManageStaff => "manage staff",
            Self::Administer => "administer the library",
        }
    }

    /// Whether it needs a sign-in of the last [`FRESH_MINUTES`] minutes: what cannot be undone, and what opens the
    /// way to it.
    pub const fn needs_fresh_sign_in(self) -> bool {
        matches!(
            self,
            Self::AnonymiseOne
                | Self::Run
                | Self::Approve
                | Self::DecideResidue
                | Self::ReleaseHolds
                | Self::ManageStaff
        )
    }

    /// Whether somebody who may do it must have a second factor: it can anonymise, or open the way to it.
    pub const fn needs_second_factor(self) -> bool {
        self.needs_fresh_sign_in()
    }
}

/// How old a sign-in may be for what cannot be undone, in minutes.
pub const FRESH_MINUTES: i64 = 5;

/// The table.
impl Role {
    /// Whether somebody with this role may do something.
    pub const fn may(self, action: Action) -> bool {
        use Action::{
            Administer, AnonymiseOne, Approve, DecideResidue, EditTasks, EditUsers, ManageStaff, PlaceHolds,
            Preview, ReleaseHolds, Run, SeeAudit, SeeCatalogue, SeeReports, SeeResidue, SeeTasks, SeeUsers,
        };
        match self {
            Self::Librarian => {
                matches!(action, SeeUsers | EditUsers | AnonymiseOne | SeeCatalogue | SeeReports | SeeTasks)
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
                    | Run
                    | Approve
                    | SeeResidue
                    | DecideResidue
            ),
            Self::Dpo => matches!(
                action,
                SeeUsers
                    | SeeCatalogue
                    | SeeReports
                    | SeeTasks
                    | Preview
                    | Approve
                    | SeeResidue
                    | DecideResidue
                    | PlaceHolds
                    | ReleaseHolds
                    | SeeAudit
            ),
            // Whoever installs it can do everything but what is the data protection officer's alone.
            Self::Administrator => match action {
                PlaceHolds | ReleaseHolds => false,
                SeeUsers | EditUsers | AnonymiseOne | SeeCatalogue | SeeReports | SeeTasks | EditTasks
                | Preview | Run | Approve | SeeResidue | DecideResidue | SeeAudit | ManageStaff
                | Administer => true,
            },
            Self::Statistics => matches!(action, SeeReports),
        }
    }
}

/// The roles of one person.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Roles(u8);

impl Roles {
    /// Every role: whoever has the command line has the files.
    pub const ALL: Self = Self(u8::MAX);

    /// Whether this role is among them.
    pub const fn has(self, role: Role) -> bool {
        self.0 & bit(role) != 0
    }

    /// Whether there are none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether one of them may do something.
    pub fn may(self, action: Action) -> bool {
        self.iter().any(|role| role.may(action))
    }

    /// Whether whoever has them must have a second factor.
    pub fn need_second_factor(self) -> bool {
        Action::ALL.into_iter().any(|action| action.needs_second_factor() && self.may(action))
    }

    /// The roles, in the order of the pages.
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
    fn nobody_who_may_anonymise_is_without_a_second_factor() {
        for role in Role::ALL {
            let roles = Roles::from_iter([role]);
            let anonymises = roles.may(Action::AnonymiseOne) || roles.may(Action::Run);
            assert!(!anonymises || roles.need_second_factor(), "{role:?}");
        }
        assert!(!Roles::from_iter([Role::Statistics, Role::Cataloguer]).need_second_factor());
    }

    #[test]
    fn legal_holds_are_the_data_protection_officers() {
        for role in Role::ALL {
            assert_eq!(role.may(Action::ReleaseHolds), role == Role::Dpo, "{role:?}");
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

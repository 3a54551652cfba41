//! The suppression list: keys of anonymised users that must not return through an import or a form.

use crate::numbers::{counted, grouped};
use crate::stored::coded_enum;
use serde::{Deserialize, Serialize};

/// The months for which suppressed keys are kept, unless the configuration says otherwise.
pub const DEFAULT_MONTHS: u32 = 24;
/// The minimum number of months. The list would be useless if a key left it before the next import.
pub const MIN_MONTHS: u32 = 1;
/// The maximum number of months.
pub const MAX_MONTHS: u32 = 120;

coded_enum! {
    /// A field whose value identifies one user.
    #[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
    #[serde(rename_all = "snake_case")]
    pub enum KeyKind: "kind of the suppressed key" {
        /// The external identifier: the only strong key. Source systems don't give it to another person.
        ExternalId = "external_id",
        /// The `UserID`.
        UserId = "user_id",
        /// The barcode.
        Barcode = "barcode",
        /// The e-mail address.
        Email = "email",
    }
}

impl KeyKind {
    /// Returns the label.
    pub const fn label(self) -> &'static str {
        match self {
            Self::ExternalId => "External identifier",
            Self::UserId => "UserID",
            Self::Barcode => "Barcode",
            Self::Email => "E-mail",
        }
    }

    /// Returns the name of the field in forms and files.
    pub const fn field(self) -> &'static str {
        self.code()
    }
}

/// Returns the key because of which a new user is held for a decision, or `None` if the user can be created.
///
/// A suppressed external identifier always holds the user. Libraries reassign the other keys, so those hold a user only
/// without an external identifier.
pub fn holding_key(has_external_id: bool, suppressed: &[KeyKind]) -> Option<KeyKind> {
    suppressed.iter().copied().min().filter(|strongest| *strongest == KeyKind::ExternalId || !has_external_id)
}

coded_enum! {
    /// The decision about a held line.
    #[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
    #[serde(rename_all = "snake_case")]
    pub enum HeldDecision: "decision about the held line" {
        /// Skip the line until it changes.
        Ignore = "ignore",
        /// Skip every line with this key.
        AlwaysIgnore = "always_ignore",
        /// The same person is a user again.
        NewMembership = "new_membership",
        /// The key was given to another person.
        DifferentPerson = "different_person",
    }
}

impl HeldDecision {
    /// Returns the label.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Ignore => "Ignore",
            Self::AlwaysIgnore => "Always ignore",
            Self::NewMembership => "New membership",
            Self::DifferentPerson => "Different person",
        }
    }

    /// Returns what happens after the decision, as a sentence.
    pub const fn consequence(self) -> &'static str {
        match self {
            Self::Ignore => {
                "Imports skip the line and create no user. If the line changes, Lethe asks again."
            }
            Self::AlwaysIgnore => {
                "Imports skip every line with this key and create no user, until the key leaves the suppression list."
            }
            Self::NewMembership => {
                "The same person is a user again. The next import creates a new record, without the loans of the \
                 anonymised record."
            }
            Self::DifferentPerson => {
                "The key now belongs to another person. The next import creates a record for this person, without \
                 the loans of the previous owner."
            }
        }
    }

    /// Returns whether the next import creates the user.
    pub const fn creates_user(self) -> bool {
        matches!(self, Self::NewMembership | Self::DifferentPerson)
    }
}

coded_enum! {
    /// The entry point of a held line.
    #[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
    #[serde(rename_all = "snake_case")]
    pub enum HeldSource: "entry point of the held line" {
        /// A file of users.
        Users = "users",
        /// A request of an identity system.
        Scim = "scim",
    }
}

impl HeldSource {
    /// Returns where the line is. A request of an identity system has no line number.
    pub fn place(self, line: i64) -> String {
        match self {
            Self::Users => format!("line {} of a file of users", grouped(line)),
            Self::Scim => "from the identity system".to_owned(),
        }
    }

    /// Returns how often the line arrived.
    pub fn times(self, times: i64) -> String {
        match self {
            Self::Users => counted(times, "import", "imports"),
            Self::Scim => counted(times, "request", "requests"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use KeyKind::{Barcode, Email, ExternalId, UserId};

    #[test]
    fn a_weak_key_holds_only_without_an_external_identifier() {
        for (has_external_id, suppressed, holds) in [
            (true, &[][..], None),
            (false, &[], None),
            (true, &[ExternalId], Some(ExternalId)),
            (true, &[Email, Barcode, ExternalId], Some(ExternalId)),
            (true, &[UserId, Barcode, Email], None),
            (false, &[Email, Barcode], Some(Barcode)),
            (false, &[Email], Some(Email)),
        ] {
            assert_eq!(holding_key(has_external_id, suppressed), holds, "{has_external_id} {suppressed:?}");
        }
    }

    #[test]
    fn two_decisions_create_the_user() {
        let creating: Vec<_> =
            HeldDecision::ALL.into_iter().filter(|decision| decision.creates_user()).collect();
        assert_eq!(creating, [HeldDecision::NewMembership, HeldDecision::DifferentPerson]);
    }
}

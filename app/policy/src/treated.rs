//! Lists what anonymising with a policy removes, generalises and keeps, as stated in a certificate.

use crate::field::{Field, Treatment};
use crate::personal_data::{Column, DataClass, ErasureAction, RowOwner, TABLES, Table};
use crate::policy::Policy;
use serde::{Deserialize, Serialize};

/// Fields by treatment, named as in the register of personal data.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct TreatedFields {
    /// Removed.
    pub removed: Vec<String>,
    /// Generalised.
    pub generalised: Vec<String>,
    /// Kept.
    pub kept: Vec<String>,
    /// Treated as in the run that first anonymised each user.
    pub as_before: Vec<String>,
}

/// The table of staff roles.
const ROLES: &str = "user_roles";

/// Label for the credentials of staff.
const SIGN_IN_OF_STAFF: &str = "Sign-in as a member of staff";

/// Label for custom fields that a policy doesn't keep.
const OTHER_CUSTOM_FIELDS: &str = "Custom fields that are not kept";

impl TreatedFields {
    /// Returns the fields as treated by one policy.
    pub fn from_policy(policy: &Policy) -> Self {
        let mut fields = Self::fixed();
        for field in Field::ALL {
            fields.add(field.label().to_owned(), policy.treatment(field));
        }
        for key in &policy.keep_custom {
            fields.kept.push(format!("Custom field “{key}”"));
        }
        fields.removed.push(OTHER_CUSTOM_FIELDS.to_owned());
        fields
    }

    /// Returns the fields of a run whose users are treated with the policies of earlier runs.
    pub fn of_earlier_runs() -> Self {
        let mut fields = Self::fixed();
        fields.as_before = Field::ALL.iter().map(|field| field.label().to_owned()).collect();
        fields.as_before.push("Custom fields".to_owned());
        fields
    }

    /// Adds the roles and sign-in of a member of staff, which end first.
    #[must_use]
    pub fn with_roles(mut self) -> Self {
        let roles = TABLES.iter().filter(|table| table.name == ROLES).map(|table| table.label.to_owned());
        self.removed.extend(roles);
        self.removed.push(SIGN_IN_OF_STAFF.to_owned());
        self
    }

    /// Returns the fields whose treatment doesn't depend on a policy.
    fn fixed() -> Self {
        let mut fields = Self::default();
        // Roles end only when a member of staff is anonymised: see `with_roles`.
        let owned = TABLES.iter().filter(|table| table.owner != RowOwner::NoUser && table.name != ROLES);
        for table in owned {
            if table.deletes_rows() {
                fields.removed.push(table.label.to_owned());
            } else {
                fields.of_rows_that_stay(table);
            }
        }
        fields
    }

    fn of_rows_that_stay(&mut self, table: &Table) {
        let is_record = table.name == "users";
        if !is_record && table.with_action(ErasureAction::ByCustomField).next().is_none() {
            self.kept.push(table.label.to_owned());
        }
        for column in table.columns {
            let label = if is_record { short(column) } else { format!("{}: {}", table.label, short(column)) };
            match column.action {
                ErasureAction::Clear | ErasureAction::ClearText => self.removed.push(label),
                ErasureAction::Keep if is_record && column.class != DataClass::NotPersonal => {
                    self.kept.push(label);
                }
                _ => {}
            }
        }
    }

    fn add(&mut self, label: String, treatment: Treatment) {
        match treatment {
            Treatment::Remove => self.removed.push(label),
            Treatment::Keep => self.kept.push(label),
            coarser => {
                let how = coarser.label().trim_start_matches("Generalise ");
                self.generalised.push(format!("{label}, {how}"));
            }
        }
    }
}

/// Returns the label of a column without its explanation.
fn short(column: &Column) -> String {
    column.label.split([':', ',']).next().unwrap_or(column.label).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_is_in_exactly_one_list() {
        let policy = Policy {
            fields: [(Field::BirthDate, Treatment::Decade), (Field::Gender, Treatment::Keep)].into(),
            keep_custom: vec!["faculty".to_owned()],
            ..Policy::default()
        };
        let fields = TreatedFields::from_policy(&policy);
        for name in
            ["First name", "Last name", "E-mail", "Barcode", "Photos", "Credentials", "Phone", "Loans: Note"]
        {
            assert!(fields.removed.iter().any(|label| label == name), "{name}: {:?}", fields.removed);
        }
        assert_eq!(fields.generalised.len(), 2, "{:?}", fields.generalised);
        assert_eq!(fields.generalised[0], "Birth date, to the decade");
        for name in ["Gender", "User category", "Loans", "User number", "Custom field “faculty”"] {
            assert!(fields.kept.iter().any(|label| label == name), "{name}: {:?}", fields.kept);
        }
        assert!(fields.as_before.is_empty());
        for field in Field::ALL {
            let all = [&fields.removed, &fields.generalised, &fields.kept];
            let lists = all.iter().filter(|list| list.iter().any(|label| label.starts_with(field.label())));
            assert!(lists.count() >= 1, "{field:?}");
        }
    }

    #[test]
    fn only_staff_lose_roles_and_sign_in() {
        let fields = TreatedFields::from_policy(&Policy::default());
        let staff = fields.clone().with_roles();
        assert_eq!(staff.removed[fields.removed.len()..], ["Roles", "Sign-in as a member of staff"]);
        assert!(!fields.removed.iter().any(|label| label == "Roles"));
    }

    #[test]
    fn a_run_with_earlier_policies_omits_their_treatments() {
        let fields = TreatedFields::of_earlier_runs();
        assert!(fields.removed.iter().any(|label| label == "E-mail"));
        assert!(fields.as_before.iter().any(|label| label == Field::Phone.label()));
        assert!(!fields.kept.iter().any(|label| label == Field::Category.label()));
        assert!(fields.generalised.is_empty());
    }
}

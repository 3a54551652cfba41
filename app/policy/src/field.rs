//! The fields of a user that a policy controls, and the treatments of each.

use serde::{Deserialize, Serialize};

/// The treatment of a field when its user is anonymised.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Treatment {
    /// Removes the value.
    Remove,
    /// Reduces the birth date to its year.
    Year,
    /// Reduces the birth date to its decade.
    Decade,
    /// Reduces the postcode to its district.
    District,
    /// Reduces dates to the first day of their month.
    Month,
    /// Keeps the value.
    Keep,
}

impl Treatment {
    /// All treatments.
    pub const ALL: [Self; 6] =
        [Self::Remove, Self::Year, Self::Decade, Self::District, Self::Month, Self::Keep];

    /// Returns the stable code used in forms and files.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Remove => "remove",
            Self::Year => "year",
            Self::Decade => "decade",
            Self::District => "district",
            Self::Month => "month",
            Self::Keep => "keep",
        }
    }

    /// Returns the label.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Remove => "Remove",
            Self::Year => "Generalise to the year",
            Self::Decade => "Generalise to the decade",
            Self::District => "Generalise to the district",
            Self::Month => "Generalise to the month",
            Self::Keep => "Keep",
        }
    }

    /// Returns the treatment with this code, or `None` if there is none.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|treatment| treatment.code() == code)
    }
}

/// A field of the user record whose treatment the policy sets.
///
/// UserID, first name, last name and e-mail are not among them, because they are always removed.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Field {
    /// Form of address.
    Title,
    /// Middle name.
    MiddleName,
    /// The name that the user prefers.
    PreferredName,
    /// Phone.
    Phone,
    /// Mobile phone.
    Mobile,
    /// Street and house number.
    Address,
    /// Postcode.
    Postcode,
    /// City.
    City,
    /// Country.
    Country,
    /// Birth date.
    BirthDate,
    /// Gender.
    Gender,
    /// Language.
    Language,
    /// User category.
    Category,
    /// Department.
    Department,
    /// Branch.
    Branch,
    /// Date created, leaving date, last activity and date marked for deletion.
    RecordDates,
    /// Free text about the user.
    Notes,
}

/// The group of a field on the form.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum FieldGroup {
    /// Names and forms of address.
    Names,
    /// Contact data.
    Contact,
    /// Data for statistics.
    Profile,
    /// Free text.
    Notes,
}

impl FieldGroup {
    /// All groups, in the order of the form.
    pub const ALL: [Self; 4] = [Self::Names, Self::Contact, Self::Profile, Self::Notes];

    /// Returns the heading of the group.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Names => "Names",
            Self::Contact => "Contact",
            Self::Profile => "Profile",
            Self::Notes => "Notes",
        }
    }
}

impl Field {
    /// All fields, in the order of the form.
    pub const ALL: [Self; 17] = [
        Self::Title,
        Self::MiddleName,
        Self::PreferredName,
        Self::Phone,
        Self::Mobile,
        Self::Address,
        Self::Postcode,
        Self::City,
        Self::Country,
        Self::BirthDate,
        Self::Gender,
        Self::Language,
        Self::Category,
        Self::Department,
        Self::Branch,
        Self::RecordDates,
        Self::Notes,
    ];

    /// Returns the stable code used in forms and files.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Title => "title",
            Self::MiddleName => "middle_name",
            Self::PreferredName => "preferred_name",
            Self::Phone => "phone",
            Self::Mobile => "mobile",
            Self::Address => "address",
            Self::Postcode => "postcode",
            Self::City => "city",
            Self::Country => "country",
            Self::BirthDate => "birth_date",
            Self::Gender => "gender",
            Self::Language => "language",
            Self::Category => "category",
            Self::Department => "department",
            Self::Branch => "branch",
            Self::RecordDates => "record_dates",
            Self::Notes => "notes",
        }
    }

    /// Returns the label.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Title => "Title",
            Self::MiddleName => "Middle name",
            Self::PreferredName => "Preferred name",
            Self::Phone => "Phone",
            Self::Mobile => "Mobile",
            Self::Address => "Street address",
            Self::Postcode => "Postcode",
            Self::City => "City",
            Self::Country => "Country",
            Self::BirthDate => "Birth date",
            Self::Gender => "Gender",
            Self::Language => "Language",
            Self::Category => "User category",
            Self::Department => "Department",
            Self::Branch => "Branch",
            Self::RecordDates => "Dates of the record (created, leaving, last activity, marked for deletion)",
            Self::Notes => "Notes about the user",
        }
    }

    /// Returns the group of the field on the form.
    pub const fn group(self) -> FieldGroup {
        match self {
            Self::Title | Self::MiddleName | Self::PreferredName => FieldGroup::Names,
            Self::Phone | Self::Mobile | Self::Address | Self::Postcode | Self::City | Self::Country => {
                FieldGroup::Contact
            }
            Self::BirthDate
            | Self::Gender
            | Self::Language
            | Self::Category
            | Self::Department
            | Self::Branch
            | Self::RecordDates => FieldGroup::Profile,
            Self::Notes => FieldGroup::Notes,
        }
    }

    /// Returns the possible treatments of the field.
    pub const fn treatments(self) -> &'static [Treatment] {
        match self {
            Self::BirthDate => &[Treatment::Remove, Treatment::Decade, Treatment::Year, Treatment::Keep],
            Self::Postcode => &[Treatment::Remove, Treatment::District, Treatment::Keep],
            Self::RecordDates => &[Treatment::Remove, Treatment::Month, Treatment::Keep],
            _ => &[Treatment::Remove, Treatment::Keep],
        }
    }

    /// Returns the treatment in a new task: removes identifying data, keeps what statistics need.
    pub const fn default_treatment(self) -> Treatment {
        match self {
            Self::Category | Self::Department | Self::Branch => Treatment::Keep,
            Self::RecordDates => Treatment::Month,
            _ => Treatment::Remove,
        }
    }

    /// Returns the field with this code, or `None` if there is none.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.code() == code)
    }
}

/// Values that anonymising always removes, regardless of the policy, with the reason.
pub const ALWAYS_REMOVED: [(&str, &str); 4] = [
    ("UserID", "It is the login name of one person."),
    ("First name", "It names the person. It is replaced by a random name."),
    ("Last name", "It names the person. It is replaced by a random name."),
    ("E-mail", "It reaches one person. It is emptied, so that no message is ever sent."),
];

/// The credentials and links that are always removed too.
pub const ALWAYS_REMOVED_TOO: &str = "Password, sessions, tokens, barcode, external identifiers, photo and \
                                      the link to a guarantor are always removed too.";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_can_be_removed_kept_and_named() {
        for field in Field::ALL {
            assert_eq!(Field::from_code(field.code()), Some(field));
            assert!(field.treatments().contains(&Treatment::Remove), "{field:?}");
            assert!(field.treatments().contains(&Treatment::Keep), "{field:?}");
            assert!(field.treatments().contains(&field.default_treatment()), "{field:?}");
        }
        for treatment in Treatment::ALL {
            assert_eq!(Treatment::from_code(treatment.code()), Some(treatment));
        }
    }
}

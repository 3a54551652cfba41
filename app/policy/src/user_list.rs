//! The list of a user search, as a member of staff has arranged it.

use crate::stored::coded_enum;

coded_enum! {
    /// A column that staff can show or hide. User number and name are always shown.
    #[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
    pub enum UserColumn: "column of the user list" {
        /// `UserID`.
        UserId = "user_id",
        /// E-mail.
        Email = "email",
        /// Barcode.
        Barcode = "barcode",
        /// Phone or mobile.
        Phone = "phone",
        /// Birth date.
        BirthDate = "birth_date",
        /// City.
        City = "city",
        /// User category.
        Category = "category",
        /// Department.
        Department = "department",
        /// Branch.
        Branch = "branch",
        /// Leaving date.
        Leaving = "leaving",
        /// Last activity.
        Activity = "activity",
        /// Staff, fictitious, marked, anonymised, not imported.
        State = "state",
    }
}

impl UserColumn {
    /// Returns the heading.
    pub const fn label(self) -> &'static str {
        match self {
            Self::UserId => "UserID",
            Self::Email => "E-mail",
            Self::Barcode => "Barcode",
            Self::Phone => "Phone",
            Self::BirthDate => "Birth date",
            Self::City => "City",
            Self::Category => "User category",
            Self::Department => "Department",
            Self::Branch => "Branch",
            Self::Leaving => "Leaving date",
            Self::Activity => "Last activity",
            Self::State => "State",
        }
    }
}

/// The numbers of users that a page can have.
pub const PAGE_SIZES: [u64; 3] = [25, 50, 100];

/// The columns and the length of a page.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct UserListLayout {
    /// The columns, in the order of [`UserColumn`].
    pub columns: Vec<UserColumn>,
    /// The number of users on a page.
    pub rows: u64,
}

impl Default for UserListLayout {
    fn default() -> Self {
        use UserColumn::{Activity, Category, Email, Leaving, State, UserId};
        Self { columns: vec![UserId, Email, Category, Leaving, Activity, State], rows: 50 }
    }
}

impl UserListLayout {
    /// Returns the columns as they are stored: their codes, with commas.
    pub fn codes(&self) -> String {
        self.columns.iter().map(|column| column.code()).collect::<Vec<_>>().join(",")
    }

    /// Reads a stored layout. Ignores columns of another version of Lethe.
    pub fn stored(codes: &str, rows: i32) -> Self {
        let columns =
            UserColumn::ALL.into_iter().filter(|column| codes.split(',').any(|code| code == column.code()));
        let rows = u64::try_from(rows).ok().filter(|rows| PAGE_SIZES.contains(rows));
        Self { columns: columns.collect(), rows: rows.unwrap_or(Self::default().rows) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_layout_is_read_as_it_was_stored() {
        let layout = UserListLayout { columns: vec![UserColumn::Email, UserColumn::State], rows: 25 };
        assert_eq!(layout.codes(), "email,state");
        assert_eq!(UserListLayout::stored("state,email,later", 25), layout);
        assert_eq!(UserListLayout::stored("", 7), UserListLayout { columns: Vec::new(), rows: 50 });
    }
}

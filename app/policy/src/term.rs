//! The kinds of codes that the library defines.

use crate::stored::{coded_enum, part_of_key};

coded_enum! {
    /// The meaning of a code of the library.
    #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
    pub enum TermKind: "kind of the term" {
        /// A user category.
        Category = "category",
        /// A department.
        Department = "department",
        /// A branch.
        Branch = "branch",
    }
}

part_of_key!(TermKind);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::user_field::{FieldKind, USER_FIELDS};

    #[test]
    fn every_field_with_a_term_names_its_kind() {
        for field in USER_FIELDS.iter().filter(|field| field.kind == FieldKind::Term) {
            assert!(TermKind::from_code(field.name).is_some(), "{}", field.name);
        }
    }
}

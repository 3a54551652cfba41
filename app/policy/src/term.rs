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

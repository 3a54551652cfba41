//! Names of the columns that the export writes: those that the import reads, so that every export can be imported.

use policy::import_profile::{FileKind, targets};

/// User columns that say what only the database knows. The import ignores them or skips their line.
pub(super) const USER_EXPORT_ONLY: [&str; 4] = ["user_number", "imported", "roles", "anonymised_on"];

/// A second way to name a guarantor, for files of systems that know no UserID. The export has the UserID.
const USER_IMPORT_ONLY: &str = "guarantor_external_id";

/// Returns the other user columns, in export order.
pub(super) fn user() -> impl Iterator<Item = &'static str> {
    let is_written = |name: &&str| !USER_EXPORT_ONLY.contains(name) && *name != USER_IMPORT_ONLY;
    targets(FileKind::Users).map(|target| target.name).filter(is_written)
}

/// Returns the loan columns, in export order.
pub(super) fn loan() -> impl Iterator<Item = &'static str> {
    targets(FileKind::Loans).map(|target| target.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_formats_describe_every_column() {
        let formats = include_str!("../../../docs/file-formats.md");
        for column in FileKind::ALL.into_iter().flat_map(targets).map(|target| target.name) {
            assert!(formats.contains(&format!("`{column}`")), "{column}");
        }
    }

    #[test]
    fn the_columns_of_the_database_are_read_by_the_import() {
        for column in USER_EXPORT_ONLY {
            assert!(targets(FileKind::Users).any(|target| target.name == column), "{column}");
        }
    }
}

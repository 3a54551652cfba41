//! The labels of fields that an import changes.

use super::{CUSTOM, FileKind, label_of};

/// Returns the label of a field that an import changes: the name of its column, or `custom.KEY`.
///
/// A column has the same label in all kinds of files.
pub fn field_label(column: &str) -> String {
    match column {
        "guarantor_number" => "Guarantor".to_owned(),
        "cents" => "Amount".to_owned(),
        _ => match column.strip_prefix(CUSTOM) {
            Some(key) => format!("Custom field {key}"),
            None => label_of(FileKind::Users, column),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_has_the_label_of_its_form() {
        assert_eq!(field_label("last_name"), "Last name");
        assert_eq!(field_label("due_on"), "Due");
        assert_eq!(field_label("custom.house"), "Custom field house");
    }
}

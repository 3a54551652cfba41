//! The labels of fields that an import changes.

use super::CUSTOM;
use crate::user_field::USER_FIELDS;

/// Labels of columns that are not in the table of user fields.
const OTHER_LABELS: &[(&str, &str)] = &[
    ("created_on", "Created"),
    ("last_activity_on", "Last activity"),
    ("marked_on", "Marked for deletion"),
    ("imported", "Imported"),
    ("guarantor_number", "Guarantor"),
    ("issued_on", "Issued"),
    ("due_on", "Due"),
    ("returned_on", "Returned"),
    ("renewals", "Renewals"),
    ("note", "Note"),
    ("return_note", "Return note"),
    ("status", "Status"),
    ("closed_on", "Closed"),
    ("cancel_reason", "Reason for cancelling"),
    ("settled_on", "Settled"),
    ("cents", "Amount"),
];

/// Returns the label of a field that an import changes: the name of its column, or `custom.KEY`.
pub fn field_label(column: &str) -> String {
    if let Some(key) = column.strip_prefix(CUSTOM) {
        return format!("Custom field {key}");
    }
    let of_user = USER_FIELDS.iter().find(|field| field.name == column).map(|field| field.label);
    let other = || OTHER_LABELS.iter().find(|(name, _)| *name == column).map(|(_, label)| *label);
    of_user.or_else(other).unwrap_or(column).to_owned()
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

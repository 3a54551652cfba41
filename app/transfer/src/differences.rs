//! The changes by an import: the number of lines that change each field, and the first new and changed lines.
//!
//! Differences name fields, never values, because the history of imports keeps them.

use super::import_history::ReportLine;
use policy::import::LineOutcome;
use policy::import_profile::{CUSTOM, field_label};
use policy::personal_data::DERIVED_USER_COLUMNS;
use sea_orm::{ColumnTrait, EntityTrait, IdenStatic as _, Iterable as _, ModelTrait};
use std::collections::BTreeMap;

/// Maximum number of new lines, and of changed lines, that a check shows.
const MAX_SHOWN: usize = 10;

/// The column that counts the changes of a record.
const VERSION: &str = "version";

/// Collects differences.
#[derive(Debug, Default)]
pub(super) struct Differences {
    /// Number of changes by field.
    fields: BTreeMap<String, u64>,
    new: Vec<ReportLine>,
    changed: Vec<ReportLine>,
}

impl Differences {
    /// Adds a line that creates a record.
    pub(super) fn add_new(&mut self, line: u64) {
        if self.new.len() < MAX_SHOWN {
            self.new.push(report_line(line, LineOutcome::New, String::new()));
        }
    }

    /// Adds a line that changes these fields.
    pub(super) fn add_changed(&mut self, line: u64, fields: &[String]) {
        if self.changed.len() < MAX_SHOWN {
            let labels: Vec<String> = fields.iter().map(|field| field_label(field)).collect();
            self.changed.push(report_line(line, LineOutcome::Changed, labels.join(", ")));
        }
        for field in fields {
            match self.fields.get_mut(field) {
                Some(count) => *count += 1,
                None => self.count(field, 1),
            }
        }
    }

    /// Counts further changes of a field.
    pub(super) fn count(&mut self, field: &str, changes: u64) {
        if changes > 0 {
            *self.fields.entry(field.to_owned()).or_default() += changes;
        }
    }

    /// Returns the number of changes by field, and the first lines in file order.
    pub(super) fn finish(self) -> (BTreeMap<String, u64>, Vec<ReportLine>) {
        let mut lines = self.new;
        lines.extend(self.changed);
        lines.sort_by_key(|line| line.line);
        (self.fields, lines)
    }
}

fn report_line(line: u64, outcome: LineOutcome, message: String) -> ReportLine {
    ReportLine { line, outcome, column: None, message }
}

/// Returns the names of the columns that differ, without those that follow from others.
pub(super) fn changed_columns<M: ModelTrait>(before: &M, after: &M) -> Vec<String>
where
    <M::Entity as EntityTrait>::Column: ColumnTrait,
{
    <M::Entity as EntityTrait>::Column::iter()
        .filter(|column| column.as_str() != VERSION && !DERIVED_USER_COLUMNS.contains(&column.as_str()))
        .filter(|column| before.get(*column) != after.get(*column))
        .map(|column| column.as_str().to_owned())
        .collect()
}

/// Returns the custom fields whose values differ.
pub(super) fn changed_custom_fields(
    before: &BTreeMap<String, String>,
    after: &BTreeMap<String, String>,
) -> Vec<String> {
    let keys = before.keys().chain(after.keys().filter(|key| !before.contains_key(*key)));
    keys.filter(|key| before.get(*key) != after.get(*key)).map(|key| format!("{CUSTOM}{key}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use db::entity::users;

    #[test]
    fn changed_columns_are_named_without_their_keys() {
        let before = users::Model::blank(1, "one".to_owned());
        let mut after = before.clone();
        after.last_name = Some("Ng".to_owned());
        after.user_id = Some("ng1".to_owned());
        after.derive();
        assert_eq!(changed_columns(&before, &after), ["user_id", "last_name"]);
    }

    #[test]
    fn changed_custom_fields_are_new_lost_or_different() {
        let values = |pairs: &[(&str, &str)]| {
            pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
        };
        let changed = changed_custom_fields(
            &values(&[("house", "a"), ("lost", "b"), ("same", "c")]),
            &values(&[("house", "d"), ("new", "e"), ("same", "c")]),
        );
        assert_eq!(changed, ["custom.house", "custom.lost", "custom.new"]);
    }

    #[test]
    fn only_the_first_lines_are_kept_and_all_are_counted() {
        let mut differences = Differences::default();
        for line in (1..=30).rev() {
            differences.add_new(line);
            differences.add_changed(line + 100, &["email".to_owned(), "city".to_owned()]);
        }
        let (fields, lines) = differences.finish();
        assert_eq!(fields, [("city".to_owned(), 30), ("email".to_owned(), 30)].into());
        assert_eq!(lines.len(), 2 * MAX_SHOWN);
        assert_eq!(lines.last().map(|line| line.message.as_str()), Some("E-mail, City"));
    }
}

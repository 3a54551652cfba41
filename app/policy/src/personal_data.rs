//! The register of personal data: the classification of every column of every table, and how anonymising changes
//! it.
//!
//! The anonymiser, the field settings, the residue search, the access export and the page of the register read it.
//! A test compares it with the schema of the migrated database, so that a missing column fails the build.

mod access_request_tables;
mod api_tables;
mod circulation_tables;
mod evidence_tables;
mod import_tables;
mod library_tables;
mod notification_tables;
mod run_tables;
mod search_tables;
mod sign_in_tables;
mod suppression_tables;
mod tables;
mod user_links;
mod user_tables;

use crate::field::Field;
pub use tables::TABLES;
pub use user_links::{LinkMerge, LinkRole, USER_LINKS, UserLink};
pub use user_tables::DERIVED_USER_COLUMNS;

/// The class of a column.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum DataClass {
    /// Identifies one person alone.
    Identifier,
    /// Can identify one person in combination with other data.
    QuasiIdentifier,
    /// May contain anything, including data about other people.
    FreeText,
    /// Serves to authenticate.
    Credential,
    /// Refers to a user.
    Link,
    /// Contains no personal data.
    NotPersonal,
}

impl DataClass {
    /// Returns the label.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Identifier => "identifier",
            Self::QuasiIdentifier => "quasi-identifier",
            Self::FreeText => "free text",
            Self::Credential => "credential",
            Self::Link => "link",
            Self::NotPersonal => "not personal",
        }
    }
}

/// The effect of anonymising on a column of the user.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ErasureAction {
    /// Keeps the value, because it isn't personal or statistics need it.
    Keep,
    /// Empties it.
    Clear,
    /// Empties it, or replaces it by the mark of [`crate::NoteTreatment`] if the policy says so and it had a value.
    ClearText,
    /// Applies the policy's treatment of this field.
    ByPolicy(Field),
    /// Deletes the row, unless the policy keeps its custom field.
    ByCustomField,
    /// Sets the random replacement name.
    Replace,
    /// Records that the user was anonymised, and under which rules.
    Note,
    /// Deletes the whole row.
    DeleteRow,
}

impl ErasureAction {
    /// Returns the label.
    pub fn label(self) -> String {
        match self {
            Self::Keep => "kept".to_owned(),
            Self::Clear => "removed".to_owned(),
            Self::ClearText => "removed (the task sets whether “(note removed)” is left)".to_owned(),
            Self::ByPolicy(field) => format!("as set in the task for “{}”", field.label()),
            Self::ByCustomField => "as set in the task for the custom field; removed unless kept".to_owned(),
            Self::Replace => "set to the random name".to_owned(),
            Self::Note => "set by Lethe".to_owned(),
            Self::DeleteRow => "deleted with its row".to_owned(),
        }
    }
}

/// The relation of a table's rows to a user.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum RowOwner {
    /// They belong to no user.
    NoUser,
    /// They belong to the user with the number in this column.
    User(&'static str),
    /// They belong to the loan with the id in this column.
    Loan(&'static str),
}

/// A column.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// Name in the database.
    pub name: &'static str,
    /// Class.
    pub class: DataClass,
    /// The effect of anonymising on it.
    pub action: ErasureAction,
    /// Label. For personal data that is kept, it includes the reason.
    pub label: &'static str,
}

const fn entry(name: &'static str, class: DataClass, action: ErasureAction, label: &'static str) -> Column {
    Column { name, class, action, label }
}

/// A table.
#[derive(Clone, Copy, Debug)]
pub struct Table {
    /// Name in the database.
    pub name: &'static str,
    /// Label.
    pub label: &'static str,
    /// The relation of its rows to a user.
    pub owner: RowOwner,
    /// All columns.
    pub columns: &'static [Column],
}

impl Table {
    /// Returns whether its rows are deleted with their user.
    pub fn deletes_rows(&self) -> bool {
        self.columns.iter().any(|column| column.action == ErasureAction::DeleteRow)
    }

    /// Returns the columns with this action.
    pub fn with_action(&self, action: ErasureAction) -> impl Iterator<Item = &'static Column> {
        self.columns.iter().filter(move |column| column.action == action)
    }
}

/// A location outside the tables that may contain personal data.
#[derive(Clone, Copy, Debug)]
pub struct StorageLocation {
    /// Description of the location.
    pub label: &'static str,
    /// Class of the data that it may contain.
    pub class: DataClass,
    /// The protection or removal of the data.
    pub rule: &'static str,
}

/// All locations outside the tables that may contain personal data.
pub const STORAGE_LOCATIONS: [StorageLocation; 13] = [
    StorageLocation {
        label: "Notifications (e-mail and webhooks)",
        class: DataClass::NotPersonal,
        rule: "Contain numbers of runs, tasks, requests and legal holds; no names. The address of a member of staff \
               is read when the mail is sent, and stored in no queue and no log.",
    },
    StorageLocation {
        label: "Announcements of anonymising (e-mail)",
        class: DataClass::Identifier,
        rule: "The e-mail is composed when it is sent, from the current record, and given to the mail server of the \
               library only. Address, text and link are stored in no table, queue or log.",
    },
    StorageLocation {
        label: "Server log (standard error)",
        class: DataClass::NotPersonal,
        rule: "Contains codes, numbers and times; never field values, queries or forms.",
    },
    StorageLocation {
        label: "Search addresses (browser history at the desk)",
        class: DataClass::Identifier,
        rule: "Search terms appear in the address only in encrypted form. Only the same member of staff, \
               signed in, can open it.",
    },
    StorageLocation {
        label: "Exports (CSV, JSON)",
        class: DataClass::Identifier,
        rule: "Written directly to the browser or to the file named on the command line. The server keeps no \
               copy.",
    },
    StorageLocation {
        label: "Imported files",
        class: DataClass::Identifier,
        rule: "A file uploaded to the page Import is kept in a private folder, with what was detected in it, until \
               it is imported or dismissed, for 24 hours at most, then overwritten and deleted. A file named on the command line or in a \
               watched folder is read where it is and never copied. Delete it after use.",
    },
    StorageLocation {
        label: "Task files (tasks export)",
        class: DataClass::NotPersonal,
        rule: "Contain settings and schedule, without the owner.",
    },
    StorageLocation {
        label: "Database files (SQLite file and write-ahead log, PostgreSQL relation files)",
        class: DataClass::Identifier,
        rule: "SQLite overwrites removed values (secure_delete), and Lethe truncates its log after each run. \
               PostgreSQL frees their space after each run. Single old copies can remain in free space until \
               the files are rewritten (lethe vacuum --full).",
    },
    StorageLocation {
        label: "Backups (lethe backup) and the temporary copies of a restore drill",
        class: DataClass::Identifier,
        rule: "Managed by the administrator: backups keep old values until they expire. After a restore \
               Lethe anonymises every user in the ledger again before it serves any page. A drill deletes \
               its copy when it ends.",
    },
    StorageLocation {
        label: "Ledger (file outside the database)",
        class: DataClass::Link,
        rule: "Identifies each anonymised user by the random key of the record and a fingerprint of key and \
               user number, with day and settings. Contains no names and no user numbers. Kept outside the \
               database backups, for as long as the oldest of them.",
    },
    StorageLocation {
        label: "Audit anchors (file outside the database)",
        class: DataClass::NotPersonal,
        rule: "Contain the number of events on each day and an authentication code, which reveals nothing.",
    },
    StorageLocation {
        label: "Key that signs certificates and chains the audit (file outside the database)",
        class: DataClass::NotPersonal,
        rule: "Not about any person. Anyone who has it can sign certificates and forge the audit.",
    },
    StorageLocation {
        label: "Key of the suppression list (file outside the database)",
        class: DataClass::NotPersonal,
        rule: "Not about any person. Anyone who has it and the database can test whether an identifier belonged to an \
               anonymised user. Once it is destroyed, with all its copies, this is impossible.",
    },
];

/// Returns the table with this name.
pub fn table(name: &str) -> Option<&'static Table> {
    TABLES.iter().find(|table| table.name == name)
}

/// Returns the entry of a column.
pub fn column(table_name: &str, name: &str) -> Option<&'static Column> {
    table(table_name)?.columns.iter().find(|column| column.name == name)
}

/// Returns the differences between schema and register. `schema` contains all tables of the database with their
/// columns.
pub fn differences<'a>(
    registered: &[Table],
    schema: impl IntoIterator<Item = (&'a str, &'a [String])>,
) -> Vec<String> {
    let schema: Vec<(&str, &[String])> = schema.into_iter().collect();
    let mut found = Vec::new();
    for (name, columns) in &schema {
        let Some(table) = registered.iter().find(|table| table.name == *name) else {
            found.push(format!("table {name} is not in the register"));
            continue;
        };
        for column in *columns {
            if !table.columns.iter().any(|entry| entry.name == column) {
                found.push(format!("column {name}.{column} is not in the register"));
            }
        }
        for entry in table.columns {
            if !columns.iter().any(|column| column == entry.name) {
                found.push(format!("column {name}.{} is in the register but not in the schema", entry.name));
            }
        }
    }
    for table in registered {
        if !schema.iter().any(|(name, _)| *name == table.name) {
            found.push(format!("table {} is in the register but not in the schema", table.name));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_credentials_and_free_text_are_never_kept() {
        for table in TABLES.iter().filter(|table| table.owner != RowOwner::NoUser) {
            for column in table.columns {
                let stays = column.action == ErasureAction::Keep;
                let must_go = matches!(
                    column.class,
                    DataClass::Identifier | DataClass::Credential | DataClass::FreeText
                );
                assert!(!(stays && must_go), "{}.{}", table.name, column.name);
            }
        }
    }

    #[test]
    fn every_policy_field_has_a_column_and_only_whole_rows_are_deleted() {
        for field in Field::ALL {
            let columns = TABLES.iter().flat_map(|table| table.columns);
            assert!(
                columns.clone().any(|column| column.action == ErasureAction::ByPolicy(field)),
                "{field:?}"
            );
        }
        for table in TABLES {
            let deleted = table.with_action(ErasureAction::DeleteRow).count();
            assert!(deleted == 0 || deleted == table.columns.len(), "{}", table.name);
            if let RowOwner::User(column) | RowOwner::Loan(column) = table.owner {
                assert!(table.columns.iter().any(|entry| entry.name == column), "{}", table.name);
            }
        }
    }

    #[test]
    fn differences_are_detected_in_both_directions() {
        let schema: Vec<(&str, Vec<String>)> = TABLES
            .iter()
            .map(|table| (table.name, table.columns.iter().map(|column| column.name.to_owned()).collect()))
            .collect();
        let compare = |schema: &[(&str, Vec<String>)]| {
            differences(TABLES, schema.iter().map(|(name, columns)| (*name, columns.as_slice())))
        };
        assert_eq!(compare(&schema), Vec::<String>::new());

        let mut more = schema.clone();
        more[0].1.push("nickname".to_owned());
        assert_eq!(compare(&more), [format!("column {}.nickname is not in the register", more[0].0)]);
        let mut less = schema.clone();
        let gone = less[0].1.pop().expect("a column");
        assert_eq!(
            compare(&less),
            [format!("column {}.{gone} is in the register but not in the schema", less[0].0)]
        );
        let mut table = schema;
        table.push(("nicknames", vec!["nickname".to_owned()]));
        assert_eq!(compare(&table), ["table nicknames is not in the register"]);
    }
}

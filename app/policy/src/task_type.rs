//! The task types, and the settings of each.

use crate::announcement::AnnouncementSettings;
use crate::import_settings::ImportSettings;
use crate::numbers::counted;
use crate::policy::Policy;
use crate::policy_reach::extends_beyond;
use crate::stored::{Stored, coded_enum};
use serde::{Deserialize, Serialize};

coded_enum! {
    /// A category of the task centre: the first of the two dropdowns that choose a task type.
    #[derive(Clone, Copy, Debug, Eq, PartialEq)]
    pub enum TaskCategory: "category of the task" {
        /// Tasks that change or remove stored data.
        DataMaintenance = "data_maintenance",
        /// Tasks that write to users.
        Notifications = "notifications",
    }
}

impl TaskCategory {
    /// Returns the label.
    pub const fn label(self) -> &'static str {
        match self {
            Self::DataMaintenance => "Data maintenance",
            Self::Notifications => "Notifications",
        }
    }
}

coded_enum! {
    /// A task type: what a task does in its runs.
    #[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
    #[serde(rename_all = "snake_case")]
    pub enum TaskType: "type of the task" {
        /// Anonymises the users that a policy selects.
        AnonymiseUserData = "anonymise_user_data",
        /// Imports the files of a folder.
        ImportUsers = "import_users",
        /// Sends an e-mail to users before they are anonymised.
        AnnounceAnonymising = "announce_anonymising",
    }
}

impl TaskType {
    /// Returns the label.
    pub const fn label(self) -> &'static str {
        match self {
            Self::AnonymiseUserData => "Anonymise user data",
            Self::ImportUsers => "Import users",
            Self::AnnounceAnonymising => "Announce anonymising",
        }
    }

    /// Returns what the runs of the type process: `1 user`, `2 lines`.
    pub fn counted(self, count: i64) -> String {
        match self {
            Self::AnonymiseUserData | Self::AnnounceAnonymising => counted(count, "user", "users"),
            Self::ImportUsers => counted(count, "line", "lines"),
        }
    }

    /// Returns the category that contains the type.
    pub const fn category(self) -> TaskCategory {
        match self {
            Self::AnonymiseUserData | Self::ImportUsers => TaskCategory::DataMaintenance,
            Self::AnnounceAnonymising => TaskCategory::Notifications,
        }
    }
}

/// The settings of a task, which differ by its type.
///
/// [`TaskSettings::policy`] marks the code that serves one type only.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(
    feature = "db",
    derive(sea_orm::DeriveValueType),
    sea_orm(value_type = "String", from_str = "crate::stored::from_json", to_str = "crate::stored::to_json")
)]
pub enum TaskSettings {
    /// The users to anonymise, and the treatment of each field.
    AnonymiseUserData(Policy),
    /// The files to import, the options, and the limits that stop the import.
    ImportUsers(ImportSettings),
    /// Which users get an e-mail before they are anonymised, and its text.
    AnnounceAnonymising(AnnouncementSettings),
}

impl Stored for TaskSettings {
    const NAME: &'static str = "settings of the task";
}

impl TaskSettings {
    /// Returns the type of the task.
    pub const fn task_type(&self) -> TaskType {
        match self {
            Self::AnonymiseUserData(_) => TaskType::AnonymiseUserData,
            Self::ImportUsers(_) => TaskType::ImportUsers,
            Self::AnnounceAnonymising(_) => TaskType::AnnounceAnonymising,
        }
    }

    /// Returns the policy of a task that anonymises, or `None` for another type.
    pub const fn policy(&self) -> Option<&Policy> {
        match self {
            Self::AnonymiseUserData(policy) => Some(policy),
            Self::ImportUsers(_) | Self::AnnounceAnonymising(_) => None,
        }
    }

    /// Returns whether these settings go beyond confirmed ones, so that a run with them must be confirmed again.
    pub fn extends_beyond(&self, confirmed: &Self) -> bool {
        match (self, confirmed) {
            (Self::AnonymiseUserData(policy), Self::AnonymiseUserData(confirmed)) => {
                extends_beyond(policy, confirmed)
            }
            (Self::ImportUsers(settings), Self::ImportUsers(confirmed)) => settings.extend_beyond(confirmed),
            (Self::AnnounceAnonymising(settings), Self::AnnounceAnonymising(confirmed)) => {
                settings.extend_beyond(confirmed)
            }
            // The task has another type now.
            _ => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_category_is_empty() {
        for category in TaskCategory::ALL {
            assert!(TaskType::ALL.iter().any(|task_type| task_type.category() == category), "{category:?}");
        }
    }
}

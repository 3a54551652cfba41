//! The task types, and the settings of each.

use crate::policy::Policy;
use serde::{Deserialize, Serialize};

/// A category of the task centre: the first of the two dropdowns that choose a task type.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum TaskCategory {
    /// Tasks that change or remove stored data.
    DataMaintenance,
}

impl TaskCategory {
    /// All categories, in form order.
    pub const ALL: [Self; 1] = [Self::DataMaintenance];

    /// Returns the stable code used in forms.
    pub const fn code(self) -> &'static str {
        match self {
            Self::DataMaintenance => "data_maintenance",
        }
    }

    /// Returns the label.
    pub const fn label(self) -> &'static str {
        match self {
            Self::DataMaintenance => "Data maintenance",
        }
    }

    /// Returns the category with this code, or `None` if there is none.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|category| category.code() == code)
    }
}

/// A task type: what a task does in its runs.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskType {
    /// Anonymises the users that a policy selects.
    AnonymiseUserData,
}

impl TaskType {
    /// All types, in form order.
    pub const ALL: [Self; 1] = [Self::AnonymiseUserData];

    /// Returns the stable code, stored and used in forms and filters.
    pub const fn code(self) -> &'static str {
        match self {
            Self::AnonymiseUserData => "anonymise_user_data",
        }
    }

    /// Returns the label.
    pub const fn label(self) -> &'static str {
        match self {
            Self::AnonymiseUserData => "Anonymise user data",
        }
    }

    /// Returns the category that contains the type.
    pub const fn category(self) -> TaskCategory {
        match self {
            Self::AnonymiseUserData => TaskCategory::DataMaintenance,
        }
    }

    /// Returns the type with this code, or `None` if there is none.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|task_type| task_type.code() == code)
    }
}

/// The settings of a task, which differ by its type.
///
/// `let TaskSettings::AnonymiseUserData(policy) = settings;` marks the code that serves one type only. With a second
/// type, the compiler rejects each of these lines.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskSettings {
    /// Who is anonymised, and what happens to each field.
    AnonymiseUserData(Policy),
}

impl TaskSettings {
    /// Returns the type of the task.
    pub const fn task_type(&self) -> TaskType {
        match self {
            Self::AnonymiseUserData(_) => TaskType::AnonymiseUserData,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_lead_back() {
        for task_type in TaskType::ALL {
            assert_eq!(TaskType::from_code(task_type.code()), Some(task_type));
        }
        for category in TaskCategory::ALL {
            assert_eq!(TaskCategory::from_code(category.code()), Some(category));
            assert!(
                TaskType::ALL.iter().any(|task_type| task_type.category() == category),
                "an empty category"
            );
        }
    }
}

//! The task form: its input and the validated result.
//!
//! The browser calls [`validate`] on every keystroke, and the server calls it again.

mod announcing;
mod anonymising;
mod importing;
mod when;

pub use anonymising::conditions_so_far;
use when::{DEFAULT_MONTH_DAY, DEFAULT_TIME, schedule};
pub use when::{SCHEDULE_KINDS, ScheduleField, kinds_with, schedule_so_far};

use crate::form::{FieldErrors, Problem};
use crate::ids::UserNumber;
use crate::import_settings::ImportSettings;
use crate::marked_number::typed_user_number;
use crate::policy::Policy;
use crate::schedule::{MisfirePolicy, Schedule};
use crate::stored::coded_enum;
use crate::task_type::{TaskCategory, TaskSettings, TaskType};
use crate::text;
use chrono::NaiveDateTime;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Maximum number of runs in the preview of a schedule.
pub const NEXT_RUNS: usize = 5;

coded_enum! {
    /// Which staff see a task.
    #[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
    #[serde(rename_all = "snake_case")]
    pub enum Visibility: "visibility of the task" {
        /// All staff who may see tasks.
        #[default]
        Shared = "shared",
        /// Only its owner.
        Private = "private",
    }
}

impl Visibility {
    /// Returns the label.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Shared => "Shared: all staff with access to tasks",
            Self::Private => "Private: the owner only",
        }
    }
}

/// The form as entered. It isn't validated, so that it can be shown again with the same input.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
#[allow(clippy::struct_excessive_bools, reason = "each is a tick of the form")]
pub struct TaskForm {
    /// Number of the edited task; empty for a new one.
    pub id: String,
    /// Version of the task when the form was opened; empty for a new one.
    pub version: String,
    /// Description.
    pub description: String,
    /// Whether the task runs by its schedule.
    pub active: bool,
    /// Code of [`Visibility`].
    pub visibility: String,
    /// User number of the owner; may be empty.
    pub owner: String,
    /// Code of the category.
    pub category: String,
    /// Code of the task type.
    pub task_type: String,
    /// Code of [`Treatment`](crate::Treatment) by code of [`Field`](crate::Field).
    pub fields: BTreeMap<String, String>,
    /// `remove` or `keep` by key of a custom field.
    pub custom: BTreeMap<String, String>,
    /// Code of [`Scope`](crate::Scope).
    pub scope: String,
    /// Whether the leaving date is a condition.
    pub by_leaving: bool,
    /// Days since the leaving date.
    pub leaving_days: String,
    /// Whether the last activity is a condition.
    pub by_activity: bool,
    /// Days since the last activity.
    pub activity_days: String,
    /// Whether the mark for deletion is a condition.
    pub by_marked: bool,
    /// Days since the user was marked for deletion.
    pub marked_days: String,
    /// Code of [`NoteTreatment`](crate::NoteTreatment).
    pub circulation_notes: String,
    /// Code of [`FileKind`](crate::import_profile::FileKind).
    pub file_kind: String,
    /// Code of the import profile.
    pub profile: String,
    /// Path below the folder of imports; may be empty.
    pub folder: String,
    /// Pattern of the file names.
    pub file_pattern: String,
    /// Code of [`ImportMode`](crate::import_options::ImportMode).
    pub import_mode: String,
    /// Code of [`EmptyCells`](crate::import_options::EmptyCells).
    pub empty_cells: String,
    /// Code of [`Absence`](crate::import_options::Absence).
    pub absence: String,
    /// Per cent by code of [`ImportLimit`](crate::import_limits::ImportLimit); empty for no limit.
    pub limits: BTreeMap<String, String>,
    /// Code of [`ImportedFile`](crate::import_settings::ImportedFile).
    pub imported_file: String,
    /// Number of the task whose users are announced.
    pub announced_task: String,
    /// Days before the anonymising.
    pub days_before: String,
    /// Subject of the e-mail.
    pub mail_subject: String,
    /// Text of the e-mail.
    pub mail_text: String,
    /// Code of [`SCHEDULE_KINDS`].
    pub schedule: String,
    /// Date of a one-time run.
    pub once_date: String,
    /// Time of day, for all schedules except cron.
    pub time: String,
    /// Days of a weekly run, by code of [`Weekday`](crate::schedule::Weekday).
    pub weekdays: BTreeMap<String, bool>,
    /// `1` to `31` or `last`.
    pub month_day: String,
    /// Cron expression.
    pub cron: String,
    /// Code of [`MisfirePolicy`].
    pub missed: String,
}

/// A validated task form.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TaskDraft {
    /// Number and version of the edited task, or `None` for a new one.
    pub edited: Option<(i64, i32)>,
    /// Description.
    pub description: String,
    /// Whether the task runs by its schedule.
    pub active: bool,
    /// Which staff see it.
    pub visibility: Visibility,
    /// The owner.
    pub owner: Option<UserNumber>,
    /// The settings of its type.
    pub settings: TaskSettings,
    /// When it starts automatically.
    pub schedule: Schedule,
    /// The treatment of missed runs.
    pub missed: MisfirePolicy,
    /// A notice to show before saving.
    pub notice: Option<Notice>,
}

/// A notice to show before saving, which isn't an error.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Notice {
    /// A one-time date in the past (rule 13).
    PastDate,
}

impl Notice {
    /// Returns the label.
    pub const fn label(self) -> &'static str {
        match self {
            Self::PastDate => {
                "This date is in the past. The task will be saved as Manual only and will never start \
                 automatically."
            }
        }
    }
}

/// The tabs of the form.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Tab {
    /// Description, active, visibility, owner.
    General,
    /// Task type and policy.
    Settings,
    /// Schedule.
    Schedule,
}

impl Tab {
    /// All tabs in their order.
    pub const ALL: [Self; 3] = [Self::General, Self::Settings, Self::Schedule];

    /// Returns the label of the tab.
    pub const fn label(self) -> &'static str {
        match self {
            Self::General => "General",
            Self::Settings => "Task specific settings",
            Self::Schedule => "Schedule",
        }
    }

    /// Returns the name of the tab in the page.
    pub const fn code(self) -> &'static str {
        match self {
            Self::General => "general",
            Self::Settings => "settings",
            Self::Schedule => "schedule",
        }
    }

    /// Returns the tab that contains a field.
    pub fn for_field(field: &str) -> Self {
        match field {
            "description" | "active" | "visibility" | "owner" => Self::General,
            "schedule" | "once_date" | "time" | "weekdays" | "month_day" | "cron" | "missed" => {
                Self::Schedule
            }
            _ => Self::Settings,
        }
    }
}

impl TaskForm {
    /// Returns the form of a new task with its defaults.
    pub fn new_task() -> Self {
        Self {
            active: true,
            visibility: Visibility::default().code().to_owned(),
            schedule: "manual".to_owned(),
            time: DEFAULT_TIME.to_owned(),
            month_day: DEFAULT_MONTH_DAY.to_owned(),
            missed: MisfirePolicy::default().code().to_owned(),
            ..Self::default()
        }
        .with_import(&ImportSettings::default())
        .with_standard_announcement()
        .with_settings(&TaskSettings::AnonymiseUserData(Policy::default()), &[])
    }

    /// Returns the form of a saved task.
    pub fn from_draft(draft: &TaskDraft, custom_keys: &[String]) -> Self {
        let mut form = Self {
            id: draft.edited.map(|(id, _)| id.to_string()).unwrap_or_default(),
            version: draft.edited.map(|(_, version)| version.to_string()).unwrap_or_default(),
            description: draft.description.clone(),
            active: draft.active,
            visibility: draft.visibility.code().to_owned(),
            owner: draft.owner.map(|owner| owner.to_string()).unwrap_or_default(),
            missed: draft.missed.code().to_owned(),
            ..Self::new_task()
        }
        .with_settings(&draft.settings, custom_keys);
        form.set_schedule(&draft.schedule);
        form
    }

    /// Returns the form with the type of a task and its settings.
    fn with_settings(self, settings: &TaskSettings, custom_keys: &[String]) -> Self {
        let task_type = settings.task_type();
        let form = Self {
            category: task_type.category().code().to_owned(),
            task_type: task_type.code().to_owned(),
            ..self
        };
        match settings {
            TaskSettings::AnonymiseUserData(policy) => form.with_policy(policy, custom_keys),
            TaskSettings::ImportUsers(settings) => {
                form.with_policy(&Policy::default(), custom_keys).with_import(settings)
            }
            TaskSettings::AnnounceAnonymising(settings) => {
                form.with_policy(&Policy::default(), custom_keys).with_announcement(settings)
            }
        }
    }
}

/// Validates the form. `now` is the library's local time.
pub fn validate(form: &TaskForm, now: NaiveDateTime) -> Result<TaskDraft, FieldErrors> {
    let mut errors = FieldErrors::default();
    let edited = edited(form, &mut errors);
    let description = errors.take("description", text::required_line(&form.description, "a description"));
    let visibility = errors.take("visibility", choice(Visibility::from_code(&form.visibility)));
    let owner = errors.take("owner", optional_user(&form.owner));
    let task_type = task_type(form, &mut errors);
    // The settings come first on the page, but depend on the schedule.
    let mut errors_of_schedule = FieldErrors::default();
    let (schedule, notice) = schedule(form, now, &mut errors_of_schedule);
    let settings = task_type.map(|task_type| settings(form, task_type, &schedule, &mut errors));
    errors.0.append(&mut errors_of_schedule.0);
    let missed = errors.take("missed", choice(MisfirePolicy::from_code(&form.missed)));
    match (errors.is_empty(), description, visibility, owner, settings, missed) {
        (true, Some(description), Some(visibility), Some(owner), Some(settings), Some(missed)) => {
            Ok(TaskDraft {
                edited,
                description,
                active: form.active,
                visibility,
                owner,
                settings,
                schedule,
                missed,
                notice,
            })
        }
        _ => Err(errors),
    }
}

/// Returns the chosen type, which must belong to the chosen category.
fn task_type(form: &TaskForm, errors: &mut FieldErrors) -> Option<TaskType> {
    let category = TaskCategory::from_code(&form.category);
    if category.is_none() {
        errors.add("category", Problem::not_chosen("a category"));
    }
    let task_type = TaskType::from_code(&form.task_type)
        .filter(|task_type| category.is_none_or(|category| task_type.category() == category));
    if task_type.is_none() {
        errors.add("task_type", Problem::not_chosen("a task type"));
    }
    task_type
}

/// Validates the settings of a type.
fn settings(
    form: &TaskForm,
    task_type: TaskType,
    schedule: &Schedule,
    errors: &mut FieldErrors,
) -> TaskSettings {
    match task_type {
        TaskType::AnonymiseUserData => {
            importing::reject_values(form, errors);
            announcing::reject_values(form, errors);
            TaskSettings::AnonymiseUserData(anonymising::policy(form, schedule, errors))
        }
        TaskType::ImportUsers => {
            anonymising::reject_values(form, errors);
            announcing::reject_values(form, errors);
            TaskSettings::ImportUsers(importing::settings(form, errors))
        }
        TaskType::AnnounceAnonymising => {
            anonymising::reject_values(form, errors);
            importing::reject_values(form, errors);
            TaskSettings::AnnounceAnonymising(announcing::settings(form, errors))
        }
    }
}

/// Rejects a value of another task type that differs from its default.
fn reject_value(name: &str, value: &str, default: &str, errors: &mut FieldErrors) {
    if !matches!(value.trim(), value if value.is_empty() || value == default) {
        errors.add(name, Problem::OtherTaskType);
    }
}

impl TaskForm {
    /// Returns the form without the fields that its task type doesn't use, as posted when they are hidden.
    fn with_fields_of_its_type(self) -> Self {
        match TaskType::from_code(&self.task_type) {
            Some(TaskType::AnonymiseUserData) => {
                self.with_import(&ImportSettings::default()).with_standard_announcement()
            }
            Some(TaskType::ImportUsers) => self.with_standard_policy().with_standard_announcement(),
            Some(TaskType::AnnounceAnonymising) => {
                self.with_standard_policy().with_import(&ImportSettings::default())
            }
            None => self,
        }
    }

    /// Returns the form with the default policy and without conditions.
    fn with_standard_policy(self) -> Self {
        let default = Self::new_task();
        Self {
            by_leaving: false,
            by_activity: false,
            by_marked: false,
            leaving_days: String::new(),
            activity_days: String::new(),
            marked_days: String::new(),
            fields: default.fields,
            custom: BTreeMap::new(),
            scope: default.scope,
            circulation_notes: default.circulation_notes,
            ..self
        }
    }
}

fn edited(form: &TaskForm, errors: &mut FieldErrors) -> Option<(i64, i32)> {
    if form.id.is_empty() && form.version.is_empty() {
        return None;
    }
    let edited = form.id.parse().ok().zip(form.version.parse().ok());
    if edited.is_none() {
        errors.add("id", Problem::UnknownChoice);
    }
    edited
}

fn choice<T>(chosen: Option<T>) -> Result<T, Problem> {
    chosen.ok_or(Problem::UnknownChoice)
}

/// Parses a user number, also in the forms of [`crate::marked_number`]. Returns `None` for an empty text.
pub(crate) fn optional_user(text: &str) -> Result<Option<UserNumber>, Problem> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    typed_user_number(text).map(Some).ok_or(Problem::NotAUserNumber)
}

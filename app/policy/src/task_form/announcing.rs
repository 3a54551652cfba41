//! The fields of the task type *Announce anonymising*: the task that anonymises, the days before, subject and text.

use super::TaskForm;
use crate::announcement::{self, AnnouncementSettings, NoticeDays, STANDARD_SUBJECT, STANDARD_TEXT};
use crate::form::{FieldErrors, Problem};
use crate::ids::TaskId;

impl TaskForm {
    /// Returns the form with the settings of an announcement in its fields.
    pub(super) fn with_announcement(self, settings: &AnnouncementSettings) -> Self {
        Self {
            announced_task: settings.task.to_string(),
            days_before: settings.days_before.get().to_string(),
            mail_subject: settings.subject.clone(),
            mail_text: settings.text.clone(),
            ..self
        }
    }

    /// Returns the form with the standard text, and without a task whose users are announced.
    pub(super) fn with_standard_announcement(self) -> Self {
        Self {
            announced_task: String::new(),
            days_before: NoticeDays::default().get().to_string(),
            mail_subject: STANDARD_SUBJECT.to_owned(),
            mail_text: STANDARD_TEXT.to_owned(),
            ..self
        }
    }
}

/// Validates the settings. Whether the task exists and anonymises is checked where the tasks are stored.
pub(super) fn settings(form: &TaskForm, errors: &mut FieldErrors) -> AnnouncementSettings {
    let task = errors.take("announced_task", task(&form.announced_task));
    let days_before = errors.take("days_before", NoticeDays::parse(&form.days_before));
    let subject = errors.take("mail_subject", announcement::subject(&form.mail_subject));
    let text = errors.take("mail_text", announcement::text(&form.mail_text));
    AnnouncementSettings {
        task: task.unwrap_or(TaskId(0)),
        days_before: days_before.unwrap_or_default(),
        subject: subject.unwrap_or_default(),
        text: text.unwrap_or_default(),
    }
}

fn task(typed: &str) -> Result<TaskId, Problem> {
    if typed.trim().is_empty() {
        return Err(Problem::not_chosen("a task that anonymises"));
    }
    typed.parse().map_err(|_| Problem::UnknownChoice)
}

/// Reads a text of the form.
type ReadText = fn(&TaskForm) -> &String;

/// Rejects values of these fields while the task has another type: ignoring them would lose what was typed.
pub(super) fn reject_values(form: &TaskForm, errors: &mut FieldErrors) {
    let default = TaskForm::default().with_standard_announcement();
    let fields: [(&str, ReadText); 4] = [
        ("announced_task", |form| &form.announced_task),
        ("days_before", |form| &form.days_before),
        ("mail_subject", |form| &form.mail_subject),
        ("mail_text", |form| &form.mail_text),
    ];
    for (name, read) in fields {
        // A browser posts the lines of a text area with another line end.
        let typed = read(form).replace("\r\n", "\n");
        super::reject_value(name, &typed, read(&default), errors);
    }
}

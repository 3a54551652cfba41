//! The schedule in the task form: which fields each kind of schedule uses.

use super::{Notice, TaskForm, choice};
use crate::form::{FieldErrors, Problem};
use crate::schedule::{MonthDay, Schedule, Weekday};
use crate::{cron, dates};
use chrono::{NaiveDateTime, NaiveTime};

/// The kinds of schedule in the form: code and label.
pub const SCHEDULE_KINDS: [(&str, &str); 6] = [
    ("manual", "Manual only"),
    ("once", "Once"),
    ("daily", "Daily"),
    ("weekly", "Weekly"),
    ("monthly", "Monthly"),
    ("cron", "Custom (cron)"),
];

/// Default time of day.
pub(super) const DEFAULT_TIME: &str = "02:30";
/// Default day of the month.
pub(super) const DEFAULT_MONTH_DAY: &str = "last";

/// Returns the schedule, if that part of the form is valid.
pub fn schedule_so_far(
    form: &TaskForm,
    now: NaiveDateTime,
) -> Result<(Schedule, Option<Notice>), FieldErrors> {
    let mut errors = FieldErrors::default();
    let found = schedule(form, now, &mut errors);
    if errors.is_empty() { Ok(found) } else { Err(errors) }
}

pub(super) fn schedule(
    form: &TaskForm,
    now: NaiveDateTime,
    errors: &mut FieldErrors,
) -> (Schedule, Option<Notice>) {
    let kind = form.schedule.as_str();
    let time = match kind {
        "once" | "daily" | "weekly" | "monthly" => {
            errors.take("time", dates::parse_time(&form.time).ok_or(Problem::NotATime)).unwrap_or_default()
        }
        _ => NaiveTime::default(),
    };
    for field in ScheduleField::ALL {
        let is_known = SCHEDULE_KINDS.iter().any(|(code, _)| *code == kind);
        if is_known && !kinds_with(field).contains(&kind) && field.is_filled(form) {
            errors.add(field.name(), Problem::OtherSchedule);
        }
    }
    let unknown_day = |code: &String| Weekday::ALL.iter().all(|day| day.code() != code);
    if form.weekdays.keys().any(unknown_day) {
        errors.add("weekdays", Problem::UnknownChoice);
    }
    let schedule = match kind {
        "manual" => Schedule::ManualOnly,
        "once" => {
            let date = errors.take("once_date", dates::parse_date(&form.once_date).map_err(Problem::from));
            match date {
                Some(date) if date.and_time(time) <= now => {
                    return (Schedule::ManualOnly, Some(Notice::PastDate));
                }
                Some(date) => Schedule::Once { at: date.and_time(time) },
                None => Schedule::ManualOnly,
            }
        }
        "daily" => Schedule::Daily { time },
        "weekly" => {
            let ticked = |day: &Weekday| form.weekdays.get(day.code()).copied().unwrap_or(false);
            let days: Vec<Weekday> = Weekday::ALL.into_iter().filter(ticked).collect();
            if days.is_empty() {
                errors.add("weekdays", Problem::NoWeekday);
            }
            Schedule::Weekly { days, time }
        }
        "monthly" => {
            let day = match form.month_day.trim() {
                "last" => Some(MonthDay::Last),
                day => day.parse().ok().filter(|day| (1..=31).contains(day)).map(MonthDay::Day),
            };
            let day = errors.take("month_day", choice(day));
            Schedule::Monthly { day: day.unwrap_or(MonthDay::Last), time }
        }
        "cron" => {
            let line = form.cron.trim().to_owned();
            errors.take("cron", cron::check(&line));
            Schedule::Cron { line }
        }
        _ => {
            errors.add("schedule", Problem::UnknownChoice);
            Schedule::ManualOnly
        }
    };
    (schedule, None)
}

/// Returns the kinds of schedule that use a field.
pub const fn kinds_with(field: ScheduleField) -> &'static [&'static str] {
    match field {
        ScheduleField::OnceDate => &["once"],
        ScheduleField::Weekdays => &["weekly"],
        ScheduleField::MonthDay => &["monthly"],
        ScheduleField::Time => &["once", "daily", "weekly", "monthly"],
        ScheduleField::Cron => &["cron"],
    }
}

/// A field that only some kinds of schedule use.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ScheduleField {
    /// The date of a one-time run.
    OnceDate,
    /// The days of a weekly run.
    Weekdays,
    /// The day of a monthly run.
    MonthDay,
    /// The time of day.
    Time,
    /// The cron expression.
    Cron,
}

impl ScheduleField {
    const ALL: [Self; 5] = [Self::OnceDate, Self::Weekdays, Self::MonthDay, Self::Time, Self::Cron];

    const fn name(self) -> &'static str {
        match self {
            Self::OnceDate => "once_date",
            Self::Weekdays => "weekdays",
            Self::MonthDay => "month_day",
            Self::Time => "time",
            Self::Cron => "cron",
        }
    }

    /// Returns whether the field has a value other than its default.
    fn is_filled(self, form: &TaskForm) -> bool {
        let differs = |text: &str, default: &str| !text.trim().is_empty() && text.trim() != default;
        match self {
            Self::OnceDate => differs(&form.once_date, ""),
            Self::Weekdays => form.weekdays.values().any(|ticked| *ticked),
            Self::MonthDay => differs(&form.month_day, DEFAULT_MONTH_DAY),
            Self::Time => differs(&form.time, DEFAULT_TIME),
            Self::Cron => differs(&form.cron, ""),
        }
    }

    fn clear(self, form: &mut TaskForm) {
        match self {
            Self::OnceDate => form.once_date.clear(),
            Self::Weekdays => form.weekdays.clear(),
            Self::MonthDay => DEFAULT_MONTH_DAY.clone_into(&mut form.month_day),
            Self::Time => DEFAULT_TIME.clone_into(&mut form.time),
            Self::Cron => form.cron.clear(),
        }
    }
}

impl TaskForm {
    pub(super) fn set_schedule(&mut self, schedule: &Schedule) {
        let clock = |time: &NaiveTime| time.format("%H:%M").to_string();
        let kind = match schedule {
            Schedule::ManualOnly => "manual",
            Schedule::Once { at } => {
                self.once_date = dates::shown(at.date());
                self.time = clock(&at.time());
                "once"
            }
            Schedule::Daily { time } => {
                self.time = clock(time);
                "daily"
            }
            Schedule::Weekly { days, time } => {
                self.time = clock(time);
                self.weekdays = days.iter().map(|day| (day.code().to_owned(), true)).collect();
                "weekly"
            }
            Schedule::Monthly { day, time } => {
                self.time = clock(time);
                self.month_day = match day {
                    MonthDay::Day(day) => day.to_string(),
                    MonthDay::Last => "last".to_owned(),
                };
                "monthly"
            }
            Schedule::Cron { line } => {
                self.cron.clone_from(line);
                "cron"
            }
        };
        kind.clone_into(&mut self.schedule);
    }

    /// Returns the form without the fields that its task type and its kind of schedule don't use, as posted when they
    /// are hidden.
    #[must_use]
    pub fn with_shown_fields(&self) -> Self {
        let mut form = self.clone().with_fields_of_its_type();
        for field in ScheduleField::ALL {
            if !kinds_with(field).contains(&self.schedule.as_str()) {
                field.clear(&mut form);
            }
        }
        form
    }
}

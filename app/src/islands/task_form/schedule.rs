//! The tab *Schedule*, with the next runs.

use super::inputs::{DateField, Form, Problem, RadioField, TextField, field};
use super::next::{NextRun, next_runs};
use leptos::prelude::*;
use leptos::task::spawn_local;
use policy::MisfirePolicy;
use policy::schedule::{GRACE_MINUTES, Weekday};
use policy::task_form::{SCHEDULE_KINDS, ScheduleField, TaskForm, kinds_with, schedule_so_far};
use std::time::Duration;

/// Pause in typing after which the next runs are requested.
const TYPING_PAUSE: Duration = Duration::from_millis(250);

#[component]
pub(super) fn ScheduleTab(
    form: Form,
    zone: String,
    next: Vec<NextRun>,
    awake: RwSignal<bool>,
) -> impl IntoView {
    let kind_is = move |kinds: &'static [&'static str]| {
        move || awake.get() && form.with(|form| !kinds.contains(&form.schedule.as_str()))
    };
    let kinds = SCHEDULE_KINDS
        .map(|(code, label)| view! { <RadioField form text=field!(text schedule) code label=label /> });
    view! {
        <fieldset>
            <legend>"When the task runs"</legend>
            {kinds}
            <Problem form name="schedule" />
        </fieldset>
        <KindFields form awake field=ScheduleField::OnceDate>
            <DateField form text=field!(text once_date) label="Date of the run" hint=ONCE_DATE />
        </KindFields>
        <KindFields form awake field=ScheduleField::Weekdays><Weekdays form /></KindFields>
        <KindFields form awake field=ScheduleField::MonthDay><MonthDay form /></KindFields>
        <KindFields form awake field=ScheduleField::Time>
            <TextField form text=field!(text time) label="Time of day" class="date" hint="For example 02:30." />
        </KindFields>
        <KindFields form awake field=ScheduleField::Cron>
            <TextField form text=field!(text cron) label="Cron expression" hint=CRON />
        </KindFields>
        <div hidden=kind_is(&["once", "daily", "weekly", "monthly", "cron"])>
            <p class="hint">"Local time (" {zone} "). " {CLOCK_CHANGE}</p>
        </div>
        <Next form next />
        <div hidden=kind_is(&["once"])><p class="hint">{ONCE_MISSED}</p></div>
        <div hidden=kind_is(&["daily", "weekly", "monthly", "cron"])><IfMissed form /></div>
    }
}

const ONCE_DATE: &str = "For example 15 Jan 2027, 15/01/2027 or 2027-01-15.";

const CRON: &str = "Minute, hour, day of the month, month, day of the week. For example, 30 2 * * mon runs \
                    on Mondays at 02:30. The task can start at most once an hour.";

/// Renders the fields of some kinds of schedule. Hydrated, the fields of the other kinds are hidden and not posted.
#[component]
fn KindFields(form: Form, awake: RwSignal<bool>, field: ScheduleField, children: Children) -> impl IntoView {
    let unused =
        move || awake.get() && form.with(|form| !kinds_with(field).contains(&form.schedule.as_str()));
    view! { <fieldset class="part" hidden=unused disabled=unused>{children()}</fieldset> }
}

/// The effect of a clock change.
const CLOCK_CHANGE: &str = "If the clocks skip this time, the task runs as soon as they have moved; if it \
                            occurs twice, it runs once, the first time.";

/// The treatment of a missed one-off run.
const ONCE_MISSED: &str = "If Lethe is not running at that time, the run is skipped: a past date never \
                           starts automatically.";

/// The treatment of missed runs.
#[component]
fn IfMissed(form: Form) -> impl IntoView {
    let rules = MisfirePolicy::ALL.map(
        |rule| view! { <RadioField form text=field!(text missed) code=rule.code() label=rule.label() /> },
    );
    let hint = format!(
        "A run is missed if it cannot start within {GRACE_MINUTES} minutes of its time because Lethe is not \
         running. Missed runs appear in the list of runs."
    );
    view! {
        <fieldset id="missed" tabindex="-1" aria-describedby="missed-hint missed-problem">
            <legend>"If a run is missed"</legend>
            <p class="hint" id="missed-hint">{hint}</p>
            {rules}
            <Problem form name="missed" />
        </fieldset>
    }
}

#[component]
fn Weekdays(form: Form) -> impl IntoView {
    let days = Weekday::ALL.map(|day| {
        let id = format!("weekdays-{}", day.code());
        let checked = form.initial(|form| form.weekdays.get(day.code()).copied().unwrap_or(false));
        let change = move |event| {
            form.change("weekdays", |form| {
                form.weekdays.insert(day.code().to_owned(), event_target_checked(&event));
            });
        };
        view! {
            <div class="choice">
                <input id=id.clone() type="checkbox" name=format!("form[weekdays][{}]", day.code()) value="true"
                    checked=checked on:change=change />
                <label for=id>{day.label()}</label>
            </div>
        }
    });
    view! {
        <fieldset id="weekdays" tabindex="-1" aria-describedby="weekdays-problem">
            <legend>"Days of the week"</legend>
            <div class="choices across">{days}</div>
            <Problem form name="weekdays" />
        </fieldset>
    }
}

#[component]
fn MonthDay(form: Form) -> impl IntoView {
    let now = form.initial(|form| form.month_day.clone());
    let days = (1..=31)
        .map(|day| {
            let code = day.to_string();
            view! { <option value=code.clone() selected=code == now>{code.clone()}</option> }
        })
        .collect_view();
    view! {
        <div class="field">
            <label for="month_day">"Day of the month"</label>
            <p class="hint" id="month_day-hint">
                "Day 31 skips February, April, June, September and November. Day 30 skips February. Day 29 \
                 skips February except in leap years."
            </p>
            <select id="month_day" name="form[month_day]" aria-describedby="month_day-hint month_day-problem"
                on:change=move |event| form.change("month_day", |form| form.month_day = event_target_value(&event))>
                <option value="last" selected=now == "last">"Last day"</option>
                {days}
            </select>
            <Problem form name="month_day" />
        </div>
    }
}

/// Shows the next runs, which the server computes from the form, and notices about the schedule.
#[component]
fn Next(form: Form, next: Vec<NextRun>) -> impl IntoView {
    let runs = RwSignal::new(next);
    let schedule_only = Memo::new(move |_| form.with(|form| schedule_fields(&form.with_shown_fields())));
    let pending = StoredValue::new(None::<TimeoutHandle>);
    Effect::new(move |before: Option<TaskForm>| {
        let typed = schedule_only.get();
        if before.as_ref().is_some_and(|before| *before != typed) {
            if let Some(handle) = pending.get_value() {
                handle.clear();
            }
            let asked = typed.clone();
            let handle = set_timeout_with_handle(
                move || {
                    spawn_local(async move {
                        if let Ok(found) = next_runs(asked.clone()).await
                            && schedule_only.with_untracked(|now| *now == asked)
                        {
                            runs.set(found);
                        }
                    });
                },
                TYPING_PAUSE,
            );
            pending.set_value(handle.ok());
        }
        typed
    });
    let checked = move || form.with(|values| schedule_so_far(&values.with_shown_fields(), form.now()));
    let notice = move || checked().ok().and_then(|(_, notice)| notice).map(policy::task_form::Notice::label);
    let heading = move || match checked() {
        Err(_) => "Complete the schedule to see the next runs.",
        Ok((schedule, _)) if schedule.is_manual_only() => "The task runs only when started by hand.",
        Ok(_) => "Next runs",
    };
    let right = move || checked().is_ok_and(|(schedule, _)| !schedule.is_manual_only());
    let items = move || {
        let items = runs.get().into_iter().filter(|_| right());
        items
            .map(|run| view! { <li>{run.shown} {run.note.map(|note| view! { <small>" – "{note}</small> })}</li> })
            .collect_view()
    };
    view! {
        <div class="notice warning" role="status" hidden=move || notice().is_none()><p>{notice}</p></div>
        <div role="status">
            <h3>{heading}</h3>
            <ol class="runs">{items}</ol>
        </div>
    }
}

/// Returns the form with its schedule only, which determines the next runs.
fn schedule_fields(form: &TaskForm) -> TaskForm {
    TaskForm {
        schedule: form.schedule.clone(),
        once_date: form.once_date.clone(),
        time: form.time.clone(),
        weekdays: form.weekdays.clone(),
        month_day: form.month_day.clone(),
        cron: form.cron.clone(),
        ..TaskForm::default()
    }
}

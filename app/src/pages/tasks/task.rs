//! One task: its settings, schedule and runs.

use super::actions::{ActivateTask, CopyTask, DeactivateTask, MakePreview, MakeTaskDefault};
use super::crumbs;
use super::list::status_tag;
use crate::components::{
    DataTable, Notice, PageAction, PageLayout, PostButton, ProblemSummary, Timestamp, guarded_page,
    path_param, person_link, text_columns,
};
use crate::form::error_for;
use crate::islands::NextRun;
use crate::pages::runs::run_table;
use crate::state::{actor, store};
use chrono::NaiveDate;
use db::Clock;
use db::pagination::Paging;
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use policy::field::ALWAYS_REMOVED;
use policy::import_limits::ImportLimit;
use policy::task_form::{NEXT_RUNS, Visibility};
use policy::timezone::next_occurrences;
use policy::{
    AnnouncementSettings, Field, ImportSettings, Policy, Schedule, TaskId, TaskSettings, Treatment, summary,
};
use records::custom_field;
use task_centre::run::{self, RunQuery};
use task_centre::task::{self, Confirmation, Task};
use trail::person::{self, Person};
use transfer::profile;

/// The number of shown runs. The list of runs contains all.
const RUNS: u64 = 10;

/// Shows one task.
#[component]
pub fn TaskPage() -> impl IntoView {
    let id = path_param::<TaskId>("task");
    guarded_page(async move {
        let store = store();
        let task = task::read(&store, actor(), id?).await?;
        let custom = custom_field::labels(&store.db).await?;
        let of_task = RunQuery { task: Some(task.id), ..RunQuery::default() };
        let runs = run::list(&store, &of_task, &Paging { rows: Some(RUNS), ..Paging::default() }).await?;
        let next = next_runs(store.clock, &task);
        let today = store.clock.today();
        let settings = match &task.draft.settings {
            TaskSettings::AnonymiseUserData(policy) => policy_settings(policy, &custom, today),
            TaskSettings::ImportUsers(settings) => {
                import_settings(settings, profile::choices(&store.db).await?)
            }
            TaskSettings::AnnounceAnonymising(settings) => announcement_settings(settings),
        };
        let owner = match task.draft.owner {
            Some(number) => person::name_of(&store, number).await?.map(|name| Person { number, name }),
            None => None,
        };
        let lead = task.draft.settings.task_type().label();
        let more = format!("/runs?task={}", task.id);
        Ok(view! {
            <PageLayout title=task.draft.description.clone() lead crumbs=crumbs([]) actions=actions(&task)>
                <Refusals />
                {not_confirmed(&task)}
                {settings.summary}
                {facts(&task, owner.as_ref(), next)}
                <h2>"Runs and previews"</h2>
                {if runs.rows.is_empty() {
                    view! {
                        <p class="empty">
                            "This task has not run yet. Create a preview to see what a run would do; a preview \
                             changes no users."
                        </p>
                    }
                    .into_any()
                } else {
                    view! { {run_table(runs.rows)} <p><a href=more>"All runs of this task"</a></p> }.into_any()
                }}
                {settings.details}
            </PageLayout>
        })
    })
}

/// Shows why a button of this page failed.
#[component]
fn Refusals() -> impl IntoView {
    let paths =
        [MakePreview::PATH, CopyTask::PATH, ActivateTask::PATH, DeactivateTask::PATH, MakeTaskDefault::PATH];
    let error = paths.into_iter().find_map(error_for);
    view! { <ProblemSummary error /> }
}

fn actions(task: &Task) -> Vec<PageAction> {
    let here = format!("/tasks/{}", task.id);
    let post = |label: &str, function| PageAction::Post {
        label: label.to_owned(),
        function,
        values: vec![("task", task.id.to_string())],
    };
    let link = |label: &str, href: String| PageAction::Link { label: label.to_owned(), href };
    let mut actions = vec![post("Create preview", MakePreview::PATH)];
    if task.draft.settings.policy().is_some() {
        actions.push(link("Preview listed users", format!("{here}/listed")));
    }
    actions.extend([link("Edit task", format!("{here}/edit")), post("Copy task", CopyTask::PATH)]);
    actions.push(if task.draft.active && task.single_default {
        link("Deactivate task", format!("{here}/deactivate"))
    } else if task.draft.active {
        post("Deactivate task", DeactivateTask::PATH)
    } else {
        post("Activate task", ActivateTask::PATH)
    });
    let label = "Set as default for single users";
    if task.draft.settings.policy().is_none() {
        // Only a task that anonymises can be the default.
    } else if !task.single_default && task.draft.visibility == Visibility::Private {
        let why = "A private task cannot be the default. Make it a shared task first.".to_owned();
        actions.push(PageAction::Unavailable { label: label.to_owned(), why });
    } else if !task.single_default {
        actions.push(post(label, MakeTaskDefault::PATH));
    }
    if task.draft.settings.policy().is_some() {
        actions.push(link("Edit letter text", format!("{here}/letter")));
    }
    actions.push(link("Export task as a file", format!("{here}/export")));
    actions.push(PageAction::Danger { label: "Delete task".to_owned(), href: format!("{here}/delete") });
    actions
}

/// Renders the notice that the next scheduled run will wait for confirmation.
fn not_confirmed(task: &Task) -> impl IntoView + use<> {
    let why = match task.confirmation {
        Confirmation::Missing => {
            "This task has not been confirmed yet: its first scheduled run will stop after the preview and \
             wait for confirmation."
        }
        Confirmation::Outgrown => {
            "The settings now go beyond the confirmed ones. The next scheduled run will stop after its preview \
             and wait for confirmation."
        }
        Confirmation::Given => "",
    };
    let waits = task.draft.active && !task.draft.schedule.is_manual_only() && !why.is_empty();
    let values = vec![("task", task.id.to_string())];
    let here = format!("/tasks/{}", task.id);
    waits.then(|| {
        view! {
            <Notice kind="warning">
                <p>{why}" To confirm it now, create a preview, check it and run it."</p>
                <PostButton function=MakePreview::PATH page=here values label="Create preview" />
            </Notice>
        }
    })
}

/// Returns the next runs, beginning with the one that the scheduler waits for.
fn next_runs(clock: Clock, task: &Task) -> Vec<NextRun> {
    let Some(first) = task.next.clone() else { return Vec::new() };
    let later = next_occurrences(&task.draft.schedule, clock.zone(), first.at, NEXT_RUNS - 1);
    let due = (first.at <= clock.now()).then(|| "is due".to_owned());
    let first = NextRun { shown: first.shown, note: due.or(first.note) };
    let later = later.into_iter().map(|next| NextRun { shown: next.shown, note: next.note });
    std::iter::once(first).chain(later).collect()
}

fn facts(task: &Task, owner: Option<&Person>, next: Vec<NextRun>) -> impl IntoView + use<> {
    let status = status_tag(task.draft.active, &task.draft.schedule);
    let runs = if task.draft.active && !next.is_empty() {
        let items = next
            .into_iter()
            .map(|run| view! { <li>{run.shown} {run.note.map(|note| view! { <small>" – "{note}</small> })}</li> })
            .collect_view();
        view! { <ol class="runs">{items}</ol> }.into_any()
    } else if task.draft.schedule.is_manual_only() {
        "Only when started by hand".into_any()
    } else if task.draft.active {
        "None: the schedule has no future dates".into_any()
    } else {
        "None while the task is inactive".into_any()
    };
    let made_up_for = match task.draft.schedule {
        Schedule::ManualOnly => None,
        Schedule::Once { .. } => Some("The run is skipped: a past date never starts automatically"),
        _ => Some(task.draft.missed.label()),
    };
    let owner = owner.map(person_link);
    view! {
        <dl class="facts">
            <dt>"Status"</dt><dd>{status}</dd>
            <dt>"Schedule"</dt><dd>{task.draft.schedule.label()}</dd>
            <dt>"Next runs"</dt><dd>{runs}</dd>
            {made_up_for.map(|label| view! { <dt>"If a run is missed"</dt><dd>{label}</dd> })}
            <dt>"Who can see this task"</dt><dd>{task.draft.visibility.label()}</dd>
            <dt>"Owner"</dt><dd>{owner}</dd>
            {task.draft.settings.policy().map(|_| view! {
                <dt>"Single users"</dt>
                <dd>{if task.single_default { "Default: its field settings apply to single users" } else { "–" }}</dd>
            })}
            <dt>"Created"</dt><dd><Timestamp at=task.created_at /></dd>
            <dt>"Last changed"</dt><dd><Timestamp at=task.changed_at /></dd>
        </dl>
    }
}

/// The settings of a task type, as a task page shows them.
struct ShownSettings {
    /// The effect of the task, above its facts.
    summary: AnyView,
    /// All settings, below its runs.
    details: AnyView,
}

fn policy_settings(policy: &Policy, custom: &[(String, String)], today: NaiveDate) -> ShownSettings {
    let selection = summary::selection(&policy.conditions, policy.scope);
    let example = summary::example(&policy.conditions, today);
    let summary = view! { <div class="sentence"><p>{selection}</p><p class="first-day">{example}</p></div> };
    let details = view! { <h2>"What happens to each field"</h2> {field_table(policy, custom)} };
    ShownSettings { summary: summary.into_any(), details: details.into_any() }
}

fn import_settings(settings: &ImportSettings, profiles: Vec<(String, String)>) -> ShownSettings {
    let summary = view! { <div class="sentence"><p>{settings.sentence()}</p></div> };
    let profile = profiles.into_iter().find(|(code, _)| *code == settings.profile);
    let profile = profile.map_or_else(|| settings.profile.clone(), |(_, name)| name);
    let options = settings.option_labels().map(|label| view! { <li>{label}</li> });
    let limits = ImportLimit::ALL.map(|limit| {
        let percent = settings.limits.share(limit);
        let shown = percent.map_or("No limit".to_owned(), |percent| format!("{} %", percent.get()));
        view! { <tr><th scope="row">{limit.label()}</th><td>{shown}</td></tr> }
    });
    let details = view! {
        <h2>"How files are imported"</h2>
        <p>"Import profile: " {profile}</p>
        <ul>{options}</ul>
        <DataTable label="Safety limits" caption="Shares beyond which a file changes nothing"
            columns=text_columns(["Safety limit", "Largest share"])>
            {limits}
        </DataTable>
    };
    ShownSettings { summary: summary.into_any(), details: details.into_any() }
}

fn announcement_settings(settings: &AnnouncementSettings) -> ShownSettings {
    let href = format!("/tasks/{}", settings.task);
    let summary = view! {
        <div class="sentence">
            <p>{settings.sentence()}" "<a href=href>"Show task "{settings.task.to_string()}</a></p>
        </div>
    };
    let details = view! {
        <h2>"E-mail"</h2>
        <dl class="facts">
            <dt>"Subject"</dt><dd>{settings.subject.clone()}</dd>
            <dt>"Text"</dt><dd><span class="lines">{settings.text.clone()}</span></dd>
        </dl>
    };
    ShownSettings { summary: summary.into_any(), details: details.into_any() }
}

fn field_table(policy: &Policy, custom: &[(String, String)]) -> impl IntoView + use<> {
    let line = |field: &str, what: &'static str| {
        view! { <tr><th scope="row">{field.to_owned()}</th><td>{what}</td></tr> }
    };
    let always = ALWAYS_REMOVED.map(|(label, _)| line(label, "Always removed"));
    let fields = Field::ALL.map(|field| line(field.label(), policy.treatment(field).label()));
    let custom = custom
        .iter()
        .map(|(key, label)| {
            let kept = policy.keep_custom.contains(key);
            line(label, if kept { Treatment::Keep } else { Treatment::Remove }.label())
        })
        .collect_view();
    let notes = line("Notes on loans, requests and charges", policy.circulation_notes.label());
    view! {
        <DataTable label="What happens to each field" caption="What happens to each field of the user"
            columns=text_columns(["Field", "What happens to it"])>
            {always} {fields} {custom} {notes}
        </DataTable>
    }
}

//! The number of users that the rule affects. The server counts them, because it knows the users.

use super::inputs::Form;
use crate::error::AppError;
use leptos::prelude::*;
use leptos::server_fn::codec::Json;
use leptos::task::spawn_local;
use policy::affected::AffectedTexts;
use policy::task_form::{TaskForm, conditions_so_far};
use policy::{Conditions, Scope, TaskType};
use std::time::Duration;

/// Pause in typing after which the users are counted.
const TYPING_PAUSE: Duration = Duration::from_millis(200);

/// Counts the users that the rule in this form affects. None if the rule is incomplete.
#[server(prefix = "/api", endpoint = "affected_users", input = Json, output = Json)]
pub async fn affected_users(
    /// The form; only its task, scope and conditions are used.
    form: TaskForm,
) -> Result<Option<AffectedTexts>, AppError> {
    let store = crate::state::store();
    Ok(task_centre::affected::count(&store, crate::state::actor(), &form).await?)
}

/// Counts the users when the form is shown and after each change of its rule.
pub(super) fn keep_current(form: Form, affected: RwSignal<Option<AffectedTexts>>) {
    let rule = Memo::new(move |_| form.with(rule_of));
    let pending = StoredValue::new(None::<TimeoutHandle>);
    Effect::new(move |_| {
        let asked = rule.get();
        if let Some(handle) = pending.get_value() {
            handle.clear();
        }
        if asked.is_none() {
            return affected.set(None);
        }
        let count = move || {
            spawn_local(async move {
                let found = affected_users(form.initial(rule_fields)).await;
                // An answer about an earlier rule is ignored.
                if rule.get_untracked() == asked {
                    affected.set(found.ok().flatten());
                }
            });
        };
        pending.set_value(set_timeout_with_handle(count, TYPING_PAUSE).ok());
    });
}

/// Returns what is shown instead of the numbers.
const fn instead(is_complete: bool) -> &'static str {
    if is_complete {
        "The users are being counted. If no number appears, change the rule to count them again."
    } else {
        "Complete the rule to see how many users it affects."
    }
}

/// Returns the rule of the form. None while it is incomplete or the task has another type.
fn rule_of(form: &TaskForm) -> Option<(Conditions, Scope)> {
    let anonymises = TaskType::from_code(&form.task_type) == Some(TaskType::AnonymiseUserData);
    conditions_so_far(form).ok().filter(|_| anonymises)
}

/// Returns the form with the fields of its rule only.
fn rule_fields(form: &TaskForm) -> TaskForm {
    TaskForm {
        id: form.id.clone(),
        scope: form.scope.clone(),
        by_leaving: form.by_leaving,
        leaving_days: form.leaving_days.clone(),
        by_activity: form.by_activity,
        activity_days: form.activity_days.clone(),
        by_marked: form.by_marked,
        marked_days: form.marked_days.clone(),
        ..TaskForm::default()
    }
}

/// Shows the numbers. Without WebAssembly a button counts the users.
#[component]
pub(super) fn Affected(
    form: Form,
    affected: RwSignal<Option<AffectedTexts>>,
    awake: RwSignal<bool>,
    check: String,
) -> impl IntoView {
    let days = move || {
        let days = affected.get().map(|texts| texts.days).unwrap_or_default();
        days.into_iter().map(|(day, users)| view! { <dt>{day}</dt><dd>{users}</dd> }).collect_view()
    };
    let text = move |read: fn(AffectedTexts) -> String| move || affected.get().map(read);
    let warnings = move || {
        let warnings = affected.get().map(|texts| texts.warnings).unwrap_or_default();
        warnings.into_iter().map(|warning| view! { <li>{warning}</li> }).collect_view()
    };
    let is_serious = move || affected.with(|texts| texts.as_ref().is_some_and(|texts| texts.is_serious));
    let is_calm = move || affected.with(|texts| texts.as_ref().is_none_or(|texts| texts.warnings.is_empty()));
    view! {
        <section class="affected" aria-labelledby="affected-heading">
            <h3 id="affected-heading">"Users affected"</h3>
            <div role="status">
                <dl>{days}</dl>
                <p>{text(|texts| texts.blocked)}</p>
                <div class="notice" class:danger=is_serious class:warning=move || !is_serious() hidden=is_calm>
                    <p><b>{text(|texts| texts.level)}</b></p>
                    <ul>{warnings}</ul>
                </div>
            </div>
            <p class="hint">{text(|texts| format!("Counted at {}. A preview decides.", texts.counted_at))}</p>
            <p class="hint" hidden=move || !awake.get() || affected.with(Option::is_some)>
                {move || instead(form.with(rule_of).is_some())}
            </p>
            <button type="submit" formaction=check hidden=move || awake.get()>"Count users"</button>
        </section>
    }
}

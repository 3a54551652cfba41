//! The fields of the task type *Anonymise user data*: users, treatments and conditions.

use super::{TaskForm, choice};
use crate::field::{Field, Treatment};
use crate::form::{FieldErrors, Problem};
use crate::policy::{Conditions, Days, NoteTreatment, Policy, Scope};
use crate::schedule::Schedule;
use std::collections::BTreeMap;

impl TaskForm {
    /// Returns the form with a policy in its fields.
    pub(super) fn with_policy(self, policy: &Policy, custom_keys: &[String]) -> Self {
        let conditions = &policy.conditions;
        let days = |days: Option<Days>| days.map(|days| days.get().to_string()).unwrap_or_default();
        let custom = |key: &String| {
            let kept = policy.keep_custom.contains(key);
            (key.clone(), if kept { "keep" } else { "remove" }.to_owned())
        };
        Self {
            fields: field_codes(policy),
            custom: custom_keys.iter().map(custom).collect(),
            scope: policy.scope.code().to_owned(),
            by_leaving: conditions.leaving.is_some(),
            leaving_days: days(conditions.leaving),
            by_activity: conditions.activity.is_some(),
            activity_days: days(conditions.activity),
            by_marked: conditions.marked.is_some(),
            marked_days: days(conditions.marked),
            circulation_notes: policy.circulation_notes.code().to_owned(),
            ..self
        }
    }
}

fn field_codes(policy: &Policy) -> BTreeMap<String, String> {
    let code = |field: Field| (field.code().to_owned(), policy.treatment(field).code().to_owned());
    Field::ALL.into_iter().map(code).collect()
}

/// Validates the policy. A task with a schedule needs at least one condition.
pub(super) fn policy(form: &TaskForm, schedule: &Schedule, errors: &mut FieldErrors) -> Policy {
    let mut policy = Policy::default();
    for field in Field::ALL {
        let chosen = match form.fields.get(field.code()) {
            None => Some(field.default_treatment()),
            Some(code) => Treatment::from_code(code).filter(|t| field.treatments().contains(t)),
        };
        if let Some(treatment) = errors.take(&format!("fields.{}", field.code()), choice(chosen)) {
            policy.fields.insert(field, treatment);
        }
    }
    if form.fields.keys().any(|code| Field::from_code(code).is_none()) {
        errors.add("fields", Problem::UnknownChoice);
    }
    for (key, code) in &form.custom {
        match code.as_str() {
            "keep" => policy.keep_custom.push(key.clone()),
            "remove" => {}
            _ => errors.add(&format!("custom.{key}"), Problem::UnknownChoice),
        }
    }
    if let Some(scope) = errors.take("scope", choice(Scope::from_code(&form.scope))) {
        policy.scope = scope;
    }
    policy.conditions = conditions(form, errors);
    if let Some(way) =
        errors.take("circulation_notes", choice(NoteTreatment::from_code(&form.circulation_notes)))
    {
        policy.circulation_notes = way;
    }
    let no_condition = !(form.by_leaving || form.by_activity || form.by_marked);
    if no_condition && !schedule.is_manual_only() {
        errors.add("conditions", Problem::NoCondition);
    }
    policy
}

/// Rejects values of these fields while the task has another type: ignoring them would lose what was typed.
pub(super) fn reject_values(form: &TaskForm, errors: &mut FieldErrors) {
    let default = TaskForm::default().with_policy(&Policy::default(), &[]);
    for (code, treatment) in &form.fields {
        let default = default.fields.get(code).map_or("", String::as_str);
        super::reject_value(&format!("fields.{code}"), treatment, default, errors);
    }
    for (key, treatment) in &form.custom {
        super::reject_value(&format!("custom.{key}"), treatment, "remove", errors);
    }
    super::reject_value("scope", &form.scope, &default.scope, errors);
    super::reject_value("circulation_notes", &form.circulation_notes, &default.circulation_notes, errors);
    for (name, is_ticked, days) in [
        ("leaving_days", form.by_leaving, &form.leaving_days),
        ("activity_days", form.by_activity, &form.activity_days),
        ("marked_days", form.by_marked, &form.marked_days),
    ] {
        if is_ticked || !days.trim().is_empty() {
            errors.add(name, Problem::OtherTaskType);
        }
    }
}

/// Returns conditions and scope, if those parts of the form are valid.
pub fn conditions_so_far(form: &TaskForm) -> Result<(Conditions, Scope), FieldErrors> {
    let mut errors = FieldErrors::default();
    let conditions = conditions(form, &mut errors);
    match errors.take("scope", choice(Scope::from_code(&form.scope))) {
        Some(scope) if errors.is_empty() => Ok((conditions, scope)),
        _ => Err(errors),
    }
}

fn conditions(form: &TaskForm, errors: &mut FieldErrors) -> Conditions {
    let mut days = |field: &str, used: bool, text: &str| {
        if used {
            return errors.take(field, Days::parse(text));
        }
        // Ignoring a number without a tick would result in a wider rule than intended.
        if !text.trim().is_empty() {
            errors.add(field, Problem::ConditionNotTicked);
        }
        None
    };
    Conditions {
        leaving: days("leaving_days", form.by_leaving, &form.leaving_days),
        activity: days("activity_days", form.by_activity, &form.activity_days),
        marked: days("marked_days", form.by_marked, &form.marked_days),
    }
}

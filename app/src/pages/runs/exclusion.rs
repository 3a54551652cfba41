//! Excluding users from the run of a preview, and including them again.

use super::PLACE;
use crate::components::{FilterProblem, flash, options};
use crate::error::{AppError, field_errors};
use crate::form::{Token, action, error_for, failed_submission};
use crate::state::{actor, can_open, store};
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use leptos::server_fn::codec::PostUrl;
use policy::form::{FieldErrors, Problem};
use policy::{ExclusionReason, Reason, RunId, UserNumber};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use task_centre::run::{self, Member};

/// The id of the form, to which the boxes in the table belong.
const FORM: &str = "exclude";

/// The ticked users of a preview, and the reason.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ExcludeForm {
    preview: i64,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    users: Vec<i64>,
}

/// An excluded user of a preview.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct IncludeForm {
    preview: i64,
    user: i64,
}

/// Excludes the ticked users from the run of a preview.
#[server(prefix = "/do", endpoint = "exclude_users", input = PostUrl)]
pub(super) async fn exclude_users(form: ExcludeForm) -> Result<(), AppError> {
    let ExcludeForm { preview, reason, users } = form;
    let mut errors = FieldErrors::default();
    let chosen = ExclusionReason::from_code(&reason);
    if chosen.is_none() {
        let problem = if reason.is_empty() {
            Problem::NotChosen { what: "a reason".to_owned() }
        } else {
            Problem::UnknownChoice
        };
        errors.add("reason-to-exclude", problem);
    }
    if users.is_empty() {
        errors.add("users", Problem::NotChosen { what: "at least one user, by its box".to_owned() });
    }
    let Some(reason) = chosen.filter(|_| errors.is_empty()) else { return Err(AppError::Invalid(errors)) };
    let users: BTreeSet<UserNumber> = users.into_iter().map(UserNumber).collect();
    run::exclude(&store(), actor(), RunId(preview), &users, reason).await?;
    flash::redirect(&format!("/runs/{preview}?done=users-excluded"));
    Ok(())
}

/// Includes an excluded user again.
#[server(prefix = "/do", endpoint = "include_users", input = PostUrl)]
pub(super) async fn include_users(form: IncludeForm) -> Result<(), AppError> {
    let users = BTreeSet::from([UserNumber(form.user)]);
    run::include(&store(), actor(), RunId(form.preview), &users).await?;
    flash::redirect(&format!("/runs/{}?done=user-included", form.preview));
    Ok(())
}

/// Returns why users were not excluded or included.
pub(super) fn problem() -> Option<AppError> {
    error_for(ExcludeUsers::PATH).or_else(|| error_for(IncludeUsers::PATH))
}

/// The data that the list of a preview needs to exclude users.
pub(super) struct Exclusions {
    pub(super) preview: RunId,
    /// The address of the page.
    pub(super) page: String,
    /// Whether users can be excluded: the preview is current, and the member of staff may create previews.
    pub(super) are_possible: bool,
    /// The users that were ticked in a rejected form.
    ticked: BTreeSet<i64>,
}

impl Exclusions {
    /// Returns what the list of this preview needs. `is_current` tells whether the preview can still be run.
    pub(super) fn new(preview: RunId, is_current: bool) -> Self {
        let failed = failed_submission::<ExcludeForm>(ExcludeUsers::PATH);
        Self {
            preview,
            page: format!("/runs/{preview}"),
            are_possible: is_current && can_open(ExcludeUsers::PATH),
            ticked: failed.map(|(form, _)| form.users.into_iter().collect()).unwrap_or_default(),
        }
    }

    /// Renders the form with the reason and the button. `list` is the address of the list.
    pub(super) fn form(&self, members: &[Member], list: &str) -> Option<impl IntoView + use<>> {
        let any = members.iter().any(|member| member.reason == Reason::Eligible);
        (self.are_possible && any).then(|| {
            let failed = failed_submission::<ExcludeForm>(ExcludeUsers::PATH);
            let (typed, error) = failed.unzip();
            let chosen = typed.and_then(|form| ExclusionReason::from_code(&form.reason));
            let errors = field_errors(error.as_ref());
            let to = format!("{}{}", action(ExcludeUsers::PATH, list), PLACE);
            view! {
                <form id=FORM class="filters" method="post" action=to>
                    <Token />
                    <input type="hidden" name="form[preview]" value=self.preview.to_string() />
                    <div class="field">
                        <label for="reason-to-exclude">"Reason to exclude the ticked users"</label>
                        <select id="reason-to-exclude" name="form[reason]" aria-describedby="reason-to-exclude-problem users-problem">
                            {options(ExclusionReason::ALL, chosen, "Choose a reason", ExclusionReason::code, ExclusionReason::label)}
                        </select>
                        <FilterProblem field="reason-to-exclude" errors=errors.clone() />
                        <FilterProblem field="users" errors />
                    </div>
                    <button type="submit">"Exclude ticked users"</button>
                    <p class="hint">
                        "An exclusion holds for the run of this preview only. To keep a user for longer, place a legal \
                         hold or correct the record."
                    </p>
                </form>
            }
        })
    }
}

/// Renders the box of a user that the run would anonymise.
pub(super) fn tick(exclusions: &Exclusions, member: &Member) -> Option<impl IntoView + use<>> {
    let number = member.number;
    let checked = exclusions.ticked.contains(&number.0);
    (member.reason == Reason::Eligible).then(|| {
        view! {
            <input type="checkbox" form=FORM name="form[users][]" value=number.to_string() checked=checked
                aria-label=format!("Tick user {number}") />
        }
    })
}

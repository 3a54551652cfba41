//! The form that places a legal hold, on one user or on a category.

use super::actions::PlaceLegalHold;
use crate::components::{DateInput, FieldProblem, ProblemSummary, options};
use crate::error::field_errors;
use crate::form::{Token, action, error_for, failed_submission};
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use policy::form::FieldErrors;
use policy::legal_hold::LegalHoldForm;
use policy::{LegalHoldReason, LegalHoldTarget, UserNumber};
use trail::terms::Term;

/// Renders the form in a closed disclosure, for a user or for a choice of categories. `page` is the page of the form.
pub(crate) fn place_form(on: LegalHoldTarget<UserNumber, Vec<Term>>, page: &str) -> impl IntoView + use<> {
    let (form, error) = match failed_submission::<LegalHoldForm>(PlaceLegalHold::PATH) {
        Some((form, error)) => (form, Some(error)),
        None => (LegalHoldForm::default(), error_for(PlaceLegalHold::PATH)),
    };
    let errors = field_errors(error.as_ref());
    let open = error.is_some();
    let (summary, target) = match on {
        LegalHoldTarget::User(number) => (
            "Place a legal hold on this user",
            view! { <input type="hidden" name="form[user]" value=number.to_string() /> }.into_any(),
        ),
        LegalHoldTarget::Category(terms) => {
            ("Place a legal hold on a user category", category(terms, &form.category, &errors).into_any())
        }
    };
    let wrong = |field: &str| errors.message(field).is_some().then_some("true");
    view! {
        <details class="more" id="place-hold" open=open>
            <summary>{summary}</summary>
            <ProblemSummary error />
            <form method="post" action=action(PlaceLegalHold::PATH, page) novalidate>
                <Token />
                <div class="columns">
                    {target}
                    <div class="field">
                        <label for="reason">"Reason"</label>
                        <select id="reason" name="form[reason]" aria-invalid=wrong("reason")
                            aria-describedby="reason-problem">
                            {options(
                                LegalHoldReason::ALL,
                                LegalHoldReason::from_code(&form.reason),
                                "Choose a reason",
                                LegalHoldReason::code,
                                LegalHoldReason::label,
                            )}
                        </select>
                        <FieldProblem field="reason" errors=errors.clone() />
                    </div>
                    <div class="field">
                        <label for="owner">"Owner"</label>
                        <p class="hint" id="owner-hint">"User number of the member of staff responsible (default: you)"</p>
                        <input id="owner" name="form[owner]" type="text" inputmode="numeric" autocomplete="off"
                            value=form.owner.clone() aria-invalid=wrong("owner")
                            aria-describedby="owner-hint owner-problem" />
                        <FieldProblem field="owner" errors=errors.clone() />
                    </div>
                    <div class="field">
                        <label for="review_on">"Review date"</label>
                        <p class="hint" id="review_on-hint">"For example 15 Jan 2018, at most two years ahead"</p>
                        <DateInput id="review_on" name="form[review_on]" value=form.review_on.clone()
                            wrong=wrong("review_on").is_some() described="review_on-hint review_on-problem" />
                        <FieldProblem field="review_on" errors=errors.clone() />
                    </div>
                </div>
                <p class="hint">
                    "While it is in force, the users it covers cannot be anonymised by any means. It stays \
                     in force after its review date, until it is released."
                </p>
                <button class="primary" type="submit">"Place legal hold"</button>
            </form>
        </details>
    }
}

fn category(terms: Vec<Term>, chosen: &str, errors: &FieldErrors) -> impl IntoView + use<> {
    let wrong = errors.message("category").is_some().then_some("true");
    let chosen = chosen.to_owned();
    let options = terms
        .into_iter()
        .map(|term| view! { <option value=term.code.clone() selected=term.code == chosen>{term.name}</option> })
        .collect_view();
    view! {
        <div class="field">
            <label for="category">"User category"</label>
            <select id="category" name="form[category]" aria-invalid=wrong aria-describedby="category-problem">
                <option value="">"Choose a category"</option>
                {options}
            </select>
            <FieldProblem field="category" errors=errors.clone() />
        </div>
    }
}

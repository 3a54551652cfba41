//! One legal hold, its review and its release.

use super::actions::{ReleaseLegalHold, RequestLegalHoldRelease, ReviewForm, ReviewLegalHold};
use super::table::{state_tag, target_link};
use crate::components::{
    DateInput, Day, FieldProblem, PageLayout, PostButton, ProblemSummary, Timestamp, guarded_page,
    path_param, person_link,
};
use crate::error::field_errors;
use crate::form::{Token, action, error_for, failed_submission};
use crate::state::{actor, store};
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use policy::{Action, LegalHoldId};
use safeguards::approval;
use safeguards::legal_hold::{self, LegalHold};
use trail::Actor;

/// Shows one legal hold.
#[component]
pub fn LegalHoldPage() -> impl IntoView {
    let id = path_param::<LegalHoldId>("legal hold");
    guarded_page(async move {
        let store = store();
        let hold = legal_hold::read(&store, id?).await?;
        let four_eyes = approval::four_eyes(&store, Action::ReleaseLegalHolds).await?;
        let crumbs = vec![("Legal holds".to_owned(), "/legal-holds".to_owned())];
        let tag = state_tag(&hold, store.clock.today());
        let facts = facts(&hold);
        let next = hold.is_in_force().then(|| {
            let actor = actor();
            let review = actor.may(Action::PlaceLegalHolds).then(|| review(hold.id));
            view! { {review} {release(&hold, actor, four_eyes)} }
        });
        let paths = [RequestLegalHoldRelease::PATH, ReleaseLegalHold::PATH];
        Ok(view! {
            <PageLayout title=format!("Legal hold {}", hold.id) crumbs>
                <ProblemSummary error=paths.into_iter().find_map(error_for) />
                <p>{tag}</p>
                {facts}
                {next}
            </PageLayout>
        })
    })
}

fn facts(hold: &LegalHold) -> impl IntoView + use<> {
    let person = |person: &Option<trail::person::Person>| person.as_ref().map(person_link);
    let released = hold.released_on.map(|on| {
        view! {
            <dt>"Released"</dt>
            <dd><Day date=on /> {hold.released_by.as_ref().map(|by| view! { ", by " {person_link(by)} })}</dd>
        }
    });
    view! {
        <dl class="facts">
            <dt>"Covers"</dt>
            <dd>{target_link(&hold.on)}</dd>
            <dt>"Reason"</dt>
            <dd>{hold.reason.label()}</dd>
            <dt>"Owner"</dt>
            <dd>{person(&hold.owner)}</dd>
            <dt>"Placed"</dt>
            <dd><Day date=hold.placed_on /> {hold.placed_by.as_ref().map(|by| view! { ", by " {person_link(by)} })}</dd>
            <dt>"Review date"</dt>
            <dd><Day date=hold.review_on /></dd>
            {released}
        </dl>
    }
}

fn review(hold: LegalHoldId) -> impl IntoView {
    let (typed, error) = match failed_submission::<ReviewForm>(ReviewLegalHold::PATH) {
        Some((form, error)) => (form.review_on, Some(error)),
        None => (String::new(), error_for(ReviewLegalHold::PATH)),
    };
    let errors = field_errors(error.as_ref());
    let wrong = errors.message("review_on").is_some();
    view! {
        <section aria-labelledby="review">
            <h2 id="review">"Review"</h2>
            <p>"If the reason still applies, set the next review date."</p>
            <ProblemSummary error />
            <form method="post" action=action(ReviewLegalHold::PATH, &format!("/legal-holds/{hold}")) novalidate>
                <Token />
                <input type="hidden" name="form[hold]" value=hold.to_string() />
                <div class="field">
                    <label for="review_on">"Next review date"</label>
                    <p class="hint" id="review_on-hint">"For example 15 Jan 2018, at most two years ahead"</p>
                    <DateInput id="review_on" name="form[review_on]" value=typed wrong
                        described="review_on-hint review_on-problem" />
                    <FieldProblem field="review_on" errors />
                </div>
                <button type="submit">"Save review date"</button>
            </form>
        </section>
    }
}

/// Renders the release of the hold, by one person or by two.
fn release(hold: &LegalHold, actor: Actor, four_eyes: bool) -> impl IntoView + use<> {
    let page = format!("/legal-holds/{}", hold.id);
    let values = vec![("hold", hold.id.to_string())];
    let may = actor.may(Action::ReleaseLegalHolds);
    let asked = hold.release_request.as_ref().map(|asked| {
        let by = asked.by.map_or_else(|| "on the command line".to_owned(), |by| format!("by user {by}"));
        view! {
            <p>
                "The release was requested " {by} ". It can be decided until " <Timestamp at=asked.expires_at /> " in the list of " <a href="/approvals">"approvals"</a> "."
            </p>
        }
    });
    let own =
        hold.release_request.as_ref().is_some_and(|asked| asked.by.is_some() && asked.by == actor.staff);
    let what = match (may, four_eyes, hold.release_request.is_some()) {
        (true, false, _) | (true, true, true) if !own => {
            view! {
                <details class="more">
                    <summary>"Release legal hold"</summary>
                    <p>
                        <b>{target_link(&hold.on)}</b> " can be anonymised again after the release, also by \
                                                    scheduled tasks. " <b>"Anonymised users cannot be restored."</b>
                    </p>
                    <PostButton function=ReleaseLegalHold::PATH page values label="Release legal hold now" danger=true />
                </details>
            }
            .into_any()
        }
        (true, true, true) => view! { <p>"You requested the release. Another member of staff must release \
                                          the legal hold."</p> }.into_any(),
        (_, true, false) if actor.may(Action::PlaceLegalHolds) => {
            view! { <PostButton function=RequestLegalHoldRelease::PATH page values label="Request release" /> }
                .into_any()
        }
        _ => {
            view! { <p class="hint">"A data protection officer releases legal holds."</p> }.into_any()
        }
    };
    let people = if four_eyes {
        "Two people are required: one requests the release, and another releases."
    } else {
        "One person is enough: no other member of staff can release it, or four eyes are off."
    };
    view! {
        <section aria-labelledby="release">
            <h2 id="release">"Release"</h2>
            <p>{people}</p>
            {asked}
            {what}
        </section>
    }
}

//! The suppression list: what it holds, and destroying its key.

use crate::components::flash;
use crate::components::{
    Day, FieldProblem, PageAction, PageLayout, PostButton, ProblemSummary, ReauthHint, guarded_page,
};
use crate::error::{AppError, field_errors};
use crate::form::{Token, action, error_for};
use crate::state::{actor, can_open, store};
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use leptos::server_fn::codec::PostUrl;
use policy::Action;
use policy::numbers::counted;
use safeguards::approval;
use safeguards::suppression::destroy::{self, CONFIRMATION};
use safeguards::suppression::list::ListFigures;
use safeguards::suppression::{key, list};
use serde::{Deserialize, Serialize};

const HERE: &str = "/suppression";

/// The typed confirmation.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
struct DestroyForm {
    confirm: String,
}

/// Destroys the key and empties the list. This cannot be undone.
#[server(prefix = "/do", endpoint = "destroy_suppression_key", input = PostUrl)]
async fn destroy_suppression_key(form: DestroyForm) -> Result<(), AppError> {
    destroy::destroy(&store(), actor(), &form.confirm).await?;
    flash::redirect("/suppression?done=suppression-key-destroyed");
    Ok(())
}

/// Requests the approval of a second person to destroy the key.
#[server(prefix = "/do", endpoint = "request_suppression_key_destruction", input = PostUrl)]
async fn request_suppression_key_destruction() -> Result<(), AppError> {
    destroy::request_destruction(&store(), actor()).await?;
    flash::redirect("/suppression?done=approval-requested");
    Ok(())
}

/// Shows the suppression list.
#[component]
pub fn SuppressionPage() -> impl IntoView {
    guarded_page(async move {
        let store = store();
        let figures = list::figures(&store).await?;
        let status = key::status(&store).await?;
        let four_eyes = approval::four_eyes(&store, Action::DestroySuppressionKey).await?;
        let months = i64::from(store.settings.suppression_months);
        let actions = vec![PageAction::Link {
            label: "Show held lines".to_owned(),
            href: "/users/held-lines".to_owned(),
        }];
        let problem = status.problem().map(|problem| {
            view! { <div class="notice danger"><p>{problem.to_string()}</p></div> }
        });
        let destroy = can_open(DestroySuppressionKey::PATH).then(|| destroy_section(&figures, four_eyes));
        let asked = error_for(RequestSuppressionKeyDestruction::PATH);
        Ok(view! {
            <PageLayout title="Suppression list" actions
                lead="Identifiers of anonymised users that must not return through an import or a form.">
                <ProblemSummary error=asked />
                {problem}
                {facts(&figures, months)}
                <section aria-labelledby="content-of-list">
                    <h2 id="content-of-list">"What the list contains"</h2>
                    <p>
                        "For each anonymised user: a keyed digest (HMAC-SHA-256) of the external identifier, the \
                         UserID, the barcode and the e-mail, with the month. There is no value, no name and no link \
                         to a record."
                    </p>
                    <p>
                        "A digest can be compared with a known identifier only with the key, which is in a file \
                         outside the database. While the key exists, the list is pseudonymous personal data. \
                         Destroying the key ends that."
                    </p>
                </section>
                {destroy}
            </PageLayout>
        })
    })
}

fn facts(figures: &ListFigures, months: i64) -> impl IntoView + use<> {
    let keys = i64::try_from(figures.keys).unwrap_or(i64::MAX);
    let range = figures.first_expires_on.zip(figures.last_expires_on).map(|(first, last)| {
        view! {
            <dt>"First key leaves the list"</dt>
            <dd><Day date=first /></dd>
            <dt>"Last key leaves the list"</dt>
            <dd><Day date=last /></dd>
        }
    });
    view! {
        <dl class="facts">
            <dt>"On the list"</dt>
            <dd>{counted(keys, "key", "keys")}</dd>
            <dt>"Each key stays for"</dt>
            <dd>{counted(months, "month", "months")}</dd>
            {range}
        </dl>
    }
}

/// Renders the destruction of the key, by one person or by two.
fn destroy_section(figures: &ListFigures, four_eyes: bool) -> impl IntoView + use<> {
    let error = error_for(DestroySuppressionKey::PATH);
    let errors = field_errors(error.as_ref());
    let wrong = errors.message("confirm").map(|_| "true");
    let keys = counted(i64::try_from(figures.keys).unwrap_or(i64::MAX), "key", "keys");
    let action_form = if four_eyes {
        view! {
            <p>"Two people are required: one requests approval, and another data protection officer approves."</p>
            <PostButton function=RequestSuppressionKeyDestruction::PATH page=HERE values=Vec::new()
                label="Request approval" />
        }
        .into_any()
    } else {
        view! {
            <form method="post" action=action(DestroySuppressionKey::PATH, HERE) novalidate>
                <Token />
                <ReauthHint page=HERE />
                <div class="field">
                    <label for="confirm">"To confirm, type " {CONFIRMATION}</label>
                    <input id="confirm" name="form[confirm]" type="text" autocomplete="off"
                        aria-invalid=wrong aria-describedby="confirm-problem" />
                    <FieldProblem field="confirm" errors />
                </div>
                <button class="danger" type="submit">"Destroy key"</button>
            </form>
        }
        .into_any()
    };
    view! {
        <section class="confirm" aria-labelledby="destroy">
            <h2 id="destroy">"Destroy key"</h2>
            <ProblemSummary error />
            <p>
                "The key is overwritten, " <b>{keys}</b> " and all held lines are deleted, and a new key is made for \
                 users who are anonymised later. From then on, an import or a form can create the users of the old \
                 list again. " <b>"This cannot be undone."</b>
            </p>
            <p>
                "Copies of the key file must be deleted separately: on other servers and in backups. With a copy and an \
                 old backup of the database, the old list could still be read."
            </p>
            {action_form}
        </section>
    }
}

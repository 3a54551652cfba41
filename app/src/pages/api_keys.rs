//! The keys of the API, with which identity systems read and change users.

use crate::components::flash;
use crate::components::{
    AskFirst, DataTable, Day, FieldProblem, Notice, PageLayout, ProblemSummary, ReauthHint, Timestamp,
    guarded_page, text_columns,
};
use crate::error::{AppError, field_errors};
use crate::form::{Token, action, error_for, failed_submission};
use crate::state::{actor, store};
use identity::api_key::{self, ApiKeyRow, ApiKeyState};
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use leptos::server_fn::codec::PostUrl;
use policy::api_key::{ApiKeyForm, DEFAULT_DAYS, MAX_DAYS};
use policy::{ApiKeyId, ApiScope};
use serde::{Deserialize, Serialize};

const HERE: &str = "/api-keys";

/// Identifies an API key.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ApiKeyRef {
    key: i64,
}

/// Creates an API key and shows it once.
#[server(prefix = "/do", endpoint = "create_api_key", input = PostUrl)]
pub(super) async fn create_api_key(form: ApiKeyForm) -> Result<(), AppError> {
    let new = api_key::create(&store(), actor(), &form).await?;
    Err(AppError::Shown(vec![new.key.to_string()]))
}

/// Revokes an API key.
#[server(prefix = "/do", endpoint = "revoke_api_key", input = PostUrl)]
pub(super) async fn revoke_api_key(form: ApiKeyRef) -> Result<(), AppError> {
    api_key::revoke(&store(), actor(), ApiKeyId(form.key)).await?;
    flash::redirect("/api-keys?done=api-key-revoked");
    Ok(())
}

/// Shows the API keys and the form that creates one.
#[component]
pub fn ApiKeysPage() -> impl IntoView {
    guarded_page(async move {
        let keys = api_key::list(&store(), actor()).await?;
        let failed = failed_submission::<ApiKeyForm>(CreateApiKey::PATH);
        let (typed, error) = match failed {
            Some((typed, error)) => (typed, Some(error)),
            None => (ApiKeyForm::default(), error_for(CreateApiKey::PATH)),
        };
        let (key, typed, error) = match error {
            Some(AppError::Shown(keys)) => (keys.into_iter().next(), ApiKeyForm::default(), None),
            error => (None, typed, error),
        };
        let list = if keys.is_empty() {
            view! { <p class="empty">"There are no API keys. An identity system needs one to use the API."</p> }
                .into_any()
        } else {
            let rows = keys.into_iter().map(row).collect_view();
            let columns =
                text_columns(["Name", "Scopes", "Created", "Valid until", "Last used", "Status", "Actions"]);
            view! { <DataTable label="API keys" columns>{rows}</DataTable> }.into_any()
        };
        Ok(view! {
            <PageLayout title="API keys"
                lead="With an API key, an identity system reads and changes users through SCIM 2.0.">
                {key.map(shown_once)}
                <ProblemSummary error=error.clone().or_else(|| error_for(RevokeApiKey::PATH)) />
                {list}
                {form(typed, error)}
            </PageLayout>
        })
    })
}

fn shown_once(key: String) -> impl IntoView {
    view! {
        <Notice kind="success">
            <p>
                "Copy this key into the identity system now. It will not be shown again; Lethe stores only its \
                 hash."
            </p>
            <p><code class="secret">{key}</code></p>
        </Notice>
    }
}

fn row(key: ApiKeyRow) -> impl IntoView {
    let class = if key.state == ApiKeyState::Active { "tag ready" } else { "tag quiet" };
    let by = key.created_by.map(|staff| {
        let name = key.created_by_name.clone().unwrap_or_else(|| format!("User {staff}"));
        view! { " by " <a href=format!("/users/{staff}")>{name}</a> }
    });
    let revoke = (key.state == ApiKeyState::Active).then(|| {
        let values = vec![("key", key.id.to_string())];
        view! {
            <AskFirst function=RevokeApiKey::PATH page=HERE values label="Revoke key" about=format!("“{}”", key.name)
                consequence="Programs that use the key are rejected from the next request on. You cannot undo \
                             this; create a new key instead." />
        }
    });
    view! {
        <tr>
            <th scope="row">{key.name.clone()}</th>
            <td>{key.scope_labels.join(", ")}</td>
            <td><Timestamp at=key.created_at /> {by}</td>
            <td><Timestamp at=key.expires_at /></td>
            <td>{match key.last_used_on {
                Some(day) => view! { <Day date=Some(day) /> }.into_any(),
                None => "Never".into_any(),
            }}</td>
            <td><span class=class>{key.state.label()}</span></td>
            <td>{revoke}</td>
        </tr>
    }
}

fn form(typed: ApiKeyForm, error: Option<AppError>) -> impl IntoView {
    let errors = field_errors(error.as_ref());
    let wrong = |field: &str| errors.message(field).is_some().then_some("true");
    let (read, write) = (ApiScope::ReadUsers.label(), ApiScope::WriteUsers.label());
    view! {
        <section aria-labelledby="create">
            <h2 id="create">"Create an API key"</h2>
            <form method="post" action=action(CreateApiKey::PATH, HERE) class="narrow" novalidate>
                <Token />
                <ReauthHint page=HERE />
                <div class="field">
                    <label for="name">"Name"</label>
                    <input id="name" name="form[name]" data-shortcut="n" value=typed.name autocomplete="off"
                        aria-invalid=wrong("name") aria-describedby="name-help name-problem" />
                    <p class="hint" id="name-help">"For example the identity system that uses the key"</p>
                    <FieldProblem field="name" errors=errors.clone() />
                </div>
                <fieldset>
                    <legend>"The key may"</legend>
                    <div class="choice">
                        <input id="read_users" name="form[read_users]" type="checkbox" value="true"
                            checked=typed.read_users aria-invalid=wrong("read_users")
                            aria-describedby="read_users-problem" />
                        <label for="read_users">{read}</label>
                    </div>
                    <div class="choice">
                        <input id="write_users" name="form[write_users]" type="checkbox" value="true"
                            checked=typed.write_users />
                        <label for="write_users">{write}</label>
                    </div>
                    <FieldProblem field="read_users" errors=errors.clone() />
                </fieldset>
                <div class="field">
                    <label for="days">"Valid for days"</label>
                    <input id="days" name="form[days]" type="text" inputmode="numeric" class="number" value=typed.days
                        placeholder=DEFAULT_DAYS.to_string() autocomplete="off" aria-invalid=wrong("days")
                        aria-describedby="days-help days-problem" />
                    <p class="hint" id="days-help">
                        "At most " {MAX_DAYS.to_string()} ". If empty: " {DEFAULT_DAYS.to_string()}
                    </p>
                    <FieldProblem field="days" errors />
                </div>
                <div class="buttons"><button type="submit">"Create API key"</button></div>
            </form>
        </section>
    }
}

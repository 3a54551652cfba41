//! The list of webhooks, and the form that creates one.

use super::HERE;
use super::actions::{CreateWebhook, DisableWebhook, SendTestWebhook};
use crate::components::{AskFirst, DataTable, FieldProblem, PostButton, Timestamp, text_columns};
use crate::error::{AppError, field_errors};
use crate::form::{Token, action};
use crate::pages::notification_ticks;
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use notify::webhook::WebhookRow;
use policy::notification::{Event, WebhookForm};

/// Shows the webhooks.
pub(super) fn view(hooks: Vec<WebhookRow>) -> impl IntoView {
    let list = if hooks.is_empty() {
        view! { <p class="empty">"There are no webhooks."</p> }.into_any()
    } else {
        let rows = hooks.into_iter().map(row).collect_view();
        let columns = text_columns(["Name", "Address", "Events", "Created", "Status", "Actions"]);
        view! { <DataTable label="Webhooks" columns>{rows}</DataTable> }.into_any()
    };
    view! {
        <section>
            <h2 id="webhooks">"Webhooks"</h2>
            {list}
        </section>
    }
}

fn row(hook: WebhookRow) -> impl IntoView {
    let id = hook.id.to_string();
    let about = format!("“{}”", hook.name);
    let by = hook.created_by.map(|(staff, name)| {
        view! { " by " <a href=format!("/users/{staff}")>{name}</a> }
    });
    let (class, status) = if hook.is_disabled { ("tag quiet", "Disabled") } else { ("tag ready", "Active") };
    let buttons = (!hook.is_disabled).then(|| {
        view! {
            <PostButton function=SendTestWebhook::PATH page=HERE values=vec![("webhook", id.clone())]
                label="Send test message" about=about.clone() />
            <AskFirst function=DisableWebhook::PATH page=HERE values=vec![("webhook", id.clone())]
                label="Disable webhook" about=about.clone()
                consequence="Lethe sends nothing more to this address. You cannot undo this; create a new webhook \
                             instead." />
        }
    });
    let events =
        hook.events.into_iter().map(Event::label).map(|label| view! { <li>{label}</li> }).collect_view();
    view! {
        <tr>
            <th scope="row">{hook.name.clone()}</th>
            <td><code>{hook.url}</code></td>
            <td><ul class="plain">{events}</ul></td>
            <td><Timestamp at=hook.created_at /> {by}</td>
            <td><span class=class>{status}</span></td>
            <td>{buttons}</td>
        </tr>
    }
}

/// Renders the form that creates a webhook.
pub(super) fn form(typed: WebhookForm, error: Option<&AppError>) -> impl IntoView + use<> {
    let errors = field_errors(error);
    let wrong = |field: &str| errors.message(field).is_some().then_some("true");
    view! {
        <section aria-labelledby="create">
            <h2 id="create">"Create a webhook"</h2>
            <form method="post" action=action(CreateWebhook::PATH, HERE) class="narrow" novalidate>
                <Token />
                <div class="field">
                    <label for="name">"Name"</label>
                    <input id="name" name="form[name]" data-shortcut="n" value=typed.name autocomplete="off"
                        aria-invalid=wrong("name") aria-describedby="name-help name-problem" />
                    <p class="hint" id="name-help">"For example the monitoring system that receives it"</p>
                    <FieldProblem field="name" errors=errors.clone() />
                </div>
                <div class="field">
                    <label for="url">"Address"</label>
                    <input id="url" name="form[url]" type="url" value=typed.url autocomplete="off"
                        aria-invalid=wrong("url") aria-describedby="url-help url-problem" />
                    <p class="hint" id="url-help">"Such as https://monitoring.example.org/lethe"</p>
                    <FieldProblem field="url" errors=errors.clone() />
                </div>
                <fieldset id="events" tabindex="-1">
                    <legend>"Events"</legend>
                    {notification_ticks(Event::CHOICES.to_vec(), typed.events, "form[events]")}
                    <FieldProblem field="events" errors=errors.clone() />
                </fieldset>
                <div class="buttons"><button type="submit">"Create webhook"</button></div>
            </form>
        </section>
    }
}

//! The events that the signed-in member of staff gets by e-mail, on the account page.

use crate::components::{ProblemSummary, flash};
use crate::error::AppError;
use crate::form::{Token, action, error_for};
use crate::state::{actor, store};
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use leptos::server_fn::codec::PostUrl;
use notify::choice;
use policy::notification::{Event, EventTicks};
use serde::{Deserialize, Serialize};

const HERE: &str = "/account";

/// The ticked events.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ChooseForm {
    events: EventTicks,
    /// A form without a tick would otherwise have no field.
    sent: bool,
}

/// Saves the events that the signed-in member of staff gets by e-mail.
#[server(prefix = "/do", endpoint = "choose_notifications", input = PostUrl)]
pub(super) async fn choose_notifications(form: ChooseForm) -> Result<(), AppError> {
    choice::save(&store(), actor(), form.events).await?;
    flash::redirect("/account?done=notifications-chosen");
    Ok(())
}

/// Shows the choice on the account page. Empty for roles that see none of the events.
#[component]
pub(super) fn NotificationChoice(
    /// The events that the role may see.
    offered: Vec<Event>,
    /// The chosen events.
    chosen: EventTicks,
    /// Whether the user record has an address that can receive mail.
    has_address: bool,
    /// Whether the installation can send mail.
    can_send: bool,
) -> impl IntoView {
    if offered.is_empty() {
        return None;
    }
    let missing = if !can_send {
        Some("E-mail is not configured. An administrator can set it up; your choice applies from then on.")
    } else if !has_address {
        Some("Your user record has no e-mail address, so you get no e-mail.")
    } else {
        None
    };
    Some(view! {
        <section aria-labelledby="notifications">
            <h2 id="notifications">"Notifications by e-mail"</h2>
            <ProblemSummary error=error_for(ChooseNotifications::PATH) />
            {missing.map(|text| view! { <p class="hint">{text}</p> })}
            <form method="post" action=action(ChooseNotifications::PATH, HERE) data-guard="">
                <Token />
                <input type="hidden" name="form[sent]" value="true" />
                <fieldset>
                    <legend>"Send me an e-mail when"</legend>
                    {notification_ticks(offered, chosen, "form[events]")}
                </fieldset>
                <div class="buttons"><button type="submit" data-shortcut="s">"Save notifications"</button></div>
            </form>
        </section>
    })
}

/// Renders a checkbox for each event.
pub(super) fn notification_ticks(
    events: Vec<Event>,
    ticked: EventTicks,
    name: &'static str,
) -> impl IntoView {
    let tick = move |event: Event| {
        let id = format!("event-{}", event.code());
        view! {
            <div class="choice">
                <input id=id.clone() name=format!("{name}[{}]", event.code()) type="checkbox" value="true"
                    checked=ticked.has(event) />
                <label for=id>{event.label()}</label>
            </div>
        }
    };
    events.into_iter().map(tick).collect_view()
}

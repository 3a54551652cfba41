//! The list of deliveries.

use super::HERE;
use super::actions::{DiscardDelivery, RetryDelivery};
use crate::components::load::FilteredList;
use crate::components::{
    AskFirst, DataTable, FilterProblem, PostButton, Timestamp, choice, filtered_list, options, text_columns,
};
use crate::state::actor;
use db::RecordsError;
use db::pagination::Paging;
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use notify::delivery::{self, Delivery, DeliveryQuery, Recipient};
use policy::form::FieldErrors;
use policy::notification::DeliveryState;
use trail::Store;

/// Loads and shows one page of deliveries, with the form that filters them.
pub(super) async fn list(
    store: &Store,
    errors: &mut FieldErrors,
    paging: &Paging,
) -> Result<FilteredList, RecordsError> {
    let state = choice(errors, "state", DeliveryState::from_code);
    let address = match state {
        Some(state) => format!("{HERE}?state={}", state.code()),
        None => HERE.to_owned(),
    };
    let load = delivery::list(store, actor(), DeliveryQuery { state }, paging);
    let list = filtered_list(errors, address, paging, load, |rows| {
        if rows.is_empty() {
            let empty = if state.is_some() {
                "No deliveries match this filter."
            } else {
                "Nothing has been sent yet."
            };
            view! { <p class="empty">{empty}</p> }.into_any()
        } else {
            table(rows).into_any()
        }
    })
    .await?;
    let content = view! {
        <section>
            <h2 id="deliveries">"Deliveries"</h2>
            <form class="filters" method="get" action=HERE>
                <div class="field">
                    <label for="state">"State"</label>
                    <select id="state" name="state">
                        {options(DeliveryState::ALL, state, "All states", DeliveryState::code, DeliveryState::label)}
                    </select>
                    <FilterProblem field="state" errors=errors.clone() />
                </div>
                <button type="submit">"Apply filters"</button>
            </form>
            {list.content}
        </section>
    };
    Ok(FilteredList { error: list.error, content: content.into_any() })
}

fn table(rows: Vec<Delivery>) -> impl IntoView {
    let rows = rows.into_iter().map(row).collect_view();
    let columns = text_columns(["Event", "About", "Happened", "Recipient", "State", "Actions"]);
    view! { <DataTable label="Deliveries" columns>{rows}</DataTable> }
}

fn row(delivery: Delivery) -> impl IntoView {
    let id = delivery.id.to_string();
    let about = delivery.run.map(|run| {
        view! { <a href=format!("/runs/{run}")>"Run "{run.to_string()}</a> }
    });
    let recipient = match delivery.recipient {
        Recipient::Staff(number, name) => {
            view! { <a href=format!("/users/{number}")>{name}</a>" by e-mail" }.into_any()
        }
        Recipient::Webhook(name) => view! { "Webhook “"{name}"”" }.into_any(),
    };
    let class = match delivery.state {
        DeliveryState::Delivered => "tag ready",
        DeliveryState::Failed => "tag bad",
        DeliveryState::Waiting | DeliveryState::Skipped | DeliveryState::Discarded => "tag quiet",
    };
    let problem = delivery.problem.map(|problem| view! { <br/> {problem.label()} });
    let next = delivery.next_at.filter(|_| delivery.attempts > 0).map(|at| {
        view! { <br/> "Next attempt " <Timestamp at=at /> }
    });
    let buttons = (delivery.state == DeliveryState::Failed).then(|| {
        let about = format!("to delivery {id}");
        view! {
            <PostButton function=RetryDelivery::PATH page=HERE values=vec![("delivery", id.clone())]
                label="Try again" about=about.clone() />
            <AskFirst function=DiscardDelivery::PATH page=HERE values=vec![("delivery", id.clone())]
                label="Discard" about=about
                consequence="The recipient does not get this message, and the banner no longer reports it." />
        }
    });
    view! {
        <tr>
            <th scope="row">{delivery.event.label()}</th>
            <td>{about}</td>
            <td><Timestamp at=delivery.at /></td>
            <td>{recipient}</td>
            <td><span class=class>{delivery.state.label()}</span> {problem} {next}</td>
            <td>{buttons}</td>
        </tr>
    }
}

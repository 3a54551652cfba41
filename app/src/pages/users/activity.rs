//! What hangs on a user, as tables, with the buttons that close what is open.

use super::actions::{CancelRequest, ReturnLoan, SettleCharge};
use super::code_label;
use crate::components::{Day, PostButton, Timestamp};
use chrono::NaiveDate;
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use policy::CatalogueRecordId;
use policy::numbers::{grouped, money};
use records::circulation::{Charge, Loan, Message, Request};

/// A list that holds nothing.
pub(super) fn none(label: &'static str) -> AnyView {
    view! { <p class="empty">{label}</p> }.into_any()
}

fn table(caption: &'static str, heads: &[&'static str], rows: Vec<AnyView>) -> AnyView {
    let heads = heads
        .iter()
        .map(|label| match *label {
            "" => view! { <th scope="col"><span class="hidden">"Action"</span></th> }.into_any(),
            "Renewals" | "Amount" => view! { <th scope="col" class="number">{*label}</th> }.into_any(),
            label => view! { <th scope="col">{label}</th> }.into_any(),
        })
        .collect_view();
    view! {
        <div class="scroll" role="region" aria-label=caption tabindex="0">
            <table>
                <caption class="hidden">{caption}</caption>
                <thead><tr>{heads}</tr></thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
    .into_any()
}

/// The title of what was borrowed or requested, with a link to its record.
fn title(record: Option<&(CatalogueRecordId, String)>) -> AnyView {
    match record {
        Some((id, title)) => view! { <a href=format!("/catalogue/{id}")>{title.clone()}</a> }.into_any(),
        None => "(no longer in the catalogue)".into_any(),
    }
}

fn title_text(record: Option<&(CatalogueRecordId, String)>) -> String {
    record.map_or_else(String::new, |(_, title)| title.clone())
}

pub(super) fn open_loans(loans: Vec<Loan>, here: &str, today: NaiveDate) -> AnyView {
    if loans.is_empty() {
        return none("No open loans.");
    }
    let row = |loan: Loan| {
        let overdue = loan.due_on < today;
        view! {
            <tr>
                <th scope="row">{title(loan.record.as_ref())}</th>
                <td>{loan.item_barcode}</td>
                <td>{loan.branch}</td>
                <td class="nowrap"><Day date=loan.issued_on /></td>
                <td class="nowrap">
                    <Day date=loan.due_on />
                    {overdue.then(|| view! { " " <span class="tag due">"Overdue"</span> })}
                </td>
                <td class="number">{grouped(i64::from(loan.renewals))}</td>
                <td>{loan.note}</td>
                <td>
                    <PostButton function=ReturnLoan::PATH page=here.to_owned() label="Return loan"
                        values=vec![("loan", loan.id.to_string())] about=title_text(loan.record.as_ref()) />
                </td>
            </tr>
        }
        .into_any()
    };
    let heads = ["Title", "Item", "Branch", "Issued", "Due", "Renewals", "Note", ""];
    table("Open loans", &heads, loans.into_iter().map(row).collect())
}

pub(super) fn past_loans(loans: Vec<Loan>) -> AnyView {
    if loans.is_empty() {
        return none("No returned loans yet. Loans appear here when they are returned.");
    }
    let row = |loan: Loan| {
        let notes: Vec<String> = [loan.note, loan.return_note].into_iter().flatten().collect();
        view! {
            <tr>
                <th scope="row">{title(loan.record.as_ref())}</th>
                <td>{loan.item_barcode}</td>
                <td>{loan.branch}</td>
                <td class="nowrap"><Day date=loan.issued_on /></td>
                <td class="nowrap"><Day date=loan.returned_on /></td>
                <td class="number">{grouped(i64::from(loan.renewals))}</td>
                <td>{notes.join("; ")}</td>
            </tr>
        }
        .into_any()
    };
    let heads = ["Title", "Item", "Branch", "Issued", "Returned", "Renewals", "Notes"];
    table("Loan history", &heads, loans.into_iter().map(row).collect())
}

pub(super) fn requests(requests: Vec<Request>, here: &str) -> AnyView {
    if requests.is_empty() {
        return none("This user has no requests.");
    }
    let row = |request: Request| {
        let notes: Vec<String> = [request.note, request.cancel_reason].into_iter().flatten().collect();
        let cancel = request.closed_on.is_none().then(|| {
            view! {
                <PostButton function=CancelRequest::PATH page=here.to_owned() label="Cancel request"
                    values=vec![("request", request.id.to_string())]
                    about=format!("for {}", title_text(request.record.as_ref())) />
            }
        });
        view! {
            <tr>
                <th scope="row">{title(request.record.as_ref())}</th>
                <td>{request.branch}</td>
                <td class="nowrap"><Day date=request.placed_on /></td>
                <td>{code_label(&request.status)}</td>
                <td class="nowrap"><Day date=request.closed_on /></td>
                <td>{notes.join("; ")}</td>
                <td>{cancel}</td>
            </tr>
        }
        .into_any()
    };
    let heads = ["Title", "Pick-up branch", "Placed", "Status", "Closed", "Notes", ""];
    table("Requests", &heads, requests.into_iter().map(row).collect())
}

pub(super) fn charges(charges: Vec<Charge>, here: &str) -> AnyView {
    if charges.is_empty() {
        return none("This user has no charges and no credits.");
    }
    let row = |charge: Charge| {
        let settle = charge.settled_on.is_none().then(|| {
            view! {
                <PostButton function=SettleCharge::PATH page=here.to_owned() label="Settle charge"
                    values=vec![("charge", charge.id.to_string())]
                    about=format!("of {}", money(charge.cents)) />
            }
        });
        let credit = (charge.cents < 0).then(|| view! { " " <span class="tag">"Credit"</span> });
        view! {
            <tr>
                <th scope="row">{code_label(&charge.kind)} {credit}</th>
                <td class="number">{money(charge.cents)}</td>
                <td class="nowrap"><Day date=charge.charged_on /></td>
                <td class="nowrap"><Day date=charge.settled_on /></td>
                <td>{charge.note}</td>
                <td>{settle}</td>
            </tr>
        }
        .into_any()
    };
    let heads = ["Kind", "Amount", "Charged", "Settled", "Note", ""];
    table("Charges and credits", &heads, charges.into_iter().map(row).collect())
}

pub(super) fn messages(messages: Vec<Message>) -> AnyView {
    if messages.is_empty() {
        return none("No messages have been sent to this user.");
    }
    let row = |message: Message| {
        let body = message.body.map(|body| {
            view! { <details class="more"><summary>"Text"</summary><span class="lines">{body}</span></details> }
        });
        view! {
            <tr>
                <th scope="row">{code_label(&message.kind)}</th>
                <td>{code_label(&message.channel)}</td>
                <td class="nowrap"><Timestamp at=message.sent_at /></td>
                <td>{message.recipient}</td>
                <td>{message.subject} {body}</td>
            </tr>
        }
        .into_any()
    };
    let heads = ["Kind", "Channel", "Sent", "To", "Message"];
    table("Messages", &heads, messages.into_iter().map(row).collect())
}

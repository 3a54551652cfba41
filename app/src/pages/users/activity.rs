//! Tables of a user's loans, requests, charges and messages, with the buttons that close open ones.

use super::actions::{CancelRequest, ReturnLoan, SettleCharge};
use super::code_label;
use crate::components::{Column, DataTable, Day, PostButton, Timestamp, text_columns};
use chrono::NaiveDate;
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use policy::CatalogueRecordId;
use policy::currency::Currency;
use policy::numbers::grouped;
use records::circulation::{Charge, Loan, Message, Request};

/// Renders an empty list.
pub(super) fn empty_list(label: &'static str) -> AnyView {
    view! { <p class="empty">{label}</p> }.into_any()
}

fn table(caption: &'static str, columns: Vec<Column>, rows: Vec<AnyView>) -> AnyView {
    view! { <DataTable label=caption caption columns>{rows}</DataTable> }.into_any()
}

/// Renders the title of a loan or request, with a link to the catalogue record.
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
        return empty_list("No open loans.");
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
    let columns = vec![
        Column::text("Title"),
        Column::text("Item"),
        Column::text("Branch"),
        Column::text("Issued"),
        Column::text("Due"),
        Column::number("Renewals"),
        Column::text("Note"),
        Column::hidden("Action"),
    ];
    table("Open loans", columns, loans.into_iter().map(row).collect())
}

pub(super) fn past_loans(loans: Vec<Loan>) -> AnyView {
    if loans.is_empty() {
        return empty_list("No returned loans yet. Loans appear here when they are returned.");
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
    let columns = vec![
        Column::text("Title"),
        Column::text("Item"),
        Column::text("Branch"),
        Column::text("Issued"),
        Column::text("Returned"),
        Column::number("Renewals"),
        Column::text("Notes"),
    ];
    table("Loan history", columns, loans.into_iter().map(row).collect())
}

pub(super) fn requests(requests: Vec<Request>, here: &str) -> AnyView {
    if requests.is_empty() {
        return empty_list("This user has no requests.");
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
    let columns = vec![
        Column::text("Title"),
        Column::text("Pick-up branch"),
        Column::text("Placed"),
        Column::text("Status"),
        Column::text("Closed"),
        Column::text("Notes"),
        Column::hidden("Action"),
    ];
    table("Requests", columns, requests.into_iter().map(row).collect())
}

/// Returns an amount as text, with the currency of the library.
fn amount(cents: Option<i64>, currency: Currency) -> String {
    cents.map_or_else(|| "not known".to_owned(), |cents| currency.amount(cents))
}

pub(super) fn charges(charges: Vec<Charge>, here: &str, currency: Currency) -> AnyView {
    if charges.is_empty() {
        return empty_list("This user has no charges and no credits.");
    }
    let row = |charge: Charge| {
        let settle = charge.settled_on.is_none().then(|| {
            view! {
                <PostButton function=SettleCharge::PATH page=here.to_owned() label="Settle charge"
                    values=vec![("charge", charge.id.to_string())]
                    about=format!("of {}", amount(charge.cents, currency)) />
            }
        });
        let credit = charge
            .cents
            .is_some_and(|cents| cents < 0)
            .then(|| view! { " " <span class="tag">"Credit"</span> });
        view! {
            <tr>
                <th scope="row">{code_label(&charge.kind)} {credit}</th>
                <td class="number">{amount(charge.cents, currency)}</td>
                <td class="nowrap"><Day date=charge.charged_on /></td>
                <td class="nowrap"><Day date=charge.settled_on /></td>
                <td>{charge.note}</td>
                <td>{settle}</td>
            </tr>
        }
        .into_any()
    };
    let columns = vec![
        Column::text("Kind"),
        Column::number("Amount"),
        Column::text("Charged"),
        Column::text("Settled"),
        Column::text("Note"),
        Column::hidden("Action"),
    ];
    table("Charges and credits", columns, charges.into_iter().map(row).collect())
}

pub(super) fn messages(messages: Vec<Message>) -> AnyView {
    if messages.is_empty() {
        return empty_list("No messages have been sent to this user.");
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
    let columns = text_columns(["Kind", "Channel", "Sent", "To", "Message"]);
    table("Messages", columns, messages.into_iter().map(row).collect())
}

//! The list of access requests.

use super::address;
use crate::components::{
    DataTable, Day, FilterProblem, PageLayout, ProblemSummary, choice, filtered_list, guarded_page, paging,
    person_link, text_columns,
};
use crate::state::{actor, store};
use chrono::NaiveDate;
use leptos::prelude::*;
use policy::access_request::AccessRequestState;
use policy::form::FieldErrors;
use records::access_request::{self, AccessRequest};

/// The choices of the filter.
const SHOWN: [(&str, &str); 2] = [("open", "Open"), ("closed", "Closed")];

/// Shows the access requests: open ones, the first due first, or closed ones.
#[component]
pub fn AccessRequestListPage() -> impl IntoView {
    let mut errors = FieldErrors::default();
    let show = choice(&mut errors, "show", |code| SHOWN.into_iter().find(|(of, _)| *of == code));
    guarded_page(async move {
        let (code, _) = show.unwrap_or(SHOWN[0]);
        let open = code == SHOWN[0].0;
        let store = store();
        let paging = paging();
        let load = access_request::list(&store, actor(), open, &paging);
        let today = store.clock.today();
        let list = filtered_list(&errors, format!("/access-requests?show={code}"), &paging, load, |rows| {
            if rows.is_empty() {
                let none = if open {
                    "No access request is open. A request is recorded on the record of the user."
                } else {
                    "No access request has been closed yet."
                };
                return view! { <p class="empty">{none}" "<a href="/users">"Find a user"</a></p> }.into_any();
            }
            request_table(rows, today, true).into_any()
        })
        .await?;
        let shown = SHOWN
            .map(|(of, label)| view! { <option value=of selected=of == code>{label}</option> })
            .collect_view();
        Ok(view! {
            <PageLayout title="Access requests"
                lead="People who asked what the library holds about them. The library must answer within one month.">
                <ProblemSummary error=list.error />
                <form class="filters" method="get" action="/access-requests" role="search"
                    aria-label="Filter access requests">
                    <div class="field">
                        <label for="show">"Show"</label>
                        <select id="show" name="show" aria-describedby="show-problem">{shown}</select>
                        <FilterProblem field="show" errors=errors.clone() />
                    </div>
                    <button type="submit">"Filter access requests"</button>
                </form>
                {list.content}
            </PageLayout>
        })
    })
}

/// Renders the state of a request as a tag.
pub(super) fn state_tag(request: &AccessRequest, today: NaiveDate) -> impl IntoView + use<> {
    let (class, label) = match request.state {
        AccessRequestState::Open if request.is_overdue(today) => ("tag bad", "Open, overdue"),
        AccessRequestState::Open if request.is_due_soon(today) => ("tag due", "Open, due soon"),
        AccessRequestState::Open => ("tag ready", "Open"),
        AccessRequestState::Answered => ("tag proven", "Answered"),
        state => ("tag quiet", state.label()),
    };
    view! { <span class=class>{label}</span> }
}

/// Renders the table. A table about one user does not name the user.
pub(crate) fn request_table(
    requests: Vec<AccessRequest>,
    today: NaiveDate,
    names_user: bool,
) -> impl IntoView {
    let rows = requests
        .into_iter()
        .map(|request| {
            let tag = state_tag(&request, today);
            let user = names_user.then(|| view! { <td>{person_link(&request.user)}</td> });
            view! {
                <tr>
                    <th scope="row"><a href=address(request.id)>"Access request "{request.id.to_string()}</a></th>
                    {user}
                    <td>{tag}</td>
                    <td class="nowrap"><Day date=request.due_on /></td>
                    <td class="nowrap"><Day date=request.received_on /></td>
                    <td>{request.recorded_by.as_ref().map(person_link)}</td>
                    <td class="nowrap"><Day date=request.closed_on /></td>
                </tr>
            }
        })
        .collect_view();
    let mut columns =
        text_columns(["Access request", "User", "State", "Due", "Received", "Recorded by", "Closed"]);
    if !names_user {
        columns.remove(1);
    }
    view! { <DataTable label="Access requests" caption="Access requests" columns>{rows}</DataTable> }
}

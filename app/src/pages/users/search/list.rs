//! The list of the users found.

use super::MAX_COUNTED;
use crate::components::{Column, DataTable, Day, Pages, RecordDay, own_address, user_address};
use crate::pages::users::preview_found::PreviewTasks;
use crate::user_search::SearchForm;
use db::RecordsError;
use db::pagination::Page;
use leptos::prelude::*;
use policy::numbers::{counted, grouped};
use policy::user_list::{UserColumn, UserListLayout};
use records::user::{Sort, UserRow};
use std::collections::BTreeSet;

/// Renders the list with its number of users and its pages.
pub(super) fn list(
    form: &SearchForm,
    found: Page<UserRow>,
    count: i64,
    layout: &UserListLayout,
    preview: Option<PreviewTasks>,
) -> Result<impl IntoView + use<>, RecordsError> {
    let Page { rows, next, previous } = found;
    let most = i64::try_from(MAX_COUNTED).unwrap_or(i64::MAX);
    let count = if count > most {
        format!("More than {} users", grouped(most))
    } else {
        counted(count, "user", "users")
    };
    let caption = format!("{count}, {}", order(form));
    let ticked = preview.is_some().then(PreviewTasks::ticked);
    let mut columns = Vec::new();
    if ticked.is_some() {
        columns.push(Column::hidden("Tick"));
    }
    columns.extend([sortable(form, Sort::Number, "Number")?, sortable(form, Sort::Name, "Name")?]);
    for column in &layout.columns {
        columns.push(match column {
            UserColumn::Leaving => sortable(form, Sort::Leaving, column.label())?,
            UserColumn::Activity => sortable(form, Sort::Activity, column.label())?,
            _ => Column::text(column.label()),
        });
    }
    let beside = |place, key: Option<String>| key.map(|key| form.address_beside(place, key)).transpose();
    let first = previous.is_some().then(|| form.address(form.sort, form.descending)).transpose()?;
    let (previous, next) = (beside("before", previous)?, beside("after", next)?);
    let rows = rows.into_iter().map(|user| row(user, &layout.columns, ticked.as_ref())).collect_view();
    let preview = preview.map(|preview| preview.form(form.given(), &count, &own_address()));
    Ok(view! {
        {preview}
        <DataTable label="Users found" caption shows_caption=true columns>
            {rows}
        </DataTable>
        <Pages first previous next />
    })
}

/// Returns the order of the list in words.
fn order(form: &SearchForm) -> &'static str {
    match (form.sort, form.descending) {
        (Sort::Number, false) => "sorted by number",
        (Sort::Number, true) => "sorted by number, highest first",
        (Sort::Name, false) => "sorted by name",
        (Sort::Name, true) => "sorted by name, Z to A",
        (Sort::Leaving, false) => "sorted by leaving date, earliest first",
        (Sort::Leaving, true) => "sorted by leaving date, latest first",
        (Sort::Activity, false) => "sorted by last activity, earliest first",
        (Sort::Activity, true) => "sorted by last activity, latest first",
    }
}

/// Returns a column that sorts the list. Its link reverses the direction if the list is sorted by it already.
fn sortable(form: &SearchForm, sort: Sort, label: &'static str) -> Result<Column, RecordsError> {
    let is_current = form.sort == sort;
    let direction = is_current.then_some(if form.descending { "descending" } else { "ascending" });
    let href = form.address(sort, is_current && !form.descending)?;
    Ok(Column::sortable(label, href, direction))
}

fn row(user: UserRow, columns: &[UserColumn], ticked: Option<&BTreeSet<i64>>) -> impl IntoView + use<> {
    let number = user.number;
    let tick = ticked.map(|ticked| {
        let checked = ticked.contains(&number.0);
        view! {
            <td>
                <input type="checkbox" form=PreviewTasks::FORM name="form[users][]" value=number.to_string()
                    checked=checked aria-label=format!("Tick user {number}") />
            </td>
        }
    });
    let cells = columns.iter().map(|column| cell(&user, *column)).collect_view();
    view! {
        <tr>
            {tick}
            <td class="number">{user.number.to_string()}</td>
            <th scope="row"><a href=user_address(user.number)>{user.name.clone()}</a></th>
            {cells}
        </tr>
    }
}

fn cell(user: &UserRow, column: UserColumn) -> AnyView {
    let by_month = user.dates_by_month;
    let text = |value: &Option<String>| view! { <td>{value.clone()}</td> }.into_any();
    match column {
        UserColumn::UserId => text(&user.user_id),
        UserColumn::Email => text(&user.email),
        UserColumn::Barcode => text(&user.barcode),
        UserColumn::Phone => text(&user.phone),
        UserColumn::City => text(&user.city),
        UserColumn::Category => text(&user.category),
        UserColumn::Department => text(&user.department),
        UserColumn::Branch => text(&user.branch),
        UserColumn::BirthDate => view! { <td class="nowrap"><Day date=user.birth_date /></td> }.into_any(),
        UserColumn::Leaving => {
            view! { <td class="nowrap"><RecordDay date=user.leaving_on by_month /></td> }.into_any()
        }
        UserColumn::Activity => {
            view! { <td class="nowrap"><RecordDay date=user.last_activity_on by_month /></td> }.into_any()
        }
        UserColumn::State => view! { <td>{tags(user)}</td> }.into_any(),
    }
}

fn tags(user: &UserRow) -> impl IntoView + use<> {
    let tag = |shown: bool, class: &'static str, label: &'static str| {
        shown.then(|| view! { <span class=format!("tag {class}")>{label}</span> " " })
    };
    view! {
        {tag(user.anonymised_on.is_some(), "proven", "Anonymised")}
        {tag(user.marked_on.is_some() && user.anonymised_on.is_none(), "due", "Marked for deletion")}
        {tag(user.staff, "ready", "Staff")}
        {tag(user.fictitious, "quiet", "Fictitious")}
        {tag(!user.imported, "quiet", "Not imported")}
    }
}

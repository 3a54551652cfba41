//! Requests. A request of the same user, title and day is the same request.

use super::super::ImportSummary;
use super::super::activity::move_activity;
use super::super::borrower::Borrower;
use super::super::occurrence::Occurrences;
use super::super::reader::{Header, Line};
use super::super::term_codes::TermCodes;
use super::super::titles::records_by_title;
use super::super::write::update_rows;
use super::Circulation;
use chrono::NaiveDate;
use db::bulk_insert::insert;
use db::entity::{requests, users};
use policy::dates::optional_past_date;
use policy::form::{FieldErrors, Problem};
use policy::{TermKind, text};
use sea_orm::ActiveValue::NotSet;
use sea_orm::{
    ColumnTrait, DatabaseTransaction, DbErr, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder,
};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

/// The status of a request without one, before and after it is closed.
const STATUSES: (&str, &str) = ("open", "closed");

/// The validated content of a line. `None` means an empty cell or a missing column.
#[derive(Debug)]
pub(in super::super) struct RequestLine {
    number: u64,
    borrower: Borrower,
    title: Option<String>,
    branch: String,
    category: Option<String>,
    department: Option<String>,
    placed_on: NaiveDate,
    status: Option<String>,
    closed_on: Option<NaiveDate>,
    note: Option<String>,
    cancel_reason: Option<String>,
}

/// Describes a request: user, title and day.
type RequestKey = (i64, Option<i64>, NaiveDate);

/// Imports requests.
pub(in super::super) struct Requests {
    header: Arc<Header>,
    today: NaiveDate,
    seen: Occurrences<RequestKey>,
}

impl Circulation for Requests {
    type Line = RequestLine;

    fn begin(header: &Arc<Header>, today: NaiveDate) -> Self {
        Self { header: Arc::clone(header), today, seen: Occurrences::default() }
    }

    fn parse(line: &Line, today: NaiveDate) -> Result<RequestLine, FieldErrors> {
        let mut errors = FieldErrors::default();
        let borrower = Borrower::of(line, &mut errors);
        let mut short = |column: &str| {
            errors.take(column, text::line(line.cell(column), text::SHORT)).filter(|text| !text.is_empty())
        };
        let [record, title, branch, status] = ["record", "title", "branch", "status"].map(&mut short);
        let [category, department] = ["category", "department"].map(short);
        if branch.is_none() && errors.of("branch").is_none() {
            errors.add("branch", Problem::required("the branch where the user fetches the title"));
        }
        let [note, cancel_reason] = ["note", "cancel_reason"].map(|column| {
            errors.take(column, text::lines(line.cell(column), text::LONG)).filter(|text| !text.is_empty())
        });
        let [placed_on, closed_on] = ["placed_on", "closed_on"]
            .map(|column| errors.take(column, optional_past_date(line.cell(column), today)).flatten());
        if placed_on.is_none() && errors.of("placed_on").is_none() {
            errors.add("placed_on", Problem::NotADate);
        }
        match (borrower, branch, placed_on) {
            (Some(borrower), Some(branch), Some(placed_on)) if errors.is_empty() => Ok(RequestLine {
                number: line.number,
                borrower,
                title: title.or_else(|| record.map(|record| format!("(no title, record {record})"))),
                branch,
                category,
                department,
                placed_on,
                status,
                closed_on,
                note,
                cancel_reason,
            }),
            _ => Err(errors),
        }
    }

    fn about(line: &RequestLine) -> (u64, &Borrower, NaiveDate) {
        (line.number, &line.borrower, line.placed_on)
    }

    fn spell(line: &mut RequestLine, codes: &mut TermCodes) {
        codes.spell(TermKind::Branch, &mut line.branch);
        for (kind, code) in
            [(TermKind::Category, &mut line.category), (TermKind::Department, &mut line.department)]
        {
            if let Some(code) = code {
                codes.spell(kind, code);
            }
        }
    }

    fn terms(line: &RequestLine) -> impl Iterator<Item = (TermKind, &str)> {
        let category = line.category.as_deref().map(|code| (TermKind::Category, code));
        let department = line.department.as_deref().map(|code| (TermKind::Department, code));
        [category, department, Some((TermKind::Branch, line.branch.as_str()))].into_iter().flatten()
    }

    async fn write(
        &mut self,
        tx: &DatabaseTransaction,
        lines: Vec<(RequestLine, users::Model)>,
        summary: &mut ImportSummary,
    ) -> Result<(), DbErr> {
        let titles = lines.iter().filter_map(|(line, _)| line.title.as_deref()).collect();
        let records = records_by_title(tx, self.today, titles).await?;
        let known = known_requests(tx, &lines).await?;
        let (mut created, mut changed) = (Vec::new(), Vec::new());
        let mut active: BTreeMap<i64, NaiveDate> = BTreeMap::new();
        for (line, user) in lines {
            let record = line.title.as_ref().and_then(|title| records.get(title).copied());
            let key = (user.number, record, line.placed_on);
            let earlier = self.seen.next(key);
            let day = active.entry(user.number).or_insert(line.placed_on);
            *day = line.placed_on.max(*day);
            match known.get(&key).and_then(|rows| rows.get(earlier)) {
                None => created.push(self.new_request(line, &user, record)),
                Some(before) => {
                    let after = self.changed_request(before.clone(), line);
                    if after == *before {
                        summary.unchanged += 1;
                    } else {
                        changed.push(after);
                    }
                }
            }
        }
        summary.created += created.len() as u64;
        summary.changed += changed.len() as u64;
        let rows = created
            .into_iter()
            .map(|request| requests::ActiveModel { id: NotSet, ..request.into_active_model() });
        insert(tx, rows).await?;
        update_rows::<requests::Entity>(tx, requests::Column::Id, changed).await?;
        move_activity(tx, active).await
    }
}

impl Requests {
    fn new_request(&self, line: RequestLine, user: &users::Model, record: Option<i64>) -> requests::Model {
        let category = if self.header.has("category") { line.category } else { user.category.clone() };
        let department =
            if self.header.has("department") { line.department } else { user.department.clone() };
        requests::Model {
            id: 0,
            user_number: user.number,
            record_id: record,
            branch: line.branch,
            category,
            department,
            placed_on: line.placed_on,
            status: line.status.unwrap_or_else(|| status_of(line.closed_on)),
            closed_on: line.closed_on,
            note: line.note,
            cancel_reason: line.cancel_reason,
        }
    }

    /// Returns the request as the line has it. A closed request is never opened again.
    fn changed_request(&self, mut request: requests::Model, line: RequestLine) -> requests::Model {
        for (column, value, place) in [
            ("category", line.category, &mut request.category),
            ("department", line.department, &mut request.department),
            ("note", line.note, &mut request.note),
            ("cancel_reason", line.cancel_reason, &mut request.cancel_reason),
        ] {
            if self.header.has(column) && (value.is_some() || self.header.clears_empty()) {
                *place = value;
            }
        }
        request.branch = line.branch;
        let was_closed = request.closed_on.is_some();
        request.closed_on = line.closed_on.or(request.closed_on);
        match line.status {
            Some(status) if line.closed_on.is_some() || !was_closed => request.status = status,
            None if line.closed_on.is_some() && !was_closed => request.status = status_of(line.closed_on),
            _ => {}
        }
        request
    }
}

fn status_of(closed_on: Option<NaiveDate>) -> String {
    let (open, closed) = STATUSES;
    if closed_on.is_some() { closed } else { open }.to_owned()
}

/// Returns the requests of these users on these days, oldest first.
async fn known_requests(
    tx: &DatabaseTransaction,
    lines: &[(RequestLine, users::Model)],
) -> Result<HashMap<RequestKey, Vec<requests::Model>>, DbErr> {
    let numbers: HashSet<i64> = lines.iter().map(|(_, user)| user.number).collect();
    let days: HashSet<NaiveDate> = lines.iter().map(|(line, _)| line.placed_on).collect();
    let rows = requests::Entity::find()
        .filter(requests::Column::UserNumber.is_in(numbers))
        .filter(requests::Column::PlacedOn.is_in(days))
        .order_by_asc(requests::Column::Id)
        .all(tx)
        .await?;
    let mut known: HashMap<RequestKey, Vec<requests::Model>> = HashMap::new();
    for row in rows {
        known.entry((row.user_number, row.record_id, row.placed_on)).or_default().push(row);
    }
    Ok(known)
}

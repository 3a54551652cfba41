//! Requests. A request of the same user, title and day is the same request.

use super::activity::Activity;
use super::borrower::Borrower;
use super::cells::CellReader;
use super::codes::{Codes, set_cells};
use super::pairing::Pairing;
use super::rows::{Row, Rows};
use super::titles::records_by_title;
use super::{About, Circulation, Tally};
use crate::reader::{Header, Line};
use chrono::NaiveDate;
use db::entity::requests;
use policy::TermKind;
use policy::form::{FieldErrors, Problem};
use safeguards::key_periods::LoanUser;
use sea_orm::{
    ColumnTrait, DatabaseTransaction, DbErr, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder,
};
use std::collections::{HashMap, HashSet};
use std::iter;
use std::sync::Arc;

/// The status of a request without one, before and after it is closed.
const STATUSES: (&str, &str) = ("open", "closed");

/// The validated content of a line. `None` means an empty cell or a missing column.
#[derive(Clone, Debug)]
pub(crate) struct RequestLine {
    number: u64,
    borrower: Borrower,
    title: Option<String>,
    branch: String,
    codes: Codes,
    placed_on: NaiveDate,
    status: Option<String>,
    closed_on: Option<NaiveDate>,
    note: Option<String>,
    cancel_reason: Option<String>,
}

/// Describes a request: user, title and day.
type RequestKey = (i64, Option<i64>, NaiveDate);

/// Imports requests.
pub(crate) struct Requests {
    header: Arc<Header>,
    today: NaiveDate,
    pairing: Pairing,
    activity: Activity,
}

impl Circulation for Requests {
    type Line = RequestLine;

    async fn begin(
        tx: &DatabaseTransaction,
        (header, _): (&Arc<Header>, u64),
        today: NaiveDate,
    ) -> Result<Self, DbErr> {
        let pairing = Pairing::begin::<requests::Entity>(tx, requests::Column::Id).await?;
        Ok(Self { header: Arc::clone(header), today, pairing, activity: Activity::default() })
    }

    fn parse(line: &Line, today: NaiveDate) -> Result<RequestLine, FieldErrors> {
        let mut cells = CellReader::new(line, today);
        let borrower = Borrower::read(line, &mut cells.errors);
        let [record, title, branch, status] =
            ["record", "title", "branch", "status"].map(|column| cells.short(column));
        let codes = Codes::read(&mut cells);
        let what = "the branch where the user fetches the title";
        cells.require("branch", branch.as_ref(), Problem::required(what));
        let [note, cancel_reason] = ["note", "cancel_reason"].map(|column| cells.long(column));
        let [placed_on, closed_on] = ["placed_on", "closed_on"].map(|column| cells.past_date(column));
        cells.require("placed_on", placed_on.as_ref(), Problem::NotADate);
        cells.require_order(placed_on, ("closed_on", closed_on), "the day of the request");
        match (borrower, branch, placed_on) {
            (Some(borrower), Some(branch), Some(placed_on)) if cells.errors.is_empty() => Ok(RequestLine {
                number: line.number,
                borrower,
                title: title.or_else(|| record.map(|record| format!("(no title, record {record})"))),
                branch,
                codes,
                placed_on,
                status,
                closed_on,
                note,
                cancel_reason,
            }),
            _ => Err(cells.errors),
        }
    }

    fn about(line: &RequestLine) -> About<'_> {
        About { line: line.number, borrower: &line.borrower, day: line.placed_on }
    }

    fn codes(line: &mut RequestLine) -> impl Iterator<Item = (TermKind, &mut String)> {
        iter::once((TermKind::Branch, &mut line.branch)).chain(line.codes.each())
    }

    async fn write(
        &mut self,
        tx: &DatabaseTransaction,
        lines: Vec<(RequestLine, LoanUser)>,
        tally: &mut Tally,
    ) -> Result<(), DbErr> {
        let titles = lines.iter().filter_map(|(line, _)| line.title.as_deref()).collect();
        let records = records_by_title(tx, self.today, titles).await?;
        let known = self.known(tx, &lines).await?;
        let (users, lines): (Vec<LoanUser>, Vec<(RequestKey, RequestLine)>) = lines
            .into_iter()
            .map(|(line, user)| {
                let record = line.title.as_ref().and_then(|title| records.get(title).copied());
                let key = (user.number, record, line.placed_on);
                (user, (key, line))
            })
            .unzip();
        let header = &self.header;
        let pairs = self.pairing.pair(&lines, known, |line: &RequestLine, row: &requests::Model| {
            (line.closed_on, changed_request(header, row.clone(), line.clone()))
        });
        let mut rows = Rows::<requests::Entity>::begin(tx, &pairs).await?;
        for ((((_, record, placed_on), line), user), before) in lines.into_iter().zip(users).zip(pairs) {
            let number = line.number;
            let after = match before.clone() {
                None => self.new_request(line, &user, record),
                Some(before) => changed_request(&self.header, before, line),
            };
            if rows.add(number, (before, after), tally) {
                self.activity.note(user.number, placed_on);
            }
        }
        rows.write(tx, requests::Column::Id).await
    }

    async fn count_open(tx: &DatabaseTransaction) -> Result<u64, DbErr> {
        requests::Entity::find().filter(requests::Column::ClosedOn.is_null()).count(tx).await
    }

    async fn finish(self, tx: &DatabaseTransaction, _: &mut Tally) -> Result<(), DbErr> {
        self.activity.write(tx).await
    }
}

impl Requests {
    fn new_request(&self, line: RequestLine, user: &LoanUser, record: Option<i64>) -> requests::Model {
        let (category, department) = line.codes.or_of(&self.header, user);
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

    /// Returns the requests of these users on these days before the import, oldest first.
    async fn known(
        &self,
        tx: &DatabaseTransaction,
        lines: &[(RequestLine, LoanUser)],
    ) -> Result<HashMap<RequestKey, Vec<requests::Model>>, DbErr> {
        if self.pairing.is_first() {
            return Ok(HashMap::new());
        }
        let numbers: HashSet<i64> = lines.iter().map(|(_, user)| user.number).collect();
        let days: HashSet<NaiveDate> = lines.iter().map(|(line, _)| line.placed_on).collect();
        let rows = requests::Entity::find()
            .filter(requests::Column::UserNumber.is_in(numbers))
            .filter(requests::Column::PlacedOn.is_in(days))
            .filter(requests::Column::Id.lte(self.pairing.last()))
            .order_by_asc(requests::Column::Id)
            .all(tx)
            .await?;
        let mut known: HashMap<RequestKey, Vec<requests::Model>> = HashMap::new();
        for row in rows {
            known.entry((row.user_number, row.record_id, row.placed_on)).or_default().push(row);
        }
        Ok(known)
    }
}

/// Returns the request as the line has it. A closed request is never opened again.
fn changed_request(header: &Header, mut request: requests::Model, line: RequestLine) -> requests::Model {
    line.codes.set(header, &mut request.category, &mut request.department);
    set_cells(
        header,
        [
            ("note", line.note, &mut request.note),
            ("cancel_reason", line.cancel_reason, &mut request.cancel_reason),
        ],
    );
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

fn status_of(closed_on: Option<NaiveDate>) -> String {
    let (open, closed) = STATUSES;
    if closed_on.is_some() { closed } else { open }.to_owned()
}

impl Row for requests::Model {
    fn id(&self) -> i64 {
        self.id
    }

    fn user(&self) -> i64 {
        self.user_number
    }

    fn ended_on(&self) -> Option<NaiveDate> {
        self.closed_on
    }
}

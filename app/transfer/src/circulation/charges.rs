//! Charges and credits. A charge of the same user, kind, amount and day is the same charge.

use super::borrower::Borrower;
use super::cells::Cells;
use super::codes::{Codes, set_cells};
use super::occurrence::Occurrences;
use super::rows::Rows;
use super::{About, Circulation, Tally};
use crate::reader::{Header, Line};
use chrono::NaiveDate;
use db::entity::charges;
use policy::TermKind;
use policy::form::{FieldErrors, Problem};
use policy::numbers::parse_money;
use safeguards::key_periods::LoanUser;
use sea_orm::{ColumnTrait, DatabaseTransaction, DbErr, EntityTrait, QueryFilter, QueryOrder};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// The validated content of a line. `None` means an empty cell or a missing column.
#[derive(Debug)]
pub(crate) struct ChargeLine {
    number: u64,
    borrower: Borrower,
    kind: String,
    /// `None` if the file does not say the amount.
    cents: Option<i64>,
    codes: Codes,
    charged_on: NaiveDate,
    settled_on: Option<NaiveDate>,
    note: Option<String>,
}

/// Describes a charge: user, kind, amount and day.
type ChargeKey = (i64, String, Option<i64>, NaiveDate);

/// Imports charges and credits.
pub(crate) struct Charges {
    header: Arc<Header>,
    seen: Occurrences<ChargeKey>,
}

impl Circulation for Charges {
    type Line = ChargeLine;

    async fn begin(
        _: &DatabaseTransaction,
        (header, _): (&Arc<Header>, u64),
        _: NaiveDate,
    ) -> Result<Self, DbErr> {
        Ok(Self { header: Arc::clone(header), seen: Occurrences::default() })
    }

    fn parse(line: &Line, today: NaiveDate) -> Result<ChargeLine, FieldErrors> {
        let mut cells = Cells::of(line, today);
        let borrower = Borrower::of(line, &mut cells.errors);
        let kind = cells.short("kind");
        let codes = Codes::of(&mut cells);
        cells.require("kind", kind.as_ref(), Problem::required("the kind of the charge, such as fine"));
        let cents = match line.cell("amount").trim() {
            "" => None,
            amount => cells.errors.take("amount", parse_money(amount).ok_or(Problem::NotAnAmount)),
        };
        let note = cells.long("note");
        let [charged_on, settled_on] = ["charged_on", "settled_on"].map(|column| cells.past_date(column));
        cells.require("charged_on", charged_on.as_ref(), Problem::NotADate);
        match (borrower, kind, charged_on) {
            (Some(borrower), Some(kind), Some(charged_on)) if cells.errors.is_empty() => Ok(ChargeLine {
                number: line.number,
                borrower,
                kind,
                cents,
                codes,
                charged_on,
                settled_on,
                note,
            }),
            _ => Err(cells.errors),
        }
    }

    fn about(line: &ChargeLine) -> About<'_> {
        About { line: line.number, borrower: &line.borrower, day: line.charged_on }
    }

    fn codes(line: &mut ChargeLine) -> impl Iterator<Item = (TermKind, &mut String)> {
        line.codes.each()
    }

    async fn write(
        &mut self,
        tx: &DatabaseTransaction,
        lines: Vec<(ChargeLine, LoanUser)>,
        tally: &mut Tally,
    ) -> Result<(), DbErr> {
        let known = known_charges(tx, &lines).await?;
        let mut rows = Rows::<charges::Entity>::new();
        for (line, user) in lines {
            let key = (user.number, line.kind.clone(), line.cents, line.charged_on);
            let earlier = self.seen.next(key.clone());
            let before = known.get(&key).and_then(|rows| rows.get(earlier));
            let after = match before {
                None => self.new_charge(line, &user),
                Some(before) => self.changed_charge(before.clone(), line),
            };
            rows.add(before, after, &mut tally.summary);
        }
        rows.write(tx, charges::Column::Id).await
    }

    async fn finish(self, _: &DatabaseTransaction) -> Result<(), DbErr> {
        Ok(())
    }
}

impl Charges {
    fn new_charge(&self, line: ChargeLine, user: &LoanUser) -> charges::Model {
        let (category, department) = line.codes.or_of(&self.header, user);
        charges::Model {
            id: 0,
            user_number: user.number,
            loan_id: None,
            kind: line.kind,
            cents: line.cents,
            category,
            department,
            charged_on: line.charged_on,
            settled_on: line.settled_on,
            note: line.note,
        }
    }

    /// Returns the charge as the line has it. A settled charge is never opened again.
    fn changed_charge(&self, mut charge: charges::Model, line: ChargeLine) -> charges::Model {
        line.codes.set(&self.header, &mut charge.category, &mut charge.department);
        set_cells(&self.header, [("note", line.note, &mut charge.note)]);
        charge.settled_on = line.settled_on.or(charge.settled_on);
        charge
    }
}

/// Returns the charges of these users on these days, oldest first.
async fn known_charges(
    tx: &DatabaseTransaction,
    lines: &[(ChargeLine, LoanUser)],
) -> Result<HashMap<ChargeKey, Vec<charges::Model>>, DbErr> {
    let numbers: HashSet<i64> = lines.iter().map(|(_, user)| user.number).collect();
    let days: HashSet<NaiveDate> = lines.iter().map(|(line, _)| line.charged_on).collect();
    let rows = charges::Entity::find()
        .filter(charges::Column::UserNumber.is_in(numbers))
        .filter(charges::Column::ChargedOn.is_in(days))
        .order_by_asc(charges::Column::Id)
        .all(tx)
        .await?;
    let mut known: HashMap<ChargeKey, Vec<charges::Model>> = HashMap::new();
    for row in rows {
        known.entry((row.user_number, row.kind.clone(), row.cents, row.charged_on)).or_default().push(row);
    }
    Ok(known)
}

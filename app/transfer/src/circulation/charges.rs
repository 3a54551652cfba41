//! Charges and credits. A charge of the same user, kind, amount and day is the same charge.

use super::borrower::Borrower;
use super::cells::CellReader;
use super::codes::{Codes, set_cells};
use super::pairing::Pairing;
use super::rows::{Row, Rows};
use super::{About, Circulation, Tally};
use crate::reader::{Header, Line};
use chrono::NaiveDate;
use db::entity::charges;
use policy::TermKind;
use policy::form::{FieldErrors, Problem};
use policy::numbers::parse_money;
use safeguards::key_periods::LoanUser;
use sea_orm::{
    ColumnTrait, DatabaseTransaction, DbErr, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder,
};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// The validated content of a line. `None` means an empty cell or a missing column.
#[derive(Clone, Debug)]
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
    pairing: Pairing,
}

impl Circulation for Charges {
    type Line = ChargeLine;

    async fn begin(
        tx: &DatabaseTransaction,
        (header, _): (&Arc<Header>, u64),
        _: NaiveDate,
    ) -> Result<Self, DbErr> {
        let pairing = Pairing::begin::<charges::Entity>(tx, charges::Column::Id).await?;
        Ok(Self { header: Arc::clone(header), pairing })
    }

    fn parse(line: &Line, today: NaiveDate) -> Result<ChargeLine, FieldErrors> {
        let mut cells = CellReader::new(line, today);
        let borrower = Borrower::read(line, &mut cells.errors);
        let kind = cells.short("kind");
        let codes = Codes::read(&mut cells);
        cells.require("kind", kind.as_ref(), Problem::required("the kind of the charge, such as fine"));
        let cents = match line.cell("amount").trim() {
            "" => None,
            amount => cells.errors.take("amount", parse_money(amount).ok_or(Problem::NotAnAmount)),
        };
        let note = cells.long("note");
        let [charged_on, settled_on] = ["charged_on", "settled_on"].map(|column| cells.past_date(column));
        cells.require("charged_on", charged_on.as_ref(), Problem::NotADate);
        cells.require_order(charged_on, ("settled_on", settled_on), "the day of the charge");
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
        let known = self.known(tx, &lines).await?;
        let (users, lines): (Vec<LoanUser>, Vec<(ChargeKey, ChargeLine)>) = lines
            .into_iter()
            .map(|(line, user)| {
                let key = (user.number, line.kind.clone(), line.cents, line.charged_on);
                (user, (key, line))
            })
            .unzip();
        let header = &self.header;
        let pairs = self.pairing.pair(&lines, known, |line: &ChargeLine, row: &charges::Model| {
            (line.settled_on, changed_charge(header, row.clone(), line.clone()))
        });
        let mut rows = Rows::<charges::Entity>::begin(tx, &pairs).await?;
        for (((_, line), user), before) in lines.into_iter().zip(users).zip(pairs) {
            let number = line.number;
            let after = match before.clone() {
                None => self.new_charge(line, &user),
                Some(before) => changed_charge(&self.header, before, line),
            };
            rows.add(number, (before, after), tally);
        }
        rows.write(tx, charges::Column::Id).await
    }

    async fn count_open(tx: &DatabaseTransaction) -> Result<u64, DbErr> {
        charges::Entity::find().filter(charges::Column::SettledOn.is_null()).count(tx).await
    }

    async fn finish(self, _: &DatabaseTransaction, _: &mut Tally) -> Result<(), DbErr> {
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

    /// Returns the charges of these users on these days before the import, oldest first.
    async fn known(
        &self,
        tx: &DatabaseTransaction,
        lines: &[(ChargeLine, LoanUser)],
    ) -> Result<HashMap<ChargeKey, Vec<charges::Model>>, DbErr> {
        if self.pairing.is_first() {
            return Ok(HashMap::new());
        }
        let numbers: HashSet<i64> = lines.iter().map(|(_, user)| user.number).collect();
        let days: HashSet<NaiveDate> = lines.iter().map(|(line, _)| line.charged_on).collect();
        let rows = charges::Entity::find()
            .filter(charges::Column::UserNumber.is_in(numbers))
            .filter(charges::Column::ChargedOn.is_in(days))
            .filter(charges::Column::Id.lte(self.pairing.last()))
            .order_by_asc(charges::Column::Id)
            .all(tx)
            .await?;
        let mut known: HashMap<ChargeKey, Vec<charges::Model>> = HashMap::new();
        for row in rows {
            let key = (row.user_number, row.kind.clone(), row.cents, row.charged_on);
            known.entry(key).or_default().push(row);
        }
        Ok(known)
    }
}

/// Returns the charge as the line has it. A settled charge is never opened again.
fn changed_charge(header: &Header, mut charge: charges::Model, line: ChargeLine) -> charges::Model {
    line.codes.set(header, &mut charge.category, &mut charge.department);
    set_cells(header, [("note", line.note, &mut charge.note)]);
    charge.settled_on = line.settled_on.or(charge.settled_on);
    charge
}

impl Row for charges::Model {
    fn id(&self) -> i64 {
        self.id
    }

    fn user(&self) -> i64 {
        self.user_number
    }

    fn ended_on(&self) -> Option<NaiveDate> {
        self.settled_on
    }
}

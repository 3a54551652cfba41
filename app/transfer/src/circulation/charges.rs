//! Charges and credits. A charge of the same user, kind, amount and day is the same charge.

use super::super::ImportSummary;
use super::super::borrower::Borrower;
use super::super::occurrence::Occurrences;
use super::super::reader::{Header, Line};
use super::super::term_codes::TermCodes;
use super::super::write::update_rows;
use super::Circulation;
use chrono::NaiveDate;
use db::bulk_insert::insert;
use db::entity::{charges, users};
use policy::dates::optional_past_date;
use policy::form::{FieldErrors, Problem};
use policy::numbers::parse_money;
use policy::{TermKind, text};
use sea_orm::ActiveValue::NotSet;
use sea_orm::{
    ColumnTrait, DatabaseTransaction, DbErr, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder,
};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// The validated content of a line. `None` means an empty cell or a missing column.
#[derive(Debug)]
pub(in super::super) struct ChargeLine {
    number: u64,
    borrower: Borrower,
    kind: String,
    /// `None` if the file does not say the amount.
    cents: Option<i64>,
    category: Option<String>,
    department: Option<String>,
    charged_on: NaiveDate,
    settled_on: Option<NaiveDate>,
    note: Option<String>,
}

/// Describes a charge: user, kind, amount and day.
type ChargeKey = (i64, String, Option<i64>, NaiveDate);

/// Imports charges and credits.
pub(in super::super) struct Charges {
    header: Arc<Header>,
    seen: Occurrences<ChargeKey>,
}

impl Circulation for Charges {
    type Line = ChargeLine;

    fn begin(header: &Arc<Header>, _: NaiveDate) -> Self {
        Self { header: Arc::clone(header), seen: Occurrences::default() }
    }

    fn parse(line: &Line, today: NaiveDate) -> Result<ChargeLine, FieldErrors> {
        let mut errors = FieldErrors::default();
        let borrower = Borrower::of(line, &mut errors);
        let [kind, category, department] = ["kind", "category", "department"].map(|column| {
            errors.take(column, text::line(line.cell(column), text::SHORT)).filter(|text| !text.is_empty())
        });
        if kind.is_none() && errors.of("kind").is_none() {
            errors.add("kind", Problem::required("the kind of the charge, such as fine"));
        }
        let cents = match line.cell("amount").trim() {
            "" => None,
            amount => errors.take("amount", parse_money(amount).ok_or(Problem::NotAnAmount)),
        };
        let note = errors.take("note", text::lines(line.cell("note"), text::LONG));
        let [charged_on, settled_on] = ["charged_on", "settled_on"]
            .map(|column| errors.take(column, optional_past_date(line.cell(column), today)).flatten());
        if charged_on.is_none() && errors.of("charged_on").is_none() {
            errors.add("charged_on", Problem::NotADate);
        }
        match (borrower, kind, charged_on) {
            (Some(borrower), Some(kind), Some(charged_on)) if errors.is_empty() => Ok(ChargeLine {
                number: line.number,
                borrower,
                kind,
                cents,
                category,
                department,
                charged_on,
                settled_on,
                note: note.filter(|text| !text.is_empty()),
            }),
            _ => Err(errors),
        }
    }

    fn about(line: &ChargeLine) -> (u64, &Borrower, NaiveDate) {
        (line.number, &line.borrower, line.charged_on)
    }

    fn spell(line: &mut ChargeLine, codes: &mut TermCodes) {
        for (kind, code) in
            [(TermKind::Category, &mut line.category), (TermKind::Department, &mut line.department)]
        {
            if let Some(code) = code {
                codes.spell(kind, code);
            }
        }
    }

    fn terms(line: &ChargeLine) -> impl Iterator<Item = (TermKind, &str)> {
        let category = line.category.as_deref().map(|code| (TermKind::Category, code));
        let department = line.department.as_deref().map(|code| (TermKind::Department, code));
        [category, department].into_iter().flatten()
    }

    async fn write(
        &mut self,
        tx: &DatabaseTransaction,
        lines: Vec<(ChargeLine, users::Model)>,
        summary: &mut ImportSummary,
    ) -> Result<(), DbErr> {
        let known = known_charges(tx, &lines).await?;
        let (mut created, mut changed) = (Vec::new(), Vec::new());
        for (line, user) in lines {
            let key = (user.number, line.kind.clone(), line.cents, line.charged_on);
            let earlier = self.seen.next(key.clone());
            match known.get(&key).and_then(|rows| rows.get(earlier)) {
                None => created.push(self.new_charge(line, &user)),
                Some(before) => {
                    let after = self.changed_charge(before.clone(), line);
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
            .map(|charge| charges::ActiveModel { id: NotSet, ..charge.into_active_model() });
        insert(tx, rows).await?;
        update_rows::<charges::Entity>(tx, charges::Column::Id, changed).await
    }
}

impl Charges {
    fn new_charge(&self, line: ChargeLine, user: &users::Model) -> charges::Model {
        let category = if self.header.has("category") { line.category } else { user.category.clone() };
        let department =
            if self.header.has("department") { line.department } else { user.department.clone() };
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
        for (column, value, place) in [
            ("category", line.category, &mut charge.category),
            ("department", line.department, &mut charge.department),
            ("note", line.note, &mut charge.note),
        ] {
            if self.header.has(column) && (value.is_some() || self.header.clears_empty()) {
                *place = value;
            }
        }
        charge.settled_on = line.settled_on.or(charge.settled_on);
        charge
    }
}

/// Returns the charges of these users on these days, oldest first.
async fn known_charges(
    tx: &DatabaseTransaction,
    lines: &[(ChargeLine, users::Model)],
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

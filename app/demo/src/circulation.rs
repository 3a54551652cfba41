//! Loans, requests and charges, each with the user's category and department on its day.

use super::batch::Batch;
use super::catalogue::Catalogue;
use super::messages::{Occasion, message};
use super::person::Person;
use super::rng::SeededRng;
use super::vocabularies::BRANCHES;
use chrono::{Datelike, Duration, NaiveDate};
use db::entity::{charges, loans, renewals, requests};
use sea_orm::Set;

/// The age of the oldest loans.
const YEARS_OF_LOANS: i64 = 4 * 365;
/// The number of days until a loan is due.
const LOAN_DAYS: i64 = 28;

/// The duration of a loan.
#[derive(Clone, Copy)]
enum Kept {
    /// Ends in the future, unless the loan is due before.
    UntilDue,
    /// Ends on the user's last day at the latest.
    UntilLeaving,
    /// Never ends.
    ForEver,
}

/// The state of circulation: the ids used so far.
pub(super) struct Circulation {
    pub(super) today: NaiveDate,
    pub(super) catalogue: Catalogue,
    /// The id of the next loan.
    pub(super) next_loan: i64,
    /// The next item available for an open loan. Ids are even, so that no item is on loan twice.
    pub(super) next_open_item: i64,
}

impl Circulation {
    /// Adds the whole activity of a user. Returns the day of the last activity.
    pub(super) fn happen(
        &mut self,
        rng: &mut SeededRng,
        person: &Person,
        batch: &mut Batch,
    ) -> Option<NaiveDate> {
        let (first, last) = person.days(self.today);
        let first = first.max(self.today - Duration::days(YEARS_OF_LOANS)).min(last);
        let wanted = match (person.user.fictitious, rng.below(100)) {
            (true, _) => rng.between(3, 9),
            (false, 0..=19) => 0,
            (false, 20..=69) => rng.between(1, 6),
            (false, 70..=91) => rng.between(7, 20),
            (false, 92..=98) => rng.between(20, 50),
            (false, _) => rng.between(50, 90),
        };
        // Some users leave without returning their loans.
        let keeps = person.user.fictitious || last < self.today && person.user.number % 13 == 4;
        let wanted = wanted.max(i64::from(keeps));
        let mut active = None;
        for place in 0..wanted {
            let issued_on = Self::term_day(rng, first, last);
            let kept = match (last == self.today, keeps && place == 0) {
                (_, true) => Kept::ForEver,
                (true, _) => Kept::UntilDue,
                _ => Kept::UntilLeaving,
            };
            active = active.max(Some(self.loan(rng, person, (issued_on, last), kept, batch)));
        }
        if wanted > 0 && !person.user.fictitious {
            for _ in 0..rng.below(4) {
                let placed_on = Self::term_day(rng, first, last);
                active = active.max(Some(placed_on));
                batch.requests.push(self.request(rng, person, placed_on, last, &mut batch.messages));
            }
            if rng.percent(2) {
                let refund = ("refund", -rng.between(1, 60) * 25);
                batch.charges.push(charge(rng, person, None, refund, last, false));
            }
        }
        active
    }

    /// Returns a random day, with fewer loans in summer and around New Year.
    fn term_day(rng: &mut SeededRng, first: NaiveDate, last: NaiveDate) -> NaiveDate {
        let day = rng.day(first, last);
        if matches!(day.month(), 7 | 8 | 12) { rng.day(first, last) } else { day }
    }

    /// Adds one loan with its renewals and charges. Returns the day of the last activity.
    fn loan(
        &mut self,
        rng: &mut SeededRng,
        person: &Person,
        (issued_on, last): (NaiveDate, NaiveDate),
        kept: Kept,
        batch: &mut Batch,
    ) -> NaiveDate {
        let id = self.next_loan;
        self.next_loan += 1;
        let renewed = if rng.percent(25) { rng.between(1, 3) } else { 0 };
        let mut due_on = issued_on + Duration::days(LOAN_DAYS);
        let mut active = issued_on;
        let mut renewals = 0;
        for _ in 0..renewed {
            let renewed_on = due_on - Duration::days(rng.between(0, 9));
            if renewed_on > last {
                break;
            }
            due_on = renewed_on + Duration::days(LOAN_DAYS);
            active = renewed_on;
            renewals += 1;
            let note = rng.percent(12).then(|| format!("Renewed by phone for {}", person.called()));
            batch.renewals.push(renewal(id, renewed_on, due_on, note));
        }
        let late = rng.percent(14);
        let back_on =
            if late { due_on + Duration::days(rng.between(1, 40)) } else { rng.day(active, due_on) };
        let open = match kept {
            Kept::ForEver => true,
            Kept::UntilDue => back_on > last,
            Kept::UntilLeaving => false,
        };
        let (returned_on, item_id) = match self.open_item(open) {
            Some(item) => (None, item),
            None => (Some(back_on.min(last)), rng.between(1, (self.catalogue.items + 1) / 2) * 2 - 1),
        };
        let (category, department) = person.category_and_department_on(issued_on);
        batch.loans.push(loans::Model {
            id,
            user_number: person.user.number,
            item_id: Some(item_id),
            branch: self.catalogue.branch(item_id).to_owned(),
            category,
            department,
            issued_on,
            due_on,
            returned_on,
            renewals,
            note: rng.percent(5).then(|| {
                format!(
                    "{} {}",
                    person.called(),
                    rng.pick(&["asked for a longer loan", "has the CD as well"])
                )
            }),
            return_note: returned_on.filter(|_| rng.percent(4)).map(|_| {
                format!(
                    "Cover torn, shown to {}",
                    person.user.first_name.as_deref().unwrap_or("the borrower")
                )
            }),
        });
        let overdue = due_on < returned_on.unwrap_or(self.today);
        if overdue && !person.user.fictitious {
            self.remind(rng, person, (id, item_id), due_on, returned_on, batch);
        }
        active
    }

    /// Returns the next item that is not on loan. None if there is none left.
    fn open_item(&mut self, wanted: bool) -> Option<i64> {
        let item = self.next_open_item;
        if !wanted || item > self.catalogue.items {
            return None;
        }
        self.next_open_item += 2;
        Some(item)
    }

    fn remind(
        &self,
        rng: &mut SeededRng,
        person: &Person,
        (loan, item): (i64, i64),
        due_on: NaiveDate,
        returned_on: Option<NaiveDate>,
        batch: &mut Batch,
    ) {
        let title = self.catalogue.title(Catalogue::record_of(item));
        let reminded = (due_on + Duration::days(2)).min(self.today);
        batch.messages.push(message(rng, person, Occasion::Overdue(&title), reminded));
        let days = (returned_on.unwrap_or(self.today) - due_on).num_days();
        if returned_on.is_none() && days > 60 {
            batch.charges.push(charge(rng, person, Some(loan), ("lost_item", 4_500), self.today, false));
        } else if rng.percent(40) {
            let settled = rng.percent(88);
            let charged_on = returned_on.unwrap_or(self.today);
            batch.charges.push(charge(
                rng,
                person,
                Some(loan),
                ("overdue", days.min(40) * 20),
                charged_on,
                settled,
            ));
        }
    }

    fn request(
        &self,
        rng: &mut SeededRng,
        person: &Person,
        placed_on: NaiveDate,
        last: NaiveDate,
        messages: &mut Vec<db::entity::messages::ActiveModel>,
    ) -> requests::ActiveModel {
        let record = rng.between(1, self.catalogue.records);
        let branch = rng.pick(&BRANCHES).0;
        let waiting = last == self.today && placed_on > self.today - Duration::days(50) || rng.percent(2);
        let end = (placed_on + Duration::days(rng.between(1, 30))).min(last);
        let status = match rng.below(100) {
            _ if waiting => "open",
            0..=79 => "fulfilled",
            _ => "cancelled",
        };
        if status == "fulfilled" {
            let title = self.catalogue.title(record);
            messages.push(message(rng, person, Occasion::Pickup(&title, branch), end));
        }
        let (category, department) = person.category_and_department_on(placed_on);
        let name = person.called();
        let reason = *rng.pick(&["has bought the book", "no longer needs it", "did not answer"]);
        requests::ActiveModel {
            user_number: Set(person.user.number),
            record_id: Set(Some(record)),
            branch: Set(branch.to_owned()),
            category: Set(category),
            department: Set(department),
            placed_on: Set(placed_on),
            status: Set(status.to_owned()),
            closed_on: Set((status != "open").then_some(end)),
            note: Set(rng.percent(10).then(|| format!("{name} will come on Saturday"))),
            cancel_reason: Set((status == "cancelled").then(|| format!("{name} {reason}"))),
            ..Default::default()
        }
    }
}

fn renewal(
    loan: i64,
    renewed_on: NaiveDate,
    due_on: NaiveDate,
    note: Option<String>,
) -> renewals::ActiveModel {
    renewals::ActiveModel {
        loan_id: Set(loan),
        renewed_on: Set(renewed_on),
        due_on: Set(due_on),
        note: Set(note),
        ..Default::default()
    }
}

/// Adds a charge, or a credit if the amount is negative.
fn charge(
    rng: &mut SeededRng,
    person: &Person,
    loan: Option<i64>,
    (kind, cents): (&str, i64),
    charged_on: NaiveDate,
    settled: bool,
) -> charges::ActiveModel {
    let (category, department) = person.category_and_department_on(charged_on);
    charges::ActiveModel {
        user_number: Set(person.user.number),
        loan_id: Set(loan),
        kind: Set(kind.to_owned()),
        cents: Set(Some(cents)),
        category: Set(category),
        department: Set(department),
        charged_on: Set(charged_on),
        settled_on: Set(settled.then_some(charged_on)),
        note: Set(rng.percent(15).then(|| format!("Explained to {}", person.called()))),
        ..Default::default()
    }
}

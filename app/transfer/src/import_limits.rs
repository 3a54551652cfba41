//! The safety limits of a file: what it does to the library, and who confirms it beyond a limit.

use super::order::ImportOrder;
use super::problem::TransferError;
use chrono::NaiveDate;
use db::entity::users;
use policy::import_limits::{Exceeded, ImportFigures};
use safeguards::limits::{self, ImportStop, TooMany};
use sea_orm::DatabaseTransaction;
use std::collections::HashMap;
use trail::Actor;
use trail::Store;

/// The dates of the past that a line can set, from which conditions count.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
enum CountedDate {
    Leaving,
    Marked,
    LastActivity,
}

/// Counts what the lines of a file do to dates.
#[derive(Debug, Default)]
pub(super) struct DateTally {
    leaving: u64,
    /// Number of lines by date. There are no more dates than days since 1900.
    lines: HashMap<(CountedDate, NaiveDate), u64>,
}

impl DateTally {
    /// Counts a line that creates or changes a user.
    pub(super) fn add(&mut self, before: Option<&users::Model>, after: &users::Model, today: NaiveDate) {
        let has_left = |user: &users::Model| user.leaving_on.is_some_and(|on| on <= today);
        if let Some(before) = before
            && has_left(after)
            && !has_left(before)
        {
            self.leaving += 1;
        }
        for (date, read) in [
            (CountedDate::Leaving, (|user| user.leaving_on) as fn(&users::Model) -> Option<NaiveDate>),
            (CountedDate::Marked, |user| user.marked_on),
            (CountedDate::LastActivity, |user| user.last_activity_on),
        ] {
            let was = before.and_then(read);
            if let Some(day) = read(after).filter(|day| *day <= today && was != Some(*day)) {
                *self.lines.entry((date, day)).or_default() += 1;
            }
        }
    }

    /// Returns the number of users who have left according to the file, and hadn't before.
    pub(super) const fn leaving(&self) -> u64 {
        self.leaving
    }

    /// Returns the number of lines with the most frequent date.
    pub(super) fn uniform(&self) -> u64 {
        self.lines.values().copied().max().unwrap_or_default()
    }
}

/// Returns why a file is stopped, or `None` if it stays within all limits.
pub(super) fn stop(
    order: &ImportOrder<'_>,
    touched: Option<TooMany>,
    figures: ImportFigures,
) -> Option<ImportStop> {
    let exceeded = order.limits.exceeded(figures);
    let (number, counted_by) = touched.map(|touched| (touched.users, None)).or_else(|| {
        exceeded.first().map(|one| (i64::try_from(one.count).unwrap_or(i64::MAX), Some(one.limit)))
    })?;
    let reasons: Vec<String> =
        touched.map(TooMany::label).into_iter().chain(exceeded.into_iter().map(Exceeded::label)).collect();
    Some(ImportStop { reason: reasons.join(". Also, "), number, counted_by })
}

/// Returns how a file beyond a limit was confirmed, as a detail for the audit. Rejects it if it wasn't.
///
/// A run was confirmed when it was started: a person has seen its preview, and a second one has approved it if four
/// eyes is on.
pub(super) async fn confirm(
    tx: &DatabaseTransaction,
    store: &Store,
    actor: Actor,
    (order, sha256): (&ImportOrder<'_>, &str),
    stop: &ImportStop,
) -> Result<String, TransferError> {
    match order.run {
        Some(run) if run.is_confirmed => Ok(format!("run={}", run.run)),
        Some(_) => Err(TransferError::Limit(stop.clone())),
        None => {
            Ok(limits::confirm_import(tx, store, actor, stop, (order.profile.kind, sha256, order.confirmed))
                .await?)
        }
    }
}

/// Applies the limit of damaged keys to a file of loans, requests or charges. Returns the exceeded limit for a check, and
/// how it was confirmed as a detail for the audit. Rejects an import that was not confirmed.
pub(super) async fn of_lines(
    tx: &DatabaseTransaction,
    store: &Store,
    actor: Actor,
    (order, sha256): (&ImportOrder<'_>, &str),
    (lines, damaged): (u64, u64),
) -> Result<(Option<ImportStop>, String), TransferError> {
    let figures = ImportFigures { lines, damaged, ..ImportFigures::default() };
    let stop = stop(order, None, figures);
    let confirmed = match &stop {
        Some(stop) if !order.dry_run => {
            format!(",{}", confirm(tx, store, actor, (order, sha256), stop).await?)
        }
        _ => String::new(),
    };
    Ok((stop, confirmed))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().expect("a day")
    }

    fn user(leaving: &str, activity: &str) -> users::Model {
        users::Model {
            leaving_on: leaving.parse().ok(),
            last_activity_on: activity.parse().ok(),
            ..users::Model::blank(0, String::new())
        }
    }

    #[test]
    fn only_new_dates_of_the_past_are_counted() {
        let today = day("2018-01-21");
        let mut tally = DateTally::default();
        let before = user("", "2017-01-01");
        tally.add(Some(&before), &user("1900-01-01", "2017-01-01"), today);
        tally.add(Some(&before), &user("1900-01-01", "2017-01-02"), today);
        tally.add(Some(&before), &user("2018-09-30", "2017-01-01"), today);
        tally.add(Some(&user("2018-01-01", "")), &user("2018-01-02", ""), today);
        assert_eq!((tally.leaving(), tally.uniform()), (2, 2));
        for _ in 0..3 {
            tally.add(None, &user("", "1900-01-01"), today);
        }
        assert_eq!((tally.leaving(), tally.uniform()), (2, 3), "new users had not left before");
    }
}

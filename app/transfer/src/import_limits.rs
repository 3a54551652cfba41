//! The safety limits of a file: what it does to the library, and who confirms it beyond a limit.

use super::order::ImportOrder;
use super::problem::TransferError;
use chrono::{Days, NaiveDate};
use db::entity::users;
use policy::ManualChange;
use policy::import_limits::{Exceeded, ImportFigures, RECENT_DAYS};
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

/// Counts the loans, requests and charges that the lines of a file end.
#[derive(Debug, Default)]
pub(super) struct EndTally {
    closed: u64,
    /// Number of lines by the end that they set. There are no more dates than days since 1900.
    lines: HashMap<NaiveDate, u64>,
}

impl EndTally {
    /// Counts a line that creates a loan, request or charge.
    pub(super) fn add_new(&mut self, end: Option<NaiveDate>) {
        if let Some(end) = end {
            *self.lines.entry(end).or_default() += 1;
        }
    }

    /// Counts a line that changes a loan, request or charge.
    pub(super) fn add_changed(&mut self, before: Option<NaiveDate>, after: Option<NaiveDate>) {
        if before == after {
            return;
        }
        self.closed += u64::from(before.is_none());
        self.add_new(after);
    }

    /// Returns the number of lines that end an open loan, request or charge.
    pub(super) const fn closed(&self) -> u64 {
        self.closed
    }

    /// Returns the number of lines with the most frequent end. Ends of the last days don't count: in a file that has
    /// only the changes of a day, they are the same on most lines.
    pub(super) fn uniform(&self, today: NaiveDate) -> u64 {
        let recent = today.checked_sub_days(Days::new(RECENT_DAYS));
        let older = self.lines.iter().filter(|(day, _)| recent.is_none_or(|recent| **day < recent));
        older.map(|(_, lines)| *lines).max().unwrap_or_default()
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
/// A run was confirmed when it was started. A person has seen its preview, and a second one has approved it if four
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

/// Returns the transaction, and how a file of loans, requests or charges was confirmed as a detail for the audit.
/// Takes an import beyond a limit back and rejects it if it wasn't confirmed.
pub(super) async fn confirm_lines(
    tx: DatabaseTransaction,
    store: &Store,
    actor: Actor,
    (order, sha256): (&ImportOrder<'_>, &str),
    stop: Option<&ImportStop>,
) -> Result<(DatabaseTransaction, String), TransferError> {
    let Some(stop) = stop.filter(|_| !order.dry_run) else { return Ok((tx, String::new())) };
    match confirm(&tx, store, actor, (order, sha256), stop).await {
        Ok(how) => Ok((tx, format!(",{how}"))),
        Err(refused) => {
            tx.rollback().await?;
            let detail = format!("import,lines={}", stop.number);
            limits::record_limit_as(store, actor, ManualChange::ImportLimit, &detail).await?;
            Err(refused)
        }
    }
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

    #[test]
    fn only_new_ends_are_counted_and_those_of_the_last_days_are_not_uniform() {
        let mut tally = EndTally::default();
        let (old, recent) = (day("2017-12-31"), day("2018-01-20"));
        tally.add_changed(None, Some(old));
        tally.add_changed(Some(recent), Some(old));
        tally.add_changed(Some(old), Some(old));
        tally.add_new(None);
        for _ in 0..5 {
            tally.add_new(Some(recent));
        }
        assert_eq!((tally.closed(), tally.uniform(day("2018-01-21"))), (1, 2));
        assert_eq!(tally.uniform(day("2018-01-27")), 2);
        assert_eq!(tally.uniform(day("2018-01-28")), 5);
    }
}

//! Imports files of loans, requests and charges: the steps that all three share.

mod activity;
mod borrower;
mod cells;
mod charges;
mod codes;
mod items;
mod loans;
mod pairing;
mod requests;
mod rows;
mod seen;
mod titles;

pub(super) use charges::Charges;
pub(super) use loans::Loans;
pub(super) use requests::Requests;

use super::ImportSummary;
use super::differences::Differences;
use super::import_limits::{self, EndTally};
use super::order::{ImportOrder, Imported, complete};
use super::problem::{FileProblems, TransferError, in_cell};
use super::reader::{Header, Line, ReadLine, Source};
use super::report::{ANONYMISED, Report};
use super::term_codes::TermCodes;
use super::watch::Watch;
use borrower::{Borrower, Without};
use chrono::NaiveDate;
use db::{RecordsError, dialect};
use policy::TermKind;
use policy::form::FieldErrors;
use policy::import_limits::ImportFigures;
use policy::import_options::ImportMode;
use safeguards::key_periods::LoanUser;
use safeguards::suppression::check::Checker;
use sea_orm::{DatabaseTransaction, DbErr};
use std::sync::Arc;
use trail::{Actor, Store};

/// The subject of a line.
pub(crate) struct About<'a> {
    /// The number of the line.
    line: u64,
    borrower: &'a Borrower,
    /// The day on which the borrower must have owned the key.
    day: NaiveDate,
}

/// The results of the lines so far.
#[derive(Default)]
pub(crate) struct Tally {
    summary: ImportSummary,
    problems: FileProblems,
    report: Report,
    differences: Differences,
    /// The effects of the lines so far on ends.
    ends: EndTally,
}

/// A kind of lines about a user's loans, requests or charges.
pub(super) trait Circulation: Send {
    /// A parsed line.
    type Line: Send + Sync + 'static;

    /// Begins an import of a file of this size with these columns.
    fn begin(
        tx: &DatabaseTransaction,
        file: (&Arc<Header>, u64),
        today: NaiveDate,
    ) -> impl Future<Output = Result<Self, DbErr>> + Send
    where
        Self: Sized;

    /// Validates a line. Dates of past events can't lie after `today`.
    fn parse(line: &Line, today: NaiveDate) -> Result<Self::Line, FieldErrors>;

    /// Returns what the line is about.
    fn about(line: &Self::Line) -> About<'_>;

    /// Returns the codes of category, department and branch, with their kinds.
    fn codes(line: &mut Self::Line) -> impl Iterator<Item = (TermKind, &mut String)>;

    /// Writes lines with their users, and counts them. Can hold lines back until the end of the file.
    fn write(
        &mut self,
        tx: &DatabaseTransaction,
        lines: Vec<(Self::Line, LoanUser)>,
        tally: &mut Tally,
    ) -> impl Future<Output = Result<(), DbErr>> + Send;

    /// Counts the rows that are open: not returned, closed or settled.
    fn count_open(tx: &DatabaseTransaction) -> impl Future<Output = Result<u64, DbErr>> + Send;

    /// Writes the lines that were held back, and what the lines together mean.
    fn finish(
        self,
        tx: &DatabaseTransaction,
        tally: &mut Tally,
    ) -> impl Future<Output = Result<(), DbErr>> + Send;
}

/// Imports a file. A check rolls everything back.
pub(super) async fn import<C: Circulation + 'static>(
    store: &Store,
    actor: Actor,
    order: &ImportOrder<'_>,
) -> Result<Imported, TransferError> {
    let today = store.clock.today();
    let source = Source::open(order, &[])?;
    let mode = order.options.mode;
    if mode == ImportMode::AllOrNothing {
        check::<C>(&source, order.watch, today)?;
    }
    let tx = store.begin().await?;
    dialect::lock_imports(&tx).await?;
    dialect::enlarge_cache(&tx).await?;
    let open = C::count_open(&tx).await?;
    let mut lines = source.ahead(move |line| C::parse(line, today))?;
    let mut import = Import::<C> {
        kind: C::begin(&tx, (lines.header(), source.bytes()?), today).await?,
        checker: Checker::open(&tx, store).await?,
        tally: Tally { problems: FileProblems::new(lines.header().columns()), ..Tally::default() },
        codes: TermCodes::load(&tx).await?,
    };
    while let Some(read) = lines.next().await? {
        let chunk = read.into_iter().filter_map(|line| import.take(line)).collect();
        import.write(&tx, chunk).await?;
        order.watch.advance(import.tally.summary.lines)?;
    }
    import.kind.finish(&tx, &mut import.tally).await?;
    if mode == ImportMode::AllOrNothing {
        import.tally.problems.refuse()?;
    }
    let Tally { mut summary, problems, report, differences, ends } = import.tally;
    (summary.rejected, summary.noted) = (problems.lines(), report.noted());
    let (fields, first) = differences.finish();
    summary.fields = fields;
    let sha256 = lines.sha256().to_owned();
    let figures = ImportFigures {
        lines: summary.lines,
        open,
        closed: ends.closed(),
        uniform: ends.uniform(today),
        damaged: problems.damaged_keys(),
        ..ImportFigures::default()
    };
    let stop = import_limits::stop(order, None, figures);
    let (tx, confirmed) =
        import_limits::confirm_lines(tx, store, actor, (order, &sha256), stop.as_ref()).await?;
    let detail = format!("created={},changed={}{confirmed}", summary.created, summary.changed);
    summary.set_stop(stop.as_ref());
    let imported = Imported { summary, sha256, report: report.with(&problems, first), stop };
    complete(store, tx, actor, order, (imported, &detail)).await
}

/// First pass: validates each line separately, without the database.
fn check<C: Circulation>(source: &Source, watch: &Watch, today: NaiveDate) -> Result<(), TransferError> {
    let mut problems = FileProblems::new(source.header().columns());
    let mut lines = source.lines()?;
    let mut read = 0;
    while let Some(line) = lines.next()? {
        read += 1;
        watch.advance(read)?;
        match line.map(|line| (line.number, C::parse(&line, today))) {
            Ok((_, Ok(_))) => {}
            Ok((number, Err(errors))) => problems.add_fields(number, errors),
            Err(problem) => problems.add(problem),
        }
    }
    problems.refuse()
}

/// An import under way.
struct Import<C> {
    kind: C,
    checker: Checker,
    tally: Tally,
    codes: TermCodes,
}

impl<C: Circulation> Import<C> {
    /// Takes a line over. Returns `None` if it is wrong.
    fn take(&mut self, line: ReadLine<C::Line>) -> Option<C::Line> {
        let Tally { summary, problems, report, .. } = &mut self.tally;
        summary.lines += 1;
        let line = line.map_err(|problem| problems.add(problem)).ok()?;
        line.notes.iter().for_each(|note| report.note(note));
        line.content.map_err(|errors| problems.add_fields(line.number, errors)).ok()
    }

    /// Writes a chunk of lines.
    async fn write(&mut self, tx: &DatabaseTransaction, lines: Vec<C::Line>) -> Result<(), RecordsError> {
        let mut lines = self.with_users(tx, lines).await?;
        if lines.is_empty() {
            return Ok(());
        }
        for (kind, code) in lines.iter_mut().flat_map(|(line, _)| C::codes(line)) {
            self.codes.spell(kind, code);
        }
        let used = lines.iter_mut().flat_map(|(line, _)| C::codes(line)).map(|(kind, code)| (kind, &**code));
        self.tally.summary.new_terms += self.codes.add(tx, used).await?;
        Ok(self.kind.write(tx, lines, &mut self.tally).await?)
    }

    /// Finds the users of lines. Leaves out lines about anonymised and unknown users.
    async fn with_users(
        &mut self,
        tx: &DatabaseTransaction,
        lines: Vec<C::Line>,
    ) -> Result<Vec<(C::Line, LoanUser)>, RecordsError> {
        let asked: Vec<_> = lines.iter().map(C::about).map(|about| (about.borrower, about.day)).collect();
        let found = borrower::find(tx, &self.checker, &asked).await?;
        let mut with_users = Vec::with_capacity(lines.len());
        for (line, found) in lines.into_iter().zip(found) {
            let About { line: number, borrower, .. } = C::about(&line);
            match borrower::user_or_why(found) {
                Ok(user) => with_users.push((line, user)),
                Err(Without::Anonymised) => {
                    self.tally.summary.skipped += 1;
                    self.tally.report.skip(number, ANONYMISED);
                }
                Err(Without::Problem(problem)) => {
                    self.tally.problems.add_unknown(in_cell(number, borrower.column(), problem.to_owned()));
                }
            }
        }
        Ok(with_users)
    }
}

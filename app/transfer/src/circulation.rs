//! Imports files of requests and charges: the steps that both kinds share.

mod charges;
mod requests;

pub(super) use charges::Charges;
pub(super) use requests::Requests;

use super::borrower::{self, Borrower, Without};
use super::import_limits;
use super::import_users::ANONYMISED;
use super::order::{ImportOrder, Imported, complete};
use super::problem::{FileProblems, LineProblem, TransferError, in_cell};
use super::reader::{Header, Line, Source};
use super::report::Report;
use super::term_codes::TermCodes;
use super::{ImportSummary, ROWS_PER_CHUNK};
use chrono::NaiveDate;
use db::RecordsError;
use db::entity::users;
use policy::TermKind;
use policy::form::FieldErrors;
use policy::import_options::ImportMode;
use safeguards::suppression::check::Checker;
use sea_orm::{DatabaseTransaction, DbErr};
use std::sync::Arc;
use trail::{Actor, Store};

/// A kind of lines about a user's requests or charges.
pub(super) trait Circulation: Send {
    /// A parsed line.
    type Line: Send + Sync;

    /// Begins an import of a file with these columns.
    fn begin(header: &Arc<Header>, today: NaiveDate) -> Self;

    /// Validates a line. Dates of past events can't lie after `today`.
    fn parse(line: &Line, today: NaiveDate) -> Result<Self::Line, FieldErrors>;

    /// Returns the number of the line, its user and its day.
    fn about(line: &Self::Line) -> (u64, &Borrower, NaiveDate);

    /// Changes the codes of category, department and branch to the spelling of the library.
    fn spell(line: &mut Self::Line, codes: &mut TermCodes);

    /// Returns the codes of category, department and branch, with their kinds.
    fn terms(line: &Self::Line) -> impl Iterator<Item = (TermKind, &str)>;

    /// Writes lines with their users, and counts them.
    fn write(
        &mut self,
        tx: &DatabaseTransaction,
        lines: Vec<(Self::Line, users::Model)>,
        summary: &mut ImportSummary,
    ) -> impl Future<Output = Result<(), DbErr>> + Send;
}

/// Imports a file. A check rolls everything back.
pub(super) async fn import<C: Circulation>(
    store: &Store,
    actor: Actor,
    order: &ImportOrder<'_>,
) -> Result<Imported, TransferError> {
    let today = store.clock.today();
    let source = Source::open(order, &[])?;
    let mode = order.options.mode;
    if mode == ImportMode::AllOrNothing {
        check::<C>(&source, today)?;
    }
    let tx = store.begin().await?;
    let mut lines = source.lines()?;
    let mut import = Import::<C> {
        kind: C::begin(lines.header(), today),
        checker: Checker::open(&tx, store).await?,
        today,
        summary: ImportSummary::default(),
        problems: FileProblems::default(),
        report: Report::default(),
        codes: TermCodes::load(&tx).await?,
    };
    let mut chunk = Vec::with_capacity(ROWS_PER_CHUNK);
    loop {
        let line = lines.next()?;
        let ended = line.is_none();
        chunk.extend(line.and_then(|line| import.read(line)));
        if chunk.len() == ROWS_PER_CHUNK || ended {
            import.write(&tx, std::mem::take(&mut chunk)).await?;
            order.watch.advance(import.summary.lines)?;
        }
        if ended {
            break;
        }
    }
    if mode == ImportMode::AllOrNothing {
        import.problems.refuse()?;
    }
    let Import { mut summary, problems, report, .. } = import;
    summary.rejected = problems.lines();
    let sha256 = lines.sha256();
    let counts = (summary.lines, problems.damaged_keys());
    let (stop, confirmed) = import_limits::of_lines(&tx, store, actor, (order, &sha256), counts).await?;
    let detail = format!("created={},changed={}{confirmed}", summary.created, summary.changed);
    let imported = Imported { summary, sha256, report: report.with_rejected(&problems), stop };
    complete(store, tx, actor, order, (imported, &detail)).await
}

/// First pass: validates each line separately, without the database.
fn check<C: Circulation>(source: &Source, today: NaiveDate) -> Result<(), TransferError> {
    let mut problems = FileProblems::default();
    let mut lines = source.lines()?;
    while let Some(line) = lines.next()? {
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
    today: NaiveDate,
    summary: ImportSummary,
    problems: FileProblems,
    report: Report,
    codes: TermCodes,
}

impl<C: Circulation> Import<C> {
    /// Parses a line. Returns `None` if it is wrong.
    fn read(&mut self, line: Result<Line, LineProblem>) -> Option<C::Line> {
        self.summary.lines += 1;
        let line = line.map_err(|problem| self.problems.add(problem)).ok()?;
        line.notes.iter().for_each(|note| self.report.note(note));
        C::parse(&line, self.today).map_err(|errors| self.problems.add_fields(line.number, errors)).ok()
    }

    /// Writes a chunk of lines. Leaves out lines about anonymised and unknown users.
    async fn write(&mut self, tx: &DatabaseTransaction, lines: Vec<C::Line>) -> Result<(), RecordsError> {
        let about = lines.iter().map(|line| C::about(line));
        let asked: Vec<_> = about.map(|(_, borrower, day)| (borrower, day)).collect();
        let found = borrower::find(tx, &self.checker, &asked).await?;
        let mut with_users = Vec::with_capacity(lines.len());
        for (mut line, found) in lines.into_iter().zip(found) {
            let (number, borrower, _) = C::about(&line);
            match borrower::user_or_why(found) {
                Ok(user) => {
                    C::spell(&mut line, &mut self.codes);
                    with_users.push((line, user));
                }
                Err(Without::Anonymised) => {
                    self.summary.skipped += 1;
                    self.report.skip(number, ANONYMISED);
                }
                Err(Without::Problem(problem)) => {
                    self.problems.add(in_cell(number, borrower.column(), problem.to_owned()));
                }
            }
        }
        if with_users.is_empty() {
            return Ok(());
        }
        let used = with_users.iter().flat_map(|(line, _)| C::terms(line));
        self.summary.new_terms += self.codes.add(tx, used).await?;
        Ok(self.kind.write(tx, with_users, &mut self.summary).await?)
    }
}

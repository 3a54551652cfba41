//! Decides what each line of a file of users does.

use super::changes::{self, Change, Custom};
use crate::differences::{Differences, changed_columns, changed_custom_fields};
use crate::exchange;
use crate::guarantors::{Guarantors, PendingGuarantor, RestOfLine};
use crate::guard::{self, Effect, LEGAL_HOLD};
use crate::import_limits::DateTally;
use crate::problem::{FileProblems, TransferError, in_column};
use crate::reader::{Header, ReadLine};
use crate::report::{ANONYMISED, Report};
use crate::suppression::{self, NewUser};
use crate::term_codes::TermCodes;
use crate::user_line::UserLine;
use crate::user_match::{KeyedLine, Match, Matches};
use crate::watch::Watch;
use crate::{ImportSummary, ROWS_PER_CHUNK};
use chrono::NaiveDate;
use db::RecordsError;
use db::entity::users;
use policy::form::Problem;
use policy::import_options::ImportMode;
use policy::suppression::{HeldDecision, HeldSource, KeyKind};
use policy::{HeldLineId, ImportId, UserNumber};
use safeguards::suppression::arrival::{self, Arrival};
use safeguards::suppression::check::Checker;
use safeguards::{key_periods, legal_hold, manual_changes};
use sea_orm::DatabaseTransaction;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use trail::{Actor, Store};

/// Why lines are skipped.
const WITHOUT_KEY: &str = "The line was exported for a user without a UserID, barcode or external identifier";
const STAFF: &str = "The user is a member of staff. A file must not change the record";

/// Maximum number of lines that wait for their keys, in memory.
const MAX_POSTPONED: usize = 100_000;

/// The results of the suppression list for lines of new users, by number of the line.
type NewUsers = HashMap<u64, NewUser>;

/// Whether a line is written for the first time, or after it waited for its keys.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(super) enum Round {
    First,
    Last,
}

/// An import under way.
pub(super) struct Import<'a> {
    store: &'a Store,
    actor: Actor,
    header: Arc<Header>,
    today: NaiveDate,
    pub(super) summary: ImportSummary,
    pub(super) problems: FileProblems,
    pub(super) report: Report,
    pub(super) differences: Differences,
    codes: TermCodes,
    /// Users of the lines so far, for a few bytes each.
    pub(super) seen: HashSet<i64>,
    /// Lines with keys that other users still have.
    postponed: Vec<KeyedLine>,
    guarantors: Guarantors,
    checker: Checker,
    arrival: Arrival,
    /// The effects of the lines so far on dates.
    pub(super) dates: DateTally,
    /// Users who count towards the limits, with their number of identifying values.
    pub(super) touched: Vec<(UserNumber, usize)>,
    /// Users with replaced identifying values, too few to count.
    pub(super) replaced: Vec<(UserNumber, usize)>,
}

/// The users of a chunk of lines.
struct Chunk {
    matches: Matches,
    staff: HashSet<i64>,
    /// Users under a legal hold.
    held: HashSet<i64>,
    custom: HashMap<i64, Custom>,
    /// Number of identifying values that manual changes have replaced before.
    replaced_before: HashMap<i64, usize>,
    new: NewUsers,
    created: Vec<Change>,
    changed: Vec<Change>,
    /// Users who leave a category.
    leaving: Vec<(UserNumber, String)>,
    key_changes: Vec<key_periods::Change>,
    /// Held lines whose decisions are used up by the lines that are written.
    decided: Vec<HeldLineId>,
}

impl<'a> Import<'a> {
    /// Begins an import of a file with these columns. `record` is its id, if it is in the history already.
    pub(super) async fn begin(
        tx: &DatabaseTransaction,
        store: &'a Store,
        actor: Actor,
        (header, record): (&Arc<Header>, Option<ImportId>),
    ) -> Result<Self, RecordsError> {
        Ok(Self {
            store,
            actor,
            header: Arc::clone(header),
            today: store.clock.today(),
            summary: ImportSummary::default(),
            problems: FileProblems::new(header.columns()),
            report: Report::default(),
            differences: Differences::default(),
            codes: TermCodes::load(tx).await?,
            seen: HashSet::new(),
            postponed: Vec::new(),
            guarantors: Guarantors::new(header),
            checker: Checker::open(tx, store).await?,
            arrival: Arrival::new(HeldSource::Users, record),
            dates: DateTally::default(),
            touched: Vec::new(),
            replaced: Vec::new(),
        })
    }

    /// Takes a line over. Returns `None` if it is wrong or about an anonymised user.
    pub(super) fn take(&mut self, line: ReadLine<KeyedLine>) -> Option<KeyedLine> {
        self.summary.lines += 1;
        let line = line.map_err(|problem| self.problems.add(problem)).ok()?;
        line.notes.iter().for_each(|note| self.report.note(note));
        let read = line.content.map_err(|errors| self.problems.add_fields(line.number, errors)).ok()?;
        if read.line.anonymised {
            self.summary.skipped += 1;
            self.report.skip(line.number, ANONYMISED);
            return None;
        }
        if read.line.without_key {
            self.summary.skipped += 1;
            self.report.skip(line.number, WITHOUT_KEY);
            return None;
        }
        Some(read)
    }

    /// Writes a chunk of lines.
    pub(super) async fn write(
        &mut self,
        tx: &DatabaseTransaction,
        mut lines: Vec<KeyedLine>,
        round: Round,
    ) -> Result<(), RecordsError> {
        if lines.is_empty() {
            return Ok(());
        }
        for line in &mut lines {
            line.line.spell(&mut self.codes);
        }
        self.summary.new_terms += self.codes.add(tx, lines.iter().flat_map(|line| line.line.terms())).await?;
        let matches = Matches::find(tx, &lines).await?;
        let numbers = || matches.users.keys().copied();
        let mut chunk = Chunk {
            staff: guard::staff_among(tx, numbers()).await?,
            held: legal_hold::in_force_among(tx, numbers()).await?,
            custom: changes::custom_values(tx, &self.header, &matches.users).await?,
            replaced_before: manual_changes::replaced_before_of(tx, numbers()).await?,
            new: self.check_new(tx, &matches, &lines).await?,
            matches,
            created: Vec::new(),
            changed: Vec::new(),
            leaving: Vec::new(),
            key_changes: Vec::new(),
            decided: Vec::new(),
        };
        for keyed in lines {
            let found = chunk.matches.user(&keyed, &self.seen);
            if let Ok(Match { user, blocked }) = &found
                && let Some((kind, _)) = blocked.first()
                && !user.is_some_and(|(user, _)| chunk.staff.contains(&user))
            {
                self.postpone(keyed, *kind, round);
                continue;
            }
            match found.map(|found| found.user) {
                Err(problem) => self.problems.add(problem),
                Ok(None) => self.add_new(tx, &mut chunk, keyed.line).await?,
                Ok(Some((user, by))) => self.add_known(&mut chunk, keyed.line, (user, by)),
            }
        }
        self.write_chunk(tx, chunk).await
    }

    /// Compares the lines of new users, and those that give a user an external identifier, with the suppression list.
    async fn check_new(
        &mut self,
        tx: &DatabaseTransaction,
        matches: &Matches,
        lines: &[KeyedLine],
    ) -> Result<NewUsers, RecordsError> {
        let new = lines.iter().filter(|line| matches.brings_person(line, &self.seen));
        let new = new.map(|line| &line.line).collect();
        suppression::check((&self.checker, &mut self.arrival), tx, self.store, new).await
    }

    /// Adds the line of a user who was found by a key of this kind. If an anonymised user had the external identifier
    /// of the line, the line can be about that person instead. It is then held for a decision.
    fn add_known(&mut self, chunk: &mut Chunk, line: UserLine, (user, by): (i64, KeyKind)) {
        let number = line.number;
        match chunk.new.remove(&number) {
            Some(result @ (NewUser::Held | NewUser::Ignored)) => {
                result.count(number, &mut self.summary, &mut self.report);
            }
            Some(NewUser::Decided(HeldDecision::NewMembership, _)) => {
                self.problems.add(in_column(number, by.field(), &Problem::Taken));
            }
            result => {
                let changed = chunk.changed.len();
                self.add_changed(chunk, line, user);
                if chunk.changed.len() > changed {
                    chunk.decided.extend(result.and_then(NewUser::decided));
                }
            }
        }
    }

    /// Adds the line of a new user to its chunk, unless the suppression list holds it.
    async fn add_new(
        &mut self,
        tx: &DatabaseTransaction,
        chunk: &mut Chunk,
        line: UserLine,
    ) -> Result<(), RecordsError> {
        let number = line.number;
        let result = if let Some(result) = chunk.new.remove(&number) {
            Some(result)
        } else {
            // An earlier line of the chunk has freed the keys of this one.
            let check = (&self.checker, &mut self.arrival);
            suppression::check(check, tx, self.store, vec![&line]).await?.remove(&number)
        };
        if !result.is_none_or(|result| result.count(number, &mut self.summary, &mut self.report)) {
            return Ok(());
        }
        chunk.decided.extend(result.and_then(NewUser::decided));
        let change = Change::of_new_user(line, self.today);
        self.differences.add_new(number);
        self.dates.add(None, &change.user, self.today);
        chunk.matches.brings(number, &change.user);
        chunk.created.push(change);
        Ok(())
    }

    /// Adds the line of an existing user to its chunk, unless a rule protects the user.
    fn add_changed(&mut self, chunk: &mut Chunk, line: UserLine, user: i64) {
        let number = line.number;
        let Some(before) = chunk.matches.users.get(&user).cloned() else { return };
        self.seen.insert(user);
        self.guarantors.can_be(line.key("external_id"), user);
        let custom = chunk.custom.get(&user);
        let change = Change::of_known_user(line, &self.header, (&before, custom));
        let is_same = change.user == before && custom.unwrap_or(&Custom::new()) == &change.custom;
        if chunk.staff.contains(&user) && (!is_same || change.guarantor.is_some()) {
            self.summary.reject_staff(number);
            self.report.skip(number, STAFF);
            return;
        }
        if chunk.held.contains(&user) && guard::overwrites((&before, &change.user), (custom, &change.custom))
        {
            self.summary.held += 1;
            self.report.skip(number, LEGAL_HOLD);
            return;
        }
        self.dates.add(Some(&before), &change.user, self.today);
        let replaced = chunk.replaced_before.get(&user).copied().unwrap_or_default();
        self.count_effect(UserNumber(user), guard::effect(&before, &change.user, replaced));
        let rest = if is_same { RestOfLine::Nothing } else { RestOfLine::Changes };
        self.await_guarantor(&change, rest);
        if is_same {
            self.summary.unchanged += 1;
            return;
        }
        let mut fields = changed_columns(&before, &change.user);
        fields.extend(changed_custom_fields(custom.unwrap_or(&Custom::new()), &change.custom));
        self.differences.add_changed(number, &fields);
        if before.category != change.user.category {
            chunk.leaving.extend(before.category.clone().map(|left| (UserNumber(user), left)));
        }
        chunk.matches.changes(&before, &change.user);
        chunk.key_changes.extend(key_periods::Change::compare(Some(&before), &change.user, self.today));
        chunk.changed.push(change);
    }

    /// Writes the users of a chunk.
    async fn write_chunk(&mut self, tx: &DatabaseTransaction, chunk: Chunk) -> Result<(), RecordsError> {
        let Chunk { mut created, changed, leaving, mut key_changes, decided, .. } = chunk;
        arrival::spend(tx, &decided).await?;
        legal_hold::transfer_to_user(tx, &self.store.clock, self.actor, &leaving).await?;
        self.summary.touched = self.touched.len() as u64;
        self.summary.changed += changed.len() as u64;
        changes::update(tx, &self.header, &changed, &key_changes).await?;
        self.summary.created += created.len() as u64;
        changes::create(tx, &mut created).await?;
        for change in &created {
            self.seen.insert(change.user.number);
            self.guarantors.can_be(change.user.external_id.as_deref(), change.user.number);
            self.await_guarantor(change, RestOfLine::Creates);
        }
        let since = |user: &users::Model| user.created_on.unwrap_or(self.today);
        key_changes.extend(
            created
                .iter()
                .filter_map(|Change { user, .. }| key_periods::Change::compare(None, user, since(user))),
        );
        key_periods::record(tx, &self.checker, self.today, &key_changes).await?;
        let found = self.guarantors.resolve(tx).await?;
        self.now_changed(found);
        Ok(())
    }

    /// Counts a change towards the safety limits.
    fn count_effect(&mut self, user: UserNumber, effect: Effect) {
        match effect {
            Effect::None => (),
            Effect::Replaces(fields) => self.replaced.push((user, fields)),
            Effect::Touches(fields) => self.touched.push((user, fields)),
        }
    }

    /// Keeps a line with another user's key until the end of the file. It is wrong if it has waited already, or if so many
    /// lines wait that a column of the file must have shifted.
    fn postpone(&mut self, line: KeyedLine, kind: KeyKind, round: Round) {
        match round {
            Round::First if self.postponed.len() < MAX_POSTPONED => self.postponed.push(line),
            _ => self.problems.add(in_column(line.line.number, kind.field(), &Problem::Taken)),
        }
    }

    /// Writes the lines with keys that other users had when the lines were read.
    pub(super) async fn write_postponed(
        &mut self,
        tx: &DatabaseTransaction,
        watch: &Watch,
    ) -> Result<(), TransferError> {
        let lines = std::mem::take(&mut self.postponed);
        if lines.is_empty() {
            return Ok(());
        }
        let (ready, problems) =
            exchange::free_keys(tx, &self.checker, self.today, (lines, &self.seen)).await?;
        for problem in problems {
            self.problems.add(problem);
        }
        let mut ready = ready.into_iter().peekable();
        while ready.peek().is_some() {
            let some = ready.by_ref().take(ROWS_PER_CHUNK).collect();
            self.write(tx, some, Round::Last).await?;
            watch.advance(self.summary.lines)?;
        }
        Ok(())
    }

    /// Sets the guarantors who are in the file after their users. A guarantor who is missing rejects the file, or is
    /// reported.
    pub(super) async fn finish_guarantors(
        &mut self,
        tx: &DatabaseTransaction,
        mode: ImportMode,
    ) -> Result<(), TransferError> {
        let mut unknown = FileProblems::new(self.header.columns());
        let finished = self.guarantors.finish(tx, &self.checker, &mut unknown).await?;
        self.summary.suppressed_guarantors = finished.left_out;
        self.now_changed(finished.changed);
        self.summary.changed -= finished.taken_back;
        self.summary.unchanged += finished.taken_back;
        self.differences.count("guarantor_number", finished.new_guarantors);
        if mode == ImportMode::AllOrNothing {
            unknown.refuse()?;
        }
        unknown.problems.iter().for_each(|problem| self.report.note(problem));
        finished.unknown.problems.iter().for_each(|problem| self.report.note(problem));
        Ok(())
    }

    /// Recounts users with a new guarantor as their only change.
    fn now_changed(&mut self, users: u64) {
        self.summary.unchanged -= users;
        self.summary.changed += users;
    }

    fn await_guarantor(&mut self, change: &Change, rest: RestOfLine) {
        if let Some(guarantor) = change.guarantor.clone() {
            let (line, user, current) = (change.line, change.user.number, change.user.guarantor_number);
            self.guarantors.add_pending(PendingGuarantor { line, user, guarantor, current, rest });
        }
    }
}

//! Imports users.

use super::absence;
use super::columns::CUSTOM;
use super::exchange;
use super::guarantors::{Guarantors, Wanted};
use super::guard::{self, Effect};
use super::import_limits::{self, DateTally};
use super::order::{ImportOrder, Imported, complete};
use super::problem::{FileProblems, TransferError, in_column};
use super::reader::{Header, Source};
use super::report::{ANONYMISED, Report};
use super::suppression;
use super::term_codes::TermCodes;
use super::user_line::UserLine;
use super::user_match::{KeyedLine, Match, Matches};
use super::{ImportSummary, ROWS_PER_CHUNK};
use chrono::NaiveDate;
use db::RecordsError;
use db::bulk_insert::{MAX_PARAMETERS, insert};
use db::entity::{custom_fields, custom_values, user_words, users};
use policy::form::Problem;
use policy::import_limits::ImportFigures;
use policy::import_options::ImportMode;
use policy::suppression::KeyKind;
use policy::{Action, ApprovalId, ManualChange, UserNumber};
use safeguards::suppression::check::Checker;
use safeguards::{approval, key_periods, legal_hold, limits, manual_changes};
use sea_orm::ActiveValue::NotSet;
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ColumnTrait, DatabaseTransaction, DbErr, EntityTrait, Insert, IntoActiveModel, Iterable, PaginatorTrait,
    QueryFilter,
};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use trail::person::search_words;
use trail::{Actor, Store};

/// Why lines are skipped.
const WITHOUT_KEY: &str = "The line was exported for a user without a UserID, barcode or external identifier";
const STAFF: &str = "The user is a member of staff. A file must not change the record";
const LEGAL_HOLD: &str = "The line would empty or overwrite a value under a legal hold";

/// Imports users. A check rolls everything back.
///
/// A file that exceeds the safety limits of imports needs an approval. If four eyes is off, the confirmed number must
/// be the number of users that it touches.
pub(super) async fn import(
    store: &Store,
    actor: Actor,
    order: &ImportOrder<'_>,
) -> Result<Imported, TransferError> {
    let Written { tx, mut imported, touched, replaced, figures } = write(store, actor, order).await?;
    let too_many = limits::too_many(&tx, store, &touched, figures.users).await?;
    let stop = import_limits::stop(order, too_many, figures);
    if order.dry_run {
        imported.stop = stop;
        return complete(store, tx, actor, order, (imported, "")).await;
    }
    let summary = &imported.summary;
    let confirmed = match &stop {
        None => None,
        Some(stop) => {
            match import_limits::confirm(&tx, store, actor, (order, &imported.sha256), stop).await {
                Ok(how) => Some(how),
                Err(refused) => {
                    tx.rollback().await?;
                    let detail = format!("import,users={}", stop.users);
                    limits::record_limit_as(store, actor, ManualChange::ImportLimit, &detail).await?;
                    return Err(refused);
                }
            }
        }
    };
    limits::record_import(&tx, actor, confirmed.is_some(), touched, replaced).await?;
    let confirmed = confirmed.map(|how| format!(",{how}")).unwrap_or_default();
    let suppressed = match summary.suppressed {
        0 => String::new(),
        lines => format!(",suppressed={lines}"),
    };
    let left = match summary.left {
        0 => String::new(),
        users => format!(",left={users}"),
    };
    let detail = format!(
        "created={},changed={},touched={}{left}{suppressed}{confirmed}",
        summary.created, summary.changed, summary.touched
    );
    complete(store, tx, actor, order, (imported, &detail)).await
}

/// Requests approval to import a file that exceeds the safety limits. Imports nothing.
pub async fn request_import_of_users(
    store: &Store,
    actor: Actor,
    order: &ImportOrder<'_>,
) -> Result<ApprovalId, TransferError> {
    actor.require(Action::Import)?;
    let Written { tx, imported, touched, figures, .. } = write(store, actor, order).await?;
    let stop =
        import_limits::stop(order, limits::too_many(&tx, store, &touched, figures.users).await?, figures);
    let is_needed = approval::is_on(&tx, store, Action::Approve).await?;
    tx.rollback().await?;
    let Some(stop) = stop.filter(|_| is_needed) else {
        let why = "No second person is needed: the file is within the limits. Import it";
        return Err(RecordsError::Refused(why.to_owned()).into());
    };
    Ok(approval::request_import(store, actor, imported.sha256, stop.users).await?)
}

/// A file that is written but not committed.
struct Written {
    tx: DatabaseTransaction,
    imported: Imported,
    /// Users who count towards the limits of imports, with their number of identifying values.
    touched: Vec<(UserNumber, usize)>,
    /// Users with replaced identifying values, too few to count.
    replaced: Vec<(UserNumber, usize)>,
    /// What the limits of a file count.
    figures: ImportFigures,
}

/// Reads a file twice and writes it.
async fn write(store: &Store, actor: Actor, order: &ImportOrder<'_>) -> Result<Written, TransferError> {
    let custom: Vec<String> =
        custom_fields::Entity::find().all(&store.db).await?.into_iter().map(|field| field.key).collect();
    let source = Source::open(order, &custom)?;
    let mode = order.options.mode;
    if mode == ImportMode::AllOrNothing {
        check(&source, store.clock.today())?;
    }
    let tx = store.begin().await?;
    let today = store.clock.today();
    let users_before = users::Entity::find().count(&tx).await?;
    let imported_before = absence::expected(&tx, today).await?;
    let mut lines = source.lines()?;
    let checker = Checker::open(&tx, store).await?;
    let mut import = Import::new(store, actor, lines.header(), TermCodes::load(&tx).await?, checker);
    let mut chunk = Vec::with_capacity(ROWS_PER_CHUNK);
    loop {
        let line = lines.next()?;
        let ended = line.is_none();
        if let Some(line) = import.read(line) {
            chunk.push(KeyedLine::of(line));
        }
        if chunk.len() == ROWS_PER_CHUNK || ended {
            import.write(&tx, std::mem::take(&mut chunk), Round::First).await?;
            order.watch.advance(import.summary.lines)?;
        }
        if ended {
            break;
        }
    }
    import.write_postponed(&tx).await?;
    let mut unknown = FileProblems::default();
    let finished = import.guarantors.finish(&tx, &import.checker, &mut unknown).await?;
    import.summary.suppressed_guarantors = finished.left_out;
    import.now_changed(finished.changed);
    import.summary.changed -= finished.taken_back;
    import.summary.unchanged += finished.taken_back;
    if mode == ImportMode::AllOrNothing {
        unknown.refuse()?;
    }
    unknown.problems.iter().for_each(|problem| import.report.note(problem));
    if mode == ImportMode::AllOrNothing {
        import.problems.refuse()?;
    }
    let Import { mut summary, mut touched, replaced, problems, report, seen, dates, .. } = import;
    summary.rejected = problems.lines();
    let absent = absence::apply(&tx, order, (&seen, summary.rejected), today).await?;
    (summary.missing, summary.left) = (absent.missing, absent.left.len() as u64);
    touched.extend(absent.left.into_iter().map(|user| (user, 0)));
    summary.touched = touched.len() as u64;
    let figures = ImportFigures {
        lines: summary.lines,
        users: users_before,
        imported: imported_before,
        missing: summary.missing,
        new: summary.created,
        changed: summary.changed,
        leaving: dates.leaving() + summary.left,
        uniform: dates.uniform(),
        damaged: problems.damaged_keys(),
    };
    let report = report.with_rejected(&problems);
    let imported = Imported { summary, sha256: lines.sha256(), report, stop: None };
    Ok(Written { tx, imported, touched, replaced, figures })
}

/// First pass: validates each line separately, without the database.
fn check(source: &Source, today: NaiveDate) -> Result<(), TransferError> {
    let mut problems = FileProblems::default();
    let mut lines = source.lines()?;
    let header = Arc::clone(lines.header());
    while let Some(line) = lines.next()? {
        match line {
            Ok(line) => {
                if let Err(errors) = UserLine::of(&line, &header, today) {
                    problems.add_fields(line.number, errors);
                }
            }
            Err(problem) => problems.add(problem),
        }
    }
    problems.refuse()
}

/// Whether a line is written for the first time, or after it waited for its keys.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Round {
    First,
    Last,
}

struct Import<'a> {
    store: &'a Store,
    actor: Actor,
    header: Arc<Header>,
    summary: ImportSummary,
    problems: FileProblems,
    report: Report,
    codes: TermCodes,
    /// Users of the lines so far, for a few bytes each.
    seen: HashSet<i64>,
    /// Lines with keys that other users still have.
    postponed: Vec<KeyedLine>,
    guarantors: Guarantors,
    checker: Checker,
    /// What the lines so far do to dates.
    dates: DateTally,
    /// Users who count towards the limits, with their number of identifying values.
    touched: Vec<(UserNumber, usize)>,
    /// Users with replaced identifying values, too few to count.
    replaced: Vec<(UserNumber, usize)>,
}

/// A user that a line creates or changes, with the line's values of custom fields.
struct Change {
    line: u64,
    user: users::Model,
    custom: BTreeMap<String, String>,
    guarantor: Option<String>,
}

impl Change {
    /// Returns the change that creates the user of a line.
    fn of_new_user(mut line: UserLine, today: NaiveDate) -> Self {
        let mut user = users::Model::blank(0, uuid::Uuid::new_v4().to_string());
        user.created_on = Some(today);
        let (custom, guarantor) = (std::mem::take(&mut line.draft.custom), line.guarantor.take());
        let number = line.number;
        line.apply(&mut user);
        Self { line: number, user, custom, guarantor }
    }
}

impl<'a> Import<'a> {
    fn new(store: &'a Store, actor: Actor, header: &Arc<Header>, codes: TermCodes, checker: Checker) -> Self {
        Self {
            store,
            actor,
            header: Arc::clone(header),
            summary: ImportSummary::default(),
            problems: FileProblems::default(),
            report: Report::default(),
            codes,
            seen: HashSet::new(),
            postponed: Vec::new(),
            guarantors: Guarantors::default(),
            checker,
            dates: DateTally::default(),
            touched: Vec::new(),
            replaced: Vec::new(),
        }
    }

    /// Parses a line. Returns `None` if it is wrong or about an anonymised user.
    fn read(&mut self, line: Option<Result<super::reader::Line, super::LineProblem>>) -> Option<UserLine> {
        let line = line?;
        self.summary.lines += 1;
        let line = line.map_err(|problem| self.problems.add(problem)).ok()?;
        line.notes.iter().for_each(|note| self.report.note(note));
        let read = UserLine::of(&line, &self.header, self.store.clock.today());
        let read = read.map_err(|errors| self.problems.add_fields(line.number, errors)).ok()?;
        if read.anonymised {
            self.summary.skipped += 1;
            self.report.skip(line.number, ANONYMISED);
            return None;
        }
        if read.without_key {
            self.summary.skipped += 1;
            self.report.skip(line.number, WITHOUT_KEY);
            return None;
        }
        Some(read)
    }

    /// Writes a chunk of lines.
    async fn write(
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
        let mut matches = Matches::find(tx, &lines).await?;
        let staff = guard::staff_among(tx, matches.users.keys().copied()).await?;
        let custom = self.custom_values(tx, &matches).await?;
        let replaced_before = manual_changes::replaced_before_of(tx, matches.users.keys().copied()).await?;
        let is_new = |line: &&KeyedLine| {
            let found = matches.user(line, &self.seen);
            found.is_ok_and(|found| found.user.is_none() && found.blocked.is_empty())
        };
        let new = lines.iter().filter(is_new).map(|line| &line.line).collect();
        let mut new = suppression::check(&self.checker, tx, self.store, new).await?;
        let today = self.store.clock.today();
        let (mut created, mut changed, mut leaving, mut key_changes) = (vec![], vec![], vec![], vec![]);
        for keyed in lines {
            let number = keyed.line.number;
            let found = matches.user(&keyed, &self.seen);
            if let Ok(Match { user, blocked }) = &found
                && let Some((kind, _)) = blocked.first()
                && !user.is_some_and(|user| staff.contains(&user))
            {
                self.postpone(keyed, *kind, round);
                continue;
            }
            let mut line = keyed.line;
            match found.map(|found| found.user) {
                Err(problem) => self.problems.add(problem),
                Ok(None) => {
                    let result = match new.remove(&number) {
                        Some(result) => Some(result),
                        // An earlier line of the chunk has freed the keys of this one.
                        None => suppression::check(&self.checker, tx, self.store, vec![&line])
                            .await?
                            .remove(&number),
                    };
                    if !result.is_none_or(|result| result.count(number, &mut self.summary, &mut self.report))
                    {
                        continue;
                    }
                    let change = Change::of_new_user(line, today);
                    self.dates.add(None, &change.user, today);
                    matches.brings(number, &change.user);
                    created.push(change);
                }
                Ok(Some(found)) => {
                    let Some(before) = matches.users.get(&found).cloned() else { continue };
                    self.seen.insert(found);
                    let mut user = before.clone();
                    let (mut wanted, guarantor) =
                        (std::mem::take(&mut line.draft.custom), line.guarantor.take());
                    if !self.header.clears_empty() {
                        wanted = kept(custom.get(&found), wanted);
                    }
                    line.apply(&mut user);
                    let same = user == before && custom.get(&found).unwrap_or(&BTreeMap::new()) == &wanted;
                    let change = Change { line: number, user, custom: wanted, guarantor };
                    if staff.contains(&found) && (!same || change.guarantor.is_some()) {
                        self.summary.reject_staff(number);
                        self.report.skip(number, STAFF);
                        continue;
                    }
                    if guard::overwrites((&before, &change.user), (custom.get(&found), &change.custom))
                        && legal_hold::in_force(tx, UserNumber(found)).await?
                    {
                        self.summary.held += 1;
                        self.report.skip(number, LEGAL_HOLD);
                        continue;
                    }
                    self.dates.add(Some(&before), &change.user, today);
                    let replaced = replaced_before.get(&found).copied().unwrap_or_default();
                    self.count_effect(UserNumber(found), guard::effect(&before, &change.user, replaced));
                    self.await_guarantor(&change, same);
                    if same {
                        self.summary.unchanged += 1;
                    } else {
                        if before.category != change.user.category {
                            leaving.extend(before.category.clone().map(|left| (UserNumber(found), left)));
                        }
                        matches.changes(&before, &change.user);
                        key_changes.extend(key_periods::Change::of(Some(&before), &change.user, today));
                        changed.push(change);
                    }
                }
            }
        }
        legal_hold::transfer_to_user(tx, &self.store.clock, self.actor, &leaving).await?;
        self.summary.touched = self.touched.len() as u64;
        self.change(tx, changed, &key_changes).await?;
        key_changes.extend(self.create(tx, created).await?);
        key_periods::record(tx, &self.checker, today, &key_changes).await?;
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

    /// Keeps a line with another user's key until the end of the file. It is wrong if it has waited already.
    fn postpone(&mut self, line: KeyedLine, kind: KeyKind, round: Round) {
        match round {
            Round::First => self.postponed.push(line),
            Round::Last => self.problems.add(in_column(line.line.number, kind.field(), &Problem::Taken)),
        }
    }

    /// Writes the lines with keys that other users had when the lines were read.
    async fn write_postponed(&mut self, tx: &DatabaseTransaction) -> Result<(), RecordsError> {
        let lines = std::mem::take(&mut self.postponed);
        if lines.is_empty() {
            return Ok(());
        }
        let today = self.store.clock.today();
        let (ready, problems) = exchange::free_keys(tx, today, lines, &self.seen).await?;
        for problem in problems {
            self.problems.add(problem);
        }
        let mut ready = ready.into_iter().peekable();
        while ready.peek().is_some() {
            let some = ready.by_ref().take(ROWS_PER_CHUNK).collect();
            self.write(tx, some, Round::Last).await?;
        }
        Ok(())
    }

    /// Recounts users with a new guarantor as their only change.
    fn now_changed(&mut self, users: u64) {
        self.summary.unchanged -= users;
        self.summary.changed += users;
    }

    fn await_guarantor(&mut self, change: &Change, unchanged: bool) {
        if let Some(guarantor) = change.guarantor.clone() {
            let (line, user, so_far) = (change.line, change.user.number, change.user.guarantor_number);
            self.guarantors.want(Wanted { line, user, guarantor, so_far, unchanged });
        }
    }

    /// Returns the keys of the custom fields in the file.
    fn custom_keys(&self) -> Vec<&str> {
        self.header.names().iter().filter_map(|name| name.strip_prefix(CUSTOM)).collect()
    }

    /// Returns the matched users' values of the custom fields in the file.
    async fn custom_values(
        &self,
        tx: &DatabaseTransaction,
        matches: &Matches,
    ) -> Result<HashMap<i64, BTreeMap<String, String>>, DbErr> {
        let keys = self.custom_keys();
        let mut values: HashMap<i64, BTreeMap<String, String>> = HashMap::new();
        if keys.is_empty() || matches.users.is_empty() {
            return Ok(values);
        }
        let rows = custom_values::Entity::find()
            .filter(custom_values::Column::UserNumber.is_in(matches.users.keys().copied()))
            .filter(custom_values::Column::FieldKey.is_in(keys))
            .all(tx)
            .await?;
        for row in rows {
            values.entry(row.user_number).or_default().insert(row.field_key, row.value);
        }
        Ok(values)
    }

    /// Updates existing users with few statements. Keys that change are freed first, so that their order doesn't matter.
    async fn change(
        &mut self,
        tx: &DatabaseTransaction,
        changes: Vec<Change>,
        key_changes: &[key_periods::Change],
    ) -> Result<(), DbErr> {
        if changes.is_empty() {
            return Ok(());
        }
        for kind in KeyKind::ALL {
            let losing: Vec<i64> =
                key_changes.iter().filter(|change| change.loses(kind)).map(|change| change.user).collect();
            exchange::clear(tx, kind, &losing).await?;
        }
        self.summary.changed += changes.len() as u64;
        let numbers: Vec<i64> = changes.iter().map(|change| change.user.number).collect();
        let written = users::Column::iter().filter(|column| !matches!(column, users::Column::Number));
        let written: Vec<users::Column> = written.collect();
        let rows: Vec<users::Model> = changes
            .iter()
            .map(|change| users::Model { version: change.user.version + 1, ..change.user.clone() })
            .collect();
        for some in rows.chunks(MAX_PARAMETERS / (written.len() + 1)) {
            let conflict =
                OnConflict::column(users::Column::Number).update_columns(written.clone()).to_owned();
            let many = Insert::<users::ActiveModel>::many(some.to_vec()).on_conflict(conflict);
            many.exec_without_returning(tx).await?;
        }
        user_words::Entity::delete_many()
            .filter(user_words::Column::UserNumber.is_in(numbers.iter().copied()))
            .exec(tx)
            .await?;
        let keys = self.custom_keys();
        if !keys.is_empty() {
            custom_values::Entity::delete_many()
                .filter(custom_values::Column::UserNumber.is_in(numbers))
                .filter(custom_values::Column::FieldKey.is_in(keys))
                .exec(tx)
                .await?;
        }
        parts(tx, &changes).await
    }

    /// Creates new users. Returns their keys.
    async fn create(
        &mut self,
        tx: &DatabaseTransaction,
        mut changes: Vec<Change>,
    ) -> Result<Vec<key_periods::Change>, DbErr> {
        self.summary.created += changes.len() as u64;
        for some in changes.chunks_mut(MAX_PARAMETERS / users::Column::iter().count()) {
            let rows: Vec<users::ActiveModel> = some
                .iter()
                .map(|change| users::ActiveModel {
                    number: NotSet,
                    ..change.user.clone().into_active_model()
                })
                .collect();
            let made = Insert::<users::ActiveModel>::many(rows).exec_with_returning(tx).await?;
            let numbers: HashMap<String, i64> =
                made.into_iter().map(|user| (user.uuid, user.number)).collect();
            for change in some {
                change.user.number = *numbers.get(&change.user.uuid).ok_or(DbErr::RecordNotInserted)?;
            }
        }
        for change in &changes {
            self.seen.insert(change.user.number);
            self.await_guarantor(change, false);
        }
        parts(tx, &changes).await?;
        let today = self.store.clock.today();
        let since = |user: &users::Model| user.created_on.unwrap_or(today);
        let keys =
            changes.iter().filter_map(|Change { user, .. }| key_periods::Change::of(None, user, since(user)));
        Ok(keys.collect())
    }
}

/// Adds the values that a line leaves out to its values of custom fields.
fn kept(
    before: Option<&BTreeMap<String, String>>,
    wanted: BTreeMap<String, String>,
) -> BTreeMap<String, String> {
    let mut kept = before.cloned().unwrap_or_default();
    kept.extend(wanted);
    kept
}

/// Inserts search words and custom values of users that have none.
async fn parts(tx: &DatabaseTransaction, changes: &[Change]) -> Result<(), DbErr> {
    let words = changes.iter().flat_map(|change| {
        let number = change.user.number;
        search_words(&change.user)
            .into_iter()
            .map(move |word| user_words::Model { word, user_number: number })
    });
    // Collected, because the future of an import moves between threads.
    insert(tx, words.collect::<Vec<_>>()).await?;
    let values = changes.iter().flat_map(|change| {
        let number = change.user.number;
        change.custom.iter().map(move |(key, value)| custom_values::Model {
            user_number: number,
            field_key: key.clone(),
            value: value.clone(),
        })
    });
    insert(tx, values.collect::<Vec<_>>()).await
}

//! Imports users.

use super::columns::CUSTOM;
use super::guarantors::{Guarantors, Wanted};
use super::guard::{self, Effect};
use super::order::{ImportOrder, Imported, complete};
use super::problem::{FileProblems, TransferError};
use super::reader::{Header, Source};
use super::report::Report;
use super::suppression;
use super::user_line::UserLine;
use super::user_match::Matches;
use super::{ImportSummary, ROWS_PER_CHUNK};
use chrono::NaiveDate;
use db::RecordsError;
use db::bulk_insert::{MAX_PARAMETERS, insert};
use db::entity::{custom_fields, custom_values, terms, user_words, users};
use policy::import_options::ImportMode;
use policy::{Action, ApprovalId, ManualChange, TermKind, UserNumber};
use safeguards::suppression::check::Checker;
use safeguards::{approval, legal_hold, limits, manual_changes};
use sea_orm::ActiveValue::NotSet;
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ColumnTrait, DatabaseTransaction, DbErr, EntityTrait, Insert, IntoActiveModel, Iterable, PaginatorTrait,
    QueryFilter,
};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use trail::person::search_words;
use trail::{Actor, Store};

/// Why lines are skipped.
pub(super) const ANONYMISED: &str = "The user has been anonymised. A file must not restore the record";
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
    let Written { tx, imported, touched, replaced, users_before } = write(store, actor, order).await?;
    if order.dry_run {
        return complete(store, tx, actor, order, (imported, "")).await;
    }
    let summary = &imported.summary;
    let confirmed = match limits::too_many(&tx, store, &touched, users_before).await? {
        None => None,
        Some(stop) => {
            let file = (imported.sha256.as_str(), order.confirmed);
            match limits::confirm_import(&tx, store, actor, stop, file).await {
                Ok(how) => Some(how),
                Err(refused) => {
                    tx.rollback().await?;
                    let detail = format!("import,users={}", summary.touched);
                    limits::record_limit_as(store, actor, ManualChange::ImportLimit, &detail).await?;
                    return Err(refused.into());
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
    let detail = format!(
        "created={},changed={},touched={}{suppressed}{confirmed}",
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
    let Written { tx, imported, touched, users_before, .. } = write(store, actor, order).await?;
    let stop = limits::too_many(&tx, store, &touched, users_before).await?;
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
    /// Number of users before the import.
    users_before: u64,
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
    let users_before = users::Entity::find().count(&tx).await?;
    let mut lines = source.lines()?;
    let checker = Checker::open(&tx, store).await?;
    let mut import = Import::new(store, actor, lines.header(), terms_known(&tx).await?, checker);
    let mut chunk = Vec::with_capacity(ROWS_PER_CHUNK);
    loop {
        let line = lines.next()?;
        let ended = line.is_none();
        if let Some(line) = import.read(line) {
            chunk.push(line);
        }
        if chunk.len() == ROWS_PER_CHUNK || ended {
            import.write(&tx, std::mem::take(&mut chunk)).await?;
            order.watch.advance(import.summary.lines)?;
        }
        if ended {
            break;
        }
    }
    let mut unknown = FileProblems::default();
    let finished = import.guarantors.finish(&tx, &import.checker, &mut unknown).await?;
    import.summary.suppressed_guarantors = finished.left_out;
    import.now_changed(finished.changed);
    if mode == ImportMode::AllOrNothing {
        unknown.refuse()?;
    }
    unknown.problems.iter().for_each(|problem| import.report.note(problem));
    if mode == ImportMode::AllOrNothing {
        import.problems.refuse()?;
    }
    let Import { mut summary, touched, replaced, problems, report, .. } = import;
    summary.rejected = problems.lines();
    let report = report.with_rejected(&problems);
    let imported = Imported { summary, sha256: lines.sha256(), report };
    Ok(Written { tx, imported, touched, replaced, users_before })
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

/// Returns all terms that have a name.
pub(super) async fn terms_known(tx: &DatabaseTransaction) -> Result<HashSet<(TermKind, String)>, DbErr> {
    let all = terms::Entity::find().all(tx).await?;
    Ok(all.into_iter().map(|term| (term.kind, term.code)).collect())
}

/// Adds new terms with their code as name, and returns how many were added.
pub(super) async fn add_terms<'a>(
    tx: &DatabaseTransaction,
    known: &mut HashSet<(TermKind, String)>,
    used: impl Iterator<Item = (TermKind, &'a str)>,
) -> Result<u64, DbErr> {
    let used: BTreeSet<(TermKind, &str)> = used.collect();
    let mut fresh = Vec::new();
    for (kind, code) in used {
        if known.insert((kind, code.to_owned())) {
            fresh.push(terms::Model { kind, code: code.to_owned(), name: code.to_owned() });
        }
    }
    let count = fresh.len() as u64;
    insert(tx, fresh).await?;
    Ok(count)
}

struct Import<'a> {
    store: &'a Store,
    actor: Actor,
    header: Arc<Header>,
    summary: ImportSummary,
    problems: FileProblems,
    report: Report,
    terms: HashSet<(TermKind, String)>,
    /// Users of the lines so far, for a few bytes each.
    seen: HashSet<i64>,
    guarantors: Guarantors,
    checker: Checker,
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

impl<'a> Import<'a> {
    fn new(
        store: &'a Store,
        actor: Actor,
        header: &Arc<Header>,
        terms: HashSet<(TermKind, String)>,
        checker: Checker,
    ) -> Self {
        Self {
            store,
            actor,
            header: Arc::clone(header),
            summary: ImportSummary::default(),
            problems: FileProblems::default(),
            report: Report::default(),
            terms,
            seen: HashSet::new(),
            guarantors: Guarantors::default(),
            checker,
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
    async fn write(&mut self, tx: &DatabaseTransaction, lines: Vec<UserLine>) -> Result<(), RecordsError> {
        if lines.is_empty() {
            return Ok(());
        }
        self.summary.new_terms +=
            add_terms(tx, &mut self.terms, lines.iter().flat_map(UserLine::terms)).await?;
        let mut matches = Matches::find(tx, &lines).await?;
        let staff = guard::staff_among(tx, matches.users.keys().copied()).await?;
        let custom = self.custom_values(tx, &matches).await?;
        let replaced_before = manual_changes::replaced_before_of(tx, matches.users.keys().copied()).await?;
        let new = lines.iter().filter(|line| matches!(matches.user(line, &self.seen), Ok(None))).collect();
        let mut new = suppression::check(&self.checker, tx, self.store, new).await?;
        let (mut created, mut changed, mut leaving) = (Vec::new(), Vec::new(), Vec::new());
        for mut line in lines {
            let number = line.number;
            match matches.user(&line, &self.seen) {
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
                    let mut user = users::Model::blank(0, uuid::Uuid::new_v4().to_string());
                    user.created_on = Some(self.store.clock.today());
                    let (custom, guarantor) = (std::mem::take(&mut line.draft.custom), line.guarantor.take());
                    line.apply(&mut user);
                    matches.brings(number, &user);
                    created.push(Change { line: number, user, custom, guarantor });
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
                    let replaced = replaced_before.get(&found).copied().unwrap_or_default();
                    match guard::effect(&before, &change.user, replaced) {
                        Effect::None => (),
                        Effect::Replaces(fields) => self.replaced.push((UserNumber(found), fields)),
                        Effect::Touches(fields) => self.touched.push((UserNumber(found), fields)),
                    }
                    self.await_guarantor(&change, same);
                    if same {
                        self.summary.unchanged += 1;
                    } else {
                        if before.category != change.user.category {
                            leaving.extend(before.category.clone().map(|left| (UserNumber(found), left)));
                        }
                        matches.changes(&before, &change.user);
                        changed.push(change);
                    }
                }
            }
        }
        legal_hold::transfer_to_user(tx, &self.store.clock, self.actor, &leaving).await?;
        self.summary.touched = self.touched.len() as u64;
        self.change(tx, changed).await?;
        self.create(tx, created).await?;
        let found = self.guarantors.resolve(tx).await?;
        self.now_changed(found);
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

    /// Updates existing users with few statements.
    async fn change(&mut self, tx: &DatabaseTransaction, changes: Vec<Change>) -> Result<(), DbErr> {
        if changes.is_empty() {
            return Ok(());
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

    /// Creates new users.
    async fn create(&mut self, tx: &DatabaseTransaction, mut changes: Vec<Change>) -> Result<(), DbErr> {
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
        parts(tx, &changes).await
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

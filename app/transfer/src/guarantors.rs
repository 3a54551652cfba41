//! Resolves guarantors, which a file names by UserID or external identifier, possibly before their own lines.

mod rings;

use super::ROWS_PER_CHUNK;
use super::problem::{FileProblems, in_cell, in_column};
use super::reader::Header;
use super::user_line::GuarantorKey;
use db::RecordsError;
use db::dialect;
use db::entity::users;
use policy::form::Problem;
use policy::key_form::normal;
use rings::NewGuarantor;
use safeguards::suppression::KeyValues;
use safeguards::suppression::check::Checker;
use sea_orm::sea_query::Value;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, QueryFilter, QuerySelect,
};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// Why a guarantor is not set.
const NO_USER_ID: &str = "No other user has this UserID";
const NOT_IN_FILE: &str = "No other user in this file has this identifier. The guarantor was left out";
const NO_IDENTIFIERS: &str = "The file has no identifiers of its users, so the guarantor was left out";

/// The effect of a line besides setting the guarantor.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum RestOfLine {
    Creates,
    Changes,
    Nothing,
}

/// A user whose guarantor must be resolved.
pub(super) struct PendingGuarantor {
    pub(super) line: u64,
    pub(super) user: i64,
    pub(super) guarantor: GuarantorKey,
    /// Current guarantor.
    pub(super) current: Option<i64>,
    /// The other effect of the line.
    pub(super) rest: RestOfLine,
}

/// The result of the whole file.
pub(super) struct Finished {
    /// Number of users changed by a guarantor.
    pub(super) changed: u64,
    /// Number of guarantors left out because they are anonymised.
    pub(super) left_out: u64,
    /// Number of users whose guarantor is changed.
    pub(super) new_guarantors: u64,
    /// Number of users whose only change was a guarantor that is not possible.
    pub(super) taken_back: u64,
    /// External identifiers that no other user of the file has. Their guarantors are left out.
    pub(super) unknown: FileProblems,
}

/// The users of the file by the normal form of their external identifiers, if the file names guarantors by them.
type InFile = HashMap<String, i64>;

/// All guarantors to resolve.
pub(super) struct Guarantors {
    header: Arc<Header>,
    in_file: Option<InFile>,
    fresh: Vec<PendingGuarantor>,
    /// Not found so far: they may follow later in the file.
    waiting: Vec<PendingGuarantor>,
    /// The new guarantors of this file.
    set: Vec<NewGuarantor>,
}

impl Guarantors {
    /// Returns no guarantors of a file with these columns.
    pub(super) fn new(header: &Arc<Header>) -> Self {
        let names_users = header.has("guarantor_external_id") && header.has("external_id");
        Self {
            header: Arc::clone(header),
            in_file: names_users.then(InFile::new),
            fresh: Vec::new(),
            waiting: Vec::new(),
            set: Vec::new(),
        }
    }

    /// Adds a user of the file, who can be a guarantor.
    pub(super) fn can_be(&mut self, external_id: Option<&str>, user: i64) {
        if let Some((in_file, external_id)) = self.in_file.as_mut().zip(external_id) {
            in_file.insert(normal(external_id), user);
        }
    }

    pub(super) fn add_pending(&mut self, wanted: PendingGuarantor) {
        self.fresh.push(wanted);
    }

    /// Stores the guarantors found by now. Returns the number of users changed by this.
    pub(super) async fn resolve(&mut self, tx: &DatabaseTransaction) -> Result<u64, DbErr> {
        let fresh = std::mem::take(&mut self.fresh);
        let (set, missing) = resolve(tx, fresh, self.in_file.as_ref()).await?;
        self.waiting.extend(missing);
        Ok(self.add(set))
    }

    /// Adds new guarantors. Returns the number of users changed by this.
    fn add(&mut self, set: Vec<NewGuarantor>) -> u64 {
        let changed = set.iter().filter(|one| one.rest == RestOfLine::Nothing).count() as u64;
        self.set.extend(set);
        changed
    }

    /// Stores the guarantors found at the end of the file. The missing ones become problems, except anonymised users:
    /// they are left out.
    pub(super) async fn finish(
        &mut self,
        tx: &DatabaseTransaction,
        checker: &Checker,
        problems: &mut FileProblems,
    ) -> Result<Finished, RecordsError> {
        let (set, missing) = resolve(tx, std::mem::take(&mut self.waiting), self.in_file.as_ref()).await?;
        let changed = self.add(set);
        let keys: Vec<KeyValues<'_>> = missing
            .iter()
            .map(|one| match &one.guarantor {
                GuarantorKey::UserId(key) => KeyValues { user_id: Some(key), ..KeyValues::default() },
                GuarantorKey::ExternalId(key) => KeyValues { external_id: Some(key), ..KeyValues::default() },
            })
            .collect();
        let suppressed = checker.check(tx, &keys).await?;
        let mut left_out = 0;
        let mut unknown = FileProblems::new(self.header.columns());
        for (one, suppressed) in missing.iter().zip(suppressed) {
            if suppressed.held_by.is_some() {
                left_out += 1;
                continue;
            }
            let column = one.guarantor.column();
            match one.guarantor {
                GuarantorKey::UserId(_) => problems.add(in_cell(one.line, column, NO_USER_ID.to_owned())),
                GuarantorKey::ExternalId(_) => {
                    let why = if self.in_file.is_some() { NOT_IN_FILE } else { NO_IDENTIFIERS };
                    unknown.add(in_cell(one.line, column, why.to_owned()));
                }
            }
        }
        let of_known_users =
            |set: &[NewGuarantor]| set.iter().filter(|one| one.rest != RestOfLine::Creates).count() as u64;
        let new_guarantors = of_known_users(&self.set);
        let rings = rings::take_back(tx, std::mem::take(&mut self.set)).await?;
        let new_guarantors = new_guarantors - of_known_users(&rings);
        for ring in &rings {
            problems.add(in_column(ring.line, ring.column, &Problem::GuarantorRing));
        }
        let taken_back = rings.iter().filter(|ring| ring.rest == RestOfLine::Nothing).count() as u64;
        Ok(Finished { changed, left_out, new_guarantors, taken_back, unknown })
    }
}

async fn resolve(
    tx: &DatabaseTransaction,
    wanted: Vec<PendingGuarantor>,
    in_file: Option<&InFile>,
) -> Result<(Vec<NewGuarantor>, Vec<PendingGuarantor>), DbErr> {
    let mut set = Vec::new();
    let mut missing = Vec::new();
    let mut wanted = wanted.into_iter().peekable();
    while wanted.peek().is_some() {
        let some: Vec<PendingGuarantor> = wanted.by_ref().take(ROWS_PER_CHUNK).collect();
        let names: BTreeSet<String> = some
            .iter()
            .filter_map(|one| match &one.guarantor {
                GuarantorKey::UserId(key) => Some(normal(key)),
                GuarantorKey::ExternalId(_) => None,
            })
            .collect();
        let found: Vec<(Option<String>, i64)> = users::Entity::find()
            .select_only()
            .columns([users::Column::UserIdKey, users::Column::Number])
            .filter(users::Column::UserIdKey.is_in(names))
            .lock_exclusive()
            .into_tuple()
            .all(tx)
            .await?;
        let found: HashMap<Option<String>, i64> = found.into_iter().collect();
        let mut pairs: Vec<Value> = Vec::new();
        for one in some {
            let guarantor = match &one.guarantor {
                GuarantorKey::UserId(key) => found.get(&Some(normal(key))),
                GuarantorKey::ExternalId(key) => in_file.and_then(|users| users.get(&normal(key))),
            };
            match guarantor {
                Some(number) if *number != one.user => {
                    if one.current != Some(*number) {
                        pairs.extend([one.user.into(), (*number).into()]);
                        set.push(NewGuarantor {
                            line: one.line,
                            column: one.guarantor.column(),
                            user: one.user,
                            guarantor: *number,
                            current: one.current,
                            rest: one.rest,
                        });
                    }
                }
                _ => missing.push(one),
            }
        }
        write(tx, pairs).await?;
    }
    Ok((set, missing))
}

/// Stores pairs of user and guarantor.
async fn write(tx: &DatabaseTransaction, pairs: Vec<Value>) -> Result<(), DbErr> {
    if pairs.is_empty() {
        return Ok(());
    }
    let rows = vec!["(CAST(? AS BIGINT), CAST(? AS BIGINT))"; pairs.len() / 2].join(", ");
    // Raw SQL: one UPDATE from a list of VALUES for many users.
    let sql = format!(
        "WITH v (number, guarantor) AS (VALUES {rows}) UPDATE users SET guarantor_number = v.guarantor, \
         version = users.version + 1 FROM v WHERE users.number = v.number"
    );
    tx.execute_raw(dialect::bind(tx.get_database_backend(), &sql, pairs)).await?;
    Ok(())
}

//! Reads the whole ledger and compares it with the database.

use super::entry::{Entry, EntryKind, LedgerPosition};
use super::file::{Damage, LedgerFile};
use super::status::{self, LedgerStatus};
use super::tail::{InDoubt, Tail};
use super::watermark::{self, Mark};
use super::writer::{Opened, Writer, blocking};
use super::{in_doubt, receipt};
use db::RecordsError;
use serde::Serialize;
use trail::Store;

/// The contents of the ledger file.
#[derive(Clone, Debug, Serialize)]
pub struct Overview {
    /// The result of its comparison with the database.
    #[serde(flatten)]
    pub status: LedgerStatus,
    /// Random name of the installation, as stored in the database.
    pub library: Option<String>,
    /// Number of the entry after which the file starts.
    pub begins_after: Option<i64>,
    /// Number of its last entry.
    pub last: Option<i64>,
    /// Number of the last entry that the database contains.
    pub mark: Option<i64>,
    /// Number of transactions that anonymised users.
    pub entries: i64,
    /// Number of users in them.
    pub people: i64,
}

/// Compares the ledger with the database. Reads the whole ledger and resolves an entry in doubt.
pub async fn status(store: &Store) -> Result<LedgerStatus, RecordsError> {
    Ok(overview(store).await?.status)
}

/// Like [`status()`](super::status()), with what the file contains.
pub async fn overview(store: &Store) -> Result<Overview, RecordsError> {
    let opened = Opened::lock(store).await?;
    // The ledger is locked, so no open transaction can still move the watermark.
    let mark = watermark::read_settled(&store.db).await?;
    let Some(mut opened) = opened else { return Ok(Overview::new(LedgerStatus::Missing, mark, None)) };
    let position = mark.as_ref().map(|mark| mark.position.clone());
    let read =
        blocking(move || AfterMark::read(&mut opened.file, position.as_ref()).map(|read| (opened, read)));
    let (opened, (tail, after_mark)) = match read.await? {
        Ok(read) => read,
        Err(damage) => {
            let status = match damage {
                Damage::Io(error) => LedgerStatus::Unusable { why: status::unusable(&error) },
                damage => LedgerStatus::Damaged { why: damage.label() },
            };
            return Ok(Overview::new(status, mark, None));
        }
    };
    let (writer, status) = compare(store, opened.read_up_to(tail), &after_mark, mark.as_ref()).await?;
    let overview = Overview::new(status, mark, Some(&writer.tail));
    writer.leave();
    Ok(overview)
}

impl Overview {
    fn new(status: LedgerStatus, mark: Option<Mark>, tail: Option<&Tail>) -> Self {
        Self {
            status,
            library: mark.as_ref().map(|mark| mark.library.clone()),
            begins_after: tail.map(|tail| tail.begins.sequence),
            last: tail.map(|tail| tail.last.sequence),
            mark: mark.map(|mark| mark.position.sequence),
            entries: tail.map_or(0, |tail| tail.entries),
            people: tail.map_or(0, |tail| tail.people),
        }
    }
}

async fn compare(
    store: &Store,
    writer: Writer,
    after_mark: &AfterMark,
    mark: Option<&Mark>,
) -> Result<(Writer, LedgerStatus), RecordsError> {
    let Some(mark) = mark.filter(|mark| mark.library == writer.tail.library) else {
        return Ok((writer, LedgerStatus::Foreign));
    };
    if let Some(status) = after_mark.refusal(&writer.tail, &mark.position) {
        return Ok((writer, status));
    }
    let writer = repair_tail(store, writer, &mark.position).await?;
    let to_replay = writer.tail.in_doubt.as_ref().map_or(after_mark.settled, |_| after_mark.all());
    let status = match to_replay {
        // A replay reached the end of the ledger and was interrupted before it was verified.
        (0, _) if receipt::open(&store.db).await?.is_some() => LedgerStatus::Ahead { entries: 0, people: 0 },
        (0, _) if writer.tail.followed == mark.position => LedgerStatus::Level,
        (0, _) => LedgerStatus::Damaged {
            why: format!(
                "it says that entry {} was rolled back, but the database contains it",
                mark.position.sequence
            ),
        },
        (entries, people) => LedgerStatus::Ahead { entries, people },
    };
    Ok((writer, status))
}

/// Resolves the last entry if it is in doubt, and truncates an unfinished line.
pub async fn repair_tail(
    store: &Store,
    writer: Writer,
    mark: &LedgerPosition,
) -> Result<Writer, RecordsError> {
    let mut draft = writer.draft();
    let settled = in_doubt::settled(&store.db, &writer.tail, mark).await?;
    if settled.is_none() && !writer.tail.torn {
        return Ok(writer);
    }
    if writer.tail.torn {
        tracing::warn!("the last line of the ledger is unfinished and was never committed; it is removed");
    }
    if let Some(what) = settled {
        draft.add(what)?;
    }
    writer.write(draft, true).await
}

/// The part of the ledger after the watermark.
#[derive(Default)]
struct AfterMark {
    /// Whether the chain checksums at the watermark match. `None` if the ledger doesn't contain that position.
    fits: Option<bool>,
    /// Numbers of committed entries and their users.
    settled: (i64, i64),
    /// The same for the last entry, if it is in doubt.
    in_doubt: (i64, i64),
}

impl AfterMark {
    /// Reads the whole ledger.
    fn read(file: &mut LedgerFile, mark: Option<&LedgerPosition>) -> Result<(Tail, Self), Damage> {
        let mut after_mark = Self::default();
        let tail = Tail::read(file, |tail, entry, position| {
            if let Some(mark) = mark {
                after_mark.record(tail, entry, position, mark);
            }
        })?;
        if mark.is_some_and(|mark| mark.sequence == tail.begins.sequence) {
            after_mark.fits = Some(mark == Some(&tail.begins));
        }
        Ok((tail, after_mark))
    }

    fn record(&mut self, tail: &Tail, entry: &Entry, position: &LedgerPosition, mark: &LedgerPosition) {
        if position.sequence == mark.sequence {
            self.fits = Some(position == mark);
        }
        match &entry.what {
            EntryKind::People(_) if position.sequence > mark.sequence => {
                self.in_doubt = (1, tail.in_doubt.as_ref().map_or(0, InDoubt::people));
            }
            EntryKind::Done { of } if *of > mark.sequence => {
                self.settled = self.all();
                self.in_doubt = (0, 0);
            }
            EntryKind::Void { .. } => self.in_doubt = (0, 0),
            _ => {}
        }
    }

    const fn all(&self) -> (i64, i64) {
        (self.settled.0 + self.in_doubt.0, self.settled.1 + self.in_doubt.1)
    }

    fn refusal(&self, tail: &Tail, mark: &LedgerPosition) -> Option<LedgerStatus> {
        let why = match self.fits {
            Some(true) => return None,
            Some(false) => format!(
                "entry {} differs from the one in the database: the two come from different times",
                mark.sequence
            ),
            None if mark.sequence < tail.begins.sequence => format!(
                "it starts after entry {}, and the entries after {}, which this older database needs, are missing",
                tail.begins.sequence, mark.sequence
            ),
            None if tail.torn && mark.sequence == tail.last.sequence + 1 => {
                format!("it ends within entry {}, which the database contains", mark.sequence)
            }
            None => return Some(LedgerStatus::Behind),
        };
        Some(LedgerStatus::Damaged { why })
    }
}

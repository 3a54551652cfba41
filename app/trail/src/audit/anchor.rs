//! Audit anchors. An *anchor* is the signed end of the audit chain on one day, stored in a file outside the
//! database.
//!
//! Anchors reveal a truncated chain, even if everything in the database was changed to match. Lethe only appends
//! to the file. Each line is JSON, signed with the key.

use super::finding::AuditFinding;
use crate::chain;
use crate::key::is_signed;
use crate::store::Store;
use chrono::{DateTime, NaiveDate, Utc};
use db::{Clock, Fault, RecordsError, Storage};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::Path;

/// The end of the chain on one day.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Anchor {
    /// The day in the library's time zone.
    pub date: NaiveDate,
    /// The instant of writing, by the system clock.
    pub at: DateTime<Utc>,
    /// The position of the last event.
    pub sequence: i64,
    /// The MAC of the last event.
    pub mac: String,
    /// The signature over the fields above, in hexadecimal.
    signature: String,
}

impl Anchor {
    fn signed_text(&self) -> String {
        let Self { date, at, sequence, mac, .. } = self;
        format!("lethe-audit-1\n{date}\n{}\n{sequence}\n{mac}", at.timestamp_micros())
    }
}

/// Anchors the end of the chain, unless an anchor of this day exists.
pub async fn anchor_daily(store: &Store) -> Result<(), RecordsError> {
    let today = store.clock.today();
    if last_anchor(store).await?.is_some_and(|last| last.date >= today) {
        return Ok(());
    }
    anchor(store).await
}

/// Returns the last anchor in the file. None if there is none.
pub async fn last_anchor(store: &Store) -> Result<Option<Anchor>, RecordsError> {
    Ok(lines(store).await?.into_iter().flatten().next_back())
}

/// Anchors the end of the chain. Adds nothing if today's last anchor already names this end, or if an anchor lies
/// further on, which [`verify`](fn@super::verify) reports.
pub(super) async fn anchor(store: &Store) -> Result<(), RecordsError> {
    let Some(head) = chain::head(&store.db).await?.filter(|head| head.sequence > 0) else {
        return Ok(());
    };
    let (date, at) = (store.clock.today(), Clock::system_now());
    let mut anchor = Anchor { date, at, sequence: head.sequence, mac: head.mac, signature: String::new() };
    anchor.signature = store.key.load().await?.sign(&anchor.signed_text());
    let path = store.settings.anchor.clone();
    let written = blocking(move || append(&path, &anchor)).await;
    match &written {
        Ok(()) => store.vitals.written(Storage::Anchors),
        Err(error) => _ = error.fault().map(|fault| store.vitals.report(fault)),
    }
    written
}

/// Reads all anchors for comparison with the chain.
pub(super) async fn read(store: &Store) -> Result<Anchors, RecordsError> {
    let public = store.key.load().await?.public();
    let mut anchors = Anchors::default();
    let mut last = 0;
    for line in lines(store).await? {
        anchors.count += 1;
        let date = line.as_ref().map(|anchor| anchor.date);
        let believed = line.filter(|anchor| {
            anchor.sequence >= last && is_signed(&anchor.signed_text(), &anchor.signature, &public)
        });
        if let Some(anchor) = believed {
            last = anchor.sequence;
            anchors.believed.entry(anchor.sequence).or_default().push((anchor.date, anchor.mac));
        } else {
            anchors.unbelievable.push(AuditFinding::AnchorDiffers { date });
        }
    }
    anchors.last = last;
    Ok(anchors)
}

/// The anchors in the file.
#[derive(Default)]
pub(super) struct Anchors {
    count: usize,
    last: i64,
    believed: HashMap<i64, Vec<(NaiveDate, String)>>,
    unbelievable: Vec<AuditFinding>,
}

impl Anchors {
    pub(super) const fn count(&self) -> usize {
        self.count
    }

    /// Returns the furthest position that was anchored.
    pub(super) const fn last(&self) -> i64 {
        self.last
    }

    pub(super) fn are_at(&self, sequence: i64) -> bool {
        self.believed.contains_key(&sequence)
    }

    /// Returns the days and MACs that were anchored at this position.
    pub(super) fn at(&self, sequence: i64) -> impl Iterator<Item = &(NaiveDate, String)> {
        self.believed.get(&sequence).into_iter().flatten()
    }

    /// Takes the findings about lines that are unreadable, not signed or not in order.
    pub(super) fn unbelievable(&mut self) -> Vec<AuditFinding> {
        std::mem::take(&mut self.unbelievable)
    }
}

/// Reads the lines of the file. None for a line that is unreadable.
async fn lines(store: &Store) -> Result<Vec<Option<Anchor>>, RecordsError> {
    let path = store.settings.anchor.clone();
    let text = blocking(move || match std::fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        read => read,
    });
    Ok(anchors_in(&text.await?))
}

fn anchors_in(text: &[u8]) -> Vec<Option<Anchor>> {
    let lines = text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    lines.map(|line| serde_json::from_slice(line).ok()).collect()
}

/// Appends an anchor, unless another process has written a later one in the meantime.
fn append(path: &Path, anchor: &Anchor) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.read(true).append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    let mut file = options.open(path)?;
    file.lock()?;
    let mut text = Vec::new();
    file.read_to_end(&mut text)?;
    if let Some(last) = anchors_in(&text).into_iter().flatten().next_back() {
        if last.sequence > anchor.sequence {
            tracing::warn!("audit not anchored: an existing anchor is further on");
            return Ok(());
        }
        if last.mac == anchor.mac && last.date >= anchor.date {
            return Ok(());
        }
    }
    // An unfinished line of an earlier write must not spoil this one.
    let before = if text.last().is_none_or(|byte| *byte == b'\n') { "" } else { "\n" };
    let length = file.metadata()?.len();
    let line = format!("{before}{}\n", serde_json::to_string(anchor)?);
    if let Err(error) = file.write_all(line.as_bytes()).and_then(|()| file.sync_all()) {
        // Verification would report half a line as changed.
        file.set_len(length)?;
        return Err(error);
    }
    // Makes the name of a new file durable.
    File::open(folder)?.sync_all()
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, RecordsError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|_| Err(io::Error::other("broken off"))).map_err(|error| {
        if let Some(fault) = Fault::of_file(Storage::Anchors, &error) {
            return RecordsError::Fault(fault);
        }
        RecordsError::Audit(format!(
            "The audit anchor file cannot be used ({}). Correct the file or LETHE_AUDIT_ANCHOR_FILE",
            error.kind()
        ))
    })
}

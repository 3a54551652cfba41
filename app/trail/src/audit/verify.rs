//! Verifying the chain: detects events that were changed, removed, reordered, truncated or inserted.

use super::action::{AuditAction, Subject};
use super::anchor::{self, Anchors};
use super::finding::AuditFinding;
use super::record::record_event_in_own_tx;
use super::tamper_report::{self, Hole, Suspect};
use crate::actor::Actor;
use crate::chain::{self, AuditKey, Event, NOTHING};
use crate::store::Store;
use db::entity::audit_events;
use db::{RecordsError, dialect};
use policy::Action;
use sea_orm::{
    ColumnTrait, Condition, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
};
use serde::Serialize;
use std::collections::HashMap;

/// The maximum number of findings listed individually.
pub const MAX_FINDINGS: usize = 1_000;
/// The number of events read at once.
const EVENTS_PER_READ: usize = 1_000;
/// The maximum number of candidate MACs before an event, if earlier events do not match.
const MAX_BEFORE: usize = 8;

/// The result of verifying the whole chain.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Verification {
    /// The number of events with a position.
    pub events: i64,
    /// The last position.
    pub last: i64,
    /// The number of anchors that were compared.
    pub anchors: usize,
    /// The findings, at most [`MAX_FINDINGS`].
    pub findings: Vec<AuditFinding>,
    /// The number of further events that do not match.
    pub more: u64,
}

impl Verification {
    /// Returns whether the audit is exactly as Lethe wrote it.
    pub const fn is_whole(&self) -> bool {
        self.findings.is_empty() && self.more == 0
    }
}

/// Verifies the audit and records an event if it is intact. An altered audit is left as it is: an event would be
/// chained to it, perhaps with another key.
pub async fn verify_and_record(store: &Store, actor: Actor) -> Result<Verification, RecordsError> {
    let verdict = verify(store, actor).await?;
    if verdict.is_whole() {
        record_event_in_own_tx(store, actor, AuditAction::AuditVerified, Subject::Library, "").await?;
    }
    Ok(verdict)
}

/// Reads the whole chain in batches and compares it with its MACs, its end and its anchors. Anchors the end if the
/// chain is intact.
pub async fn verify(store: &Store, actor: Actor) -> Result<Verification, RecordsError> {
    actor.require(Action::SeeAudit)?;
    let key = store.chain_key.load().await?;
    // Reads the file first, so that anchors written meanwhile cannot name events beyond those read.
    let anchors = anchor::read(store).await?;
    let tx = dialect::begin_reading(&store.db).await?;
    let head = chain::head(&tx).await?;
    let head = head.map(|head| (head.sequence, head.mac));
    let mut walk = Walk::new(key, anchors, head);
    walk.all(&tx).await?;
    let unplaced = unplaced(&tx).await?;
    tx.rollback().await?;
    let verdict = walk.end(unplaced);
    if verdict.is_whole() {
        anchor::anchor(store).await?;
    }
    Ok(verdict)
}

/// Returns the ids of events without a valid position.
async fn unplaced(tx: &DatabaseTransaction) -> Result<Vec<i64>, RecordsError> {
    use sea_orm::sea_query::ExprTrait as _;
    let sequence = audit_events::Column::Sequence;
    let stored = sequence.into_expr();
    let without_place = Condition::any()
        .add(sequence.is_null())
        .add(sequence.lt(1))
        .add(stored.clone().cast_as("BIGINT").ne(stored));
    let events = audit_events::Entity::find()
        .select_only()
        .column(audit_events::Column::Id)
        .filter(without_place)
        .order_by_asc(audit_events::Column::Id)
        .limit(MAX_FINDINGS as u64);
    Ok(events.into_tuple().all(tx).await?)
}

/// The state of reading along the chain.
struct Walk<'a> {
    key: &'a AuditKey,
    anchors: Anchors,
    /// The position and MAC of the last event, as stored.
    head: Option<(i64, String)>,
    events: i64,
    /// The position read last.
    last: i64,
    /// The last position whose event matches.
    fits: i64,
    /// The candidate MACs before the next event. Empty after missing events.
    before: Vec<String>,
    /// The value of [`Self::before`] for the event read last.
    before_last: Vec<String>,
    suspects: Vec<Suspect>,
    holes: Vec<Hole>,
    /// The candidate MACs at anchored positions.
    anchored: HashMap<i64, Vec<String>>,
    findings: Vec<AuditFinding>,
    more: u64,
}

impl<'a> Walk<'a> {
    fn new(key: &'a AuditKey, anchors: Anchors, head: Option<(i64, String)>) -> Self {
        Self {
            key,
            anchors,
            head,
            events: 0,
            last: 0,
            fits: 0,
            before: vec![NOTHING.to_owned()],
            before_last: Vec::new(),
            suspects: Vec::new(),
            holes: Vec::new(),
            anchored: HashMap::new(),
            findings: Vec::new(),
            more: 0,
        }
    }

    async fn all(&mut self, tx: &DatabaseTransaction) -> Result<(), RecordsError> {
        let condition = format!(
            "WHERE sequence >= ? AND (sequence > ? OR id > ?) AND sequence > 0 AND CAST(sequence AS BIGINT) = sequence \
             ORDER BY sequence, id LIMIT {EVENTS_PER_READ}"
        );
        let mut after = (0, 0);
        loop {
            let values = vec![after.0.into(), after.0.into(), after.1.into()];
            let events = Event::read(tx, &condition, values).await?;
            let read = events.len();
            for event in events {
                let Some(sequence) = event.sequence else { continue };
                after = (sequence, event.id);
                self.events += 1;
                if sequence == self.last { self.twice(event) } else { self.step(sequence, event) }
            }
            if read < EVENTS_PER_READ {
                return Ok(());
            }
        }
    }

    /// Processes the next event.
    fn step(&mut self, sequence: i64, event: Event) {
        let end = self.head.as_ref().map_or(i64::MAX, |(sequence, _)| *sequence);
        if sequence > self.last + 1 {
            self.missing(self.last + 1, end.min(sequence - 1));
        }
        self.last = sequence;
        self.before_last = std::mem::take(&mut self.before);
        self.before.push(event.mac.clone());
        let codes: Vec<String> =
            self.before_last.iter().map(|before| self.key.code(before, sequence, &event)).collect();
        // After missing events the next one cannot be checked.
        let untold = codes.is_empty() && sequence <= end;
        if untold || codes.contains(&event.mac) {
            self.fits = sequence;
        } else {
            self.before.extend(codes.into_iter().take(MAX_BEFORE));
            self.suspect(Suspect { sequence, event, before: self.before_last.clone() });
        }
        self.note_if_anchored();
    }

    fn note_if_anchored(&mut self) {
        if self.anchors.are_at(self.last) {
            self.anchored.insert(self.last, self.before.clone());
        }
    }

    /// Records that the events between two positions, inclusive, are missing.
    fn missing(&mut self, from: i64, to: i64) {
        if from <= to {
            self.findings.push(AuditFinding::Missing { from, to });
            self.holes.push(Hole { sequence: from, before: std::mem::take(&mut self.before) });
            self.holes.truncate(MAX_FINDINGS);
        }
        self.before.clear();
    }

    /// Handles a second event at a position: one of the two was inserted.
    fn twice(&mut self, event: Event) {
        let fits =
            self.before_last.iter().any(|before| self.key.code(before, self.last, &event) == event.mac);
        let other = self.suspects.pop_if(|suspect| fits && suspect.sequence == self.last);
        let id = if let Some(other) = other {
            self.before = vec![event.mac];
            self.fits = self.last;
            self.note_if_anchored();
            other.event.id
        } else {
            event.id
        };
        self.findings.push(AuditFinding::Inserted { id });
    }

    fn suspect(&mut self, suspect: Suspect) {
        if self.suspects.len() < MAX_FINDINGS {
            self.suspects.push(suspect);
        } else {
            self.more += 1;
        }
    }

    fn end(mut self, unplaced: Vec<i64>) -> Verification {
        let end = self.head.as_ref().map_or(self.last, |(sequence, _)| *sequence);
        let judged = tamper_report::judge(self.key, &self.suspects, &self.holes, end.max(self.fits));
        self.findings.extend(judged.findings);
        self.findings.extend(unplaced.into_iter().map(|id| AuditFinding::Inserted { id }));
        if end > self.last || self.anchors.last() > self.last {
            self.findings.push(AuditFinding::Cut { after: self.last });
        }
        let is_true = |sequence, mac: &String, codes: &[String]| {
            codes.contains(mac) || judged.true_codes.get(&sequence) == Some(mac)
        };
        let head_fits = self.head.as_ref().is_some_and(|(sequence, mac)| {
            *sequence >= self.fits && (*sequence != self.last || is_true(*sequence, mac, &self.before))
        });
        if !head_fits {
            self.findings.push(AuditFinding::HeadDiffers);
        }
        for (sequence, codes) in &self.anchored {
            let differ = self.anchors.at(*sequence).filter(|(_, mac)| !is_true(*sequence, mac, codes));
            self.findings.extend(differ.map(|(date, _)| AuditFinding::AnchorDiffers { date: Some(*date) }));
        }
        self.findings.extend(self.anchors.unbelievable());
        let untold = self.findings.len().saturating_sub(MAX_FINDINGS);
        self.findings.truncate(MAX_FINDINGS);
        Verification {
            events: self.events,
            last: self.last,
            anchors: self.anchors.count(),
            findings: self.findings,
            more: self.more + untold as u64,
        }
    }
}

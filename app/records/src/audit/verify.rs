//! Verifying the chain: what was changed, is missing, was swapped, cut off or put in by other hands.

use super::anchor::{self, Anchors};
use super::chain;
use super::event::{AuditKey, Event, NOTHING};
use super::suspects::{self, Hole, Suspect};
use crate::actor::Actor;
use crate::dialect;
use crate::error::RecordsError;
use crate::store::Store;
use chrono::NaiveDate;
use policy::Action;
use sea_orm::{ConnectionTrait, DatabaseTransaction};
use serde::Serialize;
use std::collections::HashMap;

/// The most findings that are told one by one.
pub const MOST_FINDINGS: usize = 1_000;
/// How many events are read at once.
const PIECE: usize = 1_000;
/// The most codes that may have stood before an event, where the ones before it do not fit.
const MOST_BEFORE: usize = 8;

/// Something that is not as Lethe left it.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(tag = "finding", rename_all = "snake_case")]
pub enum Finding {
    /// The event at this place, or its code, was changed. Where both were, the next one is named, too: nobody can tell
    /// any more whether it fits.
    Changed {
        /// The place.
        sequence: i64,
    },
    /// The events at these places were removed.
    Missing {
        /// The first place.
        from: i64,
        /// The last place.
        to: i64,
    },
    /// The event at this place belongs to another place.
    Reordered {
        /// The place.
        sequence: i64,
    },
    /// Every event after this place was removed.
    Cut {
        /// The last place that is left.
        after: i64,
    },
    /// An event was put in: it has no place, or one that it was not given.
    Inserted {
        /// The key of the event.
        id: i64,
    },
    /// The row that says where the chain ends is missing or was changed.
    HeadDiffers,
    /// What the file of anchors says of a day does not go with the chain, or cannot be believed.
    AnchorDiffers {
        /// The day; none where it cannot be read.
        date: Option<NaiveDate>,
    },
}

impl Finding {
    /// The finding as a sentence.
    pub fn words(&self) -> String {
        match self {
            Self::Changed { sequence } => format!("Event {sequence} was changed"),
            Self::Missing { from, to } if from == to => format!("Event {from} is missing"),
            Self::Missing { from, to } => format!("Events {from} to {to} are missing"),
            Self::Reordered { sequence } => {
                format!("What stands at place {sequence} belongs to another place")
            }
            Self::Cut { after } => format!("The chain was cut off: nothing is left after event {after}"),
            Self::Inserted { id } => format!("The row with the key {id} was put in by other hands"),
            Self::HeadDiffers => "The end of the chain is not where the database says it is".to_owned(),
            Self::AnchorDiffers { date: Some(date) } => {
                format!("The anchor of {date} does not go with the chain")
            }
            Self::AnchorDiffers { date: None } => "A line of the anchor file cannot be read".to_owned(),
        }
    }
}

/// What was found out about the whole chain.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Verdict {
    /// How many events have a place.
    pub events: i64,
    /// The last place.
    pub last: i64,
    /// How many anchors were compared.
    pub anchors: usize,
    /// What is not as it was; at most [`MOST_FINDINGS`].
    pub findings: Vec<Finding>,
    /// How many events more do not fit.
    pub more: u64,
}

impl Verdict {
    /// Whether everything is as Lethe left it.
    pub const fn is_whole(&self) -> bool {
        self.findings.is_empty() && self.more == 0
    }
}

/// Reads the whole chain, piece by piece, and compares it with its codes, its end and its anchors. When everything is
/// whole, its end is anchored.
pub async fn verify(store: &Store, actor: Actor) -> Result<Verdict, RecordsError> {
    actor.must(Action::SeeAudit)?;
    let key = AuditKey::of(store).await?;
    // The file first: what is anchored while the chain is read stands further back than what was read.
    let anchors = anchor::read(store).await?;
    let tx = dialect::begin_reading(&store.db).await?;
    let head = chain::head(&tx, "").await?;
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

/// Events without a place, or with what is none.
async fn unplaced(tx: &DatabaseTransaction) -> Result<Vec<i64>, RecordsError> {
    let sql = format!(
        "SELECT id FROM audit_events WHERE sequence IS NULL OR sequence < 1 OR CAST(sequence AS BIGINT) <> sequence \
         ORDER BY id LIMIT {MOST_FINDINGS}"
    );
    let statement = dialect::statement(tx.get_database_backend(), &sql, Vec::new());
    let rows = tx.query_all_raw(statement).await?;
    Ok(rows.iter().map(|row| row.try_get("", "id")).collect::<Result<_, _>>()?)
}

/// The way along the chain.
struct Walk<'a> {
    key: &'a AuditKey,
    anchors: Anchors,
    /// Place and code of the last event, as the database says.
    head: Option<(i64, String)>,
    events: i64,
    /// The place that was read last.
    last: i64,
    /// The last place whose event fits.
    fits: i64,
    /// The codes that may stand before the next event. None are known after events that are missing.
    before: Vec<String>,
    /// [`Self::before`], of the event that was read last.
    before_last: Vec<String>,
    suspects: Vec<Suspect>,
    holes: Vec<Hole>,
    /// The codes that are possible at places that were anchored.
    anchored: HashMap<i64, Vec<String>>,
    findings: Vec<Finding>,
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
             ORDER BY sequence, id LIMIT {PIECE}"
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
            if read < PIECE {
                return Ok(());
            }
        }
    }

    /// The next event.
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
        // After missing events nobody can tell whether the next one fits.
        let untold = codes.is_empty() && sequence <= end;
        if untold || codes.contains(&event.mac) {
            self.fits = sequence;
        } else {
            self.before.extend(codes.into_iter().take(MOST_BEFORE));
            self.suspect(Suspect { sequence, event, before: self.before_last.clone() });
        }
        self.note_if_anchored();
    }

    fn note_if_anchored(&mut self) {
        if self.anchors.are_at(self.last) {
            self.anchored.insert(self.last, self.before.clone());
        }
    }

    /// Nothing stands from one place to another.
    fn missing(&mut self, from: i64, to: i64) {
        if from <= to {
            self.findings.push(Finding::Missing { from, to });
            self.holes.push(Hole { sequence: from, before: std::mem::take(&mut self.before) });
            self.holes.truncate(MOST_FINDINGS);
        }
        self.before.clear();
    }

    /// An event at a place where there is one already: of the two, one was put in.
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
        self.findings.push(Finding::Inserted { id });
    }

    fn suspect(&mut self, suspect: Suspect) {
        if self.suspects.len() < MOST_FINDINGS {
            self.suspects.push(suspect);
        } else {
            self.more += 1;
        }
    }

    fn end(mut self, unplaced: Vec<i64>) -> Verdict {
        let end = self.head.as_ref().map_or(self.last, |(sequence, _)| *sequence);
        let judged = suspects::judge(self.key, &self.suspects, &self.holes, end.max(self.fits));
        self.findings.extend(judged.findings);
        self.findings.extend(unplaced.into_iter().map(|id| Finding::Inserted { id }));
        if end > self.last || self.anchors.last() > self.last {
            self.findings.push(Finding::Cut { after: self.last });
        }
        let is_true = |sequence, mac: &String, codes: &[String]| {
            codes.contains(mac) || judged.true_codes.get(&sequence) == Some(mac)
        };
        let head_fits = self.head.as_ref().is_some_and(|(sequence, mac)| {
            *sequence >= self.fits && (*sequence != self.last || is_true(*sequence, mac, &self.before))
        });
        if !head_fits {
            self.findings.push(Finding::HeadDiffers);
        }
        for (sequence, codes) in &self.anchored {
            let differ = self.anchors.at(*sequence).filter(|(_, mac)| !is_true(*sequence, mac, codes));
            self.findings.extend(differ.map(|(date, _)| Finding::AnchorDiffers { date: Some(*date) }));
        }
        self.findings.extend(self.anchors.unbelievable());
        let untold = self.findings.len().saturating_sub(MOST_FINDINGS);
        self.findings.truncate(MOST_FINDINGS);
        Verdict {
            events: self.events,
            last: self.last,
            anchors: self.anchors.count(),
            findings: self.findings,
            more: self.more + untold as u64,
        }
    }
}

//! Suspects: events whose MAC does not match their position. They are classified by whether they match another
//! position.

use super::finding::AuditFinding;
use crate::chain::{AuditKey, Event};
use std::collections::{HashMap, HashSet};

/// Up to this many suspects, each is tried at the position of every other one; beyond, only at positions nearby.
const MAX_COMPARED_EVENTS: usize = 200;
/// The distance of positions nearby.
const NEARBY_POSITIONS: usize = 3;

/// An event whose MAC does not match its position.
pub(super) struct Suspect {
    pub(super) sequence: i64,
    pub(super) event: Event,
    /// The MACs that the event before may have had.
    pub(super) before: Vec<String>,
}

/// The first of several positions without an event.
pub(super) struct Hole {
    pub(super) sequence: i64,
    /// The MACs that the event before may have had.
    pub(super) before: Vec<String>,
}

/// The classification of all suspects.
pub(super) struct Outcome {
    pub(super) findings: Vec<AuditFinding>,
    /// The genuine MACs of positions, as far as they could be determined.
    pub(super) true_codes: HashMap<i64, String>,
}

/// The known facts about one suspect.
#[derive(Clone, Copy, Default)]
struct Judged {
    /// The event matches after all: only the event before it was changed.
    fits: bool,
    /// Another suspect is the genuine event of this position.
    filled: bool,
    /// The event is the genuine one of another position.
    belongs_elsewhere: bool,
}

/// Classifies the suspects of a chain that ends at position `end`.
pub(super) fn judge(key: &AuditKey, suspects: &[Suspect], holes: &[Hole], end: i64) -> Outcome {
    let codes: HashSet<&str> = suspects.iter().map(|suspect| suspect.event.mac.as_str()).collect();
    let mut judged = vec![Judged::default(); suspects.len()];
    let mut true_codes: HashMap<i64, String> = HashMap::new();
    for (place, suspect) in suspects.iter().enumerate() {
        let before: Vec<&str> = true_codes
            .get(&(suspect.sequence - 1))
            .into_iter()
            .chain(&suspect.before)
            .map(String::as_str)
            .collect();
        let code = |event: &Event| {
            let mut codes_here = before.iter().map(|before| key.code(before, suspect.sequence, event));
            codes_here.find(|code| codes.contains(code.as_str()))
        };
        if let Some(code) = code(&suspect.event).filter(|code| *code == suspect.event.mac) {
            judged[place].fits = true;
            true_codes.insert(suspect.sequence, code);
            continue;
        }
        for other in others(place, suspects.len()) {
            let stranger = &suspects[other].event;
            // Unchanged; or everything but the id was swapped; or only the id.
            let found = code(stranger)
                .or_else(|| code(&stranger.with_id_of(&suspect.event)))
                .or_else(|| code(&suspect.event.with_id_of(stranger)));
            if let Some(code) = found {
                judged[place].filled = true;
                judged[other].belongs_elsewhere = true;
                true_codes.insert(suspect.sequence, code);
                break;
            }
        }
        let mut tried = holes.iter().take(MAX_COMPARED_EVENTS);
        if moved_up(key, suspect) || tried.any(|hole| fell_out(key, suspect, hole)) {
            judged[place].belongs_elsewhere = true;
        }
    }
    let findings = suspects.iter().zip(&judged).filter(|(_, judged)| !judged.fits);
    let findings = findings.map(|(suspect, judged)| finding(suspect, *judged, end)).collect();
    Outcome { findings, true_codes }
}

fn others(place: usize, count: usize) -> impl Iterator<Item = usize> {
    let near = if count <= MAX_COMPARED_EVENTS { count } else { NEARBY_POSITIONS };
    (place.saturating_sub(near)..count.min(place + near + 1)).filter(move |other| *other != place)
}

/// Returns whether this event had the next position, before another one was removed and the positions were closed
/// up.
fn moved_up(key: &AuditKey, suspect: &Suspect) -> bool {
    let Suspect { sequence, event, before } = suspect;
    before.iter().any(|before| key.code(before, sequence + 1, event) == event.mac)
}

/// Returns whether this event had the position of the hole.
fn fell_out(key: &AuditKey, suspect: &Suspect, hole: &Hole) -> bool {
    hole.before.iter().any(|before| key.code(before, hole.sequence, &suspect.event) == suspect.event.mac)
}

fn finding(suspect: &Suspect, judged: Judged, end: i64) -> AuditFinding {
    let Suspect { sequence, event, .. } = suspect;
    match judged {
        Judged { belongs_elsewhere: true, .. } => AuditFinding::Reordered { sequence: *sequence },
        Judged { filled: true, .. } => AuditFinding::Inserted { id: event.id },
        _ if *sequence > end => AuditFinding::Inserted { id: event.id },
        _ => AuditFinding::Changed { sequence: *sequence },
    }
}

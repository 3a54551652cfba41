//! Events that a caller can cause with every request. The first one is recorded at once. Later ones of the same kind
//! are counted and recorded as a single event at the end of the period.

use super::record::record_event_in_own_tx;
use super::{AuditAction, Subject};
use crate::actor::Actor;
use crate::store::Store;
use db::RecordsError;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The period during which events of one kind are counted.
const COUNT_INTERVAL: Duration = Duration::from_mins(10);
/// The maximum number of kinds counted separately. Further kinds are counted together, by action.
const MAX_KINDS: usize = 1_000;
/// The detail of events that are counted together.
const OTHERS: &str = "others";

/// The properties that make two events the same kind.
#[derive(Clone, Copy, Debug)]
struct Kind {
    actor: Actor,
    action: AuditAction,
    subject: Subject,
    detail: &'static str,
}

type Key = (Option<i64>, &'static str, &'static str, (&'static str, Option<i64>), &'static str);

impl Kind {
    fn key(&self) -> Key {
        let actor = self.actor.staff.map(|staff| staff.0);
        (actor, self.actor.channel.code(), self.action.code(), self.subject.parts(), self.detail)
    }

    async fn write(&self, store: &Store, detail: &str) -> Result<(), RecordsError> {
        record_event_in_own_tx(store, self.actor, self.action, self.subject, detail).await
    }

    /// Records the number of counted events.
    async fn write_count(&self, store: &Store, times: u64) -> Result<(), RecordsError> {
        self.write(store, &format!("{},times={times}", self.detail)).await
    }
}

/// The events of one kind since the first one.
#[derive(Debug)]
struct Counted {
    kind: Kind,
    since: Instant,
    /// The number of events not yet recorded.
    times: u64,
}

/// The events that this process has counted and not yet recorded.
#[derive(Debug, Default)]
pub(crate) struct Repeats(Mutex<HashMap<Key, Counted>>);

/// Selects the counts to record.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Due {
    /// Counts whose period has ended.
    Over,
    /// All counts, because the process is ending.
    All,
}

impl Repeats {
    fn counts(&self) -> MutexGuard<'_, HashMap<Key, Counted>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts an event. Returns the kind to record now if it is the first of its period.
    fn count(&self, kind: Kind, now: Instant) -> Option<Kind> {
        let mut counts = self.counts();
        let has_room = counts.len() < MAX_KINDS || counts.contains_key(&kind.key());
        let kind = if has_room {
            kind
        } else {
            Kind { actor: Actor::without_session(), subject: Subject::Library, detail: OTHERS, ..kind }
        };
        match counts.entry(kind.key()) {
            Entry::Occupied(mut counted) => {
                counted.get_mut().times += 1;
                None
            }
            Entry::Vacant(place) => {
                place.insert(Counted { kind, since: now, times: 0 });
                Some(kind)
            }
        }
    }

    /// Takes the counts to record.
    fn take(&self, due: Due, now: Instant) -> Vec<Counted> {
        let is_due =
            |counted: &Counted| due == Due::All || now.duration_since(counted.since) >= COUNT_INTERVAL;
        let mut counts = self.counts();
        let taken = counts.extract_if(|_, counted| is_due(counted)).map(|(_, counted)| counted);
        taken.filter(|counted| counted.times > 0).collect()
    }

    /// Restores a count that could not be recorded.
    fn put_back(&self, back: Counted) {
        self.counts()
            .entry(back.kind.key())
            .and_modify(|counted| counted.times += back.times)
            .or_insert(back);
    }
}

/// Returns the counts of this process.
fn repeats(store: &Store) -> Arc<Repeats> {
    store.process_state()
}

/// Records an event of an action that changes nothing else and that a caller may repeat at will.
pub async fn note_repeated(
    store: &Store,
    actor: Actor,
    action: AuditAction,
    subject: Subject,
    detail: &'static str,
) -> Result<(), RecordsError> {
    let kind = Kind { actor, action, subject, detail };
    let Some(first) = repeats(store).count(kind, Instant::now()) else { return Ok(()) };
    let written = first.write(store, first.detail).await;
    if written.is_err() {
        repeats(store).counts().remove(&first.key());
    }
    written
}

/// Records the counts that are due.
pub async fn write_repeats(store: &Store, due: Due) -> Result<(), RecordsError> {
    let mut taken = repeats(store).take(due, Instant::now()).into_iter();
    while let Some(counted) = taken.next() {
        if let Err(error) = counted.kind.write_count(store, counted.times).await {
            repeats(store).put_back(counted);
            taken.for_each(|counted| repeats(store).put_back(counted));
            return Err(error);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use db::Clock;
    use policy::{Roles, UserNumber};

    fn refusal(user: i64) -> Kind {
        let actor = Actor::signed_in(UserNumber(user), Roles::default(), Clock::system_now());
        Kind { actor, action: AuditAction::Refused, subject: Subject::Library, detail: "see_audit" }
    }

    #[test]
    fn the_first_event_is_written_and_the_others_are_counted() {
        let (repeats, now) = (Repeats::default(), Instant::now());
        assert!(repeats.count(refusal(1), now).is_some());
        assert!(repeats.count(refusal(2), now).is_some(), "another caller");
        assert!((0..186).all(|_| repeats.count(refusal(1), now).is_none()));
        assert!(repeats.take(Due::Over, now + COUNT_INTERVAL / 2).is_empty());
        let due = repeats.take(Due::Over, now + COUNT_INTERVAL);
        assert_eq!(due.iter().map(|counted| counted.times).collect::<Vec<_>>(), [186]);
        assert!(repeats.count(refusal(1), now + COUNT_INTERVAL).is_some(), "a new period begins");
        assert!(repeats.count(refusal(1), now + COUNT_INTERVAL).is_none());
        assert_eq!(repeats.take(Due::All, now + COUNT_INTERVAL).len(), 1);
    }

    #[test]
    fn the_memory_is_bounded() {
        let (repeats, now) = (Repeats::default(), Instant::now());
        let written = (0..100_000).filter(|user| repeats.count(refusal(*user), now).is_some()).count();
        assert_eq!(written, MAX_KINDS + 1);
        let counted = repeats.take(Due::All, now);
        assert_eq!(counted.len(), 1);
        assert_eq!(counted[0].times, 100_000 - written as u64);
    }
}

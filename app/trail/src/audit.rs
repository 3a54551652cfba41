//! The audit: events that record which actor did what to which record. An *event* holds codes and numbers only,
//! never the value of a field.
//!
//! Events are only ever added, in the transaction of the change itself (`record_event`). On commit each event gets
//! its position in the *chain* and a MAC over itself and the MAC of the event before (`chain`). An attacker
//! without the key cannot change, remove, insert or reorder events undetected ([`verify`](fn@verify)). Once a day
//! Lethe writes the end of the chain, an *anchor*, to a file outside the database (`anchor`), so truncation is
//! detected too.
//!
//! Verification needs the key that the events were chained with: with another key every event counts as changed.
//! Operators who replace the key must keep the old one to verify earlier events.

mod action;
mod anchor;
mod bulk_events;
mod finding;
mod read;
mod record;
mod repeats;
mod tamper_report;
mod verify;

pub use action::{AuditAction, Subject};
pub use anchor::{Anchor, anchor_daily, last_anchor};
pub use bulk_events::note_people;
pub use finding::AuditFinding;
pub use read::{AuditForm, AuditQuery, AuditRow, ChainStatus, csv, list, newest, status};
pub use record::{note_each, note_event, record_event, record_event_in_own_tx, refused};
pub use repeats::{Due, note_repeated, write_repeats};
pub use verify::{MAX_FINDINGS, Verification, verify, verify_and_record};

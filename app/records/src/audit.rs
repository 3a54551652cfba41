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

mod anchor;
mod chain;
mod deed;
mod event;
mod note;
mod people;
mod read;
mod repeats;
mod suspects;
mod verify;

pub use anchor::{Anchor, anchor_daily, last_anchor};
pub(crate) use chain::{begin, chain, lock_head, set_apart};
pub use deed::{Deed, Subject};
pub(crate) use event::AuditKey;
pub use note::refused;
pub(crate) use note::{note, note_alone, note_each, note_event};
pub(crate) use people::note_people;
pub use read::{AuditForm, AuditQuery, AuditRow, Standing, csv, list, standing};
pub use repeats::{Due, write_repeats};
pub(crate) use repeats::{Repeats, note_repeated};
pub use verify::{Finding, MOST_FINDINGS, Verdict, verify};

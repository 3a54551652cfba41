//! The audit: who did what to which record, in codes. No value of a field is ever written here.
//!
//! It is only ever added to. Events are written in the transaction of the change itself ([`note`]). When that is
//! committed, each gets its place in one chain and a keyed code over itself and the event before it (`chain`): who has
//! the database and not the key of the installation cannot change, remove, insert or swap events without being found
//! out ([`verify`]). The end of the chain is written into a file once a day (`anchor`), so that it cannot be cut off
//! either.
//!
//! With another key the events of before cannot be verified: each of them counts as changed. Who makes a new key keeps
//! the old one, to verify what was written up to then.

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

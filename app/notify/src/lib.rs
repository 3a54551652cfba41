//! Delivers notifications: e-mail to staff, signed webhooks to other systems.
//!
//! Other crates write events into the outbox (`trail::outbox`), in the transaction in which they happen. A server
//! determines the recipients of each event (`spread`), then delivers to each of them (`deliver`), with retries. Events
//! contain numbers only; the address of a member of staff is read when the mail is sent and stored nowhere.

pub mod choice;
pub mod deliver;
pub mod delivery;
mod due;
pub mod mail;
mod message;
mod sign;
mod spread;
pub mod test_message;
pub mod webhook;

pub use deliver::work;

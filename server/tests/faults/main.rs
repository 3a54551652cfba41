//! Faults while the program serves: full disks, an unreachable database, closed connections. Each test checks the
//! responses, the health, that no data is lost, and that the program recovers without help.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

#[path = "../common/library.rs"]
mod library;
#[path = "../common/server.rs"]
mod server;
#[path = "../common/staff_session.rs"]
mod staff_session;

mod disk;
mod load;
mod monitoring;
mod postgres;
mod small_disk;

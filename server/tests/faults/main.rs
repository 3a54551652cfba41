//! Faults while the whole program serves: full disks, a database that goes away, connections that are cut off. For each:
//! what is answered, what health says, that nothing is lost, and that work goes on by itself.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

#[path = "../common/door.rs"]
mod door;
#[path = "../common/library.rs"]
mod library;
#[path = "../common/server.rs"]
mod server;

mod disk;
mod load;
mod postgres;
mod small_disk;
mod watched;

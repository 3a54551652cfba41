//! What somebody tries who means harm: each file is one way, and says what must not happen.
#![allow(clippy::unwrap_used, reason = "tests")]

mod addresses;
mod approving;
mod around_the_doors;
mod bodies;
mod foreign;
mod forms;
pub(super) mod guessing;
mod holding;
mod html;
mod library;
mod limits;
mod loops;
mod low_roles;
mod many_previews;
mod old_forms;
mod private_tasks;
mod sessions;
mod sign_in_times;
mod skipping;
mod staff_stay;
mod stolen_session;
mod stored_scripts;
mod taking_over;
mod twice;
mod unknown_fields;

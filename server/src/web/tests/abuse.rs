//! Attacks: each file is one attack, and states what must not happen.
#![allow(clippy::unwrap_used, reason = "tests")]

mod cross_site;
mod double_submit;
mod forms;
pub(in crate::web::tests) use forms::PNG;
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
mod route_bypass;
mod search_addresses;
mod self_approval;
mod sessions;
mod sign_in_times;
mod skipped_steps;
mod slow_requests;
mod staff_protection;
mod stolen_session;
mod stored_scripts;
mod takeover;
mod unknown_fields;

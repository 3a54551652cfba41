//! The anonymiser and all that belongs to it: tasks, schedules, runs, the residue search, certificates, the ledger and
//! its replay.

pub mod anonymise;
pub mod approval_workflow;
pub mod certificate;
pub mod eligibility;
pub mod ledger;
pub mod maintenance;
pub mod replay;
pub mod residue;
pub mod run;
pub mod run_counts;
pub mod schedule;
pub mod task;

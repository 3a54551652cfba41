//! The task centre: tasks, their schedules, previews, runs and approvals. A run that repeats the ledger after a restore
//! is the replay.

pub mod affected;
pub mod announcement;
pub mod approval_workflow;
pub mod letter;
mod new_run;
pub mod outlook;
pub mod replay;
pub mod run;
pub mod schedule;
pub mod task;

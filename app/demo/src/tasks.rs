//! The two tasks of the demo library.

use chrono::NaiveTime;
use db::Clock;
use db::entity::tasks;
use policy::schedule::MonthDay;
use policy::task_form::Visibility;
use policy::timezone::instants;
use policy::{Conditions, Days, Policy, Schedule, Scope, TaskSettings, TaskType};
use sea_orm::Set;

/// Returns the rows of the tasks.
pub(super) fn tasks(clock: Clock) -> [tasks::ActiveModel; 2] {
    let time = NaiveTime::from_hms_opt(2, 30, 0).unwrap_or_default();
    let leavers = Policy {
        scope: Scope::Imported,
        conditions: Conditions { leaving: Days::new(30), ..Conditions::default() },
        ..Policy::default()
    };
    let marked = Policy {
        scope: Scope::All,
        conditions: Conditions { leaving: Days::new(5), marked: Days::new(5), ..Conditions::default() },
        ..Policy::default()
    };
    [
        task(clock, "Leavers, monthly", &leavers, &Schedule::Monthly { day: MonthDay::Last, time }, true),
        task(clock, "Marked for deletion", &marked, &Schedule::ManualOnly, false),
    ]
}

fn task(
    clock: Clock,
    description: &str,
    policy: &Policy,
    schedule: &Schedule,
    single_default: bool,
) -> tasks::ActiveModel {
    let now = clock.now();
    tasks::ActiveModel {
        description: Set(description.to_owned()),
        active: Set(true),
        task_type: Set(TaskType::AnonymiseUserData),
        visibility: Set(Visibility::Shared),
        owner_number: Set(None),
        settings: Set(TaskSettings::AnonymiseUserData(policy.clone())),
        schedule: Set(schedule.clone()),
        single_default: Set(single_default),
        created_at: Set(now),
        changed_at: Set(now),
        version: Set(1),
        deleted_at: Set(None),
        next_due_at: Set(instants(schedule, clock.zone(), now).next()),
        ..Default::default()
    }
}

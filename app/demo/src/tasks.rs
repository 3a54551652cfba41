//! The tasks of the demo library.

use super::import_task;
use chrono::NaiveTime;
use db::Clock;
use db::entity::tasks;
use policy::schedule::MonthDay;
use policy::task_form::Visibility;
use policy::timezone::instants;
use policy::{Conditions, Days, Policy, Schedule, Scope, TaskSettings};
use sea_orm::Set;

/// Returns the rows of the tasks.
pub(super) fn tasks(clock: Clock) -> [tasks::ActiveModel; 3] {
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
        tasks::ActiveModel {
            single_default: Set(true),
            ..task(
                clock,
                "Leavers, monthly",
                TaskSettings::AnonymiseUserData(leavers),
                &Schedule::Monthly { day: MonthDay::Last, time },
            )
        },
        task(clock, "Marked for deletion", TaskSettings::AnonymiseUserData(marked), &Schedule::ManualOnly),
        task(
            clock,
            "Users of the student system (sample)",
            TaskSettings::ImportUsers(import_task::settings()),
            &Schedule::ManualOnly,
        ),
    ]
}

fn task(clock: Clock, description: &str, settings: TaskSettings, schedule: &Schedule) -> tasks::ActiveModel {
    let now = clock.now();
    tasks::ActiveModel {
        description: Set(description.to_owned()),
        active: Set(true),
        task_type: Set(settings.task_type()),
        visibility: Set(Visibility::Shared),
        owner_number: Set(None),
        settings: Set(settings),
        schedule: Set(schedule.clone()),
        single_default: Set(false),
        created_at: Set(now),
        changed_at: Set(now),
        version: Set(1),
        deleted_at: Set(None),
        next_due_at: Set(instants(schedule, clock.zone(), now).next()),
        ..Default::default()
    }
}

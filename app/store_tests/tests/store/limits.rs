//! Safety limits of manual changes: how many users one member of staff can change, and who approves more.

use crate::legal_holds::{first_on_user, staff, staff_actor, with_four_eyes};
use crate::support::{
    add, add_task, clock, day, execute, five_days, for_each_database, import_users, leaver,
};
use db::entity::{audit_events, manual_changes, users};
use db::{Clock, RecordsError, Settings};
use operations::health::{self, ConditionKind};
use policy::user_form::UserForm;
use policy::{
    Action, ApprovalReason, Counted, FourEyes, Limits, Reached, Role, Roles, SafetyLimit, UserNumber, Window,
};
use records::user;
use safeguards::limits;
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, Set};
use task_centre::{approval_workflow, run};
use trail::{Actor, Store};

const ANA: UserNumber = UserNumber(801);
const BEN: UserNumber = UserNumber(802);

pub fn ana() -> Actor {
    staff_actor(ANA, Role::Librarian)
}

fn ben() -> Actor {
    staff_actor(BEN, Role::SystemsLibrarian)
}

/// Returns the store with these limits.
pub fn limited(store: &Store, change: impl FnOnce(&mut Limits)) -> Store {
    let mut settings: Settings = Settings::clone(&store.settings);
    change(&mut settings.limits);
    store.with_settings(settings)
}

/// Adds Ana and Ben, a task, and this many leavers, who have the user numbers from 1.
async fn library(store: &Store, users: usize) -> Vec<UserNumber> {
    let mut numbers = Vec::new();
    for at in 0..users {
        let email = Set(Some(format!("u{at}@example.org")));
        let user = users::ActiveModel { email, ..leaver(&format!("Leaver{at}")) };
        numbers.push(UserNumber(add(store, user).await.number));
    }
    staff(store, ANA, Role::Librarian).await;
    staff(store, BEN, Role::SystemsLibrarian).await;
    add_task(store, &five_days()).await;
    numbers
}

async fn anonymise(store: &Store, actor: Actor, number: UserNumber) -> Result<(), RecordsError> {
    run::anonymise_one(store, actor, number, &number.to_string()).await.map(|_| ())
}

fn is_reached<T: std::fmt::Debug>(result: Result<T, RecordsError>) -> Reached {
    match result {
        Err(RecordsError::LimitReached(reached)) => reached,
        other => panic!("no limit was reached: {other:?}"),
    }
}

async fn anonymised(store: &Store) -> u64 {
    let gone = users::Entity::find().filter(users::Column::AnonymisedOn.is_not_null());
    gone.count(&store.db).await.unwrap()
}

async fn limit_conditions(store: &Store) -> Vec<ConditionKind> {
    let conditions = health::read(store).await.unwrap().conditions;
    conditions
        .into_iter()
        .map(|one| one.what)
        .filter(|what| matches!(what, ConditionKind::LimitReached { .. }))
        .collect()
}

async fn events_of(store: &Store, action: &str) -> Vec<(Option<i64>, String)> {
    let events = audit_events::Entity::find().filter(audit_events::Column::Action.eq(action));
    let events = events.all(&store.db).await.unwrap();
    events.into_iter().map(|event| (event.actor_number, event.detail)).collect()
}

async fn form(store: &Store, number: UserNumber) -> UserForm {
    user::form_of(&user::read(store, number).await.unwrap())
}

#[tokio::test]
async fn a_script_that_anonymises_is_stopped_and_reported() {
    for_each_database(async |store| {
        let numbers = library(&store, 24).await;
        for number in &numbers[..20] {
            anonymise(&store, ana(), *number).await.unwrap();
        }
        assert_eq!(limit_conditions(&store).await, []);
        for number in &numbers[20..] {
            let reached = is_reached(anonymise(&store, ana(), *number).await);
            assert_eq!(
                (reached.counted, reached.window, reached.limit),
                (Counted::Anonymised, Window::Hour, 20)
            );
        }
        assert_eq!(anonymised(&store).await, 20);
        assert_eq!(limit_conditions(&store).await, [ConditionKind::LimitReached { actors: 1 }]);
        assert_eq!(
            events_of(&store, "limit_reached").await,
            [(Some(ANA.0), "anonymised,users=20,hour".to_owned())]
        );
        // Another member of staff and the command line have their own limits.
        anonymise(&store, ben(), numbers[20]).await.unwrap();
        anonymise(&store, Actor::COMMAND_LINE, numbers[21]).await.unwrap();
        // A user who is already anonymised isn't counted.
        anonymise(&store, ana(), numbers[0]).await.unwrap();
        // An hour later, only the limit per day applies.
        execute(&store, "UPDATE manual_changes SET at = '2018-01-01 00:00:00+00:00'").await;
        anonymise(&store, ana(), numbers[22]).await.unwrap();
        let day = limited(&store, |limits| limits.anonymise_per_day = 1);
        assert_eq!(is_reached(anonymise(&day, ana(), numbers[23]).await).window, Window::Day);
    })
    .await;
}

#[tokio::test]
async fn a_second_person_approves_a_bounded_number_of_more_changes() {
    for_each_database(async |store| {
        let numbers = library(&store, 8).await;
        let store = limited(&store, |limits| (limits.anonymise_per_hour, limits.anonymise_per_day) = (2, 3));
        assert!(matches!(
            approval_workflow::request_more_changes(&store, ana()).await,
            Err(RecordsError::Refused(_))
        ));
        for number in &numbers[..2] {
            anonymise(&store, ana(), *number).await.unwrap();
        }
        is_reached(anonymise(&store, ana(), numbers[2]).await);
        let request = approval_workflow::request_more_changes(&store, ana()).await.unwrap();
        is_reached(anonymise(&store, ana(), numbers[2]).await);
        // In another session and with other roles, it is still the same person.
        let alone = Actor::signed_in(ANA, Roles::ALL, Clock::system_now());
        assert!(matches!(
            approval_workflow::approve(&store, alone, request).await,
            Err(RecordsError::Refused(_))
        ));
        approval_workflow::approve(&store, ben(), request).await.unwrap();
        for number in &numbers[2..5] {
            anonymise(&store, ana(), *number).await.unwrap();
        }
        is_reached(anonymise(&store, ana(), numbers[5]).await);
        // The approval applies to Ana only.
        for number in &numbers[5..7] {
            anonymise(&store, ben(), *number).await.unwrap();
        }
        is_reached(anonymise(&store, ben(), numbers[7]).await);
        // The approval expires.
        let request = approval_workflow::request_more_changes(&store, ana()).await.unwrap();
        approval_workflow::approve(&store, ben(), request).await.unwrap();
        execute(&store, "UPDATE approvals SET expires_at = '2018-01-01 00:00:00+00:00'").await;
        is_reached(anonymise(&store, ana(), numbers[7]).await);
        assert_eq!(events_of(&store, "approval_given").await.len(), 2);
    })
    .await;
}

#[tokio::test]
async fn two_sessions_on_two_servers_share_one_limit() {
    for_each_database(async |store| {
        let numbers = library(&store, 8).await;
        let store = limited(&store, |limits| limits.anonymise_per_hour = 3);
        let other = store.as_another_process(clock());
        let tries = numbers.iter().enumerate().map(|(at, number)| {
            let store = if at % 2 == 0 { &store } else { &other };
            anonymise(store, ana(), *number)
        });
        let results = futures::future::join_all(tries).await;
        let done = results.iter().filter(|result| result.is_ok()).count();
        assert_eq!(done, 3, "{results:?}");
        assert_eq!(anonymised(&store).await, 3);
        assert_eq!(events_of(&store, "limit_reached").await.len(), 1);
    })
    .await;
}

/// Rule 12: removing identifying values in the form counts as anonymising.
#[tokio::test]
async fn clearing_users_in_the_form_counts_as_anonymising() {
    for_each_database(async |store| {
        let numbers = library(&store, 9).await;
        let store = limited(&store, |limits| limits.anonymise_per_hour = 4);
        let stale = Actor::signed_in(
            ANA,
            Roles::from_iter([Role::Librarian]),
            Clock::system_now() - chrono::TimeDelta::minutes(6),
        );
        let clear: [fn(&mut UserForm); 6] = [
            |form| form.email = String::new(),
            |form| form.first_name = "-".to_owned(),
            |form| form.last_name = "x".to_owned(),
            |form| form.user_id = "xxx".to_owned(),
            |form| {
                form.first_name = "Qwe".to_owned();
                form.last_name = "Rty".to_owned();
                form.email = "uio@example.org".to_owned();
            },
            |form| form.last_name = "Unknown".to_owned(),
        ];
        let mut done = 0;
        for (number, clear) in numbers.iter().zip(clear) {
            let mut cleared = form(&store, *number).await;
            clear(&mut cleared);
            assert!(
                matches!(user::save(&store, stale, &cleared).await, Err(RecordsError::SignInAgain)),
                "{number}"
            );
            if done < 4 {
                user::save(&store, ana(), &cleared).await.unwrap();
                done += 1;
            } else {
                is_reached(user::save(&store, ana(), &cleared).await);
            }
        }
        assert_eq!(events_of(&store, "identity_removed").await.len(), 4);
        is_reached(anonymise(&store, ana(), numbers[6]).await);
        assert_eq!(limit_conditions(&store).await, [ConditionKind::LimitReached { actors: 1 }]);
        // A correction doesn't count, regardless of its author and time.
        let mut corrected = form(&store, numbers[7]).await;
        (corrected.last_name, corrected.phone) = ("Leaver-Smith".to_owned(), "020 7946 0000".to_owned());
        user::save(&store, stale, &corrected).await.unwrap();
        // Editing one field after the other counts like editing all at once.
        let mut step = form(&store, numbers[7]).await;
        step.first_name = "Sdfgh".to_owned();
        user::save(&store, stale, &step).await.unwrap();
        let mut step = form(&store, numbers[7]).await;
        step.email = "hjkl@example.org".to_owned();
        is_reached(user::save(&store, ana(), &step).await);
    })
    .await;
}

#[tokio::test]
async fn removing_photo_and_sign_in_counts_as_anonymising() {
    for_each_database(async |store| {
        let numbers = library(&store, 1).await;
        execute(&store, "INSERT INTO credentials (user_number, kind, secret, created_at) VALUES (1, 'token', 'SECRET', '2018-01-01 00:00:00+00:00')").await;
        let photo = db::entity::photos::ActiveModel {
            user_number: Set(1),
            media_type: Set("image/png".to_owned()),
            bytes: Set(vec![1, 2, 3]),
        };
        sea_orm::ActiveModelTrait::insert(photo, &store.db).await.unwrap();
        let mut removed = form(&store, numbers[0]).await;
        (removed.remove_photo, removed.remove_sign_in) = (true, true);
        user::save(&store, ana(), &removed).await.unwrap();
        let record = user::read(&store, numbers[0]).await.unwrap();
        assert!(!record.has_photo);
        // The secret is only set aside while this can be undone.
        execute(&store, "UPDATE credentials SET expires_at = '2018-01-01 00:00:00+00:00'").await;
        assert_eq!(identity::staff::delete_expired(&store).await.unwrap(), 1);
        assert!(!user::read(&store, numbers[0]).await.unwrap().can_sign_in);
        assert_eq!(events_of(&store, "identity_removed").await, [(Some(ANA.0), "photo,credentials".to_owned())]);
    })
    .await;
}

#[tokio::test]
async fn marking_and_earlier_dates_are_limited() {
    for_each_database(async |store| {
        let numbers = library(&store, 5).await;
        execute(&store, "UPDATE users SET marked_on = NULL, leaving_on = NULL").await;
        let store = limited(&store, |limits| limits.mark_per_hour = 3);
        user::mark_for_deletion(&store, ana(), numbers[0]).await.unwrap();
        user::mark_for_deletion(&store, ana(), numbers[1]).await.unwrap();
        // Removing and setting a mark again counts as one user.
        user::unmark(&store, ana(), numbers[1]).await.unwrap();
        user::mark_for_deletion(&store, ana(), numbers[1]).await.unwrap();
        let leaves = async |number: UserNumber, on: &str| {
            let edited = UserForm { leaving_on: on.to_owned(), ..form(&store, number).await };
            user::save(&store, ana(), &edited).await
        };
        leaves(numbers[2], "2018-01-10").await.unwrap();
        is_reached(leaves(numbers[3], "2018-01-10").await);
        assert_eq!(
            is_reached(user::mark_for_deletion(&store, ana(), numbers[3]).await).counted,
            Counted::Marked
        );
        // A change that makes no user eligible earlier doesn't count.
        leaves(numbers[2], "2018-02-01").await.unwrap();
        leaves(numbers[2], "").await.unwrap();
        assert_eq!(limit_conditions(&store).await, [ConditionKind::LimitReached { actors: 1 }]);
    })
    .await;
}

/// Manual changes count towards the next run until a run with two people confirms them.
#[tokio::test]
async fn manual_dates_of_several_runs_add_up_and_stop_a_run() {
    for_each_database(async |store| {
        let numbers = library(&store, 120).await;
        execute(&store, "UPDATE users SET leaving_on = NULL, marked_on = NULL").await;
        execute(&store, "UPDATE tasks SET confirmed_settings = settings").await;
        let store = limited(&store, |limits| (limits.manual_per_run, limits.mark_per_hour) = (50, 1_000));
        let mut settings = Settings::clone(&store.settings);
        (settings.four_eyes, settings.safety_limits.percent) = (FourEyes::On, 100);
        settings.safety_limits.times_median = 1_000;
        let store = store.with_settings(settings);
        let task = policy::TaskId(1);
        let leave = async |numbers: &[UserNumber]| {
            for number in numbers {
                let left = UserForm { leaving_on: "2018-01-10".to_owned(), ..form(&store, *number).await };
                user::save(&store, ana(), &left).await.unwrap();
            }
        };
        let run = async |people: usize| {
            let preview = run::preview(&store, ben(), task).await.unwrap();
            (preview, run::start(&store, ben(), preview, &people.to_string()).await)
        };
        leave(&numbers[..40]).await;
        let (_, started) = run(40).await;
        run::execute(&store, started.unwrap()).await.unwrap();
        leave(&numbers[40..51]).await;
        let (preview, started) = run(11).await;
        assert!(matches!(started, Err(RecordsError::Refused(_))), "{started:?}");
        let why = approval_workflow::needed_for(&store, preview).await.unwrap();
        assert_eq!(why, Some(ApprovalReason::SafetyLimit(SafetyLimit::ManualChanges)));
        // After a run that a second person approved, the count starts again.
        let request = approval_workflow::request(&store, ben(), preview).await.unwrap();
        staff(&store, UserNumber(803), Role::Dpo).await;
        approval_workflow::approve(&store, staff_actor(UserNumber(803), Role::Dpo), request).await.unwrap();
        let started = run::start(&store, ben(), preview, "11").await.unwrap();
        run::execute(&store, started).await.unwrap();
        leave(&numbers[51..91]).await;
        assert!(run(40).await.1.is_ok());
        let open = manual_changes::Entity::find().filter(manual_changes::Column::ConfirmedBy.is_null());
        assert_eq!(open.count(&store.db).await.unwrap(), 40);
    })
    .await;
}

#[tokio::test]
async fn single_users_count_towards_the_share_of_the_next_run() {
    for_each_database(async |store| {
        let numbers = library(&store, 60).await;
        execute(&store, "UPDATE tasks SET confirmed_settings = settings").await;
        execute(&store, "UPDATE users SET leaving_on = NULL WHERE number > 25").await;
        let mut settings = Settings::clone(&store.settings);
        (settings.four_eyes, settings.safety_limits.percent) = (FourEyes::On, 45);
        let store = store.with_settings(settings);
        let needed = async || {
            let preview = run::preview(&store, ben(), policy::TaskId(1)).await.unwrap();
            approval_workflow::needed_for(&store, preview).await.unwrap()
        };
        assert_eq!(needed().await, None, "25 of 62 users");
        for number in &numbers[40..43] {
            anonymise(&store, ana(), *number).await.unwrap();
        }
        assert_eq!(needed().await, Some(ApprovalReason::SafetyLimit(SafetyLimit::Share)), "28 of 62 users");
    })
    .await;
}

/// A legal hold prevents every personal value from being overwritten.
#[tokio::test]
async fn a_legal_hold_keeps_values_from_being_overwritten() {
    for_each_database(async |store| {
        let number = library(&store, 1).await[0];
        execute(&store, "INSERT INTO custom_fields (key, label) VALUES ('locker', 'Locker')").await;
        execute(&store, "INSERT INTO custom_values VALUES (1, 'locker', 'A1')").await;
        execute(
            &store,
            "UPDATE users SET phone = '1', mobile = '2', street = 'Mill Lane', postcode = 'AB1', city = 'Ayr', \
             country = 'UK', title = 'Dr', gender = 'f', language = 'en', notes = 'owes', barcode = 'B1', \
             external_id = 'E1', middle_name = 'M', preferred_name = 'P', birth_date = '1990-02-01' \
             WHERE number = 1",
        )
        .await;
        first_on_user(&store, number.0).await;
        let everything = Actor::signed_in(BEN, Roles::from_iter([Role::Administrator, Role::Librarian]), Clock::system_now());
        let change: [fn(&mut UserForm, String); 18] = [
            |form, value| form.user_id = value,
            |form, value| form.title = value,
            |form, value| form.first_name = value,
            |form, value| form.middle_name = value,
            |form, value| form.last_name = value,
            |form, value| form.preferred_name = value,
            |form, value| form.email = format!("{value}@{value}.x"),
            |form, value| form.phone = value,
            |form, value| form.mobile = value,
            |form, value| form.street = value,
            |form, value| form.postcode = value,
            |form, value| form.city = value,
            |form, value| form.gender = value,
            |form, value| form.barcode = value,
            |form, value| form.external_id = value,
            |form, value| form.notes = value,
            |form, value| {
                form.custom.insert("locker".to_owned(), value);
            },
            |form, _| form.birth_date = "1900-01-01".to_owned(),
        ];
        let dpo = Actor::signed_in(ANA, Roles::from_iter([Role::Dpo, Role::Librarian]), Clock::system_now());
        for (at, change) in change.into_iter().enumerate() {
            for value in ["-", "Another"] {
                let mut changed = form(&store, number).await;
                change(&mut changed, value.to_owned());
                for actor in [everything, Actor::COMMAND_LINE] {
                    let refused = user::save(&store, actor, &changed).await;
                    assert!(matches!(&refused, Err(RecordsError::Refused(why)) if why.contains("legal hold")), "{at} {value}: {refused:?}");
                }
                if value == "-" && at < 17 {
                    let refused = user::save(&store, dpo, &changed).await;
                    assert!(matches!(refused, Err(RecordsError::Refused(_))), "{at}: not even by the DPO");
                }
            }
        }
        // The DPO can correct values, and change values that aren't personal.
        let corrected = UserForm { first_name: "Frist".to_owned(), ..form(&store, number).await };
        user::save(&store, dpo, &corrected).await.unwrap();
        let moved = UserForm { leaving_on: "2018-06-01".to_owned(), ..form(&store, number).await };
        user::save(&store, everything, &moved).await.unwrap();
        assert!(!dpo.may(Action::ManageStaff));
    })
    .await;
}

/// Rule 12: the form can't clear a member of staff, neither at once nor one field per save.
#[tokio::test]
async fn the_form_cannot_clear_a_member_of_staff() {
    for_each_database(async |store| {
        library(&store, 0).await;
        staff(&store, UserNumber(803), Role::Administrator).await;
        let carl = UserNumber(804);
        staff(&store, carl, Role::Cataloguer).await;
        execute(&store, "UPDATE users SET email = 'carl@example.org', barcode = 'B-804', phone = '020 7946 0000' WHERE number = 804").await;
        let photo = db::entity::photos::ActiveModel {
            user_number: Set(804),
            media_type: Set("image/png".to_owned()),
            bytes: Set(vec![1, 2, 3]),
        };
        sea_orm::ActiveModelTrait::insert(photo, &store.db).await.unwrap();
        let chief = staff_actor(UserNumber(803), Role::Administrator);
        let remove: [fn(&mut UserForm); 8] = [
            |form| form.email = String::new(),
            |form| form.first_name = "x".to_owned(),
            |form| form.last_name = "Removed 17".to_owned(),
            |form| form.barcode = String::new(),
            |form| form.phone = "-".to_owned(),
            |form| form.remove_photo = true,
            |form| form.remove_sign_in = true,
            |form| {
                form.first_name = "Asdfg".to_owned();
                form.last_name = "Qwertz".to_owned();
                form.email = "yxcv@example.org".to_owned();
            },
        ];
        for (at, remove) in remove.into_iter().enumerate() {
            let mut changed = form(&store, carl).await;
            remove(&mut changed);
            let Err(RecordsError::Refused(why)) = user::save(&store, chief, &changed).await else {
                panic!("{at} was saved")
            };
            let page = if at == 6 { "Disable sign-in" } else { "Anonymise this member of staff" };
            assert!(why.contains(page), "{at}: {why}");
        }
        let record = user::read(&store, carl).await.unwrap();
        assert!(record.has_photo && record.can_sign_in && record.email.is_some());
        // A correction is possible. Replacing value after value isn't, for a month, and earlier removals count.
        let replace = async |change: fn(&mut UserForm)| {
            let mut changed = form(&store, carl).await;
            change(&mut changed);
            user::save(&store, chief, &changed).await
        };
        replace(|form| form.last_name = "Rty".to_owned()).await.unwrap();
        replace(|form| form.email = "uio@example.org".to_owned()).await.unwrap();
        let refused = replace(|form| form.first_name = "Qwe".to_owned()).await;
        assert!(matches!(&refused, Err(RecordsError::Refused(why)) if why.contains("30 days")), "{refused:?}");
        let two_days = (Clock::system_now() - chrono::TimeDelta::days(2)).to_rfc3339();
        execute(&store, &format!("UPDATE manual_changes SET at = '{two_days}'")).await;
        assert!(replace(|form| form.first_name = "Qwe".to_owned()).await.is_err(), "changes of earlier days count");
        execute(&store, "UPDATE manual_changes SET kind = 'removed'").await;
        assert!(replace(|form| form.first_name = "Qwe".to_owned()).await.is_err(), "earlier removals count");
        execute(&store, "UPDATE manual_changes SET at = '2018-01-01 00:00:00+00:00'").await;
        replace(|form| form.first_name = "Qwe".to_owned()).await.unwrap();
        // Fields that don't identify a member of staff can be changed as for any user.
        replace(|form| form.notes = "on leave".to_owned()).await.unwrap();
    })
    .await;
}

/// Replacing two values of a user in a day is a correction, but the number of such users is limited.
#[tokio::test]
async fn the_number_of_users_with_replaced_values_is_limited() {
    for_each_database(async |store| {
        let numbers = library(&store, 6).await;
        let store = limited(&store, |limits| (limits.mark_per_hour, limits.mark_per_day) = (3, 4));
        let rename = async |number: UserNumber, at: usize| {
            let form = form(&store, number).await;
            let (last_name, email) = (format!("Qwe{at}"), format!("r{at}@x.org"));
            user::save(&store, ana(), &UserForm { last_name, email, ..form }).await
        };
        for (at, number) in numbers[..3].iter().enumerate() {
            rename(*number, at).await.unwrap();
        }
        let reached = is_reached(rename(numbers[3], 3).await);
        assert_eq!((reached.counted, reached.window, reached.limit), (Counted::Replaced, Window::Hour, 3));
        assert_eq!(limit_conditions(&store).await, [ConditionKind::LimitReached { actors: 1 }]);
        assert_eq!(
            events_of(&store, "limit_reached").await,
            [(Some(ANA.0), "replaced,users=3,hour".to_owned())]
        );
        // Marks and removed values are counted separately.
        execute(&store, "UPDATE users SET marked_on = NULL").await;
        user::mark_for_deletion(&store, ana(), numbers[3]).await.unwrap();
        let junk = UserForm { last_name: "Removed 17".to_owned(), ..form(&store, numbers[4]).await };
        user::save(&store, ana(), &junk).await.unwrap();
        assert_eq!(events_of(&store, "identity_removed").await.len(), 1);
        // A second person can approve more.
        let request = approval_workflow::request_more_changes(&store, ana()).await.unwrap();
        approval_workflow::approve(&store, ben(), request).await.unwrap();
        rename(numbers[3], 3).await.unwrap();
    })
    .await;
}

/// With a limit of 0, every user needs a second person. The approval allows one user, and the certificate names it.
#[tokio::test]
async fn a_limit_of_0_requires_approval_for_every_user() {
    for_each_database(async |store| {
        let numbers = library(&store, 3).await;
        let plain = run::anonymise_one(&store, ana(), numbers[0], &numbers[0].to_string()).await.unwrap();
        let says = erasure::certificate::read(&store, plain.unwrap()).await.unwrap().certificate;
        assert_eq!(says.approved_by, None);
        let store = limited(&store, |limits| (limits.anonymise_per_hour, limits.anonymise_per_day) = (0, 0));
        is_reached(anonymise(&store, ana(), numbers[1]).await);
        let request = approval_workflow::request_more_changes(&store, ana()).await.unwrap();
        approval_workflow::approve(&store, ben(), request).await.unwrap();
        let run = run::anonymise_one(&store, ana(), numbers[1], &numbers[1].to_string()).await.unwrap();
        is_reached(anonymise(&store, ana(), numbers[2]).await);
        let says = erasure::certificate::read(&store, run.unwrap()).await.unwrap().certificate;
        assert_eq!((says.started_by, says.approved_by), (Some(ANA), Some(BEN)));
        assert!(
            !says.fields.removed.iter().any(|words| words == "Roles"),
            "the user is not a member of staff"
        );
    })
    .await;
}

/// Inactivity counts from the last activity or the creation, whichever is later.
#[tokio::test]
async fn a_last_activity_before_the_creation_date_is_ignored() {
    for_each_database(async |store| {
        let lines = |created: &str, active: &str| {
            format!("user_id,last_name,created_on,last_activity_on\nLeaver0-id,Leaver0,{created},{active}\n")
        };
        let import = async |content: String| {
            let file = crate::transfer::file(content);
            let done = import_users(&store, Actor::COMMAND_LINE, file.path(), false).await;
            done.unwrap().touched
        };
        library(&store, 1).await;
        execute(&store, "UPDATE users SET created_on = '2017-06-01', last_activity_on = NULL").await;
        assert_eq!(import(lines("2017-06-01", "2016-01-01")).await, 0, "the creation still counts");
        execute(&store, "UPDATE users SET created_on = '2017-06-01', last_activity_on = '2016-01-01'").await;
        assert_eq!(import(lines("2016-06-01", "2016-01-01")).await, 1, "created earlier, eligible earlier");
    })
    .await;
}

/// Limits are counted by the system clock, and can be read with the settings.
#[tokio::test]
async fn the_limits_of_an_actor_can_be_read() {
    for_each_database(async |store| {
        let numbers = library(&store, 1).await;
        assert_eq!(limits::reached(&store, ana()).await.unwrap(), []);
        anonymise(&store, ana(), numbers[0]).await.unwrap();
        let store = limited(&store, |limits| limits.anonymise_per_hour = 1);
        let reached = Reached { counted: Counted::Anonymised, window: Window::Hour, limit: 1 };
        assert_eq!(limits::reached(&store, ana()).await.unwrap(), [reached]);
        assert!(reached.to_string().contains("at most 1 users"), "{reached}");
        assert_eq!(limits::reached(&with_four_eyes(&store, FourEyes::Off), ben()).await.unwrap(), []);
        assert_eq!(day("2018-01-21"), store.clock.today());
    })
    .await;
}

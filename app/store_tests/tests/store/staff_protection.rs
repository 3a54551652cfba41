//! Anonymising staff needs a second person, and no change of staff or settings disables a protection at once.

use crate::legal_holds::{staff, staff_actor, with_four_eyes};
use crate::support::{add, add_task, clock, day, dump, execute, five_days, for_each_database, leaver};
use db::entity::{audit_events, user_roles, users};
use db::{Clock, RecordsError, Settings};
use erasure::certificate;
use erasure::residue::{ResidueStatus, status};
use operations::health::{self, ConditionKind};
use policy::user_form::UserForm;
use policy::{Action, FourEyes, Limits, Role, Roles, SafetyLimits, UserNumber};
use records::{accounts, user};
use safeguards::{approval, protection};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, Set};
use task_centre::run::background_scans;
use task_centre::{approval_workflow, run};
use trail::{Actor, Store};

const CHIEF: UserNumber = UserNumber(801);
const BEN: UserNumber = UserNumber(802);
const EDITH: UserNumber = UserNumber(803);

fn chief() -> Actor {
    staff_actor(CHIEF, Role::Administrator)
}

fn ben() -> Actor {
    staff_actor(BEN, Role::SystemsLibrarian)
}

/// Adds two administrators, a systems librarian, and Edith, who has left and has a role, a photo, loans and messages.
async fn library(store: &Store) {
    staff(store, CHIEF, Role::Administrator).await;
    staff(store, BEN, Role::SystemsLibrarian).await;
    let edith = users::ActiveModel {
        number: Set(EDITH.0),
        uuid: Set("b7c1".to_owned()),
        email: Set(Some("edith.lapwing@example.org".to_owned())),
        barcode: Set(Some("B-LAPWING".to_owned())),
        ..leaver("Lapwing")
    };
    add(store, edith).await;
    for sql in [
        "INSERT INTO user_roles (user_number, role, granted_on) VALUES (803, 'cataloguer', '2017-01-01'), \
         (803, 'administrator', '2017-01-01')",
        "INSERT INTO credentials (user_number, kind, secret, created_at) VALUES (803, 'password', 'SECRET', \
         '2018-01-01 00:00:00+00:00')",
        "INSERT INTO messages (user_number, kind, channel, sent_at, recipient, body) VALUES (803, 'overdue', 'email', \
         '2017-06-02 10:00:00+00:00', 'edith.lapwing@example.org', 'Dear Edith Lapwing')",
        "INSERT INTO catalogue_records (title, created_by, created_on) VALUES ('Dune', 803, '2017-01-01')",
    ] {
        execute(store, sql).await;
    }
    add_task(store, &five_days()).await;
}

fn order(typed: &str) -> run::SingleOrder<'_> {
    run::SingleOrder { typed, reason: "left", ..run::SingleOrder::default() }
}

async fn anonymise(store: &Store, actor: Actor, number: UserNumber) -> Result<(), RecordsError> {
    run::anonymise_staff(store, actor, number, &order(&number.to_string())).await.map(|_| ())
}

fn refused<T: std::fmt::Debug>(result: Result<T, RecordsError>) -> String {
    match result {
        Err(RecordsError::Refused(why)) => why,
        other => panic!("not refused: {other:?}"),
    }
}

#[tokio::test]
async fn anonymising_staff_needs_two_people_and_leaves_nothing() {
    for_each_database(async |store| {
        library(&store).await;
        // It doesn't depend on the four-eyes setting.
        let store = with_four_eyes(&store, FourEyes::Off);
        assert!(refused(anonymise(&store, chief(), EDITH).await).contains("second person"));
        let request = approval_workflow::request_staff_anonymising(&store, chief(), EDITH).await.unwrap();
        assert_eq!(
            approval_workflow::request_staff_anonymising(&store, chief(), EDITH).await.unwrap(),
            request
        );
        assert!(refused(anonymise(&store, chief(), EDITH).await).contains("requested but not given yet"));
        for no_second in [chief(), staff_actor(EDITH, Role::Administrator), Actor::COMMAND_LINE] {
            refused(approval_workflow::approve(&store, no_second, request).await);
        }
        approval_workflow::approve(&store, ben(), request).await.unwrap();
        let before = dump(&store).await;
        for wrong in [ben(), staff_actor(CHIEF, Role::Librarian), staff_actor(CHIEF, Role::Dpo)] {
            let result = anonymise(&store, wrong, EDITH).await;
            assert!(matches!(result, Err(RecordsError::Forbidden(_))), "{result:?}");
        }
        let stale = Actor::signed_in(CHIEF, Roles::ALL, Clock::system_now() - chrono::TimeDelta::minutes(6));
        assert!(matches!(anonymise(&store, stale, EDITH).await, Err(RecordsError::SignInAgain)));
        let untyped = run::anonymise_staff(&store, chief(), EDITH, &order("8")).await;
        assert!(matches!(untyped, Err(RecordsError::Invalid(_))));
        assert_eq!(dump(&store).await, before, "nothing is changed");
        anonymise(&store, chief(), EDITH).await.unwrap();
        background_scans().await;

        let after = dump(&store).await;
        for value in ["Lapwing", "lapwing", "LAPWING", "SECRET"] {
            assert!(!after.contains(value), "{value} is left");
        }
        let record = user::read(&store, EDITH).await.unwrap();
        assert!(record.is_anonymised() && !record.is_staff() && !record.can_sign_in);
        assert!(policy::replacement::is_replacement(&record.name), "{}", record.name);
        let (run, result) = status(&store, EDITH).await.unwrap().unwrap();
        assert_eq!(result, ResidueStatus::Clean);
        let says = certificate::read(&store, run).await.unwrap().certificate;
        assert_eq!((says.started_by, says.approved_by), (Some(CHIEF), Some(BEN)));
        for ended in ["Roles", "Sign-in as a member of staff"] {
            assert!(
                says.fields.removed.iter().any(|words| words == ended),
                "{ended}: {:?}",
                says.fields.removed
            );
        }
        assert!(certificate::verify_run(&store, run).await.unwrap().doubts.is_empty());
        let events = audit_events::Entity::find().filter(audit_events::Column::SubjectId.eq(EDITH.0));
        let events =
            events.filter(audit_events::Column::SubjectKind.eq("user")).all(&store.db).await.unwrap();
        let actions: Vec<&str> = events.iter().map(|event| event.action.as_str()).collect();
        let expected = [
            "approval_requested",
            "approval_given",
            "role_revoked",
            "role_revoked",
            "staff_disabled",
            "user_anonymised",
        ];
        assert_eq!(actions, expected);
        anonymise(&store, chief(), EDITH).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn revoking_the_roles_first_does_not_avoid_the_second_person() {
    for_each_database(async |store| {
        library(&store).await;
        for role in [Role::Cataloguer, Role::Administrator] {
            accounts::revoke_role(&store, chief(), EDITH, role).await.unwrap();
        }
        assert!(
            user::read(&store, EDITH).await.unwrap().is_staff(),
            "the record still offers the action for staff"
        );
        let alone = staff_actor(CHIEF, Role::Librarian);
        for actor in [alone, Actor::COMMAND_LINE] {
            let why = refused(run::anonymise_one(&store, actor, EDITH, "803").await);
            assert!(why.contains("second person"), "{why}");
        }
        assert!(refused(anonymise(&store, chief(), EDITH).await).contains("second person"));
        let request = approval_workflow::request_staff_anonymising(&store, chief(), EDITH).await.unwrap();
        approval_workflow::approve(&store, ben(), request).await.unwrap();
        anonymise(&store, chief(), EDITH).await.unwrap();
        assert!(user::read(&store, EDITH).await.unwrap().is_anonymised());

        // A user whose last role was revoked long ago counts as any other user.
        staff(&store, UserNumber(804), Role::Cataloguer).await;
        accounts::revoke_role(&store, chief(), UserNumber(804), Role::Cataloguer).await.unwrap();
        refused(run::anonymise_one(&store, alone, UserNumber(804), "804").await);
        execute(&store, "UPDATE manual_changes SET at = '2018-01-01 00:00:00+00:00'").await;
        run::anonymise_one(&store, alone, UserNumber(804), "804").await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_new_officer_cannot_release_a_legal_hold_alone() {
    for_each_database(async |store| {
        library(&store).await;
        let hold = crate::legal_holds::first_on_user(&store, EDITH.0).await;
        accounts::revoke_role(&store, chief(), crate::legal_holds::DPO, Role::Dpo).await.unwrap();
        let puppet = UserNumber(804);
        staff(&store, puppet, Role::Librarian).await;
        accounts::grant_role(&store, chief(), puppet, Role::Dpo).await.unwrap();
        let why =
            refused(safeguards::legal_hold::release(&store, staff_actor(puppet, Role::Dpo), hold).await);
        assert!(why.contains("newer than 24 hours"), "{why}");
        execute(&store, "UPDATE manual_changes SET at = '2018-01-01 00:00:00+00:00'").await;
        safeguards::legal_hold::release(&store, staff_actor(puppet, Role::Dpo), hold).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn an_approval_is_for_one_member_of_staff_with_the_same_roles_and_once() {
    for_each_database(async |store| {
        library(&store).await;
        staff(&store, UserNumber(804), Role::Cataloguer).await;
        let request = approval_workflow::request_staff_anonymising(&store, chief(), EDITH).await.unwrap();
        approval_workflow::approve(&store, ben(), request).await.unwrap();
        refused(anonymise(&store, chief(), UserNumber(804)).await);
        execute(
            &store,
            "INSERT INTO user_roles (user_number, role, granted_on) VALUES (803, 'dpo', '2018-01-01')",
        )
        .await;
        assert!(
            refused(anonymise(&store, chief(), EDITH).await).contains("Request approval"),
            "roles have changed"
        );
        execute(&store, "DELETE FROM user_roles WHERE user_number = 803 AND role = 'dpo'").await;
        // If two members of staff start at the same time, only one run is executed.
        let other = store.as_another_process(clock());
        let (one, two) = futures::join!(anonymise(&store, chief(), EDITH), anonymise(&other, chief(), EDITH));
        assert!(one.is_ok() && two.is_ok(), "{one:?} {two:?}");
        let runs = db::entity::runs::Entity::find().count(&store.db).await.unwrap();
        assert_eq!(runs, 1);
    })
    .await;
}

#[tokio::test]
async fn oneself_the_last_administrator_and_other_users_are_rejected() {
    for_each_database(async |store| {
        library(&store).await;
        let asked = async |actor: Actor, number: i64| {
            let number = UserNumber(number);
            let asked = refused(approval_workflow::request_staff_anonymising(&store, actor, number).await);
            assert_eq!(refused(anonymise(&store, actor, number).await), asked);
            asked
        };
        assert!(asked(chief(), CHIEF.0).await.contains("Another administrator"));
        execute(&store, "DELETE FROM credentials WHERE user_number = 803").await;
        assert!(asked(Actor::COMMAND_LINE, CHIEF.0).await.contains("last administrator"));
        let plain = add(&store, leaver("Plain")).await;
        assert!(asked(chief(), plain.number).await.contains("no role"));
        execute(&store, "UPDATE users SET fictitious = TRUE WHERE number = 803").await;
        assert!(asked(chief(), EDITH.0).await.contains("not a person"));
        execute(&store, "UPDATE users SET fictitious = FALSE WHERE number = 803").await;
        // The blockers of users apply to staff too.
        execute(&store, "INSERT INTO loans (user_number, branch, issued_on, due_on) VALUES (803, 'main', '2017-01-01', '2017-02-01')").await;
        let request = approval_workflow::request_staff_anonymising(&store, chief(), EDITH).await.unwrap();
        approval_workflow::approve(&store, ben(), request).await.unwrap();
        assert!(refused(anonymise(&store, chief(), EDITH).await).contains("loan"));
        let roles = user_roles::Entity::find().filter(user_roles::Column::UserNumber.eq(EDITH.0));
        assert_eq!(roles.count(&store.db).await.unwrap(), 2, "the member of staff is unchanged or anonymised");
        // Neither the link nor the form anonymises staff.
        let by_link = run::anonymise_one(&store, chief(), EDITH, "803").await;
        assert!(refused(by_link).contains("Anonymise this member of staff"));
        let form = user::form_of(&user::read(&store, EDITH).await.unwrap());
        let cleared = UserForm { first_name: String::new(), email: String::new(), ..form };
        assert!(refused(user::save(&store, chief(), &cleared).await).contains("Anonymise this member of staff"));
    })
    .await;
}

/// An administrator disables the others who can approve, and then wants to run alone.
#[tokio::test]
async fn four_eyes_stay_in_force_after_approvers_are_disabled() {
    for_each_database(async |store| {
        library(&store).await;
        add(&store, leaver("Ng")).await;
        let on = async || approval::four_eyes(&store, Action::Approve).await.unwrap();
        let ending = async || {
            let conditions = health::read(&store).await.unwrap().conditions;
            conditions.iter().any(|one| one.what == ConditionKind::FourEyesEnding)
        };
        assert!(on().await && !ending().await);
        accounts::disable(&store, chief(), BEN).await.unwrap();
        accounts::revoke_role(&store, Actor::COMMAND_LINE, EDITH, Role::Administrator).await.unwrap();
        assert!(on().await, "four eyes were in force a moment ago");
        assert!(ending().await);
        let preview = run::preview(&store, chief(), policy::TaskId(1)).await.unwrap();
        let alone = run::start(&store, chief(), preview, "1").await;
        assert!(refused(alone).contains("second person"));
        // A new account can't approve during its first day.
        let (made_up, _) = accounts::add(&store, chief(), "made-up", Role::SystemsLibrarian).await.unwrap();
        accounts::set_demo_password(&store, Actor::COMMAND_LINE, made_up, "plum tractor seventeen")
            .await
            .unwrap();
        let request = approval_workflow::request(&store, chief(), preview).await.unwrap();
        let made_up = staff_actor(made_up, Role::SystemsLibrarian);
        assert!(refused(approval_workflow::approve(&store, made_up, request).await).contains("24 hours"));
        // Another setting doesn't help either.
        let off = with_four_eyes(&store, FourEyes::Off);
        assert!(approval::four_eyes(&off, Action::Approve).await.unwrap());
        // The remaining member of staff can continue alone after the cooling-off period.
        execute(&store, "UPDATE protections SET at = '2018-01-01 00:00:00+00:00'").await;
        assert!(!on().await && !ending().await);
        run::start(&store, chief(), preview, "1").await.unwrap();
        assert!(!approval::four_eyes(&off, Action::Approve).await.unwrap());
    })
    .await;
}

#[tokio::test]
async fn a_new_approver_counts_after_a_day() {
    for_each_database(async |store| {
        staff(&store, CHIEF, Role::Administrator).await;
        let on = async || approval::four_eyes(&store, Action::Approve).await.unwrap();
        let (number, _) = accounts::add(&store, chief(), "second", Role::SystemsLibrarian).await.unwrap();
        accounts::set_demo_password(&store, Actor::COMMAND_LINE, number, "plum tractor seventeen")
            .await
            .unwrap();
        assert!(!on().await);
        execute(&store, "UPDATE manual_changes SET at = '2018-01-01 00:00:00+00:00'").await;
        assert!(on().await);
        // Another role doesn't restart an approver's period. An invitation of an account without a second factor does.
        accounts::grant_role(&store, chief(), number, Role::Dpo).await.unwrap();
        assert!(!approval::four_eyes(&store, Action::ReleaseLegalHolds).await.unwrap());
        execute(&store, "DELETE FROM protections").await;
        execute(&store, "UPDATE manual_changes SET at = '2018-01-01 00:00:00+00:00'").await;
        accounts::invite(&store, chief(), number).await.unwrap();
        execute(&store, "DELETE FROM protections").await;
        assert!(!on().await);
    })
    .await;
}

/// If a protective setting is weakened between two starts, a condition reports it, and the setting applies later.
#[tokio::test]
async fn weaker_settings_are_reported_and_take_effect_later() {
    for_each_database(async |store| {
        let url = crate::audit::tampering::url_of(&store).await;
        let open = async |settings: &Settings| {
            operations::open_store(&url, clock(), settings.clone()).await.unwrap()
        };
        let strict = Settings::clone(&store.settings);
        let weak = Settings {
            limits: Limits { anonymise_per_hour: 9_999, ..Limits::default() },
            safety_limits: SafetyLimits { percent: 100, ..SafetyLimits::default() },
            four_eyes: FourEyes::Off,
            ..strict.clone()
        };
        protection::remember(&store, &strict).await.unwrap();
        let weakened = async |store: &Store| {
            let conditions = health::read(store).await.unwrap().conditions;
            conditions
                .into_iter()
                .map(|one| one.what)
                .find(|what| matches!(what, ConditionKind::SettingsWeakened { .. }))
        };
        assert_eq!(weakened(&store).await, None);
        let started = open(&weak).await;
        protection::remember(&started, &weak).await.unwrap();
        protection::remember(&started, &weak).await.unwrap();
        assert_eq!(
            (started.settings.limits, started.settings.safety_limits),
            (strict.limits, strict.safety_limits)
        );
        assert_eq!(weakened(&started).await, Some(ConditionKind::SettingsWeakened { settings: 3 }));
        let events =
            audit_events::Entity::find().filter(audit_events::Column::Action.eq("protection_weakened"));
        let events = events.all(&store.db).await.unwrap();
        let details: Vec<&str> = events.iter().map(|event| event.detail.as_str()).collect();
        assert_eq!(
            details,
            [
                "limit_anonymise_per_hour,from=20,to=9999",
                "limit_run_percent,from=10,to=100",
                "four_eyes,from=1,to=2"
            ]
        );
        // Restoring the setting ends the condition.
        protection::remember(&open(&strict).await, &strict).await.unwrap();
        assert_eq!(weakened(&store).await, None);
        protection::remember(&open(&weak).await, &weak).await.unwrap();
        execute(&store, "UPDATE protections SET at = '2018-01-01 00:00:00+00:00' WHERE name LIKE 'weaker.%'")
            .await;
        assert_eq!(open(&weak).await.settings.limits.anonymise_per_hour, 9_999);
        // A stricter setting takes effect at once.
        let stricter = Settings { limits: Limits { anonymise_per_hour: 1, ..Limits::default() }, ..strict };
        assert_eq!(open(&stricter).await.settings.limits.anonymise_per_hour, 1);
        assert_eq!(day("2018-01-21"), store.clock.today());
    })
    .await;
}

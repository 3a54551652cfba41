//! The effect of anonymising on a record and the rows that belong to it, for bulk runs and single users.

use crate::support::{add, add_task, day, dump, execute, five_days, for_each_database, leaver};
use db::RecordsError;
use db::entity::{audit_events, loans, users};
use policy::replacement::is_replacement;
use policy::{
    ErasureReason, Field, Grounds, NoteTreatment, Policy, Reason, RunState, TaskId, Treatment, UserNumber,
};
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, QueryFilter, Set};
use task_centre::run;
use trail::{Actor, Store};

async fn user(store: &Store, number: i64) -> users::Model {
    users::Entity::find_by_id(number).one(&store.db).await.unwrap().unwrap()
}

pub async fn run_all(store: &Store, task: policy::TaskId) -> (policy::RunId, RunState) {
    let preview = run::preview(store, Actor::COMMAND_LINE, task).await.unwrap();
    let previewed = run::read(store, preview).await.unwrap().previewed;
    let started = run::start(store, Actor::COMMAND_LINE, preview, &previewed.to_string()).await.unwrap();
    (started, run::execute(store, started).await.unwrap())
}

#[tokio::test]
async fn the_record_keeps_only_what_the_policy_keeps() {
    for_each_database(async |store| {
        let before = add(
            &store,
            users::ActiveModel {
                email: Set(Some("ng@example.org".to_owned())),
                birth_date: Set(Some(day("1987-06-23"))),
                postcode: Set(Some("SW1A 1AA".to_owned())),
                phone: Set(Some("0170".to_owned())),
                category: Set(Some("student".to_owned())),
                notes: Set(Some("tall".to_owned())),
                ..leaver("Ng")
            },
        )
        .await;
        let policy = Policy {
            fields: [
                (Field::BirthDate, Treatment::Decade),
                (Field::Postcode, Treatment::District),
                (Field::Notes, Treatment::Keep),
            ]
            .into(),
            ..five_days()
        };
        let task = add_task(&store, &policy).await;
        assert_eq!(run_all(&store, task).await.1, RunState::Succeeded);

        let after = user(&store, before.number).await;
        assert!(is_replacement(after.replacement.as_deref().unwrap()));
        let expected = users::Model {
            scim_id: None,
            user_id: None,
            user_id_key: None,
            first_name: None,
            last_name: None,
            name_order: None,
            email: None,
            phone: None,
            birth_date: None,
            birth_period: Some("1980s".to_owned()),
            postcode: Some("SW1A".to_owned()),
            created_on: Some(day("2016-09-01")),
            leaving_on: Some(day("2018-01-01")),
            marked_on: Some(day("2018-01-01")),
            dates_by_month: true,
            replacement: after.replacement.clone(),
            anonymised_on: Some(day("2018-01-21")),
            rules_version: Some(policy::RULES_VERSION),
            version: 2,
            ..before
        };
        assert_eq!(after, expected);
    })
    .await;
}

#[tokio::test]
async fn loans_keep_their_dates_and_lose_their_notes() {
    for_each_database(async |store| {
        let person = add(&store, leaver("Ng")).await;
        let loan = loans::ActiveModel {
            user_number: Set(person.number),
            branch: Set("main".to_owned()),
            category: Set(Some("student".to_owned())),
            department: Set(Some("law".to_owned())),
            issued_on: Set(day("2017-05-01")),
            due_on: Set(day("2017-06-01")),
            returned_on: Set(Some(day("2017-05-20"))),
            note: Set(Some("call Ng".to_owned())),
            ..Default::default()
        };
        let before = loan.insert(&store.db).await.unwrap();
        let task = add_task(&store, &Policy { circulation_notes: NoteTreatment::Mark, ..five_days() }).await;
        let (id, _) = run_all(&store, task).await;
        let after = loans::Entity::find_by_id(before.id).one(&store.db).await.unwrap().unwrap();
        assert_eq!(after, loans::Model { note: Some(NoteTreatment::MARK.to_owned()), ..before });
        let run = run::read(&store, id).await.unwrap();
        assert_eq!(run.tables, [("loans".to_owned(), 1), ("users".to_owned(), 1)]);
    })
    .await;
}

#[tokio::test]
async fn a_user_that_fails_does_not_stop_the_others() {
    for_each_database(async |store| {
        for n in 1..=20 {
            add(&store, leaver(&format!("N{n}"))).await;
        }
        refuse_updates_of(&store, 7).await;
        let before = user(&store, 7).await;
        let task = add_task(&store, &five_days()).await;
        let (id, state) = run_all(&store, task).await;
        assert_eq!(state, RunState::CompletedWithFailures);
        let run = run::read(&store, id).await.unwrap();
        assert_eq!((run.previewed, run.done, run.skipped, run.failed), (20, 19, 0, 1));
        assert_eq!(user(&store, 7).await, before, "a user that failed is unchanged");
        let events = audit_events::Entity::find()
            .filter(audit_events::Column::Action.eq("user_anonymised"))
            .all(&store.db)
            .await
            .unwrap();
        assert_eq!(events.len(), 19);
        assert!(events.iter().all(|event| event.subject_id != Some(7)));
    })
    .await;
}

/// Makes the database refuse to change one user, as if the row were broken.
async fn refuse_updates_of(store: &Store, number: i64) {
    use sea_orm::DatabaseBackend;
    if store.db.get_database_backend() == DatabaseBackend::Postgres {
        execute(
            store,
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'refused'; END $$",
        )
        .await;
        let sql = format!(
            "CREATE TRIGGER poison BEFORE UPDATE ON users FOR EACH ROW WHEN (OLD.number = {number}) \
             EXECUTE FUNCTION refuse()"
        );
        execute(store, &sql).await;
    } else {
        let sql = format!(
            "CREATE TRIGGER poison BEFORE UPDATE ON users WHEN OLD.number = {number} \
             BEGIN SELECT RAISE(ABORT, 'refused'); END"
        );
        execute(store, &sql).await;
    }
}

#[tokio::test]
async fn a_user_is_unchanged_if_the_audit_cannot_be_written() {
    for_each_database(async |store| {
        let before = add(&store, leaver("Ng")).await;
        let task = add_task(&store, &five_days()).await;
        let preview = run::preview(&store, Actor::COMMAND_LINE, task).await.unwrap();
        let started = run::start(&store, Actor::COMMAND_LINE, preview, "1").await.unwrap();
        execute(&store, "ALTER TABLE audit_events RENAME TO gone").await;
        assert!(
            run::execute(&store, started).await.is_err(),
            "its end cannot be recorded in the audit either"
        );
        assert_eq!(user(&store, before.number).await, before);
        execute(&store, "ALTER TABLE gone RENAME TO audit_events").await;
    })
    .await;
}

#[tokio::test]
async fn anonymising_twice_changes_nothing() {
    for_each_database(async |store| {
        let person = add(&store, leaver("Ng")).await;
        let task = add_task(&store, &five_days()).await;
        run_all(&store, task).await;
        let once = dump(&store).await;
        let again =
            run::anonymise_one(&store, Actor::COMMAND_LINE, UserNumber(person.number), "1").await.unwrap();
        assert_eq!(again, None);
        assert_eq!(dump(&store).await, once);
        let preview = run::preview(&store, Actor::COMMAND_LINE, task).await.unwrap();
        let preview = run::read(&store, preview).await.unwrap();
        assert_eq!(preview.verdicts, [(Reason::AlreadyAnonymised, 1)]);
    })
    .await;
}

#[tokio::test]
async fn bulk_and_single_leave_the_same_rows() {
    for_each_database(async |store| {
        let [bulk, single] = [add(&store, leaver("Ng")).await, add(&store, leaver("Ny")).await];
        let task = add_task(&store, &five_days()).await;
        let done =
            run::anonymise_one(&store, Actor::COMMAND_LINE, UserNumber(single.number), "2").await.unwrap();
        assert!(done.is_some());
        run_all(&store, task).await;
        let [bulk, single] = [user(&store, bulk.number).await, user(&store, single.number).await];
        assert_ne!(bulk.replacement, single.replacement);
        let same = users::Model {
            number: bulk.number,
            uuid: bulk.uuid.clone(),
            replacement: bulk.replacement.clone(),
            ..single
        };
        assert_eq!(same, bulk);
    })
    .await;
}

#[tokio::test]
async fn a_single_user_needs_a_task_the_typed_number_and_no_blockers() {
    for_each_database(async |store| {
        let number = UserNumber(add(&store, leaver("Ng")).await.number);
        let refused = run::anonymise_one(&store, Actor::COMMAND_LINE, number, "1").await;
        assert!(matches!(refused, Err(RecordsError::Refused(why)) if why.contains("Create a task")));
        add_task(&store, &five_days()).await;
        let wrong = run::anonymise_one(&store, Actor::COMMAND_LINE, number, "2").await;
        assert!(matches!(wrong, Err(RecordsError::Invalid(_))));
        execute(
            &store,
            "INSERT INTO charges (user_number, kind, cents, charged_on) VALUES (1, 'credit', -1, '2018-01-01')",
        )
        .await;
        let blocked = run::anonymise_one(&store, Actor::COMMAND_LINE, number, "1").await;
        assert!(matches!(blocked, Err(RecordsError::Refused(why)) if why.contains("unsettled")));
        assert_eq!(user(&store, 1).await.last_name.as_deref(), Some("Ng"));
        execute(&store, "UPDATE charges SET settled_on = '2018-01-20'").await;
        assert!(run::anonymise_one(&store, Actor::COMMAND_LINE, number, " 1 ").await.unwrap().is_some());
    })
    .await;
}

#[tokio::test]
async fn identifying_values_can_be_reused_at_once() {
    for_each_database(async |store| {
        add(&store, users::ActiveModel { barcode: Set(Some("B1".to_owned())), ..leaver("Ng") }).await;
        add_task(&store, &five_days()).await;
        run::anonymise_one(&store, Actor::COMMAND_LINE, UserNumber(1), "1").await.unwrap();
        let heir = users::ActiveModel {
            uuid: Set("another".to_owned()),
            barcode: Set(Some("B1".to_owned())),
            ..leaver("Ng")
        };
        assert_eq!(add(&store, heir).await.number, 2);
    })
    .await;
}

fn order<'a>(shown: (TaskId, i32)) -> run::SingleOrder<'a> {
    run::SingleOrder { typed: "1", reason: "left", shown: Some(shown), ..run::SingleOrder::default() }
}

#[tokio::test]
async fn the_reason_and_the_case_of_a_single_user_are_recorded_everywhere() {
    for_each_database(async |store| {
        let name = users::ActiveModel { first_name: Set(Some("Jürgen".to_owned())), ..leaver("Ng") };
        let number = UserNumber(add(&store, name).await.number);
        add_task(&store, &five_days()).await;
        let order = run::SingleOrder { typed: "1", ..run::SingleOrder::default() };
        let before = dump(&store).await;
        for (reason, case_reference, field) in [
            ("", "", "erasure_reason"),
            ("because", "", "erasure_reason"),
            ("left", "ng-2026", "case_reference"),
            ("left", "JURGEN/1", "case_reference"),
            ("left", "Juergen.1", "case_reference"),
            ("left", "ng-id", "case_reference"),
            ("left", "a@b.example", "case_reference"),
        ] {
            let order = run::SingleOrder { reason, case_reference, ..order };
            let refused = run::anonymise_one_for(&store, Actor::COMMAND_LINE, number, &order).await;
            let Err(RecordsError::Invalid(errors)) = refused else { panic!("{refused:?}") };
            assert_eq!(errors.0.iter().map(|error| error.field.as_str()).collect::<Vec<_>>(), [field]);
        }
        assert_eq!(dump(&store).await, before);
        let order = run::SingleOrder { reason: "person_request", case_reference: "DS/2026-118", ..order };
        let run = run::anonymise_one_for(&store, Actor::COMMAND_LINE, number, &order).await.unwrap().unwrap();
        run::background_scans().await;
        let grounds = Grounds {
            case_reference: Some("DS/2026-118".to_owned()),
            ..Grounds::without_case(ErasureReason::PersonRequest)
        };
        assert_eq!(run::read(&store, run).await.unwrap().grounds, Some(grounds));
        let certificate = erasure::certificate::read(&store, run).await.unwrap().certificate;
        assert_eq!(certificate.reason, Some(ErasureReason::PersonRequest));
        assert_eq!(certificate.case_reference.as_deref(), Some("DS/2026-118"));
        assert_eq!(erasure::certificate::verify_run(&store, run).await.unwrap().doubts, []);
        let audit =
            format!("|user_anonymised|user|{number}|{run}|rules=1,reason=person_request,case=DS/2026-118|");
        assert!(dump(&store).await.contains(&audit));
        assert!(trail::audit::verify(&store, Actor::COMMAND_LINE).await.unwrap().is_whole());
    })
    .await;
}

#[tokio::test]
async fn a_single_user_is_anonymised_only_with_the_settings_shown() {
    for_each_database(async |store| {
        let number = UserNumber(add(&store, leaver("Ng")).await.number);
        add_task(&store, &five_days()).await;
        let plan = run::plan_for_one(&store, number).await.unwrap();
        let shown = (plan.task.unwrap().0, plan.version);
        execute(&store, "UPDATE tasks SET version = version + 1").await;
        let stale = run::anonymise_one_for(&store, Actor::COMMAND_LINE, number, &order(shown)).await;
        assert!(matches!(stale, Err(RecordsError::Stale)), "{stale:?}");
        assert_eq!(user(&store, 1).await.anonymised_on, None);
        let shown = (shown.0, shown.1 + 1);
        let done = run::anonymise_one_for(&store, Actor::COMMAND_LINE, number, &order(shown)).await;
        assert!(done.unwrap().is_some());
    })
    .await;
}

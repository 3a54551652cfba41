//! Certificates of runs: their content, and that every change to them is detected.

use crate::anonymising::run_all;
use crate::audit::tampering::url_of;
use crate::support::{add, add_task, execute, five_days, for_each_database, leaver};
use db::entity::users;
use db::{RecordsError, Settings};
use erasure::certificate::{Checked, Doubt, file, read, reissue, users, verify_file, verify_run};
use operations::key_replacement::replace;
use policy::{Outcome, Reason, RunId, RunKind, RunState, UserNumber};
use sea_orm::Set;
use task_centre::run;
use trail::{Actor, Store};

/// Executes a run that anonymises two users, skips one and fails with none.
async fn ended_run(store: &Store) -> RunId {
    for name in ["Ng", "Diaz", "Cole"] {
        add(store, leaver(name)).await;
    }
    let task = add_task(store, &five_days()).await;
    let preview = run::preview(store, Actor::COMMAND_LINE, task).await.unwrap();
    execute(store, "INSERT INTO user_roles VALUES (3, 'librarian', '2018-01-01')").await;
    let started = run::start(store, Actor::COMMAND_LINE, preview, "3").await.unwrap();
    run::execute(store, started).await.unwrap();
    started
}

async fn check(store: &Store, run: RunId) -> Vec<Doubt> {
    verify_run(store, run).await.unwrap().doubts
}

async fn check_file(store: &Store, text: &str) -> Checked {
    verify_file(store, text).await.unwrap()
}

#[tokio::test]
async fn a_certificate_states_the_result_without_personal_data() {
    for_each_database(async |store| {
        let id = ended_run(&store).await;
        let signed = read(&store, id).await.unwrap();
        let says = &signed.certificate;
        assert_eq!((says.run, says.kind, says.state), (id, RunKind::Manual, RunState::Succeeded));
        assert_eq!((says.previewed, says.done, says.not_reached), (3, 2, 0));
        assert_eq!(says.skipped, [("staff".to_owned(), 1)].into());
        assert_eq!(says.failed, [].into());
        assert_eq!(says.rows.get("users"), Some(&2));
        assert_eq!(says.policy, five_days());
        assert_eq!((says.version, &says.supersedes, &says.library), (1, &None, &None));
        assert_eq!(
            (says.started_by, says.approved_by),
            (None, None),
            "the command line is not a member of staff"
        );
        assert!(says.program.starts_with("Lethe ") && says.rules_version == policy::RULES_VERSION);
        for (list, name) in [
            (&says.fields.removed, "E-mail"),
            (
                &says.fields.generalised,
                "Dates of the record (created, leaving, last activity, marked for deletion), to the month",
            ),
            (&says.fields.kept, "User category"),
        ] {
            assert!(list.iter().any(|field| field == name), "{name}: {:?}", says.fields);
        }
        let counted = users(&store, id).await.unwrap();
        let counted: Vec<_> =
            counted.iter().map(|(one, numbers)| (one.outcome, one.reason, numbers.len())).collect();
        assert_eq!(
            counted,
            [(Some(Outcome::Done), None, 2), (Some(Outcome::Skipped), Some(Reason::Staff), 1)]
        );
        let residue = &says.residue;
        assert_eq!(residue.clean + residue.with_findings + residue.undeterminable + residue.pending, 2);
        assert!(says.ledger_sequence > 0 && !says.installation.is_empty());
        assert_eq!(check(&store, id).await, []);

        let text = file(&store, id, None).await.unwrap();
        for name in ["Ng", "Diaz", "Cole", "uuid"] {
            assert!(!text.contains(name), "{name}");
        }
        assert!(check_file(&store, &text).await.holds());
        let pretty: serde_json::Value = serde_json::from_str(&text).unwrap();
        let pretty = serde_json::to_string_pretty(&pretty).unwrap();
        assert!(check_file(&store, &pretty).await.holds(), "white space does not matter");
    })
    .await;
}

#[tokio::test]
async fn the_certificate_of_a_single_user_is_renewed_after_the_scan() {
    for_each_database(async |store| {
        add(&store, leaver("Ng")).await;
        add_task(&store, &five_days()).await;
        let id = run::anonymise_one(&store, Actor::COMMAND_LINE, UserNumber(1), "1").await.unwrap().unwrap();
        task_centre::run::background_scans().await;
        execute(&store, "UPDATE run_members SET residue = NULL").await;
        reissue(&store, id).await.unwrap();
        let before = file(&store, id, None).await.unwrap();
        let signed = read(&store, id).await.unwrap();
        assert_eq!((signed.certificate.done, signed.certificate.residue.pending), (1, 1));
        assert_eq!(check(&store, id).await, []);

        execute(&store, "UPDATE run_members SET residue = 'with_findings'").await;
        let finding = "INSERT INTO findings (run_id, user_number, table_name, column_name, row_key, what, found_at) \
                   VALUES (1, 1, 'messages', 'body', '5', 'last name', '2018-01-21T12:00:00+00:00')";
        execute(&store, finding).await;
        assert_eq!(check(&store, id).await, [Doubt::Counts(vec!["residue".to_owned()])]);
        reissue(&store, id).await.unwrap();
        let residue = read(&store, id).await.unwrap().certificate.residue;
        assert_eq!((residue.with_findings, residue.pending, residue.places, residue.open_places), (1, 0, 1, 1));
        assert_eq!(check(&store, id).await, []);
        assert_eq!(check_file(&store, &before).await.doubts, [], "the earlier version still holds");

        // Decisions make a new version. A decision written directly to the database is detected.
        execute(&store, "UPDATE findings SET decision = 'kept'").await;
        assert_eq!(check(&store, id).await, [Doubt::Counts(vec!["residue".to_owned()])]);
    })
    .await;
}

#[tokio::test]
async fn a_change_after_signing_is_detected() {
    for_each_database(async |store| {
        let id = ended_run(&store).await;
        let text = file(&store, id, None).await.unwrap();
        for (from, to) in
            [("\"done\":2", "\"done\":3"), ("\"staff\":1", "\"staff\":2"), ("manual", "scheduled")]
        {
            let changed = text.replace(from, to);
            assert_ne!(changed, text);
            let doubts = check_file(&store, &changed).await.doubts;
            assert!(doubts.contains(&Doubt::Signature), "{from}: {doubts:?}");
            assert!(doubts.iter().any(|doubt| matches!(doubt, Doubt::Counts(_))), "{from}: {doubts:?}");
        }
        for rubbish in ["", "{}", "{\"certificate\":{}}", &text.replace("\"done\"", "\"dnoe\"")] {
            assert_eq!(check_file(&store, rubbish).await.doubts, [Doubt::Unreadable], "{rubbish}");
        }
        execute(&store, "UPDATE certificates SET content = REPLACE(content, '\"done\":2', '\"done\":1')")
            .await;
        assert!(check(&store, id).await.contains(&Doubt::Signature));
        execute(&store, "UPDATE certificates SET content = 'rubbish'").await;
        assert_eq!(check(&store, id).await, [Doubt::Unreadable]);
        execute(&store, "DELETE FROM certificates").await;
        assert!(matches!(verify_run(&store, id).await, Err(RecordsError::NotFound(_))));
    })
    .await;
}

#[tokio::test]
async fn another_key_is_detected() {
    for_each_database(async |store| {
        let id = ended_run(&store).await;
        let text = file(&store, id, None).await.unwrap();
        let (url, settings) = (url_of(&store).await, Settings::clone(&store.settings));
        replace(&url, store.clock, settings.clone(), Actor::COMMAND_LINE, "REPLACE").await.unwrap();
        let refused = verify_run(&store.as_another_process(store.clock), id).await;
        assert!(matches!(refused, Err(RecordsError::NotReady(_))), "the old key is no longer accepted");
        let store = operations::open_store(&url, store.clock, settings).await.unwrap();
        assert_eq!(check(&store, id).await, [Doubt::Key], "the database alone does not allow signing");
        assert_eq!(check_file(&store, &text).await.doubts, [Doubt::Key]);
        reissue(&store, id).await.unwrap();
        assert_eq!(check(&store, id).await, []);
        for broken in [Some("no key"), None] {
            std::fs::remove_file(&store.settings.key).unwrap();
            if let Some(text) = broken {
                std::fs::write(&store.settings.key, text).unwrap();
            }
            let without_key = store.as_another_process(store.clock);
            assert!(
                matches!(verify_run(&without_key, id).await, Err(RecordsError::NotReady(_))),
                "{broken:?}"
            );
        }
    })
    .await;
}

#[tokio::test]
async fn counts_changed_in_the_database_are_detected() {
    for_each_database(async |store| {
        let id = ended_run(&store).await;
        let text = file(&store, id, None).await.unwrap();
        for (change, back, fields) in [
            ("done = 3", "done = 2", &["counts of the run"][..]),
            ("previewed = 9", "previewed = 3", &["not_reached", "previewed"]),
            ("state = 'failed'", "state = 'succeeded'", &["state"]),
        ] {
            execute(&store, &format!("UPDATE runs SET {change} WHERE id = {id}")).await;
            let fields = fields.iter().map(|field| (*field).to_owned()).collect();
            assert_eq!(check(&store, id).await, [Doubt::Counts(fields)], "{change}");
            execute(&store, &format!("UPDATE runs SET {back} WHERE id = {id}")).await;
            assert_eq!(check(&store, id).await, []);
        }
        // The number of users is the same, but one of them is another user.
        let other = |from: i64, to: i64| {
            format!("UPDATE run_members SET user_number = {to} WHERE run_id = {id} AND user_number = {from}")
        };
        add(&store, leaver("Other")).await;
        execute(&store, &other(1, 4)).await;
        assert_eq!(check(&store, id).await, [Doubt::Counts(vec!["users_sha256".to_owned()])]);
        execute(&store, &other(4, 1)).await;
        assert_eq!(check(&store, id).await, []);
        let members = format!("DELETE FROM run_members WHERE run_id = {id} AND outcome = 'skipped'");
        execute(&store, &members).await;
        let doubts = check(&store, id).await;
        assert!(matches!(&doubts[..], [Doubt::Counts(fields)] if fields.contains(&"skipped".to_owned())));
        execute(&store, &format!("DELETE FROM certificates WHERE run_id = {id}")).await;
        execute(&store, &format!("DELETE FROM run_members WHERE run_id = {id}")).await;
        execute(&store, &format!("DELETE FROM run_counts WHERE run_id = {id}")).await;
        execute(&store, &format!("DELETE FROM runs WHERE id = {id}")).await;
        assert_eq!(check_file(&store, &text).await.doubts, [Doubt::Run]);
    })
    .await;
}

#[tokio::test]
async fn failures_are_listed_by_code_and_previews_have_no_certificate() {
    for_each_database(async |store| {
        add(&store, leaver("Ng")).await;
        add(&store, users::ActiveModel { last_name: Set(Some("Poor".to_owned())), ..leaver("Poor") }).await;
        crate::faults::refuse(&store, "UPDATE", "users", "OLD.number = 2").await;
        let task = add_task(&store, &five_days()).await;
        let (id, state) = run_all(&store, task).await;
        assert_eq!(state, RunState::CompletedWithFailures);
        let says = read(&store, id).await.unwrap().certificate;
        assert_eq!((says.done, says.failed), (1, [("database".to_owned(), 1)].into()));
        let preview = run::read(&store, id).await.unwrap().preview.unwrap();
        assert!(matches!(read(&store, preview).await, Err(RecordsError::NotFound(_))));
        assert!(matches!(reissue(&store, preview).await, Err(RecordsError::NotFound(_))));
    })
    .await;
}

//! The decisions of staff on findings.

use super::people::distinct;
use super::{a_loan, execute_with, findings_of};
use crate::anonymising::run_all;
use crate::legal_holds::first_on_user;
use crate::support::{add, add_task, execute, five_days, for_each_database, leaver};
use db::RecordsError;
use db::entity::users;
use db::pagination::Paging;
use erasure::certificate::verify_run;
use erasure::residue::{CurrentText, Finding, FindingDecision, FindingQuery, decide, findings, reopen};
use policy::{NoteTreatment, Policy, RunId, UserNumber};
use sea_orm::{ConnectionTrait, Set, Statement};
use trail::{Actor, Store};

/// Returns one text, or `None` if there is none.
async fn text_at(store: &Store, table: &str, column: &str, condition: &str) -> Option<String> {
    let db = &store.db;
    let sql = format!("SELECT CAST({column} AS TEXT) AS text FROM {table} AS t WHERE {condition}");
    let row = db.query_one_raw(Statement::from_string(db.get_database_backend(), sql)).await.unwrap();
    row.and_then(|row| row.try_get("", "text").unwrap())
}

/// Anonymises three users whose names occur in texts of a user who stays: a loan, a charge and an unregistered table.
pub(super) async fn to_review(store: &Store) -> RunId {
    execute(store, "CREATE TABLE scribbles (id BIGINT PRIMARY KEY, words TEXT NOT NULL)").await;
    let stays = add(store, users::ActiveModel { leaving_on: Set(None), ..leaver("Stays") }).await;
    let mut people = Vec::new();
    for at in 1..=3 {
        people.push(add(store, distinct(at)).await);
    }
    let name = |at: usize| format!("{} has it", people[at].email.clone().unwrap());
    a_loan(store, 1, stays.number, &name(0)).await;
    a_loan(store, 2, stays.number, &name(1)).await;
    execute_with(store, "INSERT INTO scribbles (id, words) VALUES (1, ?)", &[&name(2)]).await;
    let task = add_task(store, &Policy { circulation_notes: NoteTreatment::Mark, ..five_days() }).await;
    run_all(store, task).await.0
}

pub(super) async fn open(store: &Store, run: RunId) -> Vec<Finding> {
    let query = FindingQuery { run: Some(run), decided: Some(false), ..FindingQuery::default() };
    findings(store, &query, &Paging::default()).await.unwrap().rows
}

pub(super) fn seen(finding: &Finding) -> &str {
    match &finding.now {
        CurrentText::Text { seen, .. } => seen,
        CurrentText::Nothing | CurrentText::Unreadable => "",
    }
}

#[tokio::test]
async fn staff_can_remove_or_keep_a_finding() {
    for_each_database(async |store| {
        let id = to_review(&store).await;
        let found = open(&store, id).await;
        let cells: Vec<_> = found.iter().map(|found| (found.table.as_str(), found.row.as_str())).collect();
        assert_eq!(cells, [("loans", "1"), ("loans", "2"), ("scribbles", "1")]);
        let CurrentText::Text { text, removable: true, owner: Some(UserNumber(1)), .. } = &found[0].now
        else {
            panic!("{:?}", found[0].now)
        };
        assert!(text.ends_with(" has it"));
        let ids: Vec<i64> = found.iter().map(|found| found.id).collect();
        let version = |decision, at: usize, seen: &str| {
            let (store, seen, id) = (store.clone(), seen.to_owned(), ids[at]);
            async move { decide(&store, Actor::COMMAND_LINE, id, decision, &seen).await }
        };

        // A text that was changed meanwhile is not removed, and a text that still exists is not closed as gone.
        execute(&store, "UPDATE loans SET note = 'another' WHERE id = 1").await;
        let stale = version(FindingDecision::Removed, 0, seen(&found[0])).await;
        assert!(matches!(stale, Err(RecordsError::Stale)), "{stale:?}");
        assert!(matches!(version(FindingDecision::Gone, 0, "").await, Err(RecordsError::Stale)));
        let stale = version(FindingDecision::Kept, 0, seen(&found[0])).await;
        assert!(matches!(stale, Err(RecordsError::Stale)), "the new text has not been read: {stale:?}");
        assert_eq!(text_at(&store, "loans", "note", "id = 1").await.as_deref(), Some("another"));
        assert_eq!(open(&store, id).await.len(), 3);

        let found = open(&store, id).await;
        version(FindingDecision::Kept, 0, seen(&found[0])).await.unwrap();
        assert_eq!(text_at(&store, "loans", "note", "id = 1").await.as_deref(), Some("another"));
        let again = version(FindingDecision::Removed, 0, seen(&found[0])).await;
        assert!(matches!(again, Err(RecordsError::Stale)), "it is already decided");

        version(FindingDecision::Removed, 1, seen(&found[1])).await.unwrap();
        assert_eq!(text_at(&store, "loans", "note", "id = 2").await.as_deref(), Some(NoteTreatment::MARK));
        version(FindingDecision::Removed, 2, seen(&found[2])).await.unwrap();
        assert_eq!(
            text_at(&store, "scribbles", "words", "id = 1").await.as_deref(),
            Some(NoteTreatment::MARK)
        );
        assert_eq!(open(&store, id).await.len(), 0);

        let decided: Vec<_> =
            findings_of(&store, id).await.into_iter().map(|finding| finding.decision.unwrap()).collect();
        assert_eq!(decided, [FindingDecision::Kept, FindingDecision::Removed, FindingDecision::Removed]);
        for (number, action) in [(2, "residue_kept"), (3, "residue_removed"), (4, "residue_removed")] {
            let event = format!("action = '{action}' AND subject_id = {number}");
            assert!(text_at(&store, "audit_events", "id", &event).await.is_some(), "{action} of {number}");
        }
        assert!(matches!(
            decide(&store, Actor::COMMAND_LINE, 999, FindingDecision::Kept, "").await,
            Err(RecordsError::NotFound(_))
        ));
        assert_eq!(verify_run(&store, id).await.unwrap().doubts, [], "each decision made a new version");
    })
    .await;
}

#[tokio::test]
async fn a_finding_whose_text_is_gone_can_be_closed() {
    for_each_database(async |store| {
        let id = to_review(&store).await;
        let found = open(&store, id).await;
        execute(&store, "DELETE FROM loans WHERE id = 1").await;
        assert_eq!(open(&store, id).await[0].now, CurrentText::Nothing);
        let removed = decide(&store, Actor::COMMAND_LINE, found[0].id, FindingDecision::Removed, "").await;
        assert!(matches!(removed, Err(RecordsError::Stale)), "there is no text to remove");
        decide(&store, Actor::COMMAND_LINE, found[0].id, FindingDecision::Gone, "").await.unwrap();
        assert_eq!(open(&store, id).await.len(), 2);
    })
    .await;
}

#[tokio::test]
async fn nothing_is_removed_from_a_record_under_a_legal_hold() {
    for_each_database(async |store| {
        let id = to_review(&store).await;
        let found = open(&store, id).await;
        let before = text_at(&store, "loans", "note", "id = 1").await;
        first_on_user(&store, 1).await;
        let removed =
            decide(&store, Actor::COMMAND_LINE, found[0].id, FindingDecision::Removed, seen(&found[0])).await;
        assert!(matches!(removed, Err(RecordsError::Refused(why)) if why.contains("legal hold")));
        assert_eq!(text_at(&store, "loans", "note", "id = 1").await, before);
        assert_eq!(open(&store, id).await.len(), 3, "the finding stays open");
        // A row without an owner isn't protected by the legal hold.
        decide(&store, Actor::COMMAND_LINE, found[2].id, FindingDecision::Removed, seen(&found[2]))
            .await
            .unwrap();
    })
    .await;
}

/// Returns the number of events of an action about a user.
async fn events(store: &Store, action: &str, user: i64) -> Option<String> {
    let event = format!("action = '{action}' AND subject_kind = 'user' AND subject_id = {user}");
    text_at(store, "audit_events", "COUNT(*)", &event).await
}

/// Fills a library in which the same notes contain values of two anonymised users.
async fn shared_notes(store: &Store) -> RunId {
    let stays = add(store, users::ActiveModel { leaving_on: Set(None), ..leaver("Stays") }).await;
    let [one, two] = [add(store, distinct(1)).await, add(store, distinct(2)).await];
    for id in 1..=3 {
        let text = format!("{} and {}", one.email.clone().unwrap(), two.email.clone().unwrap());
        a_loan(store, id, stays.number, &text).await;
    }
    let task = add_task(store, &five_days()).await;
    run_all(store, task).await.0
}

#[tokio::test]
async fn each_finding_that_a_decision_closes_has_its_event() {
    for_each_database(async |store| {
        let id = shared_notes(&store).await;
        let found = open(&store, id).await;
        assert_eq!(found.len(), 3, "{found:?}");
        assert!(found.iter().all(|finding| finding.others == 1));
        execute(&store, "UPDATE loans SET note = NULL WHERE id = 3").await;
        let decisions = [FindingDecision::Removed, FindingDecision::Kept, FindingDecision::Gone];
        let actions = ["residue_removed", "residue_kept", "residue_gone"];
        for ((finding, decision), action) in found.iter().zip(decisions).zip(actions) {
            decide(&store, Actor::COMMAND_LINE, finding.id, decision, seen(finding)).await.unwrap();
            for user in [2, 3] {
                assert_eq!(events(&store, action, user).await.as_deref(), Some("1"), "{action} of {user}");
            }
        }
        assert_eq!(open(&store, id).await.len(), 0);
        let findings = findings_of(&store, id).await;
        assert_eq!(findings.len(), 6);
        for finding in findings {
            let about = format!(
                "action LIKE 'residue_%' AND detail LIKE 'finding={},%' AND subject_id = {} AND run_id = {}",
                finding.id, finding.user_number, id.0
            );
            let count = text_at(&store, "audit_events", "COUNT(*)", &about).await;
            assert_eq!(count.as_deref(), Some("1"), "{finding:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_decision_does_not_close_findings_in_other_rows() {
    for_each_database(async |store| {
        let stays = add(&store, users::ActiveModel { leaving_on: Set(None), ..leaver("Stays") }).await;
        for at in [1, 2] {
            let person = add(&store, distinct(at)).await;
            let sql = format!("INSERT INTO user_words (word, user_number) VALUES (?, {})", stays.number);
            execute_with(&store, &sql, &[&person.email.unwrap()]).await;
        }
        let task = add_task(&store, &five_days()).await;
        let (id, _) = run_all(&store, task).await;
        let found = open(&store, id).await;
        assert_eq!(found[0].now, CurrentText::Unreadable, "{found:?}");
        decide(&store, Actor::COMMAND_LINE, found[0].id, FindingDecision::Gone, "").await.unwrap();
        let open_findings =
            findings_of(&store, id).await.into_iter().filter(|finding| finding.decision.is_none()).count();
        assert_eq!(open_findings, 1, "the other finding is in another row");
        assert_eq!(events(&store, "residue_gone", 2).await.as_deref(), Some("1"));
        assert_eq!(events(&store, "residue_gone", 3).await.as_deref(), Some("0"));
    })
    .await;
}

/// A finding that was kept or closed as gone can be reopened; a removed text can't.
#[tokio::test]
async fn a_decision_is_reopened_unless_the_text_was_removed() {
    for_each_database(async |store| {
        let id = to_review(&store).await;
        let found = open(&store, id).await;
        let kept = found[0].id;
        for by_ticket in [false, true] {
            let ticket = decide(&store, Actor::COMMAND_LINE, kept, FindingDecision::Kept, seen(&found[0]))
                .await
                .unwrap()
                .unwrap();
            assert_eq!(open(&store, id).await.len(), 2);
            if by_ticket {
                operations::undo::undo(&store, Actor::COMMAND_LINE, &ticket).await.unwrap();
            } else {
                reopen(&store, Actor::COMMAND_LINE, kept).await.unwrap();
            }
            assert_eq!(open(&store, id).await.len(), 3);
            assert!(matches!(reopen(&store, Actor::COMMAND_LINE, kept).await, Err(RecordsError::Stale)));
            assert!(operations::undo::undo(&store, Actor::COMMAND_LINE, &ticket).await.is_err());
        }
        let count = text_at(&store, "audit_events", "COUNT(*)", "action = 'residue_reopened'").await;
        assert_eq!(count.as_deref(), Some("2"));
        let removed =
            decide(&store, Actor::COMMAND_LINE, found[1].id, FindingDecision::Removed, seen(&found[1]))
                .await
                .unwrap();
        assert_eq!(removed, None, "a removed text does not come back");
        let again = reopen(&store, Actor::COMMAND_LINE, found[1].id).await;
        assert!(matches!(again, Err(RecordsError::Refused(_))), "{again:?}");
    })
    .await;
}

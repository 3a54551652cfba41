//! The effect of decisions on the certificate, the pages and monitoring.

use super::people::distinct;
use super::review::{open, seen, to_review};
use crate::anonymising::run_all;
use crate::support::{add, execute, for_each_database};
use db::pagination::Paging;
use erasure::certificate::{
    self, Doubt, file, read, read_version, verify_file, verify_run, verify_signature, verify_version,
};
use erasure::residue::{FindingDecision, decide};
use operations::health::{self, ConditionKind};
use policy::TaskId;
use policy::library::LibraryForm;
use task_centre::run::{self, RunQuery};
use task_centre::task::{self, TaskQuery};
use trail::{Actor, Store, library};

/// Returns the conditions about findings, each with its run.
async fn finding_conditions(store: &Store) -> Vec<(ConditionKind, Option<i64>)> {
    let conditions = health::read(store).await.unwrap().conditions;
    let findings =
        conditions.into_iter().filter(|one| matches!(one.what, ConditionKind::FindingsOpen { .. }));
    findings.map(|one| (one.what, one.run.map(|run| run.0))).collect()
}

#[tokio::test]
async fn each_decision_makes_a_superseding_certificate() {
    for_each_database(async |store| {
        let id = to_review(&store).await;
        let named = LibraryForm {
            name: "Town Library".to_owned(),
            currency: "GBP".to_owned(),
            ..LibraryForm::default()
        };
        library::save(&store, Actor::COMMAND_LINE, &named).await.unwrap();
        let found = open(&store, id).await;
        let first = file(&store, id, None).await.unwrap();
        let decisions = [FindingDecision::Kept, FindingDecision::Removed, FindingDecision::Removed];
        for (at, decision) in decisions.into_iter().enumerate() {
            let open_places = 3 - i64::try_from(at).unwrap();
            let residue = read(&store, id).await.unwrap().certificate.residue;
            assert_eq!((residue.places, residue.open_places), (3, open_places));
            decide(&store, Actor::COMMAND_LINE, found[at].id, decision, seen(&found[at])).await.unwrap();
        }
        let last = read(&store, id).await.unwrap();
        let says = last.certificate;
        assert_eq!((says.version, last.superseded_by), (4, None));
        assert_eq!(says.residue.open_places, 0);
        let decided = [("kept".to_owned(), 1), ("removed".to_owned(), 2)];
        assert_eq!(says.residue.decisions, decided.into());
        assert_eq!(says.library.as_deref(), Some("Town Library"));

        // Each version refers to the other, and both signatures are valid.
        assert_eq!(says.supersedes.map(|earlier| earlier.version), Some(3));
        let now = verify_run(&store, id).await.unwrap();
        assert_eq!((now.doubts.as_slice(), now.version, now.supersedes), (&[][..], Some(4), Some(3)));
        let earlier = read_version(&store, id, Some(1)).await.unwrap();
        assert_eq!(earlier.superseded_by.map(|later| later.version), Some(2));
        assert_eq!(earlier.certificate.residue.open_places, 3, "the signed version is unchanged");
        let checked = verify_version(&store, id, Some(1)).await.unwrap();
        assert_eq!((checked.doubts.as_slice(), checked.superseded_by), (&[][..], Some(2)));
        assert!(checked.label().contains("Version 2 supersedes it"), "{}", checked.label());
        let again = file(&store, id, Some(1)).await.unwrap();
        for text in [&first, &again] {
            let checked = verify_file(&store, text).await.unwrap();
            assert_eq!((checked.doubts.as_slice(), checked.superseded_by), (&[][..], Some(2)));
        }
        assert!(!first.contains("superseded_by") && again.contains("\"superseded_by\":{\"version\":2"));
        let lies = again.replace("\"superseded_by\":{\"version\":2", "\"superseded_by\":{\"version\":3");
        assert_eq!(verify_file(&store, &lies).await.unwrap().doubts, [Doubt::Note]);
        let key = read(&store, id).await.unwrap().public_key;
        for text in [&first, &again] {
            let checked = verify_signature(text, &key).unwrap();
            assert!(checked.holds() && checked.offline, "{checked:?}");
        }
        assert_eq!(verify_signature(&lies, &key).unwrap().doubts, [Doubt::Note]);
        assert_eq!(verify_signature(&first, &key[2..]).unwrap().doubts, [Doubt::Key]);
        let lies = first.replace("\"done\":3", "\"done\":2");
        assert_eq!(verify_signature(&lies, &key).unwrap().doubts, [Doubt::Signature]);
        let current = file(&store, id, Some(4)).await.unwrap();
        assert_eq!(current, file(&store, id, None).await.unwrap());
        assert!(read_version(&store, id, Some(5)).await.is_err());
    })
    .await;
}

#[tokio::test]
async fn changes_of_earlier_versions_are_detected() {
    for_each_database(async |store| {
        let id = to_review(&store).await;
        let found = open(&store, id).await;
        decide(&store, Actor::COMMAND_LINE, found[0].id, FindingDecision::Kept, seen(&found[0]))
            .await
            .unwrap();
        let good = file(&store, id, Some(1)).await.unwrap();
        let lie = "UPDATE superseded_certificates SET content = REPLACE(content, '\"done\":3', '\"done\":2')";
        execute(&store, lie).await;
        assert_eq!(verify_run(&store, id).await.unwrap().doubts, [Doubt::Earlier(vec![1])]);
        let one = verify_version(&store, id, Some(1)).await.unwrap().doubts;
        assert!(one.contains(&Doubt::Signature), "{one:?}");
        assert_eq!(verify_file(&store, &good).await.unwrap().doubts, [Doubt::Other]);
        execute(&store, "DELETE FROM superseded_certificates").await;
        assert_eq!(verify_file(&store, &good).await.unwrap().doubts, [Doubt::Earlier(vec![1])]);
        let newer = file(&store, id, None).await.unwrap();

        execute(&store, "UPDATE certificates SET version = 1").await;
        assert_eq!(verify_file(&store, &newer).await.unwrap().doubts, [Doubt::Later]);
        execute(&store, "UPDATE certificates SET version = 2").await;

        // A manipulated count isn't signed again with the next decision.
        let lie = "UPDATE certificates SET content = REPLACE(content, '\"done\":3', '\"done\":2')";
        execute(&store, lie).await;
        decide(&store, Actor::COMMAND_LINE, found[1].id, FindingDecision::Kept, seen(&found[1]))
            .await
            .unwrap();
        assert_eq!(read(&store, id).await.unwrap().certificate.done, 3);
    })
    .await;
}

#[tokio::test]
async fn a_decision_that_closes_findings_of_two_runs_makes_two_versions() {
    for_each_database(async |store| {
        let id = to_review(&store).await;
        add(&store, distinct(4)).await;
        let (other, _) = run_all(&store, TaskId(1)).await;
        assert_eq!(open(&store, other).await.len(), 0);
        let both = format!(
            "INSERT INTO findings (run_id, user_number, table_name, column_name, row_key, what, found_at) \
             SELECT {other}, user_number, table_name, column_name, row_key, what, found_at FROM findings \
             WHERE table_name = 'loans' AND row_key = '1'"
        );
        execute(&store, &both).await;
        certificate::reissue(&store, other).await.unwrap();
        assert_eq!(finding_conditions(&store).await, [(ConditionKind::FindingsOpen { findings: 4 }, None)]);
        let found = open(&store, id).await;
        let version = async |run| read(&store, run).await.unwrap().certificate.version;
        let before = [version(id).await, version(other).await];
        decide(&store, Actor::COMMAND_LINE, found[0].id, FindingDecision::Removed, seen(&found[0]))
            .await
            .unwrap();
        assert_eq!([version(id).await, version(other).await], before.map(|version| version + 1));
        for run in [id, other] {
            assert_eq!(verify_run(&store, run).await.unwrap().doubts, [], "{run}");
        }
        // The other run has no open findings, so it gets no further version.
        decide(&store, Actor::COMMAND_LINE, found[1].id, FindingDecision::Kept, seen(&found[1]))
            .await
            .unwrap();
        assert_eq!(version(other).await, before[1] + 1);
    })
    .await;
}

#[tokio::test]
async fn open_findings_are_shown_until_all_are_decided() {
    for_each_database(async |store| {
        let id = to_review(&store).await;
        let found = open(&store, id).await;
        for (at, finding) in found.iter().enumerate() {
            let left = 3 - i64::try_from(at).unwrap();
            assert_eq!(
                finding_conditions(&store).await,
                [(ConditionKind::FindingsOpen { findings: left }, Some(id.0))]
            );
            let read = run::read(&store, id).await.unwrap();
            assert_eq!((read.open_findings, read.findings), (left, 3));
            let rows = run::list(&store, &RunQuery::default(), &Paging::default()).await.unwrap().rows;
            let open: Vec<_> = rows.iter().map(|row| (row.id == id, row.open_findings)).collect();
            assert_eq!(open, [(true, left), (false, 0)], "the preview has no findings");
            let (query, paging) = (TaskQuery::default(), Paging::default());
            let tasks = task::list(&store, Actor::COMMAND_LINE, &query, &paging).await.unwrap();
            let last = tasks.rows[0].last.as_ref().unwrap();
            assert_eq!((last.id, last.open_findings), (id, left));
            decide(&store, Actor::COMMAND_LINE, finding.id, FindingDecision::Kept, seen(finding))
                .await
                .unwrap();
        }
        assert_eq!(finding_conditions(&store).await, []);
        assert_eq!(run::read(&store, id).await.unwrap().open_findings, 0);
    })
    .await;
}

//! The search finds everything that is left, in every column and spelling.

use super::people::{self, leavers, seeded};
use super::plant::plant;
use super::{cells_of, findings_of, neighbour, policy_that_removes_everything, results};
use crate::anonymising::run_all;
use crate::audit::tampering::without_guards;
use crate::support::{add, add_task, execute, for_each_database, leaver};
use db::entity::users;
use db::pagination::{MAX_ROWS, Paging};
use erasure::certificate::verify_run;
use erasure::residue::{CurrentText, FindingQuery, ValueKind, findings};
use policy::{Field, Policy, Residue, RunState, Treatment};
use sea_orm::Set;
use task_centre::run;
use trail::Actor;

const PEOPLE: usize = 80;
const PLANTED: usize = 50;
/// Tables whose row keys are texts.
const TEXT_KEYS: &[&str] = &["terms", "user_words", "catalogue_words", "sessions"];

#[tokio::test]
async fn exactly_the_fifty_planted_values_are_found() {
    for seed in [1, 2] {
        for_each_database(async |store| {
            let mut rng = seeded(seed);
            demo::fill(&store, Actor::COMMAND_LINE, 120, seed).await.unwrap();
            // No user of the library leaves, so the scan finds only planted values.
            execute(&store, "UPDATE users SET leaving_on = NULL").await;
            execute(&store, "UPDATE tasks SET single_default = FALSE").await;
            execute(&store, "CREATE TABLE plug_in (id BIGINT PRIMARY KEY, remark TEXT, author TEXT)").await;
            execute(&store, "CREATE TABLE keyless (remark TEXT)").await;
            for n in 1..=20 {
                execute(&store, &format!("INSERT INTO plug_in (id, remark, author) VALUES ({n}, '', '')"))
                    .await;
                execute(&store, "INSERT INTO keyless (remark) VALUES ('')").await;
            }
            // A column that the register doesn't name.
            execute(&store, "ALTER TABLE users ADD COLUMN nickname TEXT").await;
            // Without credentials there are no approvers, so the run needs no approval.
            execute(&store, "DELETE FROM credentials WHERE user_number < 10").await;
            // Values are planted in the audit too.
            without_guards(&store).await;
            let others: Vec<i64> = (20..=120).collect();
            let people = leavers(&store, PEOPLE).await;
            let planted = plant(&store, &mut rng, &people, &others, PLANTED).await;
            let task = add_task(&store, &policy_that_removes_everything()).await;
            let (run, state) = run_all(&store, task).await;
            assert_eq!(state, RunState::Succeeded);

            let found = findings_of(&store, run).await;
            let missed: Vec<_> =
                planted.iter().filter(|(cell, _)| !cells_of(&found).contains(cell)).collect();
            assert!(missed.is_empty(), "seed {seed}: {} were not found: {missed:#?}", missed.len());
            assert_eq!(cells_of(&found), planted.keys().cloned().collect(), "seed {seed}");
            // Each finding leads to the row that contains the text.
            let query = FindingQuery { run: Some(run), ..FindingQuery::default() };
            let paging = Paging { rows: Some(MAX_ROWS), ..Paging::default() };
            for finding in findings(&store, &query, &paging).await.unwrap().rows {
                let cell = (finding.user.0, finding.table.clone(), finding.column.clone());
                match &finding.now {
                    CurrentText::Text { text, .. } => {
                        assert_eq!(text, &planted[&cell], "{cell:?} {}", finding.row);
                    }
                    // The key of the row is the value itself.
                    CurrentText::Unreadable => assert!(TEXT_KEYS.contains(&&*finding.table), "{cell:?}"),
                    CurrentText::Nothing => panic!("{cell:?}"),
                }
            }
            let results = results(&store, run).await;
            assert_eq!(results.len(), people.len());
            for person in &people {
                let is_found = planted.keys().any(|(user, ..)| *user == person.number);
                let expected = if is_found { Residue::WithFindings } else { Residue::Clean };
                assert_eq!(results[&person.number], Some(expected), "{}", person.number);
            }
            let summary = run::read(&store, run).await.unwrap().residue;
            assert_eq!(summary.iter().map(|(_, count)| count).sum::<i64>(), 80, "{summary:?}");
            // The findings contain no value.
            let printed = format!("{found:?}").to_lowercase();
            for person in &people {
                for kind in people::KINDS {
                    assert!(!printed.contains(&person.value(kind, &mut rng).to_lowercase()), "{kind}");
                }
            }
            assert_eq!(verify_run(&store, run).await.unwrap().doubts, []);
        })
        .await;
    }
}

#[tokio::test]
async fn all_values_count_in_the_users_own_rows() {
    for_each_database(async |store| {
        let some = |text: &str| Set(Some(text.to_owned()));
        let user = users::ActiveModel {
            first_name: some("Ute"),
            city: some("Ute"),
            notes: some("UTE asked for large print"),
            ..leaver("Garland")
        };
        let number = add(&store, user).await.number;
        let policy = Policy {
            fields: [(Field::Notes, Treatment::Keep), (Field::City, Treatment::Keep)].into(),
            ..policy_that_removes_everything()
        };
        let task = add_task(&store, &policy).await;
        let (run, _) = run_all(&store, task).await;
        let found = findings_of(&store, run).await;
        // The first name is a name in the note, and a city in the city field.
        assert_eq!(cells_of(&found), [(number, "users".to_owned(), "notes".to_owned())].into());
        assert_eq!(found[0].what, ValueKind::FirstName);
        assert_eq!(found[0].row_key, number.to_string());
    })
    .await;
}

#[tokio::test]
async fn separator_characters_in_values_are_handled() {
    for_each_database(async |store| {
        add(&store, leaver("Quastelbaum")).await;
        let other = neighbour(&store, "other", leaver("Other")).await;
        for (note, back) in [("a\u{1f}b\u{1e}c", "Quastelbaum"), ("\u{1e}\u{1e}", "\u{1f}")] {
            let sql = format!(
                "INSERT INTO loans (user_number, branch, issued_on, due_on, note, return_note) VALUES ({other}, 'main', \
                 '2017-05-01', '2017-06-01', '{note}', '{back}')"
            );
            execute(&store, &sql).await;
        }
        let task = add_task(&store, &policy_that_removes_everything()).await;
        let (run, _) = run_all(&store, task).await;
        let found = findings_of(&store, run).await;
        assert_eq!(cells_of(&found), [(1, "loans".to_owned(), "return_note".to_owned())].into());
        assert_eq!(found[0].row_key, "1");
    })
    .await;
}

//! The background scan of one user: its result and its certificate never claim more than was searched.

use super::people::distinct;
use super::{a_loan, neighbour, policy_that_removes_everything, results};
use crate::support::{add, add_task, execute, five_days, for_each_database, leaver};
use erasure::certificate::verify_run;
use erasure::residue::{ResidueStatus, status};
use policy::{Residue, UserNumber};
use task_centre::run;
use task_centre::run::{background_scans, give_up_on_lost_scans};
use trail::Actor;

#[tokio::test]
async fn a_single_user_has_a_result_and_a_certificate_that_holds() {
    for_each_database(async |store| {
        let stays = neighbour(&store, "stays", leaver("Stays")).await;
        let [clean, named] = [add(&store, distinct(1)).await, add(&store, distinct(2)).await];
        let friend = add(&store, leaver("Quastelbaum")).await;
        a_loan(&store, 1, stays, &format!("for {}", named.email.clone().unwrap())).await;
        execute(&store, &format!("UPDATE users SET notes = 'Friend of Quastelbaum' WHERE number = {stays}"))
            .await;
        add_task(&store, &five_days()).await;
        let people = [
            (clean, ResidueStatus::Clean),
            (named, ResidueStatus::Found { open: 1, decided: 0 }),
            (friend, ResidueStatus::Found { open: 1, decided: 0 }),
        ];
        let mut runs = Vec::new();
        for (person, _) in &people {
            let number = UserNumber(person.number);
            assert_eq!(status(&store, number).await.unwrap(), None);
            let done =
                run::anonymise_one(&store, Actor::COMMAND_LINE, number, &number.to_string()).await.unwrap();
            runs.push(done.unwrap());
        }
        background_scans().await;
        for ((person, expected), run) in people.into_iter().zip(runs) {
            assert_eq!(status(&store, UserNumber(person.number)).await.unwrap(), Some((run, expected)));
            assert_eq!(verify_run(&store, run).await.unwrap().doubts, []);
        }
        assert_eq!(status(&store, UserNumber(stays)).await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn an_interrupted_search_is_never_reported_as_clean() {
    for_each_database(async |store| {
        for name in ["Ng", "Ny"] {
            add(&store, leaver(name)).await;
        }
        let task = add_task(&store, &policy_that_removes_everything()).await;
        let preview = run::preview(&store, Actor::COMMAND_LINE, task).await.unwrap();
        let started = run::start(&store, Actor::COMMAND_LINE, preview, "2").await.unwrap();
        // Another process has anonymised the first user, and died before it searched.
        let done =
            format!("UPDATE run_members SET outcome = 'done' WHERE run_id = {started} AND user_number = 1");
        execute(&store, &done).await;
        run::execute(&store, started).await.unwrap();
        let results = results(&store, started).await;
        assert_eq!(results[&1], Some(Residue::Undeterminable));
        assert_eq!(results[&2], Some(Residue::Clean));

        // The process of a single user dies. At first the scan may still be running, later it can't be.
        add(&store, leaver("Nz")).await;
        run::anonymise_one(&store, Actor::COMMAND_LINE, UserNumber(3), "3").await.unwrap();
        background_scans().await;
        execute(&store, "UPDATE run_members SET residue = NULL WHERE user_number = 3").await;
        let now = async || status(&store, UserNumber(3)).await.unwrap().map(|(_, now)| now);
        assert_eq!(now().await, Some(ResidueStatus::UnderWay));
        assert_eq!(give_up_on_lost_scans(&store).await.unwrap(), []);
        execute(&store, "UPDATE runs SET created_at = '2018-01-01T12:00:00+00:00' WHERE kind = 'single'")
            .await;
        assert_eq!(now().await, Some(ResidueStatus::Undeterminable));
        let lost = give_up_on_lost_scans(&store).await.unwrap();
        assert_eq!(lost.len(), 1);
        assert_eq!(verify_run(&store, lost[0]).await.unwrap().doubts, [], "the certificate agrees");
        assert_eq!(give_up_on_lost_scans(&store).await.unwrap(), []);
        assert_eq!(now().await, Some(ResidueStatus::Undeterminable));
    })
    .await;
}

//! Attempts to deliver: slow receivers, shutdowns, killed processes, disabled webhooks, and what is kept of them.

use super::{Receiver, deliveries, hasten, post, subscribe, with_mail, with_private};
use crate::legal_holds::{staff, staff_actor};
use crate::support::{add, execute, for_each_database, leaver};
use chrono::TimeDelta;
use db::entity::notifications;
use db::{Clock, MailSettings, Settings};
use notify::{choice, webhook};
use policy::notification::{DeliveryProblem, DeliveryState, Event, EventTicks, MAX_ATTEMPTS};
use policy::{Role, UserNumber};
use sea_orm::{ActiveModelTrait, EntityTrait, QueryOrder, Set};
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::task::JoinHandle;
use trail::{Actor, Store};

const PATIENCE: Duration = Duration::from_secs(20);

/// Delivers in the background.
fn work(store: &Store) -> JoinHandle<()> {
    let store = store.clone();
    tokio::spawn(async move { notify::work(&store).await.unwrap() })
}

/// Waits until a receiver has got this many requests.
async fn received(receiver: &Receiver, requests: usize) {
    let all = async {
        while receiver.received().len() < requests {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, all).await.expect("the requests arrive");
}

#[tokio::test]
async fn a_silent_receiver_delays_neither_the_others_nor_a_shutdown() {
    for_each_database(async |store| {
        let store = with_private(&store);
        let (silent, _answer) = Receiver::waiting(&[200]);
        let quick = Receiver::start(&[200]);
        for receiver in [&silent, &quick] {
            subscribe(&store, &receiver.address, &[Event::RunFailed]).await;
        }
        post(&store, Event::RunFailed).await;
        let working = work(&store);
        received(&silent, 1).await;
        received(&quick, 1).await;
        // An event of the meantime does not wait for the silent receiver either.
        post(&store, Event::RunFailed).await;
        received(&quick, 2).await;
        store.stop();
        tokio::time::timeout(PATIENCE, working).await.expect("the shutdown ends the attempts").unwrap();
        let all = deliveries(&store).await;
        let of_silent: Vec<_> = all.iter().filter(|row| row.webhook_id == Some(1)).collect();
        assert_eq!(of_silent.len(), 2);
        for row in of_silent {
            assert_eq!((row.state, row.attempts, &row.holder), (DeliveryState::Waiting, 0, &None), "{row:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn the_last_attempt_of_a_killed_process_has_failed() {
    for_each_database(async |store| {
        let store = with_private(&store);
        let receiver = Receiver::start(&[500, 200]);
        subscribe(&store, &receiver.address, &[Event::RunFailed]).await;
        post(&store, Event::RunFailed).await;
        notify::work(&store).await.unwrap();
        let last = format!(
            "UPDATE notification_deliveries SET attempts = {MAX_ATTEMPTS}, holder = 'gone', \
             held_until = '2018-01-01T00:00:00+00:00'"
        );
        execute(&store, &last).await;
        hasten(&store).await;
        notify::work(&store).await.unwrap();
        let failed = deliveries(&store).await.remove(0);
        assert_eq!(
            (failed.state, failed.problem),
            (DeliveryState::Failed, Some(DeliveryProblem::Interrupted))
        );
        assert_eq!((failed.attempts, receiver.received().len()), (MAX_ATTEMPTS, 1), "no further attempt");
    })
    .await;
}

#[tokio::test]
async fn disabling_a_webhook_leaves_no_failed_delivery() {
    for_each_database(async |store| {
        let store = with_private(&store);
        let (receiver, answer) = Receiver::waiting(&[410]);
        let hook = subscribe(&store, &receiver.address, &[Event::RunFailed]).await;
        post(&store, Event::RunFailed).await;
        let working = work(&store);
        answer.send(()).unwrap();
        working.await.unwrap();
        assert_eq!(deliveries(&store).await[0].state, DeliveryState::Failed);
        // A second attempt is in progress when the webhook is disabled.
        post(&store, Event::RunFailed).await;
        let working = work(&store);
        received(&receiver, 2).await;
        webhook::disable(&store, Actor::COMMAND_LINE, hook).await.unwrap();
        answer.send(()).unwrap();
        working.await.unwrap();
        let all: Vec<_> = deliveries(&store).await.iter().map(|row| (row.state, row.problem)).collect();
        assert_eq!(
            all,
            [
                (DeliveryState::Discarded, Some(DeliveryProblem::Gone)),
                (DeliveryState::Skipped, Some(DeliveryProblem::Disabled)),
            ]
        );
    })
    .await;
}

#[tokio::test]
async fn old_events_are_deleted_unless_a_search_would_write_them_again() {
    for_each_database(async |store| {
        let user = add(&store, leaver("Ng")).await.number;
        for released_on in ["NULL", "'2018-01-02'"] {
            let hold = format!(
                "INSERT INTO legal_holds (user_number, reason, placed_on, review_on, released_on) \
                 VALUES ({user}, 'dispute', '2018-01-01', '2999-01-01', {released_on})"
            );
            execute(&store, &hold).await;
        }
        let old = Clock::system_now() - TimeDelta::days(400);
        let event = async |event: Event, legal_hold: Option<i64>, at| {
            let row = notifications::ActiveModel {
                event: Set(event),
                legal_hold_id: Set(legal_hold),
                at: Set(at),
                spread_at: Set(Some(at)),
                ..Default::default()
            };
            row.insert(&store.db).await.unwrap().id
        };
        event(Event::RunFailed, None, old).await;
        event(Event::LegalHoldDue, Some(2), old).await;
        let in_force = event(Event::LegalHoldDue, Some(1), old).await;
        let recent = event(Event::RunFailed, None, Clock::system_now()).await;
        let failed = event(Event::RunFailed, None, old).await;
        let delivery = format!(
            "INSERT INTO notification_deliveries (notification_id, user_number, message_id, state, attempts, next_at, \
             ended_at) VALUES ({failed}, {user}, 'm', 'failed', 8, '2018-01-01T00:00:00+00:00', \
             '2018-01-01T00:00:00+00:00')"
        );
        execute(&store, &delivery).await;
        notify::work(&store).await.unwrap();
        let left = notifications::Entity::find().order_by_asc(notifications::Column::Id).all(&store.db);
        let left: Vec<i64> = left.await.unwrap().iter().map(|row| row.id).collect();
        assert_eq!(left, [in_force, recent, failed]);
    })
    .await;
}

/// Starts a mail server that rejects the first login and accepts later ones. Returns its port and the mails.
fn mail_server() -> (u16, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let mails = Arc::new(Mutex::new(Vec::new()));
    let all = mails.clone();
    std::thread::spawn(move || {
        for (session, stream) in listener.incoming().enumerate() {
            let mut stream = stream.unwrap();
            stream.write_all(b"220 mail.example.org\r\n").unwrap();
            let (mut is_data, mut mail) = (false, String::new());
            for line in BufReader::new(stream.try_clone().unwrap()).lines() {
                let Ok(line) = line else { break };
                let answer = match line.split(' ').next().unwrap_or_default() {
                    "." if is_data => {
                        is_data = false;
                        all.lock().unwrap().push(std::mem::take(&mut mail));
                        "250 accepted\r\n"
                    }
                    _ if is_data => {
                        mail.push_str(&line);
                        mail.push('\n');
                        continue;
                    }
                    "EHLO" => "250-mail.example.org\r\n250 AUTH PLAIN LOGIN\r\n",
                    "AUTH" if session == 0 => "535 5.7.8 wrong password\r\n",
                    "AUTH" => "235 2.7.0 welcome\r\n",
                    "DATA" => {
                        is_data = true;
                        "354 go on\r\n"
                    }
                    "QUIT" => "221 bye\r\n",
                    _ => "250 ok\r\n",
                };
                if stream.write_all(answer.as_bytes()).is_err() {
                    break;
                }
            }
        }
    });
    (port, mails)
}

#[tokio::test]
async fn a_rejected_login_is_tried_again_and_the_mail_is_marked_as_automatic() {
    for_each_database(async |store| {
        const ANA: UserNumber = UserNumber(801);
        let folder = tempfile::tempdir().unwrap();
        let password = folder.path().join("password");
        std::fs::write(&password, "s3cret\n").unwrap();
        let (port, mails) = mail_server();
        let mail = with_mail(&store).settings.mail.clone().unwrap();
        let mail = MailSettings { port, login: Some(("lethe".to_owned(), password)), ..mail };
        let store = store.with_settings(Settings { mail: Some(mail), ..Settings::clone(&store.settings) });
        staff(&store, ANA, Role::SystemsLibrarian).await;
        execute(&store, "UPDATE users SET email = 'ana@example.org' WHERE number = 801").await;
        let ana = staff_actor(ANA, Role::SystemsLibrarian);
        choice::save(&store, ana, EventTicks::from_iter([Event::RunFailed])).await.unwrap();
        post(&store, Event::RunFailed).await;
        notify::work(&store).await.unwrap();
        let rejected = deliveries(&store).await.remove(0);
        assert_eq!(
            (rejected.state, rejected.problem),
            (DeliveryState::Waiting, Some(DeliveryProblem::Login))
        );
        hasten(&store).await;
        notify::work(&store).await.unwrap();
        let delivered = deliveries(&store).await.remove(0);
        assert_eq!((delivered.state, delivered.attempts), (DeliveryState::Delivered, 2));
        let mails = mails.lock().unwrap().clone();
        assert_eq!(mails.len(), 1, "{mails:?}");
        let message_id = format!("Message-ID: <{}@example.org>", delivered.message_id);
        for header in [message_id.as_str(), "Auto-Submitted: auto-generated"] {
            assert!(mails[0].lines().any(|line| line == header), "{header} {}", mails[0]);
        }
    })
    .await;
}

//! Notifications: events are written with what happens, each recipient gets them once, and failures are tried again and
//! then reported.

mod attempts;

use crate::legal_holds::{staff, staff_actor, with_four_eyes};
use crate::support::{add, add_task, dump, execute, five_days, for_each_database, leaver};
use db::entity::{notification_deliveries, notifications, webhooks};
use db::pagination::Paging;
use db::{Clock, MailSettings, MailTls, RecordsError, Settings};
use notify::delivery::{self, DeliveryQuery, Recipient};
use notify::{choice, test_message, webhook};
use operations::health::{self, ConditionKind};
use policy::form::Problem;
use policy::notification::{DeliveryProblem, DeliveryState, Event, EventTicks, MAX_ATTEMPTS, WebhookForm};
use policy::{DeliveryId, FourEyes, Role, RunId, UserNumber, WebhookId};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder};
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex};
use task_centre::{approval_workflow, run};
use trail::outbox::{self, About};
use trail::{Actor, Store};

const ANA: UserNumber = UserNumber(801);
const BEN: UserNumber = UserNumber(802);

/// Receives HTTP requests, and answers each with the next status. The last status is repeated.
struct Receiver {
    address: String,
    received: Arc<Mutex<Vec<String>>>,
}

impl Receiver {
    fn start(statuses: &'static [u16]) -> Self {
        Self::answering(statuses, || ())
    }

    /// Starts a receiver that waits before each answer until something is sent to it.
    fn waiting(statuses: &'static [u16]) -> (Self, Sender<()>) {
        let (answer, gate) = mpsc::channel();
        (Self::answering(statuses, move || gate.recv().unwrap_or_default()), answer)
    }

    fn answering(statuses: &'static [u16], wait: impl Fn() + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}/hook", listener.local_addr().unwrap());
        let received = Arc::new(Mutex::new(Vec::new()));
        let all = received.clone();
        std::thread::spawn(move || {
            for (at, stream) in listener.incoming().enumerate() {
                let mut stream = stream.unwrap();
                let request = read(&mut stream);
                all.lock().unwrap().push(request);
                wait();
                let status = statuses[at.min(statuses.len() - 1)];
                let more = if status == 302 { "Location: http://127.0.0.1:1/\r\n" } else { "" };
                let answer =
                    format!("HTTP/1.1 {status} X\r\n{more}Content-Length: 0\r\nConnection: close\r\n\r\n");
                let _ = stream.write_all(answer.as_bytes());
            }
        });
        Self { address, received }
    }

    fn received(&self) -> Vec<String> {
        self.received.lock().unwrap().clone()
    }
}

/// Reads a request with a body of known length.
fn read(stream: &mut std::net::TcpStream) -> String {
    let (mut text, mut part) = (String::new(), [0; 4096]);
    loop {
        let length = stream.read(&mut part).unwrap();
        text.push_str(&String::from_utf8_lossy(&part[..length]));
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let wanted = head
            .to_lowercase()
            .split_once("content-length: ")
            .map_or(0, |(_, rest)| rest.lines().next().unwrap().trim().parse().unwrap());
        if body.len() >= wanted || length == 0 {
            return text;
        }
    }
}

fn with_private(store: &Store) -> Store {
    store.with_settings(Settings { webhooks_to_private: true, ..Settings::clone(&store.settings) })
}

async fn subscribe(store: &Store, url: &str, events: &[Event]) -> WebhookId {
    let form = WebhookForm {
        name: "Monitoring".to_owned(),
        url: url.to_owned(),
        events: events.iter().copied().collect(),
    };
    webhook::create(store, Actor::COMMAND_LINE, &form).await.unwrap().id
}

async fn post(store: &Store, event: Event) {
    let tx = store.begin().await.unwrap();
    outbox::post(&tx, &store.clock, event, About::default(), None).await.unwrap();
    store.commit(tx).await.unwrap();
}

/// Returns event and run of all events.
async fn events(store: &Store) -> Vec<(Event, Option<i64>)> {
    let rows = notifications::Entity::find().order_by_asc(notifications::Column::Id);
    rows.all(&store.db).await.unwrap().into_iter().map(|row| (row.event, row.run_id)).collect()
}

async fn deliveries(store: &Store) -> Vec<notification_deliveries::Model> {
    let rows = notification_deliveries::Entity::find().order_by_asc(notification_deliveries::Column::Id);
    rows.all(&store.db).await.unwrap()
}

/// Makes the next attempt of all deliveries due now.
async fn hasten(store: &Store) {
    execute(store, "UPDATE notification_deliveries SET next_at = '2018-01-01T00:00:00+00:00'").await;
}

#[tokio::test]
async fn an_event_is_written_in_the_transaction_in_which_it_happens() {
    for_each_database(async |store| {
        let store = with_four_eyes(&store, FourEyes::On);
        for name in ["Ng", "Okafor"] {
            add(&store, leaver(name)).await;
        }
        staff(&store, ANA, Role::SystemsLibrarian).await;
        staff(&store, BEN, Role::Dpo).await;
        let task = add_task(&store, &five_days()).await;
        let ana = staff_actor(ANA, Role::SystemsLibrarian);
        let preview = run::preview(&store, ana, task).await.unwrap();
        assert_eq!(events(&store).await, []);
        approval_workflow::request(&store, ana, preview).await.unwrap();
        approval_workflow::request(&store, ana, preview).await.unwrap();
        assert_eq!(events(&store).await, [(Event::ApprovalWaiting, Some(preview.0))], "one request");
        // A change that is rolled back notifies of nothing.
        let tx = store.begin().await.unwrap();
        outbox::post(&tx, &store.clock, Event::RunFailed, About::default(), None).await.unwrap();
        tx.rollback().await.unwrap();
        assert_eq!(events(&store).await.len(), 1);
        // An event with a key happens once.
        for _ in 0..2 {
            let tx = store.begin().await.unwrap();
            let once = Some("held_lines/2018-01-21".to_owned());
            outbox::post(&tx, &store.clock, Event::HeldLinesWaiting, About::default(), once).await.unwrap();
            store.commit(tx).await.unwrap();
        }
        assert_eq!(events(&store).await.len(), 2);
    })
    .await;
}

#[tokio::test]
async fn stopped_and_missed_runs_and_findings_are_events() {
    for_each_database(async |store| {
        for name in ["Ng", "Okafor"] {
            add(&store, leaver(name)).await;
        }
        let text = "INSERT INTO messages (user_number, kind, channel, sent_at, body) SELECT number, 'note', 'letter', \
                    '2017-01-01T12:00:00+00:00', 'Okafor is written here' FROM users WHERE last_name = 'Ng'";
        execute(&store, text).await;
        execute(&store, "UPDATE users SET leaving_on = NULL WHERE last_name = 'Ng'").await;
        let task = add_task(&store, &five_days()).await;
        let preview = run::preview(&store, Actor::COMMAND_LINE, task).await.unwrap();
        let id = run::start(&store, Actor::COMMAND_LINE, preview, "1").await.unwrap();
        run::execute(&store, id).await.unwrap();
        assert_eq!(events(&store).await, [(Event::FindingsOpen, Some(id.0))]);
    })
    .await;
}

#[tokio::test]
async fn a_legal_hold_that_is_due_is_one_event_for_each_review_date() {
    for_each_database(async |store| {
        let user = add(&store, leaver("Ng")).await.number;
        let hold = format!(
            "INSERT INTO legal_holds (user_number, reason, placed_on, review_on) VALUES ({user}, 'dispute', \
             '2017-12-01', '2018-01-21')"
        );
        execute(&store, &hold).await;
        for _ in 0..2 {
            notify::work(&store.as_another_process(crate::support::clock())).await.unwrap();
        }
        assert_eq!(events(&store).await, [(Event::LegalHoldDue, None)]);
        execute(&store, "UPDATE legal_holds SET review_on = '2018-01-20'").await;
        notify::work(&store.as_another_process(crate::support::clock())).await.unwrap();
        assert_eq!(events(&store).await.len(), 2);
        execute(&store, "UPDATE legal_holds SET review_on = '2018-01-19', released_on = '2018-01-20'").await;
        notify::work(&store.as_another_process(crate::support::clock())).await.unwrap();
        assert_eq!(events(&store).await.len(), 2, "it is released");
    })
    .await;
}

#[tokio::test]
async fn a_webhook_gets_its_events_once_and_signed() {
    for_each_database(async |store| {
        let store = with_private(&store);
        let (one, other) = (Receiver::start(&[200]), Receiver::start(&[204]));
        subscribe(&store, &one.address, &[Event::RunFailed, Event::RunMissed]).await;
        subscribe(&store, &other.address, &[Event::RunMissed]).await;
        let run = "INSERT INTO runs (kind, state, channel, settings, task_version, rules_version, today, created_at) \
                   VALUES ('manual', 'failed', 'web', '{}', 1, 1, '2018-01-21', '2018-01-21T12:00:00+00:00')";
        execute(&store, run).await;
        let tx = store.begin().await.unwrap();
        let about = About { run: Some(RunId(1)), ..About::default() };
        outbox::post(&tx, &store.clock, Event::RunFailed, about, None).await.unwrap();
        store.commit(tx).await.unwrap();
        // Several processes deliver at the same time.
        let another = with_private(&store.as_another_process(Clock::new(chrono_tz::Tz::Europe__London)));
        let (first, second) = tokio::join!(notify::work(&store), notify::work(&another));
        first.unwrap();
        second.unwrap();
        notify::work(&store).await.unwrap();
        let received = one.received();
        assert_eq!(received.len(), 1, "{received:?}");
        assert_eq!(other.received(), [""; 0]);
        let (head, body) = received[0].split_once("\r\n\r\n").unwrap();
        let head = head.to_lowercase();
        assert!(head.starts_with("post /hook "), "{head}");
        for name in ["webhook-id: msg_", "webhook-timestamp: ", "webhook-signature: v1,", "content-type: application/json"] {
            assert!(head.contains(name), "{name} {head}");
        }
        let body: serde_json::Value = serde_json::from_str(body).unwrap();
        assert_eq!((&body["type"], &body["data"]["run"]), (&"run.failed".into(), &1.into()));
        assert_eq!(deliveries(&store).await[0].state, DeliveryState::Delivered);
    })
    .await;
}

#[tokio::test]
async fn a_failed_delivery_is_tried_again_later_and_later_then_reported() {
    for_each_database(async |store| {
        let store = with_private(&store);
        let receiver = Receiver::start(&[500, 302, 404, 500, 500, 500, 500, 500, 200]);
        subscribe(&store, &receiver.address, &[Event::RunFailed]).await;
        post(&store, Event::RunFailed).await;
        notify::work(&store).await.unwrap();
        let waiting = deliveries(&store).await.remove(0);
        assert_eq!((waiting.state, waiting.attempts), (DeliveryState::Waiting, 1));
        assert_eq!(waiting.problem, Some(DeliveryProblem::BadStatus));
        assert!(waiting.next_at > Clock::system_now() + chrono::TimeDelta::seconds(20));
        notify::work(&store).await.unwrap();
        assert_eq!(receiver.received().len(), 1, "it is not due yet");
        for attempts in 2..=MAX_ATTEMPTS {
            hasten(&store).await;
            notify::work(&store).await.unwrap();
            assert_eq!(deliveries(&store).await[0].attempts, attempts);
        }
        let failed = deliveries(&store).await.remove(0);
        assert_eq!(failed.state, DeliveryState::Failed);
        hasten(&store).await;
        notify::work(&store).await.unwrap();
        assert_eq!(
            receiver.received().len(),
            usize::try_from(MAX_ATTEMPTS).unwrap(),
            "no redirect, no more attempts"
        );
        let ids: std::collections::BTreeSet<String> = receiver
            .received()
            .iter()
            .map(|request| {
                request.to_lowercase().lines().find(|line| line.starts_with("webhook-id")).unwrap().to_owned()
            })
            .collect();
        assert_eq!(ids.len(), 1, "all attempts have one id");
        let conditions = health::read(&store).await.unwrap().conditions;
        assert!(
            conditions.iter().any(|one| one.what == ConditionKind::NotificationsFailed { deliveries: 1 })
        );

        let id = DeliveryId(failed.id);
        delivery::retry(&store, Actor::COMMAND_LINE, id).await.unwrap();
        assert!(matches!(
            delivery::retry(&store, Actor::COMMAND_LINE, id).await,
            Err(RecordsError::Refused(_))
        ));
        notify::work(&store).await.unwrap();
        assert_eq!(deliveries(&store).await[0].state, DeliveryState::Delivered);
        assert!(
            health::read(&store)
                .await
                .unwrap()
                .conditions
                .iter()
                .all(|one| one.what.code() != "notifications_failed")
        );
    })
    .await;
}

#[tokio::test]
async fn a_gone_receiver_fails_at_once_and_is_discarded_by_staff() {
    for_each_database(async |store| {
        let store = with_private(&store);
        let receiver = Receiver::start(&[410]);
        let hook = subscribe(&store, &receiver.address, &[Event::RunFailed]).await;
        post(&store, Event::RunFailed).await;
        notify::work(&store).await.unwrap();
        let failed = deliveries(&store).await.remove(0);
        assert_eq!((failed.state, failed.problem), (DeliveryState::Failed, Some(DeliveryProblem::Gone)));
        delivery::discard(&store, Actor::COMMAND_LINE, DeliveryId(failed.id)).await.unwrap();
        assert!(health::read(&store).await.unwrap().conditions.iter().all(|one| one.what.code() != "notifications_failed"));
        // Events that wait for a disabled webhook are not delivered.
        test_message::to_webhook(&store, Actor::COMMAND_LINE, hook).await.unwrap();
        webhook::disable(&store, Actor::COMMAND_LINE, hook).await.unwrap();
        notify::work(&store).await.unwrap();
        let skipped = deliveries(&store).await.remove(1);
        assert_eq!((skipped.state, skipped.problem), (DeliveryState::Skipped, Some(DeliveryProblem::Disabled)));
        post(&store, Event::RunFailed).await;
        notify::work(&store).await.unwrap();
        assert_eq!((deliveries(&store).await.len(), receiver.received().len()), (2, 1));
        let query = DeliveryQuery { state: Some(DeliveryState::Discarded) };
        let listed = delivery::list(&store, Actor::COMMAND_LINE, query, &Paging::default()).await.unwrap().rows;
        assert!(matches!(&listed[..], [one] if matches!(&one.recipient, Recipient::Webhook(name) if name == "Monitoring")));
    })
    .await;
}

#[tokio::test]
async fn a_delivery_of_a_killed_process_is_taken_over() {
    for_each_database(async |store| {
        let store = with_private(&store);
        let receiver = Receiver::start(&[200]);
        subscribe(&store, &receiver.address, &[Event::RunFailed]).await;
        post(&store, Event::RunFailed).await;
        // The receiver is unknown to the database until the event is spread.
        let hooks = webhooks::Entity::find().filter(webhooks::Column::DisabledAt.is_null()).count(&store.db);
        assert_eq!(hooks.await.unwrap(), 1);
        execute(&store, "UPDATE webhooks SET url = 'http://127.0.0.1:1/'").await;
        notify::work(&store).await.unwrap();
        hasten(&store).await;
        let held = "UPDATE notification_deliveries SET holder = 'gone', held_until = ";
        execute(&store, &format!("UPDATE webhooks SET url = '{}'", receiver.address)).await;
        execute(&store, &format!("{held} '2999-01-01T00:00:00+00:00'")).await;
        notify::work(&store).await.unwrap();
        assert_eq!(receiver.received().len(), 0, "another process holds it");
        execute(&store, &format!("{held} '2018-01-01T00:00:00+00:00'")).await;
        notify::work(&store).await.unwrap();
        assert_eq!(receiver.received().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn private_addresses_are_rejected_unless_the_installation_allows_them() {
    for_each_database(async |store| {
        let receiver = Receiver::start(&[200]);
        let form = WebhookForm {
            name: "Inside".to_owned(),
            url: receiver.address.clone(),
            events: EventTicks::from_iter([Event::RunFailed]),
        };
        let error = webhook::create(&store, Actor::COMMAND_LINE, &form).await.unwrap_err();
        let RecordsError::Invalid(errors) = error else { panic!("{error:?}") };
        assert_eq!(errors.message("url"), Some(Problem::PrivateAddress.to_string()));
        // The setting is read again when a webhook is posted.
        subscribe(&with_private(&store), &receiver.address, &[Event::RunFailed]).await;
        post(&store, Event::RunFailed).await;
        notify::work(&store).await.unwrap();
        assert_eq!(deliveries(&store).await[0].problem, Some(DeliveryProblem::PrivateAddress));
        assert_eq!(receiver.received().len(), 0);
    })
    .await;
}

fn with_mail(store: &Store) -> Store {
    let mail = MailSettings {
        host: "127.0.0.1".to_owned(),
        // No server listens there.
        port: 1,
        tls: MailTls::None,
        login: None,
        from: "lethe@example.org".to_owned(),
    };
    store.with_settings(Settings { mail: Some(mail), ..Settings::clone(&store.settings) })
}

#[tokio::test]
async fn staff_get_what_they_chose_and_may_see() {
    for_each_database(async |store| {
        let store = with_mail(&store);
        staff(&store, ANA, Role::Librarian).await;
        staff(&store, BEN, Role::Statistics).await;
        let ana = staff_actor(ANA, Role::Librarian);
        let residue = EventTicks::from_iter([Event::FindingsOpen]);
        assert!(matches!(choice::save(&store, ana, residue).await, Err(RecordsError::Forbidden(_))));
        assert_eq!(choice::offered(staff_actor(BEN, Role::Statistics)), []);
        let ticks = EventTicks::from_iter([Event::RunFailed, Event::HeldLinesWaiting]);
        choice::save(&store, ana, ticks).await.unwrap();
        assert_eq!(choice::read(&store, ANA).await.unwrap(), ticks);
        execute(&store, "DELETE FROM credentials").await;
        for event in [Event::RunFailed, Event::RunMissed] {
            post(&store, event).await;
        }
        notify::work(&store).await.unwrap();
        let all = deliveries(&store).await;
        assert_eq!(all.iter().map(|row| row.user_number).collect::<Vec<_>>(), [Some(ANA.0)]);
        // She has no way to sign in.
        assert_eq!((all[0].state, all[0].problem), (DeliveryState::Skipped, Some(DeliveryProblem::NoPermission)));

        let password = "INSERT INTO credentials (user_number, kind, secret, created_at) VALUES (801, 'password', 'x', \
                        '2018-01-01T12:00:00+00:00')";
        execute(&store, password).await;
        for (email, problem, state) in [
            ("NULL", DeliveryProblem::NoAddress, DeliveryState::Skipped),
            ("'not an address'", DeliveryProblem::NoAddress, DeliveryState::Skipped),
            ("'ana.canary@example.org'", DeliveryProblem::Connection, DeliveryState::Waiting),
        ] {
            execute(&store, &format!("UPDATE users SET email = {email} WHERE number = 801")).await;
            post(&store, Event::RunFailed).await;
            notify::work(&store).await.unwrap();
            let last = deliveries(&store).await.pop().unwrap();
            assert_eq!((last.state, last.problem), (state, Some(problem)), "{email}");
        }
        // The address is in the user record and nowhere else.
        let everywhere = dump(&store).await;
        let lines: Vec<&str> = everywhere.lines().filter(|line| line.contains("ana.canary")).collect();
        assert!(lines.iter().all(|line| line.starts_with("users|")), "{lines:?}");

        // The role is taken away while a mail waits.
        execute(&store, "UPDATE user_roles SET role = 'statistics' WHERE user_number = 801").await;
        hasten(&store).await;
        notify::work(&store).await.unwrap();
        let last = deliveries(&store).await.pop().unwrap();
        assert_eq!((last.state, last.problem), (DeliveryState::Skipped, Some(DeliveryProblem::NoPermission)));
    })
    .await;
}

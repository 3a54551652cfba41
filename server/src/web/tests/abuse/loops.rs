//! Requests in a loop: refusals are counted in the audit, and sign-ins do not delay signed-in staff.

use super::library::number;
use crate::network::NetworkConfig;
use crate::web::tests::desk::{Desk, PASSWORD, post};
use axum::http::StatusCode;
use db::SignIn;
use futures::future::join_all;
use policy::Role;
use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, Instant};
use trail::audit::{self, Due};

async fn library() -> Desk {
    let desk = Desk::with(
        |settings| settings.sign_in = SignIn { allow_password_only: true, ..SignIn::default() },
        |_| (),
        NetworkConfig { proxies: vec![IpAddr::V4(Ipv4Addr::LOCALHOST)], ..NetworkConfig::default() },
    )
    .await;
    desk.staff("ng", &[Role::Statistics]).await;
    desk.staff("desk", &[Role::Librarian]).await;
    desk
}

#[tokio::test]
async fn repeated_refusals_are_one_event_and_a_second_one_with_their_number() {
    let desk = library().await;
    let ng = desk.another("ng").await;
    let events = "SELECT COUNT(*) FROM audit_events WHERE action = 'refused'";
    let mut refused = 0;
    for _ in 0..200 {
        let (status, headers, _) = ng.get("/audit").await;
        if status == StatusCode::TOO_MANY_REQUESTS {
            assert!(headers.contains_key("retry-after"));
            refused += 1;
        } else {
            assert_eq!(status, StatusCode::FORBIDDEN);
        }
    }
    assert!(refused > 100, "{refused}");
    assert_eq!(number(&desk.store, events).await, 1);
    assert_eq!(ng.get("/account").await.0, StatusCode::OK, "pages that the role may see are not limited");
    // A refusal of another permission is a new event.
    ng.get("/tasks/new").await;
    ng.post("/do/save_task?page=/tasks/new", "form[description]=x").await;
    assert_eq!(number(&desk.store, events).await, 2);
    audit::write_repeats(&desk.store, Due::Over).await.unwrap();
    assert_eq!(number(&desk.store, events).await, 2);
    audit::write_repeats(&desk.store, Due::All).await.unwrap();
    let counted = format!("{events} AND detail = 'see_audit,times=199'");
    assert_eq!(number(&desk.store, &counted).await, 1);
    assert_eq!(number(&desk.store, events).await, 4);
}

#[tokio::test]
async fn exports_in_a_loop_are_rate_limited() {
    let desk = library().await;
    let ng = desk.another("ng").await;
    let mut done = 0;
    for _ in 0..150 {
        let (status, ..) = ng.get("/reports/loans-per-month/csv").await;
        done += usize::from(status == StatusCode::OK);
    }
    assert!((60..80).contains(&done), "{done}");
}

/// There are 1,500 concurrent sign-ins, 25 from each address. Most are rejected at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_concurrent_sign_ins_do_not_delay_signed_in_staff() {
    let desk = library().await;
    let librarian = desk.another("desk").await;
    let sign_ins = (0..1_500).map(|number| {
        let desk = desk.clone();
        tokio::spawn(async move {
            let form = format!("form[user_id]=name{number}&form[password]={}", PASSWORD.replace(' ', "+"));
            let mut request = post("/do/sign_in?page=/sign-in", form);
            let address = format!("10.0.{}.1", number / 25);
            request.headers_mut().insert("x-forwarded-for", address.parse().unwrap());
            let began = Instant::now();
            let (status, headers, _) = desk.answer(request).await;
            (status, headers.contains_key("retry-after"), began.elapsed())
        })
    });
    let sign_ins: Vec<_> = sign_ins.collect();
    let mut slowest = Duration::ZERO;
    for _ in 0..20 {
        let began = Instant::now();
        assert_eq!(librarian.get("/account").await.0, StatusCode::OK);
        slowest = slowest.max(began.elapsed());
    }
    let answers: Vec<_> = join_all(sign_ins).await.into_iter().map(Result::unwrap).collect();
    let checked = answers.iter().filter(|answer| answer.0 == StatusCode::UNPROCESSABLE_ENTITY).count();
    let rejected =
        answers.iter().filter(|answer| answer.0 == StatusCode::TOO_MANY_REQUESTS && answer.1).count();
    eprintln!("{checked} of 1,500 sign-ins reach the hash; the slowest page of a librarian took {slowest:?}");
    assert_eq!(checked + rejected, 1_500);
    assert!(checked <= 128, "{checked}");
    assert!(slowest < Duration::from_secs(5), "{slowest:?}");
}

//! Whether there is such an account can be seen neither from the words nor from the time of an answer.

use crate::web::Outside;
use crate::web::tests::desk::{Desk, PASSWORD, post};
use app::rate_limit::{Budget, Limits, Throttle};
use axum::http::StatusCode;
use policy::Role;
use records::{Actor, SignIn, staff};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How often each kind of account is tried; they take turns, so that what else the computer does meets all alike.
const ROUNDS: usize = 40;
/// How often it may be measured until the times are alike. Looking at a password takes longer than [`MOST`], so an
/// account at which that is left out never gets through.
const MEASURED: usize = 5;
/// The most by which the times of two kinds may differ.
const MOST: Duration = Duration::from_millis(10);

/// Kinds of accounts, each with a name of the same length: with a password, disabled, a user without a role, nobody.
const KINDS: [&str; 4] = ["known", "noone", "wasit", "loans"];

async fn library() -> Desk {
    let proxy: IpAddr = "127.0.0.1".parse().unwrap();
    let desk = Desk::with(
        |settings| settings.sign_in = SignIn { allow_password_only: true, ..SignIn::default() },
        |state| {
            // As many tries as are measured; how few there are in earnest is tested in `guessing`.
            let account = Budget { burst: 10_000, period: Duration::from_secs(1) };
            state.throttle = Arc::new(Throttle::with_limits(Limits { account, ..Limits::default() }));
        },
        Outside { proxies: vec![proxy], ..Outside::default() },
    )
    .await;
    desk.staff("known", &[Role::Librarian]).await;
    let disabled = desk.staff("wasit", &[Role::Librarian]).await;
    staff::disable(&desk.store, Actor::COMMAND_LINE, disabled).await.unwrap();
    let without = desk.staff("loans", &[Role::Librarian]).await;
    staff::revoke_role(&desk.store, Actor::COMMAND_LINE, without, Role::Librarian).await.unwrap();
    desk
}

/// A try from an address of its own, so that it is not held up. The page that comes back, without what is random.
async fn try_it(desk: &Desk, name: &str, password: &str, number: usize) -> (StatusCode, String, Duration) {
    let form = format!("form[user_id]={name}&form[password]={}", password.replace(' ', "+"));
    let mut request = post("/do/sign_in?page=/sign-in", form);
    let address = format!("10.{}.{}.1", number / 250, number % 250);
    request.headers_mut().insert("x-forwarded-for", address.parse().unwrap());
    let began = Instant::now();
    let (status, headers, page) = desk.answer(request).await;
    let took = began.elapsed();
    assert!(!headers.contains_key("set-cookie"));
    let nonce = page.split("nonce=\"").nth(1).unwrap_or_default().split('"').next().unwrap_or_default();
    let page = if nonce.is_empty() { page.clone() } else { page.replace(nonce, "") };
    (status, page.replace(name, "NAME"), took)
}

#[tokio::test]
async fn the_answer_is_the_same_byte_by_byte() {
    let desk = library().await;
    let mut pages = Vec::new();
    for (number, name) in KINDS.into_iter().enumerate() {
        // The right password of an account that has none any more, or no role, is as wrong as any other.
        let password = if name == "known" { "wrong password" } else { PASSWORD };
        let (status, page, _) = try_it(&desk, name, password, number).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{name}");
        assert!(page.contains("UserID or password"), "{page}");
        pages.push(page);
    }
    assert!(pages.iter().all(|page| *page == pages[0]));
}

fn sorted(mut times: Vec<Duration>) -> Vec<Duration> {
    times.sort();
    times
}

/// The largest difference of the medians, and the 95th percentile of what two tries after each other differ.
fn differences(times: &[Vec<Duration>]) -> (Duration, Duration) {
    let medians: Vec<Duration> = times.iter().map(|times| sorted(times.clone())[ROUNDS / 2]).collect();
    let most = medians.iter().max().unwrap().saturating_sub(*medians.iter().min().unwrap());
    let known = &times[0];
    let pairs = times[1..].iter().flat_map(|other| known.iter().zip(other).map(|(a, b)| a.abs_diff(*b)));
    let pairs = sorted(pairs.collect());
    (most, pairs[pairs.len() * 95 / 100])
}

#[tokio::test]
async fn the_answer_takes_the_same_time() {
    let desk = library().await;
    let mut number = 0;
    let mut measured = Vec::new();
    for _ in 0..MEASURED {
        let mut times = vec![Vec::new(); KINDS.len()];
        for _ in 0..ROUNDS {
            for (kind, name) in KINDS.into_iter().enumerate() {
                number += 1;
                let (status, _, took) = try_it(&desk, name, "wrong password", number).await;
                assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
                times[kind].push(took);
            }
        }
        let (medians, pairs) = differences(&times);
        for (name, times) in KINDS.iter().zip(&times) {
            eprintln!("{name}: median {:?}", sorted(times.clone())[ROUNDS / 2]);
        }
        eprintln!(
            "the medians differ by {medians:?} at most; 95 % of the pairs differ by less than {pairs:?}"
        );
        measured.push(medians);
        if medians < MOST {
            return;
        }
    }
    panic!("the medians differ by {measured:?}");
}

//! Neither the text nor the time of a response reveals whether an account exists.

use crate::network::NetworkConfig;
use crate::web::tests::desk::{Desk, PASSWORD, post};
use app::rate_limit::{Budget, Budgets, RateLimits};
use axum::http::StatusCode;
use db::SignIn;
use policy::Role;
use records::accounts;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use trail::Actor;

/// Number of attempts for each kind of account. The kinds take turns, so that other load affects all alike.
const ROUNDS: usize = 40;
/// Maximum number of measurements until the times agree. A password hash takes longer than [`MAX_DIFFERENCE`], so an
/// account without it always fails.
const ATTEMPTS: usize = 5;
/// The largest allowed difference between the median times of two kinds.
const MAX_DIFFERENCE: Duration = Duration::from_millis(10);

/// The kinds of accounts, with names of the same length: with a password, unknown, disabled, without a role.
const KINDS: [&str; 4] = ["known", "noone", "wasit", "loans"];

async fn library() -> Desk {
    let proxy: IpAddr = "127.0.0.1".parse().unwrap();
    let desk = Desk::with(
        |settings| settings.sign_in = SignIn { allow_password_only: true, ..SignIn::default() },
        |state| {
            // The rate limit allows all attempts of this test; `guessing` tests the real one.
            let account = Budget { burst: 10_000, period: Duration::from_secs(1) };
            state.rate_limits = Arc::new(RateLimits::with_limits(Budgets { account, ..Budgets::default() }));
        },
        NetworkConfig { proxies: vec![proxy], ..NetworkConfig::default() },
    )
    .await;
    desk.staff("known", &[Role::Librarian]).await;
    let disabled = desk.staff("wasit", &[Role::Librarian]).await;
    accounts::disable(&desk.store, Actor::COMMAND_LINE, disabled).await.unwrap();
    let without = desk.staff("loans", &[Role::Librarian]).await;
    accounts::revoke_role(&desk.store, Actor::COMMAND_LINE, without, Role::Librarian).await.unwrap();
    desk
}

/// Tries to sign in from a new address, because of the rate limits. Returns the page without its random parts.
async fn attempt(desk: &Desk, name: &str, password: &str, number: usize) -> (StatusCode, String, Duration) {
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
async fn the_response_is_the_same_for_every_kind_of_account() {
    let desk = library().await;
    let mut pages = Vec::new();
    for (number, name) in KINDS.into_iter().enumerate() {
        // The former password of a disabled account, or of one without a role, is as wrong as any other.
        let password = if name == "known" { "wrong password" } else { PASSWORD };
        let (status, page, _) = attempt(&desk, name, password, number).await;
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

/// Returns the largest difference of the medians, and the 95th percentile of the differences of successive attempts.
fn differences(times: &[Vec<Duration>]) -> (Duration, Duration) {
    let medians: Vec<Duration> = times.iter().map(|times| sorted(times.clone())[ROUNDS / 2]).collect();
    let most = medians.iter().max().unwrap().saturating_sub(*medians.iter().min().unwrap());
    let known = &times[0];
    let pairs = times[1..].iter().flat_map(|other| known.iter().zip(other).map(|(a, b)| a.abs_diff(*b)));
    let pairs = sorted(pairs.collect());
    (most, pairs[pairs.len() * 95 / 100])
}

#[tokio::test]
async fn the_response_takes_the_same_time_for_every_kind_of_account() {
    let desk = library().await;
    let mut number = 0;
    let mut measured = Vec::new();
    for _ in 0..ATTEMPTS {
        let mut times = vec![Vec::new(); KINDS.len()];
        for _ in 0..ROUNDS {
            for (kind, name) in KINDS.into_iter().enumerate() {
                number += 1;
                let (status, _, took) = attempt(&desk, name, "wrong password", number).await;
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
        if medians < MAX_DIFFERENCE {
            return;
        }
    }
    panic!("the medians differ by {measured:?}");
}

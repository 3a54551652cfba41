//! Five hundred concurrent previews from many addresses: other pages are still answered.

use super::library::{demo, number};
use crate::web::tests::desk::{Desk, post};
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::header::LOCATION;
use axum::http::{Request, StatusCode};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

const PREVIEWS: usize = 500;
const USERS: u32 = 2_000;
/// The limit for the response of another page meanwhile, on a busy computer.
const QUICK: Duration = Duration::from_secs(30);

/// The number of addresses that send the previews. A single address may not send so many requests.
const ADDRESSES: usize = 20;

/// Sends a request from one of many addresses. Returns the status, the page and the location.
async fn send_from(desk: &Desk, number: usize, mut request: Request<Body>) -> (StatusCode, String, String) {
    let address: SocketAddr = format!("10.0.{number}.1:40000").parse().unwrap();
    request.extensions_mut().insert(ConnectInfo(address));
    let (status, headers, page) = desk.answer(request).await;
    let to = headers.get(LOCATION).and_then(|to| to.to_str().ok()).unwrap_or_default().to_owned();
    (status, page, to)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn records_are_shown_while_hundreds_of_previews_are_requested() {
    let desk = demo(USERS).await;
    let previews_made = "SELECT COUNT(*) FROM runs WHERE kind = 'preview'";
    let before = number(&desk.store, previews_made).await;
    let under_way = Arc::new(AtomicBool::new(true));
    let reader = {
        let (desk, under_way) = (desk.clone(), Arc::clone(&under_way));
        tokio::spawn(async move {
            let mut waited = Vec::new();
            while under_way.load(Ordering::Relaxed) {
                let began = Instant::now();
                let request = Request::get("/users/40").body(Body::empty()).unwrap();
                let (status, page, _) = send_from(&desk, ADDRESSES, request).await;
                assert_eq!(status, StatusCode::OK, "{page}");
                waited.push(began.elapsed());
            }
            waited
        })
    };
    let began = Instant::now();
    let previews: Vec<_> = (0..PREVIEWS)
        .map(|number| {
            let (desk, form) = (desk.clone(), format!("form[task]=1&form_token={}", desk.token));
            let request = post("/do/make_preview?page=/tasks/1", form);
            tokio::spawn(async move { send_from(&desk, number % ADDRESSES, request).await })
        })
        .collect();
    let mut answers: BTreeMap<u16, usize> = BTreeMap::new();
    for preview in previews {
        let (status, page, to) = preview.await.unwrap();
        match status {
            StatusCode::SEE_OTHER => assert!(to.starts_with("/runs/"), "{to}"),
            StatusCode::TOO_MANY_REQUESTS => {
                assert!(page.contains("Too many attempts. Nothing was changed."), "{page}");
            }
            other => panic!("{other}: {page}"),
        }
        *answers.entry(status.as_u16()).or_default() += 1;
    }
    let took = began.elapsed();
    under_way.store(false, Ordering::Relaxed);
    let waited = reader.await.unwrap();
    let slowest = waited.iter().max().unwrap();
    eprintln!(
        "{PREVIEWS} concurrent previews of {USERS} users in {took:?}: {answers:?}; meanwhile {} records, the slowest after \
         {slowest:?}",
        waited.len()
    );
    assert!(*slowest < QUICK, "{slowest:?}");
    let made = i64::try_from(answers.get(&303).copied().unwrap_or_default()).unwrap();
    assert!(made > 0 && answers.contains_key(&429), "{answers:?}");
    assert_eq!(number(&desk.store, previews_made).await, made + before);
    // Afterwards everything works again.
    let (status, to, _) = desk.post("/do/make_preview?page=/tasks/1", "form[task]=1").await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    assert_eq!(desk.get(&to).await.0, StatusCode::OK);
    assert_eq!(
        desk.post("/do/save_user?page=/users/new", "form[last_name]=After").await.0,
        StatusCode::SEE_OTHER
    );
}

//! Many clients that read pages during a run get no error.

use super::library::{Database, Library};
use super::server::{Server, send};
use super::staff_session;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

const CLIENTS: usize = 50;
const PAGES: [&str; 7] = ["/users", "/users/30", "/tasks", "/runs", "/catalogue", "/reports", "/"];

#[tokio::test(flavor = "multi_thread")]
async fn fifty_clients_get_no_error_during_a_run() {
    let Some(database) = Database::postgres() else { return };
    // The run anonymises all users except staff, and deletes nearly all rows of the search index.
    let library = Library::with_a_queued_run(&database, 1_000).await;
    library.sql("DELETE FROM user_words WHERE user_number < 10").await;
    let mut server = Server::start(library.lethe(&[]));
    server.cookie = staff_session::sign_in(|| library.lethe(&[]), &server.address);
    let (address, cookie) = (server.address.clone(), server.cookie.clone());
    let is_over = AtomicBool::new(false);
    let answers = Mutex::new(Vec::new());
    let began = Instant::now();
    std::thread::scope(|threads| {
        for client in 0..CLIENTS {
            let (address, cookie, is_over, answers) = (&address, &cookie, &is_over, &answers);
            threads.spawn(move || {
                for page in PAGES.iter().cycle().skip(client) {
                    let answer = send(address, cookie, &format!("GET {page}"), "");
                    answers.lock().unwrap().push((answer.status, answer.took, *page));
                    if is_over.load(Ordering::Relaxed) {
                        break;
                    }
                    std::thread::sleep(Duration::from_millis(400));
                }
            });
        }
        let ended = "SELECT COUNT(*) FROM runs WHERE finished_at IS NOT NULL AND done > 900 AND maintenance IS NOT NULL";
        let runtime = tokio::runtime::Handle::current();
        let number = |sql: &str| tokio::task::block_in_place(|| runtime.block_on(library.number(sql)));
        while number(ended) == 0 && began.elapsed() < Duration::from_mins(1) {
            std::thread::sleep(Duration::from_millis(250));
        }
        is_over.store(true, Ordering::Relaxed);
    });
    let mut answers = answers.into_inner().unwrap();
    let wrong: Vec<_> = answers.iter().filter(|(status, ..)| *status >= 500 || *status == 0).collect();
    assert!(wrong.is_empty(), "{wrong:?}\n{}", server.log());
    answers.sort_by_key(|(_, took, _)| *took);
    let p95 = answers[answers.len() * 95 / 100].1;
    eprintln!("{} pages in {:?}, 95 of 100 within {p95:?}", answers.len(), began.elapsed());
    let ended = "SELECT COUNT(*) FROM runs WHERE finished_at IS NOT NULL AND done > 900 AND failed = 0";
    assert_eq!(library.number(ended).await, 1, "{}", server.log());
}

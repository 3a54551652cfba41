//! Forms and heads that are too large, never end or come drop by drop, over a real connection.

use super::library::{dump, number};
use crate::web::Outside;
use crate::web::body_limit::FROM_ONE;
use crate::web::http_server::{Patience, listen};
use crate::web::tests::desk::{Desk, post};
use axum::http::StatusCode;
use policy::Role;
use records::SignIn;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// How long a form may take in this test.
const FORM_TIME: Duration = Duration::from_secs(1);
/// How long a head may take in this test.
const HEAD_TIME: Duration = Duration::from_secs(2);
/// What is quick, on a computer that does other things too.
const SOON: Duration = Duration::from_secs(10);

/// A desk that listens.
async fn listening() -> (Desk, SocketAddr) {
    listening_for(FORM_TIME).await
}

/// A desk that listens, behind a proxy on this computer, and waits so long for a form.
async fn listening_for(form_time: Duration) -> (Desk, SocketAddr) {
    let outside = Outside { proxies: vec![IpAddr::V4(Ipv4Addr::LOCALHOST)], ..Outside::default() };
    let mut desk = Desk::with(
        |settings| settings.sign_in = SignIn { allow_password_only: true, ..SignIn::default() },
        |state| state.form_time = form_time,
        outside.clone(),
    )
    .await;
    desk.staff("ng", &[Role::Librarian]).await;
    desk.sign_in("ng").await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (router, patience) = (desk.router.clone(), Patience { head: HEAD_TIME, ..Patience::default() });
    tokio::spawn(async move { listen(listener, router, patience, &outside, std::future::pending()).await });
    (desk, address)
}

/// The head of a form of so many bytes.
fn head(desk: &Desk, address: SocketAddr, length: usize) -> String {
    format!(
        "POST /do/save_user?page=/users/new HTTP/1.1\r\nHost: {address}\r\nCookie: {}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n\r\n",
        desk.cookie
    )
}

/// What comes back until the other side is silent, and its status.
async fn answer(stream: &mut TcpStream) -> (u16, String) {
    let mut bytes = Vec::new();
    let mut part = vec![0; 16_384];
    let read = async {
        loop {
            match stream.read(&mut part).await {
                Ok(0) | Err(_) => break,
                Ok(length) => bytes.extend_from_slice(&part[..length]),
            }
            if bytes.ends_with(b"</html>") || bytes.ends_with(b"0\r\n\r\n") {
                break;
            }
        }
    };
    let _ = tokio::time::timeout(SOON, read).await;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let status = text.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_default();
    (status, text)
}

#[tokio::test]
async fn a_form_that_is_too_large_is_refused_at_once() {
    let (desk, address) = listening().await;
    let before = dump(&desk.store).await;
    for length in [app::form_post::MAX_BYTES + 1, 1 << 40] {
        let began = Instant::now();
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(head(&desk, address, length).as_bytes()).await.unwrap();
        let (mut reader, mut writer) = stream.split();
        // One byte more than a form may have: the answer does not wait for the rest.
        let sending = async {
            let _ = writer.write_all(&vec![b'x'; app::form_post::MAX_BYTES + 1]).await;
            std::future::pending::<()>().await;
        };
        let mut bytes = vec![0; 64];
        let read = tokio::select! {
            read = reader.read(&mut bytes) => read.unwrap_or_default(),
            () = sending => unreachable!(),
        };
        let head = String::from_utf8_lossy(&bytes[..read]).into_owned();
        assert!(head.starts_with("HTTP/1.1 413 "), "{head}");
        assert!(began.elapsed() < SOON);
        eprintln!("a form of {length} bytes: refused after {:?}", began.elapsed());
    }
    assert_eq!(dump(&desk.store).await, before);
}

#[tokio::test]
async fn a_form_that_comes_drop_by_drop_is_cut_off() {
    let (desk, address) = listening().await;
    let users = number(&desk.store, "SELECT COUNT(*) FROM users").await;
    let form = format!("form[last_name]=Slow&form_token={}", desk.token);
    let began = Instant::now();
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(head(&desk, address, form.len()).as_bytes()).await.unwrap();
    let (mut reader, mut writer) = stream.split();
    let drops = async {
        for byte in form.bytes() {
            if writer.write_all(&[byte]).await.is_err() {
                break;
            }
            tokio::time::sleep(FORM_TIME / 8).await;
        }
        std::future::pending::<()>().await;
    };
    let mut bytes = vec![0; 64];
    let read = tokio::select! {
        read = reader.read(&mut bytes) => read.unwrap(),
        () = drops => unreachable!(),
    };
    let took = began.elapsed();
    let head = String::from_utf8_lossy(&bytes[..read]).into_owned();
    assert!(head.starts_with("HTTP/1.1 408 "), "{head}");
    assert!(took >= FORM_TIME && took < SOON, "{took:?}");
    assert_eq!(number(&desk.store, "SELECT COUNT(*) FROM users").await, users);
    eprintln!("a form of one byte every {:?} is cut off after {took:?}", FORM_TIME / 8);
}

/// More connections that send slowly than requests are answered at once: whoever comes next is answered, and has not to
/// wait until these are cut off.
#[tokio::test]
async fn slow_forms_do_not_keep_others_out() {
    let slow_time = 3 * SOON;
    let (desk, address) = listening_for(slow_time).await;
    let from = |address: usize| format!("X-Forwarded-For: 192.0.2.{address}\r\n");
    let slowly = async |from: &str| {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let head = head(&desk, address, 1_000).replace("Host:", &format!("{from}Host:"));
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(b"form").await.unwrap();
        stream
    };
    let mut slow = Vec::new();
    for number in 0..crate::web::AT_ONCE + 20 {
        slow.push(slowly(&from(number / FROM_ONE)).await);
    }
    let began = Instant::now();
    let get =
        |from: &str| format!("GET /healthz HTTP/1.1\r\n{from}Host: {address}\r\nConnection: close\r\n\r\n");
    // Also from where the slow ones come.
    for from in [from(0), from(200)] {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(get(&from).as_bytes()).await.unwrap();
        let (status, text) = answer(&mut stream).await;
        assert!(status == 200 || status == 503, "{text}");
    }
    let form = format!("form[last_name]=Quick&form_token={}", desk.token);
    for (from, expected) in [(from(0), 429), (from(200), 303)] {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let head =
            head(&desk, address, form.len()).replace("Host:", &format!("{from}Connection: close\r\nHost:"));
        stream.write_all(format!("{head}{form}").as_bytes()).await.unwrap();
        let (status, text) = answer(&mut stream).await;
        assert_eq!(status, expected, "{text}");
    }
    assert!(began.elapsed() < slow_time, "nobody waits for those who are slow");
    eprintln!("behind {} slow forms four answers take {:?}", slow.len(), began.elapsed());
}

#[tokio::test]
async fn a_head_that_is_too_large_is_not_read() {
    let (_desk, address) = listening().await;
    let long = "x".repeat(1 << 20);
    let many = "X-More: y\r\n".repeat(200);
    for (what, headers) in [("one long", format!("Cookie: lethe={long}\r\n")), ("many", many)] {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = format!("GET /sign-in HTTP/1.1\r\nHost: {address}\r\n{headers}\r\n");
        let _ = stream.write_all(request.as_bytes()).await;
        let (status, text) = answer(&mut stream).await;
        assert_eq!(status, 431, "{what}: {text}");
    }
    let mut stream = TcpStream::connect(address).await.unwrap();
    let get = format!("GET /sign-in HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(get.as_bytes()).await.unwrap();
    assert_eq!(answer(&mut stream).await.0, 200, "others are served");
}

/// Nothing at all, a head that stops, one that comes drop by drop, and a second one that does not come.
#[tokio::test]
async fn a_head_that_does_not_come_is_not_waited_for() {
    let (_desk, address) = listening().await;
    let whole = format!("GET /healthz HTTP/1.1\r\nHost: {address}\r\n\r\n");
    let began_only = format!("GET /sign-in HTTP/1.1\r\nHost: {address}\r\nX-Slow: ");
    for (what, sent, drop_by_drop) in [
        ("nothing", "", false),
        ("a head that stops", &began_only, false),
        ("drops", &began_only, true),
        ("no second head", &whole, false),
    ] {
        let began = Instant::now();
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(sent.as_bytes()).await.unwrap();
        let (mut reader, mut writer) = stream.split();
        let drops = async {
            while drop_by_drop && writer.write_all(b"x").await.is_ok() {
                tokio::time::sleep(HEAD_TIME / 8).await;
            }
            std::future::pending::<()>().await;
        };
        let mut bytes = Vec::new();
        let cut_off = tokio::select! {
            read = tokio::time::timeout(SOON, reader.read_to_end(&mut bytes)) => read.is_ok(),
            () = drops => unreachable!(),
        };
        let took = began.elapsed();
        assert!(cut_off && took >= HEAD_TIME, "{what}: {took:?}");
        let answered = String::from_utf8_lossy(&bytes).matches("HTTP/1.1 200").count();
        assert_eq!(answered, usize::from(what == "no second head"), "{what}");
        eprintln!("{what}: cut off after {took:?}");
    }
}

/// Callers who are not signed in send little and get little back: an answer is kept for as long as its client reads slowly.
#[tokio::test]
async fn what_a_caller_who_is_not_signed_in_sends_is_bounded_and_not_sent_back() {
    let desk = Desk::closed(SignIn { allow_password_only: true, ..SignIn::default() }).await;
    desk.staff("ng", &[Role::Librarian]).await;
    let long = "x".repeat(60_000);
    let post_form = async |cookie: &str, function: &str, form: String| {
        let browser = Desk { cookie: cookie.to_owned(), ..desk.clone() };
        browser.answer(post(&format!("/do/{function}?page=/sign-in"), form)).await
    };
    let (status, _, page) = post_form("", "sign_in", format!("form[user_id]={long}&form[password]=x")).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    let at_field = page.split("id=\"user_id-problem\"").nth(1).unwrap();
    assert!(at_field.split("</p>").next().unwrap().contains("Enter at most 200 characters"), "{page}");
    let mut largest = page.len();
    let mut refused = 0;
    for form in [
        format!("form[user_id]=ng&form[password]=x&form[page]=/{long}"),
        format!("form[user_id]={long}"),
        format!("form[user_id]=ng&form[password]={long}"),
    ] {
        for _ in 0..8 {
            let (status, _, page) = post_form("", "sign_in", form.clone()).await;
            refused += usize::from(status == StatusCode::TOO_MANY_REQUESTS);
            largest = largest.max(page.len());
        }
    }
    assert!(refused > 0);
    eprintln!("the largest answer to a form of 60,000 bytes has {largest} bytes");
    assert!(largest < 20_000, "{largest}");
    let most = app::form_post::MAX_BYTES_UNKNOWN;
    for function in ["sign_in", "accept_invitation", "second_factor"] {
        for cookie in ["", "lethe=0123456789abcdef"] {
            let form = format!("form[user_id]={}", "x".repeat(most));
            let (status, _, page) = post_form(cookie, function, form).await;
            let says_so = function != "sign_in" || page.contains("at most 64 KB");
            let is_refused = status == StatusCode::PAYLOAD_TOO_LARGE && says_so;
            assert!(
                is_refused || function == "second_factor" && status == StatusCode::UNAUTHORIZED,
                "{status}"
            );
            assert!(page.len() < 20_000, "{}", page.len());
        }
    }
}

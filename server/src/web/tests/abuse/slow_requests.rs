//! Forms and request heads that are too large, never end or arrive slowly, over a real connection.

use super::library::{dump, number};
use crate::network::NetworkConfig;
use crate::web::body_limit::MAX_FORMS_PER_ADDRESS;
use crate::web::http_server::{ClientTimeouts, listen};
use crate::web::tests::desk::{Desk, post};
use axum::http::StatusCode;
use db::SignIn;
use identity::session::FormOnce;
use policy::Role;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// The time-out of a form in these tests.
const FORM_TIMEOUT: Duration = Duration::from_secs(1);
/// The time-out of a request head in these tests.
const HEAD_TIMEOUT: Duration = Duration::from_secs(2);
/// The limit for a quick response, on a busy computer.
const QUICK: Duration = Duration::from_secs(10);

/// Starts a server with the default time-out of these tests.
async fn listening() -> (Desk, SocketAddr) {
    listening_with(FORM_TIMEOUT).await
}

/// Starts a server behind a proxy on this computer, with this time-out of a form.
async fn listening_with(form_timeout: Duration) -> (Desk, SocketAddr) {
    let network =
        NetworkConfig { proxies: vec![IpAddr::V4(Ipv4Addr::LOCALHOST)], ..NetworkConfig::default() };
    let mut desk = Desk::with(
        |settings| settings.sign_in = SignIn { allow_password_only: true, ..SignIn::default() },
        |state| state.form_time = form_timeout,
        network.clone(),
    )
    .await;
    desk.staff("ng", &[Role::Librarian]).await;
    desk.sign_in("ng").await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (router, timeouts) =
        (desk.router.clone(), ClientTimeouts { head: HEAD_TIMEOUT, ..ClientTimeouts::default() });
    tokio::spawn(async move { listen(listener, router, timeouts, &network, std::future::pending()).await });
    (desk, address)
}

/// Returns the head of a form post of this length.
fn head(desk: &Desk, address: SocketAddr, length: usize) -> String {
    format!(
        "POST /do/save_user?page=/users/new HTTP/1.1\r\nHost: {address}\r\nCookie: {}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n\r\n",
        desk.cookie
    )
}

/// Reads the response until the server pauses. Returns its status and text.
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
    let _ = tokio::time::timeout(QUICK, read).await;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let status = text.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_default();
    (status, text)
}

#[tokio::test]
async fn a_form_that_is_too_large_is_rejected_at_once() {
    let (desk, address) = listening().await;
    let before = dump(&desk.store).await;
    for length in [app::form_post::MAX_BYTES + 1, 1 << 40] {
        let began = Instant::now();
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(head(&desk, address, length).as_bytes()).await.unwrap();
        let (mut reader, mut writer) = stream.split();
        // One byte more than allowed: the response does not wait for the rest.
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
        assert!(began.elapsed() < QUICK);
        eprintln!("a form of {length} bytes: rejected after {:?}", began.elapsed());
    }
    assert_eq!(dump(&desk.store).await, before);
}

#[tokio::test]
async fn a_form_that_arrives_slowly_times_out() {
    let (desk, address) = listening().await;
    let users = number(&desk.store, "SELECT COUNT(*) FROM users").await;
    let form = format!("form[last_name]=Slow&form_token={}", desk.token);
    let began = Instant::now();
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(head(&desk, address, form.len()).as_bytes()).await.unwrap();
    let (mut reader, mut writer) = stream.split();
    let bytes_sent = async {
        for byte in form.bytes() {
            if writer.write_all(&[byte]).await.is_err() {
                break;
            }
            tokio::time::sleep(FORM_TIMEOUT / 8).await;
        }
        std::future::pending::<()>().await;
    };
    let mut bytes = vec![0; 64];
    let read = tokio::select! {
        read = reader.read(&mut bytes) => read.unwrap(),
        () = bytes_sent => unreachable!(),
    };
    let took = began.elapsed();
    let head = String::from_utf8_lossy(&bytes[..read]).into_owned();
    assert!(head.starts_with("HTTP/1.1 408 "), "{head}");
    assert!(took >= FORM_TIMEOUT && took < QUICK, "{took:?}");
    assert_eq!(number(&desk.store, "SELECT COUNT(*) FROM users").await, users);
    eprintln!("a form of one byte every {:?} times out after {took:?}", FORM_TIMEOUT / 8);
}

/// There are more slow forms than concurrent requests. Other requests are answered before the slow forms time out.
#[tokio::test]
async fn slow_forms_do_not_block_other_requests() {
    let slow_time = 3 * QUICK;
    let (desk, address) = listening_with(slow_time).await;
    let from = |address: usize| format!("X-Forwarded-For: 192.0.2.{address}\r\n");
    let slowly = async |from: &str| {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let head = head(&desk, address, 1_000).replace("Host:", &format!("{from}Host:"));
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(b"form").await.unwrap();
        stream
    };
    let mut slow = Vec::new();
    for number in 0..crate::web::MAX_CONCURRENT_REQUESTS + 20 {
        slow.push(slowly(&from(number / MAX_FORMS_PER_ADDRESS)).await);
    }
    let began = Instant::now();
    let get =
        |from: &str| format!("GET /healthz HTTP/1.1\r\n{from}Host: {address}\r\nConnection: close\r\n\r\n");
    // Also from an address of slow forms.
    for from in [from(0), from(200)] {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(get(&from).as_bytes()).await.unwrap();
        let (status, text) = answer(&mut stream).await;
        assert!(status == 200 || status == 503, "{text}");
    }
    let key = FormOnce::new_key();
    let form = format!("form[last_name]=Quick&form_token={}&form_key={key}", desk.token);
    for (from, expected) in [(from(0), 429), (from(200), 303)] {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let head =
            head(&desk, address, form.len()).replace("Host:", &format!("{from}Connection: close\r\nHost:"));
        stream.write_all(format!("{head}{form}").as_bytes()).await.unwrap();
        let (status, text) = answer(&mut stream).await;
        assert_eq!(status, expected, "{text}");
    }
    assert!(began.elapsed() < slow_time, "the requests do not wait for the slow forms");
    eprintln!("behind {} slow forms four responses take {:?}", slow.len(), began.elapsed());
}

#[tokio::test]
async fn a_request_head_that_is_too_large_is_rejected() {
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
    assert_eq!(answer(&mut stream).await.0, 200, "other requests are answered");
}

/// No head, an incomplete head, a slow head, and no second head.
#[tokio::test]
async fn a_connection_without_a_whole_request_head_is_closed() {
    let (_desk, address) = listening().await;
    let whole = format!("GET /healthz HTTP/1.1\r\nHost: {address}\r\n\r\n");
    let began_only = format!("GET /sign-in HTTP/1.1\r\nHost: {address}\r\nX-Slow: ");
    for (what, sent, is_slow) in [
        ("nothing", "", false),
        ("an incomplete head", &began_only, false),
        ("a slow head", &began_only, true),
        ("no second head", &whole, false),
    ] {
        let began = Instant::now();
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(sent.as_bytes()).await.unwrap();
        let (mut reader, mut writer) = stream.split();
        let bytes_sent = async {
            while is_slow && writer.write_all(b"x").await.is_ok() {
                tokio::time::sleep(HEAD_TIMEOUT / 8).await;
            }
            std::future::pending::<()>().await;
        };
        let mut bytes = Vec::new();
        let is_closed = tokio::select! {
            read = tokio::time::timeout(QUICK, reader.read_to_end(&mut bytes)) => read.is_ok(),
            () = bytes_sent => unreachable!(),
        };
        let took = began.elapsed();
        assert!(is_closed && took >= HEAD_TIMEOUT, "{what}: {took:?}");
        let answered = String::from_utf8_lossy(&bytes).matches("HTTP/1.1 200").count();
        assert_eq!(answered, usize::from(what == "no second head"), "{what}");
        eprintln!("{what}: closed after {took:?}");
    }
}

/// The server keeps a response until its client has read it, so responses to long forms must be short.
#[tokio::test]
async fn without_a_session_forms_are_limited_and_long_values_are_not_sent_back() {
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
    let max = app::form_post::MAX_BYTES_UNKNOWN;
    for function in ["sign_in", "accept_invitation", "second_factor"] {
        for cookie in ["", "lethe=0123456789abcdef"] {
            let form = format!("form[user_id]={}", "x".repeat(max));
            let (status, _, page) = post_form(cookie, function, form).await;
            let has_reason = function != "sign_in" || page.contains("at most 64 KB");
            let is_refused = status == StatusCode::PAYLOAD_TOO_LARGE && has_reason;
            assert!(
                is_refused || function == "second_factor" && status == StatusCode::UNAUTHORIZED,
                "{status}"
            );
            assert!(page.len() < 20_000, "{}", page.len());
        }
    }
}

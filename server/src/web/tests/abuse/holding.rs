//! Holding everything that one client can hold: connections on which nothing is read, and forms that come slowly.

use crate::web::Outside;
use crate::web::http_server::{Patience, listen};
use crate::web::tests::desk::Desk;
use records::SignIn;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

/// How long a client may read nothing in this test.
const READ_TIME: Duration = Duration::from_secs(2);
/// How soon others are answered while one client holds all it can.
const SOON: Duration = Duration::from_secs(1);
/// How many connections one client opens: more than a process may have files.
const CONNECTIONS: usize = 1_024;

/// A desk that listens, with a large file.
async fn listening() -> (Desk, SocketAddr) {
    let sign_in = SignIn { allow_password_only: true, ..SignIn::default() };
    let desk = Desk::closed(sign_in).await;
    std::fs::create_dir_all(desk.folder.path().join("pkg")).unwrap();
    std::fs::write(desk.folder.path().join("pkg/large.wasm"), vec![0; 16 << 20]).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (router, patience) =
        (desk.router.clone(), Patience { head: Duration::from_secs(20), read: READ_TIME });
    tokio::spawn(async move {
        listen(listener, router, patience, &Outside::default(), std::future::pending()).await
    });
    (desk, address)
}

/// A connection from an address of this computer.
async fn from(host: u8, to: SocketAddr) -> std::io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind((Ipv4Addr::new(127, 0, 0, host), 0).into())?;
    socket.connect(to).await
}

async fn page(host: u8, to: SocketAddr, path: &str) -> (String, Duration) {
    let began = Instant::now();
    let mut stream = from(host, to).await.unwrap();
    let get = format!("GET {path} HTTP/1.1\r\nHost: {to}\r\nConnection: close\r\n\r\n");
    stream.write_all(get.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let read = tokio::time::timeout(10 * SOON, stream.read_to_end(&mut answer)).await;
    assert!(read.is_ok(), "{path} takes longer than {:?}", 10 * SOON);
    (String::from_utf8_lossy(&answer[..answer.len().min(64)]).into_owned(), began.elapsed())
}

/// Whether the other side has closed a connection on which nothing was read.
async fn is_closed(stream: &mut TcpStream) -> bool {
    let mut bytes = vec![0; 1 << 20];
    loop {
        match tokio::time::timeout(Duration::from_millis(200), stream.read(&mut bytes)).await {
            Ok(Ok(0) | Err(_)) => return true,
            Ok(Ok(_)) => {}
            Err(_) => return false,
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_client_that_reads_nothing_keeps_nobody_out() {
    let (_desk, to) = listening().await;
    let get = format!("GET /pkg/large.wasm HTTP/1.1\r\nHost: {to}\r\n\r\n").repeat(10);
    let mut held = Vec::new();
    for _ in 0..CONNECTIONS / 4 {
        if let Ok(mut stream) = from(2, to).await {
            let _ = stream.write_all(get.as_bytes()).await;
            held.push(stream);
        }
    }
    let mut slowest = Duration::ZERO;
    for host in 3..9 {
        let (answer, took) = page(host, to, "/sign-in").await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        slowest = slowest.max(took);
    }
    eprintln!("while one client holds {} connections the slowest page takes {slowest:?}", held.len());
    assert!(slowest < SOON, "{slowest:?}");
    // Sixteen megabytes ten times are more than the buffers of a connection: each is closed.
    tokio::time::sleep(2 * READ_TIME).await;
    let mut open = 0;
    for stream in &mut held {
        open += usize::from(!is_closed(stream).await);
    }
    assert_eq!(open, 0, "connections are open on which nothing is read");
    let (answer, _) = page(2, to, "/sign-in").await;
    assert!(answer.starts_with("HTTP/1.1 200"), "the same client has its places again: {answer}");
}

#[tokio::test]
async fn a_client_that_reads_slowly_but_reads_gets_everything() {
    let (_desk, to) = listening().await;
    let mut stream = from(2, to).await.unwrap();
    let get = format!("GET /pkg/large.wasm HTTP/1.1\r\nHost: {to}\r\nConnection: close\r\n\r\n");
    stream.write_all(get.as_bytes()).await.unwrap();
    let (mut bytes, mut part) = (0, vec![0; 1 << 20]);
    loop {
        match stream.read(&mut part).await.unwrap() {
            0 => break,
            read => bytes += read,
        }
        tokio::time::sleep(READ_TIME / 20).await;
    }
    assert!(bytes > 16 << 20, "{bytes}");
}

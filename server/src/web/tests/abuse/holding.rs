//! Exhausting the server from one client: connections on which the client does not read.

use crate::network::NetworkConfig;
use crate::web::http_server::{ClientTimeouts, listen};
use crate::web::tests::desk::Desk;
use db::SignIn;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

/// The time-out of reading in these tests.
const READ_TIMEOUT: Duration = Duration::from_secs(2);
/// The limit for responses to other clients.
const QUICK: Duration = Duration::from_secs(1);
/// The number of connections: as many as a process may have open files.
const CONNECTIONS: usize = 1_024;

/// Starts a server with a large file.
async fn listening() -> (Desk, SocketAddr) {
    let sign_in = SignIn { allow_password_only: true, ..SignIn::default() };
    let desk = Desk::closed(sign_in).await;
    std::fs::create_dir_all(desk.folder.path().join("pkg")).unwrap();
    std::fs::write(desk.folder.path().join("pkg/large.wasm"), vec![0; 16 << 20]).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (router, timeouts) =
        (desk.router.clone(), ClientTimeouts { head: Duration::from_secs(20), read: READ_TIMEOUT });
    tokio::spawn(async move {
        listen(listener, router, timeouts, &NetworkConfig::default(), std::future::pending()).await
    });
    (desk, address)
}

/// Connects from an address of this computer.
async fn connect_from(host: u8, to: SocketAddr) -> std::io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind((Ipv4Addr::new(127, 0, 0, host), 0).into())?;
    socket.connect(to).await
}

async fn page(host: u8, to: SocketAddr, path: &str) -> (String, Duration) {
    let began = Instant::now();
    let mut stream = connect_from(host, to).await.unwrap();
    let get = format!("GET {path} HTTP/1.1\r\nHost: {to}\r\nConnection: close\r\n\r\n");
    stream.write_all(get.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let read = tokio::time::timeout(10 * QUICK, stream.read_to_end(&mut answer)).await;
    assert!(read.is_ok(), "{path} takes longer than {:?}", 10 * QUICK);
    (String::from_utf8_lossy(&answer[..answer.len().min(64)]).into_owned(), began.elapsed())
}

/// Returns whether the server has closed a connection.
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
async fn a_client_that_does_not_read_cannot_block_others() {
    let (_desk, to) = listening().await;
    let get = format!("GET /pkg/large.wasm HTTP/1.1\r\nHost: {to}\r\n\r\n").repeat(10);
    let mut held = Vec::new();
    for _ in 0..CONNECTIONS / 4 {
        if let Ok(mut stream) = connect_from(2, to).await {
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
    assert!(slowest < QUICK, "{slowest:?}");
    // The responses are larger than the buffers of a connection, so each connection is closed.
    tokio::time::sleep(2 * READ_TIMEOUT).await;
    let mut open = 0;
    for stream in &mut held {
        open += usize::from(!is_closed(stream).await);
    }
    assert_eq!(open, 0, "connections without reading are still open");
    let (answer, _) = page(2, to, "/sign-in").await;
    assert!(answer.starts_with("HTTP/1.1 200"), "the same client can connect again: {answer}");
}

#[tokio::test]
async fn a_slow_reader_gets_the_whole_response() {
    let (_desk, to) = listening().await;
    let mut stream = connect_from(2, to).await.unwrap();
    let get = format!("GET /pkg/large.wasm HTTP/1.1\r\nHost: {to}\r\nConnection: close\r\n\r\n");
    stream.write_all(get.as_bytes()).await.unwrap();
    let (mut bytes, mut part) = (0, vec![0; 1 << 20]);
    loop {
        match stream.read(&mut part).await.unwrap() {
            0 => break,
            read => bytes += read,
        }
        tokio::time::sleep(READ_TIMEOUT / 20).await;
    }
    assert!(bytes > 16 << 20, "{bytes}");
}

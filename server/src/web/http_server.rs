//! Listening. HTTP/1.1 only, which is what proxies speak to what is behind them. What one client can hold is bounded:
//! connections by address and network, and the time for which a connection waits for a client that does not read.

mod connection;

use super::Outside;
use axum::Router;
use axum_server::accept::Accept;
use axum_server::{Handle, Server};
use connection::{Connection, Connections};
use std::future::{Ready, ready};
use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};

/// How long a client has for what it sends and reads.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// For a whole head, and between two requests.
    pub(super) head: Duration,
    /// For reading some of the answer.
    pub(super) read: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { head: Duration::from_secs(20), read: Duration::from_secs(15) }
    }
}

/// Answers until `stop` comes, then lets the clients that are being answered have the rest. A connection on which no whole
/// head arrives in time, or whose client does not read, is closed: it costs the client next to nothing and us a place.
pub(super) async fn listen(
    listener: TcpListener,
    app: Router,
    patience: Patience,
    outside: &Outside,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let handle = Handle::<SocketAddr>::new();
    let limits = ConnectionLimits {
        connections: Connections::default(),
        proxies: outside.proxies.clone().into(),
        read: patience.read,
    };
    let mut server =
        Server::<SocketAddr>::from_listener(listener).handle(handle.clone()).acceptor(limits).http1_only();
    server.http_builder().http1().header_read_timeout(patience.head).max_buf_size(MAX_BUFFER_BYTES);
    tokio::spawn(async move {
        stop.await;
        handle.graceful_shutdown(None);
    });
    server.serve(app.into_make_service_with_connect_info::<SocketAddr>()).await
}

/// How much of a request's head, or of an answer, is kept for one connection.
const MAX_BUFFER_BYTES: usize = 64 * 1024;

/// Takes connections, but not too many from one client.
#[derive(Clone, Debug)]
struct ConnectionLimits {
    connections: Connections,
    proxies: std::sync::Arc<[std::net::IpAddr]>,
    read: Duration,
}

impl<S> Accept<TcpStream, S> for ConnectionLimits {
    type Stream = Connection;
    type Service = S;
    type Future = Ready<io::Result<(Connection, S)>>;

    fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
        let accepted = stream.peer_addr().and_then(|peer| {
            let address = peer.ip().to_canonical();
            // A proxy connects for everybody; it bounds its clients itself.
            let client = (!self.proxies.contains(&address)).then_some(address);
            let place = self.connections.place(client)?;
            Ok((Connection::new(stream, place, self.read), service))
        });
        ready(accepted)
    }
}

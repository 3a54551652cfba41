//! The HTTP server: HTTP/1.1 only, as proxies speak it to their backends. It limits the connections by address and
//! network, and closes connections of clients that do not send or read.

mod connection;

use crate::network::NetworkConfig;
use axum::Router;
use axum_server::accept::Accept;
use axum_server::{Handle, Server};
use connection::{Connection, Connections};
use std::future::{Ready, ready};
use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};

/// The time-outs of a connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct ClientTimeouts {
    /// For a whole request head, and between two requests.
    pub(super) head: Duration,
    /// For reading a part of the response.
    pub(super) read: Duration,
}

impl Default for ClientTimeouts {
    fn default() -> Self {
        Self { head: Duration::from_secs(20), read: Duration::from_secs(15) }
    }
}

/// Serves until `stop` resolves, then completes the open responses. Closes a connection if no whole head arrives in
/// time or its client does not read.
pub(super) async fn listen(
    listener: TcpListener,
    app: Router,
    timeouts: ClientTimeouts,
    network: &NetworkConfig,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let handle = Handle::<SocketAddr>::new();
    let limits = ConnectionLimits {
        connections: Connections::default(),
        proxies: network.proxies.clone().into(),
        read: timeouts.read,
    };
    let mut server =
        Server::<SocketAddr>::from_listener(listener).handle(handle.clone()).acceptor(limits).http1_only();
    server.http_builder().http1().header_read_timeout(timeouts.head).max_buf_size(MAX_BUFFER_BYTES);
    tokio::spawn(async move {
        stop.await;
        handle.graceful_shutdown(None);
    });
    server.serve(app.into_make_service_with_connect_info::<SocketAddr>()).await
}

/// The size of the buffer of a connection, for a request head or a part of a response.
const MAX_BUFFER_BYTES: usize = 64 * 1024;

/// Accepts connections up to the limits of their client.
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
            // A proxy connects for all its clients, and limits them itself.
            let client = (!self.proxies.contains(&address)).then_some(address);
            let permit = self.connections.try_acquire(client)?;
            Ok((Connection::new(stream, permit, self.read), service))
        });
        ready(accepted)
    }
}

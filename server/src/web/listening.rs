//! Listening. HTTP/1.1 only, which is what proxies speak to what is behind them.

use axum::Router;
use axum_server::{Handle, Server};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpListener;

/// Answers until `stop` comes, then lets whoever is being answered have the rest. A connection on which no whole head of a
/// request arrives within `head_time` is cut off: it costs its sender next to nothing and us a place.
pub(super) async fn listen(
    listener: TcpListener,
    app: Router,
    head_time: Duration,
    stop: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let handle = Handle::<SocketAddr>::new();
    let mut server = Server::<SocketAddr>::from_listener(listener).handle(handle.clone()).http1_only();
    server.http_builder().http1().header_read_timeout(head_time);
    tokio::spawn(async move {
        stop.await;
        handle.graceful_shutdown(None);
    });
    server.serve(app.into_make_service_with_connect_info::<SocketAddr>()).await
}

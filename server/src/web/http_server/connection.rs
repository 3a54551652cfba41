//! A connection: its place among those of its address, and its client, who has to read what it asked for.

use crate::web::shares::{Permit, Shares};
use std::future::Future as _;
use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep};

/// How many connections one address may hold.
const MAX_PER_ADDRESS: usize = 128;
/// How many connections one network may hold.
const MAX_PER_NETWORK: usize = 256;
/// How many connections there may be in all, besides those of proxies. A process may have 1,024 files open.
const MAX_CONNECTIONS: usize = 768;
/// The rate below which a client counts as not reading, in bytes for each period of patience.
const MIN_BYTES_READ: usize = 4 * 1024;

/// The connections of all clients.
#[derive(Clone, Debug)]
pub(super) struct Connections(Shares);

impl Default for Connections {
    fn default() -> Self {
        Self(Shares::new(MAX_PER_ADDRESS, MAX_PER_NETWORK, MAX_CONNECTIONS))
    }
}

impl Connections {
    /// Returns a place for one more connection of a client; a proxy needs none. Refuses the connection if there is none left.
    pub(super) fn place(&self, client: Option<IpAddr>) -> io::Result<Option<Permit>> {
        let Some(address) = client else { return Ok(None) };
        self.0.place(address).map(Some).ok_or_else(|| io::ErrorKind::ConnectionRefused.into())
    }
}

/// A connection whose client has to read in time.
pub(super) struct Connection {
    stream: TcpStream,
    _place: Option<Permit>,
    patience: Duration,
    /// When the connection is closed, unless its client has read enough until then. Set while an answer waits.
    deadline: Pin<Box<Sleep>>,
    is_waiting: bool,
    /// Whether the last write found no room.
    is_blocked: bool,
    /// How much the client has read since the deadline was set.
    read: usize,
}

impl Connection {
    pub(super) fn new(stream: TcpStream, place: Option<Permit>, patience: Duration) -> Self {
        Self {
            stream,
            _place: place,
            patience,
            deadline: Box::pin(sleep(patience)),
            is_waiting: false,
            is_blocked: false,
            read: 0,
        }
    }

    /// Watches a write: a client that takes nothing, or next to nothing, is cut off.
    fn watch<T>(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<T>>,
        bytes: impl Fn(&T) -> usize,
    ) -> Poll<io::Result<T>> {
        let was_blocked = std::mem::replace(&mut self.is_blocked, written.is_pending());
        match written {
            Poll::Ready(Ok(done)) => {
                self.read += bytes(&done);
                self.is_waiting &= self.read < MIN_BYTES_READ;
                Poll::Ready(Ok(done))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => {
                // A deadline that has passed while nothing was written is one of an earlier answer.
                let is_old = !was_blocked && self.deadline.deadline() <= Instant::now();
                if !self.is_waiting || is_old {
                    self.is_waiting = true;
                    self.read = 0;
                    self.deadline.as_mut().reset(Instant::now() + self.patience);
                }
                match self.deadline.as_mut().poll(context) {
                    Poll::Ready(()) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
                    Poll::Pending => Poll::Pending,
                }
            }
        }
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.watch(context, written, |length| *length)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.watch(context, written, |length| *length)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

//! A connection: it holds a permit, and it is closed if its client does not read the response.

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

/// Maximum number of open connections per address.
const MAX_PER_ADDRESS: usize = 128;
/// Maximum number of open connections per network.
const MAX_PER_NETWORK: usize = 256;
/// Maximum number of open connections in total, besides those of proxies. A process may have 1,024 open files.
const MAX_CONNECTIONS: usize = 768;
/// The bytes that a client must read within each time-out, to count as reading.
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
    /// Returns a permit for one more connection of a client. A proxy (`None`) needs none. Rejects the connection if a
    /// limit is reached.
    pub(super) fn try_acquire(&self, client: Option<IpAddr>) -> io::Result<Option<Permit>> {
        let Some(address) = client else { return Ok(None) };
        self.0.try_acquire(address).map(Some).ok_or_else(|| io::ErrorKind::ConnectionRefused.into())
    }
}

/// A connection whose client must read in time.
pub(super) struct Connection {
    stream: TcpStream,
    _permit: Option<Permit>,
    timeout: Duration,
    /// The time at which the connection is closed unless its client has read enough. It counts while a write is
    /// blocked.
    deadline: Pin<Box<Sleep>>,
    is_waiting: bool,
    /// Whether the last write was blocked.
    is_blocked: bool,
    /// The bytes that the client has read since the deadline was set.
    read: usize,
}

impl Connection {
    pub(super) fn new(stream: TcpStream, permit: Option<Permit>, timeout: Duration) -> Self {
        Self {
            stream,
            _permit: permit,
            timeout,
            deadline: Box::pin(sleep(timeout)),
            is_waiting: false,
            is_blocked: false,
            read: 0,
        }
    }

    /// Checks the result of a write. Returns an error if the client has read too little before the deadline.
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
                // A deadline that passed while no write was blocked belongs to an earlier response.
                let is_old = !was_blocked && self.deadline.deadline() <= Instant::now();
                if !self.is_waiting || is_old {
                    self.is_waiting = true;
                    self.read = 0;
                    self.deadline.as_mut().reset(Instant::now() + self.timeout);
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

//! One connection, from the moment it is accepted until it is closed: by the client, after
//! idling too long, or because the gateway drains.

use std::convert::Infallible;
use std::net::TcpStream as StdTcpStream;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, watch};

use super::event_loop::ConnectionSlot;
use super::repoll::repoll;
use super::state::{ConnectionState, GatewayState, MIN_HEAD_BUFFER};
use super::{request, response};

/// How long, and how many bytes, a client may go on sending after it was refused in the middle
/// of its body. Closing at once would destroy the response that the client has not read yet
/// (RFC 9112, section 9.6).
const LINGER_TIMEOUT: Duration = Duration::from_secs(1);
const LINGER_BYTES: usize = 16 << 20;
/// How long a new connection may take to send its first request when the gateway drains. The
/// request gets a response then, instead of a closed connection.
const FIRST_REQUEST_TIMEOUT: Duration = Duration::from_millis(100);

/// An accepted connection. It counts as open until it is dropped.
pub(super) struct Connection {
    gateway: Arc<GatewayState>,
    slot: ConnectionSlot,
    /// Notifies of the drain, which waits until this is dropped; `None`: the gateway was
    /// draining already.
    drain: Option<watch::Receiver<()>>,
    _permit: OwnedSemaphorePermit,
}

/// How the HTTP library has left a connection.
struct Ended {
    stream: TcpStream,
    /// The client has sent only a part of a head in time.
    slow_head: bool,
}

impl Connection {
    pub(super) fn new(
        gateway: Arc<GatewayState>,
        slot: ConnectionSlot,
        permit: OwnedSemaphorePermit,
    ) -> Self {
        gateway.metrics.accepted_connections.inc();
        gateway.metrics.open_connections.inc();
        let drain = gateway.subscribe_to_drain();
        Self { gateway, slot, drain, _permit: permit }
    }

    /// Serves all requests of the connection, then closes it.
    pub(super) async fn serve(mut self, stream: StdTcpStream) {
        // Responses are small and must not wait for more data.
        let _ = stream.set_nodelay(true);
        // If the event loop cannot register the socket, it is closed.
        let Ok(stream) = TcpStream::from_std(stream) else { return };
        let state = ConnectionState::new(&self.gateway, self.slot.event_loop());
        let ended = serve_requests(&state, stream, self.drain.as_mut()).await;
        close(&state, ended).await;
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.gateway.metrics.open_connections.dec();
    }
}

/// Serves requests until the client leaves, is idle for too long, or the gateway drains.
async fn serve_requests(
    state: &ConnectionState<'_>,
    stream: TcpStream,
    drain: Option<&mut watch::Receiver<()>>,
) -> Ended {
    let limits = &state.gateway.limits;
    let service = service_fn(|request| {
        let response = request::handle(state, request);
        Box::pin(async { Ok::<_, Infallible>(response.await) })
    });
    let mut connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.idle.0)
        .max_buf_size((limits.headers.0 as usize).max(MIN_HEAD_BUFFER))
        .serve_connection(TokioIo::new(stream), service);
    let mut drain = pin!(drain_begins(state, drain));
    let mut is_draining = false;
    let result = repoll(|cx| {
        if !is_draining && drain.as_mut().poll(cx).is_ready() {
            is_draining = true;
            Pin::new(&mut connection).graceful_shutdown();
        }
        connection.poll_without_shutdown(cx)
    })
    .await;
    let parts = connection.into_parts();
    // Without a first byte the client was only idle and gets no response.
    let slow_head = result.is_err_and(|error| error.is_timeout()) && !parts.read_buf.is_empty();
    Ended { stream: parts.io.into_inner(), slow_head }
}

/// Waits for the drain, and then for the first request of a new connection.
async fn drain_begins(state: &ConnectionState<'_>, drain: Option<&mut watch::Receiver<()>>) {
    let Some(drain) = drain else { return std::future::pending().await };
    // An error means that the gateway is gone, which ends the connection too.
    let _ = drain.changed().await;
    if !state.has_received_request() {
        tokio::time::sleep(FIRST_REQUEST_TIMEOUT).await;
    }
}

async fn close(state: &ConnectionState<'_>, ended: Ended) {
    let Ended { mut stream, slow_head } = ended;
    if slow_head {
        let _ = stream.write_all(&response::slow_head()).await;
    }
    let _ = stream.shutdown().await;
    if slow_head || state.has_unread_body() {
        let _ = tokio::time::timeout(LINGER_TIMEOUT, discard(&mut stream)).await;
    }
}

/// Reads and discards what still arrives.
async fn discard(stream: &mut TcpStream) {
    let mut scratch = vec![0; 16 << 10];
    let mut left = LINGER_BYTES;
    while let Ok(read @ 1..) = stream.read(&mut scratch).await {
        left = left.saturating_sub(read);
        if left == 0 {
            return;
        }
    }
}

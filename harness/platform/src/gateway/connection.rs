//! Connections: accepted one by one, held until they are idle for too long, broken, or the
//! gateway closes.

use std::future::Future;
use std::net::TcpStream as PlainStream;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use super::event_loop::{EventLoop, Place};
use super::rewake::rewake;
use super::{LEAST_HEAD, Shared, reply, route};

/// How long is waited when no connection can be accepted, for want of descriptors or memory.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// How long, and how much, a client that was refused in the middle of its body may go on
/// sending: closing at once would destroy the answer that it has not read yet (RFC 9112,
/// section 9.6).
const LINGER: Duration = Duration::from_secs(1);
const LINGER_BYTES: usize = 16 << 20;
/// How long a client that has connected may take to send its first request when the gateway
/// is being closed: it is told then, instead of losing its connection without a word.
const FIRST_REQUEST: Duration = Duration::from_millis(100);

/// Accepts connections, as many at one time as the limit says, until it is dropped, and
/// gives them to event loops.
pub async fn accept(shared: Arc<Shared>, loops: Vec<Arc<EventLoop>>, listener: TcpListener) {
    let slots = Arc::new(Semaphore::new(shared.limits.connections.max(1) as usize));
    loop {
        let slot = Arc::clone(&slots).acquire_owned().await.expect("it is never closed");
        // As a plain stream it belongs to no event loop yet.
        match listener.accept().await.and_then(|(stream, _)| stream.into_std()) {
            Ok(stream) => {
                let place = EventLoop::with_fewest_connections(&loops);
                let threads = place.0.threads.clone();
                // From here on, who closes the gateway waits for it.
                let closing = shared.closing();
                threads.spawn(hold(Arc::clone(&shared), place, stream, closing, slot));
            }
            Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
        }
    }
}

/// Serves the requests of one connection.
async fn hold(
    shared: Arc<Shared>,
    Place(ref event_loop): Place,
    stream: PlainStream,
    mut closing: Option<watch::Receiver<()>>,
    _slot: OwnedSemaphorePermit,
) {
    shared.metrics.accepted.inc();
    let _open = Open::new(&shared);
    // Answers are small: they shall not wait for more.
    let _ = stream.set_nodelay(true);
    // Where the kernel has no memory for it, the connection is closed.
    let Ok(stream) = TcpStream::from_std(stream) else { return };
    let unread = Arc::new(AtomicBool::new(false));
    let asked = AtomicBool::new(false);
    let service = service_fn(|request| {
        asked.store(true, Ordering::Relaxed);
        let reply = route::answer(
            Arc::clone(&shared),
            Arc::clone(event_loop),
            Arc::clone(&unread),
            request,
        );
        Box::pin(async { Ok::<_, std::convert::Infallible>(reply.await) })
    });
    let mut connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(shared.limits.idle.0)
        .max_buf_size((shared.limits.headers.0 as usize).max(LEAST_HEAD))
        .serve_connection(TokioIo::new(stream), service);
    let mut told = closing.is_none();
    let mut signal = pin!(async {
        if let Some(closing) = &mut closing {
            // An error says that the gateway is gone, which ends the connection too.
            let _ = closing.changed().await;
            if !asked.load(Ordering::Relaxed) {
                tokio::time::sleep(FIRST_REQUEST).await;
            }
        }
    });
    let ended = rewake(|cx| {
        if !told && signal.as_mut().poll(cx).is_ready() {
            told = true;
            Pin::new(&mut connection).graceful_shutdown();
        }
        connection.poll_without_shutdown(cx)
    })
    .await;
    let parts = connection.into_parts();
    let mut stream = parts.io.into_inner();
    // A client that has sent nothing of a next request has nothing to be told.
    let slow_head = ended.is_err_and(|error| error.is_timeout()) && !parts.read_buf.is_empty();
    if slow_head {
        let _ = stream.write_all(&reply::slow_head()).await;
    }
    let _ = stream.shutdown().await;
    if slow_head || unread.load(Ordering::Relaxed) {
        let _ = tokio::time::timeout(LINGER, discard(&mut stream)).await;
    }
}

/// Reads what still comes, and drops it.
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

/// Counts a connection as long as it is open.
struct Open<'s>(&'s Shared);

impl<'s> Open<'s> {
    fn new(shared: &'s Shared) -> Self {
        shared.metrics.connections.inc();
        Self(shared)
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.metrics.connections.dec();
    }
}

//! Accepts connections and assigns them to event loops.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::Semaphore;

use super::connection::Connection;
use super::event_loop::{ConnectionSlot, EventLoop};
use super::state::GatewayState;

/// Connections that may wait to be accepted.
const BACKLOG: u32 = 1024;
/// Delay after a failure to accept: the process lacks descriptors or memory.
const RETRY_DELAY: Duration = Duration::from_millis(50);

/// Call it within a tokio runtime.
pub(super) fn bind(listen: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = match listen {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    socket.set_reuseaddr(true)?;
    socket.bind(listen)?;
    socket.listen(BACKLOG)
}

/// Accepts connections until it is dropped, at most as many at a time as the limit allows.
pub(super) async fn accept(
    gateway: Arc<GatewayState>,
    loops: Vec<Arc<EventLoop>>,
    listener: TcpListener,
) {
    let permits = Arc::new(Semaphore::new(gateway.limits.connections.max(1) as usize));
    loop {
        let permit = Arc::clone(&permits).acquire_owned().await;
        let permit = permit.expect("the semaphore is never closed");
        // A plain stream belongs to no event loop yet.
        match listener.accept().await.and_then(|(stream, _)| stream.into_std()) {
            Ok(stream) => {
                let slot = ConnectionSlot::in_least_loaded(&loops);
                let runtime = slot.event_loop().runtime.clone();
                let connection = Connection::new(Arc::clone(&gateway), slot, permit);
                runtime.spawn(connection.serve(stream));
            }
            Err(_) => tokio::time::sleep(RETRY_DELAY).await,
        }
    }
}

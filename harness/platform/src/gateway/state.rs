//! State that connections share, and state that the requests of one connection share.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use lumos_model::protocol::HttpLimits;
use tokio::sync::watch;

use super::event_loop::EventLoop;
use super::metrics::Metrics;
use super::records::Records;
use super::route::Route;
use super::stay_awake::StayAwake;

/// The smallest buffer for a head that the HTTP library accepts. A lower limit is checked
/// after the head was read.
pub(super) const MIN_HEAD_BUFFER: usize = 8 << 10;

/// The state of one gateway, shared by all its connections.
pub(super) struct GatewayState {
    pub(super) routes: Vec<Route>,
    pub(super) limits: HttpLimits,
    pub(super) metrics: Metrics,
    pub(super) records: Records,
    pub(super) stay_awake: Option<Arc<StayAwake>>,
    draining: AtomicBool,
    /// Notifies the connections of the drain, and knows when the last of them has ended.
    drain: watch::Sender<()>,
}

impl GatewayState {
    pub(super) fn new(
        routes: Vec<Route>,
        limits: HttpLimits,
        metrics: Metrics,
        records: Records,
        stay_awake: Option<Arc<StayAwake>>,
    ) -> Self {
        let (draining, drain) = (AtomicBool::new(false), watch::channel(()).0);
        Self { routes, limits, metrics, records, stay_awake, draining, drain }
    }

    /// Whether the gateway must check the length of heads itself.
    pub(super) fn checks_heads(&self) -> bool {
        self.limits.headers.0 < MIN_HEAD_BUFFER as u64
    }

    pub(super) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::SeqCst)
    }

    /// Notifies all connections that the gateway drains.
    pub(super) fn start_draining(&self) {
        self.draining.store(true, Ordering::SeqCst);
        // An error means that no connection is open.
        let _ = self.drain.send(());
    }

    /// A receiver that notifies a connection of the drain. The drain waits until it is
    /// dropped. `None` if the gateway drains already: the drain does not wait for the connection.
    pub(super) fn subscribe_to_drain(&self) -> Option<watch::Receiver<()>> {
        let receiver = self.drain.subscribe();
        (!self.is_draining()).then_some(receiver)
    }

    /// Waits until the last connection that subscribed has ended.
    pub(super) async fn connections_ended(&self) {
        self.drain.closed().await;
    }

    /// All requests to functions since the beginning, by cause.
    pub(super) fn causes(&self) -> BTreeMap<String, u64> {
        let mut sums = BTreeMap::new();
        self.routes.iter().for_each(|route| route.metrics.add_causes(&mut sums));
        sums
    }
}

/// The state of one connection, shared by its requests.
pub(super) struct ConnectionState<'c> {
    pub(super) gateway: &'c GatewayState,
    pub(super) event_loop: &'c EventLoop,
    received_request: AtomicBool,
    unread_body: AtomicBool,
}

impl<'c> ConnectionState<'c> {
    pub(super) fn new(gateway: &'c GatewayState, event_loop: &'c EventLoop) -> Self {
        let (received_request, unread_body) = (AtomicBool::new(false), AtomicBool::new(false));
        Self { gateway, event_loop, received_request, unread_body }
    }

    /// Whether the head of any request was read.
    pub(super) fn has_received_request(&self) -> bool {
        self.received_request.load(Ordering::Relaxed)
    }

    pub(super) fn note_request(&self) {
        self.received_request.store(true, Ordering::Relaxed);
    }

    /// Whether a request was answered before its whole body was read.
    pub(super) fn has_unread_body(&self) -> bool {
        self.unread_body.load(Ordering::Relaxed)
    }

    pub(super) fn note_unread_body(&self) {
        self.unread_body.store(true, Ordering::Relaxed);
    }
}

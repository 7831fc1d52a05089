//! The end of a gateway.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

use super::state::GatewayState;

/// How long the responses to stopped requests may take to be sent.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(1);

/// Refuses new requests, drains the services `within` that time or else stops them. Returns
/// how many requests were stopped.
pub(super) async fn drain(gateway: &GatewayState, within: Duration) -> u64 {
    gateway.start_draining();
    let mut services = JoinSet::new();
    for route in &gateway.routes {
        services.spawn(Arc::clone(&route.service).drain());
    }
    let done = tokio::time::timeout(within, async {
        gateway.connections_ended().await;
        while services.join_next().await.is_some() {}
    });
    if done.await.is_ok() {
        return 0;
    }
    let standings = gateway.routes.iter().map(|route| route.service.standing());
    let stopped = standings.map(|s| u64::from(s.busy) + u64::from(s.queued)).sum();
    gateway.routes.iter().for_each(|route| route.service.stop());
    // A client that has not read its response by then loses it.
    let _ = tokio::time::timeout(FLUSH_TIMEOUT, gateway.connections_ended()).await;
    stopped
}

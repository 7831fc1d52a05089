//! The gateway as a whole: opened, read, closed.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use lumos_model::protocol::HttpLimits;
use lumos_model::row::Sample;
use lumos_runtime::error::HostError;

use super::acceptor;
use super::drain::drain;
use super::event_loops::EventLoops;
use super::metrics::Metrics;
use super::records::Records;
use super::route::{self, Route};
use super::state::GatewayState;
use super::stay_awake::StayAwake;
use crate::service::Service;

/// An open gateway.
pub(crate) struct Gateway {
    state: Arc<GatewayState>,
    warnings: Vec<String>,
    event_loops: EventLoops,
    address: SocketAddr,
}

/// What a closed gateway leaves.
#[derive(Debug, Default)]
pub(crate) struct Closed {
    /// The samples that were not taken before.
    pub(crate) samples: Vec<Sample>,
    /// How many samples were lost since they were last taken.
    pub(crate) lost: u64,
    /// All requests to functions since the beginning, by cause.
    pub(crate) causes: BTreeMap<String, u64>,
    /// Requests that were stopped, because they waited or ran at the end of the drain.
    pub(crate) stopped: u64,
}

impl Gateway {
    /// Serves `services` at `listen` (port 0: any free port) on threads of its own.
    /// `stay_awake`: how long cores stay awake after a request that closely follows another;
    /// zero disables it. `records`: how many samples are kept until they are taken.
    ///
    /// # Errors
    /// If the address is not available, two functions have the same name, or a name is
    /// reserved.
    pub(crate) fn open(
        services: Vec<Arc<dyn Service>>,
        listen: SocketAddr,
        limits: HttpLimits,
        stay_awake: Duration,
        records: usize,
    ) -> Result<Self, HostError> {
        route::check_names(&services)?;
        let event_loops = EventLoops::start()?;
        let listener = {
            let _entered = event_loops.first().enter();
            let bound = acceptor::bind(listen);
            bound.map_err(|e| HostError::system(format!("listen on {listen}"), e))?
        };
        let address = listener.local_addr().map_err(|e| HostError::system("read the port", e))?;
        let awake = (!stay_awake.is_zero()).then(|| StayAwake::open(stay_awake)).transpose();
        let (awake, warnings) = awake.map_or_else(|w| (None, vec![w]), |awake| (awake, vec![]));
        let metrics = Metrics::new(&services);
        let routes = routes(services, &metrics);
        let records = Records::new(records);
        let state = Arc::new(GatewayState::new(routes, limits, metrics, records, awake));
        let loops = event_loops.all().to_vec();
        event_loops.first().spawn(acceptor::accept(Arc::clone(&state), loops, listener));
        Ok(Self { state, warnings, event_loops, address })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Features that are not available on this machine, with the reasons.
    pub(crate) fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// The samples since the last call, and how many were lost.
    pub(crate) fn take_records(&self) -> (Vec<Sample>, u64) {
        self.state.records.take()
    }

    /// All requests to functions since the beginning, by cause.
    pub(crate) fn causes(&self) -> BTreeMap<String, u64> {
        self.state.causes()
    }

    #[cfg(test)]
    pub(super) fn open_connections(&self) -> i64 {
        self.state.metrics.open_connections.get()
    }

    /// Drains the gateway: refuses further requests with a response, drains the services
    /// `within` that time or else stops them, and closes all connections.
    pub(crate) fn close(self, within: Duration) -> Closed {
        let Self { state, event_loops, .. } = self;
        let stopped = event_loops.first().block_on(drain(&state, within));
        drop(event_loops);
        let (samples, lost) = state.records.take();
        Closed { samples, lost, causes: state.causes(), stopped }
    }
}

fn routes(services: Vec<Arc<dyn Service>>, metrics: &Metrics) -> Vec<Route> {
    let route = |service: Arc<dyn Service>| {
        let metrics = metrics.of_function(service.name());
        Route { service, metrics }
    };
    services.into_iter().map(route).collect()
}

//! Functions behind a gateway, from [`ToHost::Serve`] to [`ToHost::Drain`].
//!
//! [`ToHost::Serve`]: lumos_model::protocol::ToHost::Serve
//! [`ToHost::Drain`]: lumos_model::protocol::ToHost::Drain

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use lumos_model::counters::{Counter, Counters};
use lumos_model::protocol::{PoolRecords, Pooled, Serve};
use lumos_os::usage::{self, Usage};
use lumos_runtime::error::HostError;
use tokio::runtime::Handle;

use crate::gateway::{Closed, Gateway};
use crate::service::{PooledService, Service};
use crate::threads::Threads;

/// An open gateway with the pools behind it.
pub struct Serving {
    gateway: Gateway,
    services: Vec<Arc<dyn PooledService>>,
    before: Usage,
    /// Dropped last: instances die with the threads that started them.
    _threads: Threads,
}

impl Serving {
    /// Starts a service for each function, waits for the instances that its pool has from the
    /// start, and then opens the gateway. `start` creates one service on the given threads.
    ///
    /// # Errors
    /// When a service or the gateway cannot be started, or records are asked for with more
    /// than one function.
    pub fn open(
        serve: &Serve,
        start: impl Fn(&Pooled, Handle) -> Result<Arc<dyn PooledService>, HostError>,
    ) -> Result<Self, HostError> {
        if serve.records > 0 && serve.functions.len() > 1 {
            let message = "records are kept for one function at a time: serve the others apart";
            return Err(HostError::unsupported(message));
        }
        let instances = serve.functions.iter().map(|function| function.pool.max_instances).sum();
        let threads = Threads::start(instances)?;
        let started = serve.functions.iter().map(|function| start(function, threads.handle()));
        let services = started.collect::<Result<Vec<_>, _>>()?;
        for service in &services {
            threads.block_on(service.ready());
        }
        if serve.records == 0 {
            services.iter().for_each(|service| service.forget_telemetry());
        }
        let routes = services.iter().map(|service| Arc::clone(service) as Arc<dyn Service>);
        let (http, records) = (serve.http.clone(), serve.records as usize);
        let gateway =
            Gateway::open(routes.collect(), serve.listen, http, serve.stay_awake.0, records)?;
        Ok(Self { gateway, services, before: Usage::now(), _threads: threads })
    }

    /// The address at which requests are accepted.
    pub fn address(&self) -> SocketAddr {
        self.gateway.address()
    }

    /// Features that the gateway lacks on this machine, with the reasons.
    pub fn warnings(&self) -> &[String] {
        self.gateway.warnings()
    }

    /// What happened since the last call.
    pub fn take_records(&mut self) -> PoolRecords {
        let (samples, lost) = self.gateway.take_records();
        let closed = Closed { samples, lost, causes: self.gateway.causes(), stopped: 0 };
        let now = Usage::now();
        let host = now.since(&std::mem::replace(&mut self.before, now));
        records(closed, &self.services, host)
    }

    /// Closes the gateway and ends the instances. Those that still serve after `within` are
    /// stopped.
    pub fn drain(self, within: Duration) -> PoolRecords {
        let Self { gateway, services, before, _threads } = self;
        let mut host = Usage::now().since(&before);
        host.extend(usage::memory());
        let closed = gateway.close(within);
        records(closed, &services, host)
    }
}

fn records(closed: Closed, services: &[Arc<dyn PooledService>], mut host: Counters) -> PoolRecords {
    if host.get(Counter::Rss).is_none() {
        host.extend(usage::memory());
    }
    let Closed { samples, mut lost, causes, stopped } = closed;
    let (mut events, mut instances) = (Vec::new(), Vec::new());
    for service in services {
        let (changes, not_kept) = service.take_events();
        events.extend(changes);
        lost += not_kept;
        instances.extend(service.take_counters());
    }
    PoolRecords { samples, events, lost, instances, host, causes, stopped }
}

//! Functions behind a gateway, from [`ToHost::Serve`] to [`ToHost::Drain`].
//!
//! [`ToHost::Serve`]: lumos_model::protocol::ToHost::Serve
//! [`ToHost::Drain`]: lumos_model::protocol::ToHost::Drain

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use lumos_model::counters::{Counter, Counters};
use lumos_model::protocol::{PoolRecords, Serve};
use lumos_os::usage::{self, Usage};
use lumos_runtime::engine::Runtime;
use lumos_runtime::error::HostError;

use crate::gateway::{Closed, Gateway};
use crate::service::{Executor, Home, Service};
use crate::threads::Threads;

/// An open gateway with the pools behind it.
pub struct Serving<R: Runtime> {
    gateway: Gateway,
    executors: Vec<Arc<Executor<R>>>,
    before: Usage,
    /// Dropped last: instances die with the threads that made them.
    _threads: Threads,
}

impl<R: Runtime> Serving<R> {
    /// Makes the pools with the instances that they have from the beginning, then opens the
    /// gateway.
    pub fn open(runtime: &Arc<R>, serve: &Serve, home: &Home) -> Result<Self, HostError> {
        if serve.records > 0 && serve.functions.len() > 1 {
            let message = "records are kept for one function at a time: serve the others apart";
            return Err(HostError::unsupported(message));
        }
        let instances = serve.functions.iter().map(|function| function.pool.max_instances).sum();
        let threads = Threads::start(instances)?;
        let start =
            |function| Executor::start(runtime.clone(), function, home.clone(), threads.handle());
        let executors = serve.functions.iter().map(start).collect::<Result<Vec<_>, _>>()?;
        for executor in &executors {
            threads.block_on(executor.ready());
        }
        if serve.records == 0 {
            executors.iter().for_each(|executor| executor.forget_telemetry());
        }
        let services = executors.iter().map(|e| Arc::clone(e) as Arc<dyn Service>).collect();
        let (http, records) = (serve.http.clone(), serve.records as usize);
        let gateway = Gateway::open(services, serve.listen, http, serve.stay_awake.0, records)?;
        Ok(Self { gateway, executors, before: Usage::now(), _threads: threads })
    }

    /// Where requests are taken.
    pub fn address(&self) -> SocketAddr {
        self.gateway.address()
    }

    /// What the gateway does without, and why.
    pub fn warnings(&self) -> &[String] {
        self.gateway.warnings()
    }

    /// What happened since the last time.
    pub fn take_records(&mut self) -> PoolRecords {
        let (samples, lost) = self.gateway.take_records();
        let closed = Closed { samples, lost, causes: self.gateway.causes(), stopped: 0 };
        let now = Usage::now();
        let host = now.since(&std::mem::replace(&mut self.before, now));
        records(closed, &self.executors, host)
    }

    /// Closes the gateway and ends the instances, those that still serve after `within` too.
    pub fn drain(self, within: Duration) -> PoolRecords {
        let Self { gateway, executors, before, _threads } = self;
        let mut host = Usage::now().since(&before);
        host.extend(usage::memory());
        let closed = gateway.close(within);
        records(closed, &executors, host)
    }
}

fn records<R: Runtime>(
    closed: Closed,
    executors: &[Arc<Executor<R>>],
    mut host: Counters,
) -> PoolRecords {
    if host.get(Counter::Rss).is_none() {
        host.extend(usage::memory());
    }
    let Closed { samples, mut lost, causes, stopped } = closed;
    let (mut events, mut instances) = (Vec::new(), Vec::new());
    for executor in executors {
        let (changes, not_kept) = executor.take_events();
        events.extend(changes);
        lost += not_kept;
        instances.extend(executor.take_counters());
    }
    PoolRecords { samples, events, lost, instances, host, causes, stopped }
}

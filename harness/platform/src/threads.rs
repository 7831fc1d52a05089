//! The threads on which instances are made and invoked.

use std::future::Future;
use std::time::Duration;

use lumos_runtime::error::HostError;
use tokio::runtime::{Builder, Handle, Runtime};

/// Threads in addition to one per instance, for instances that are made or freed meanwhile.
const SPARE: usize = 64;
/// Ten years. A thread must not end before the instances that it has made, because their
/// processes would die with it.
const KEEP_ALIVE: Duration = Duration::from_secs(10 * 365 * 24 * 3600);
/// How long threads may take to end.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(1);

/// A tokio runtime whose blocking threads never end by themselves.
pub(crate) struct Threads(Option<Runtime>);

impl Threads {
    /// Room for `instances` that serve at the same time. Threads start on demand.
    pub(crate) fn start(instances: u32) -> Result<Self, HostError> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .max_blocking_threads(instances as usize + SPARE)
            .thread_keep_alive(KEEP_ALIVE)
            .thread_name("lumos-pool")
            .enable_all()
            .build()
            .map_err(|e| HostError::system("start the pool's threads", e))?;
        Ok(Self(Some(runtime)))
    }

    pub(crate) fn handle(&self) -> Handle {
        self.runtime().handle().clone()
    }

    pub(crate) fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.runtime().block_on(future)
    }

    fn runtime(&self) -> &Runtime {
        self.0.as_ref().expect("the runtime exists until this is dropped")
    }
}

impl Drop for Threads {
    /// Does not wait for guests that have not obeyed a stop.
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_timeout(SHUTDOWN_TIMEOUT);
        }
    }
}

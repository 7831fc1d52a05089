//! The threads on which instances are made and serve.

use std::future::Future;
use std::time::Duration;

use lumos_runtime::error::HostError;
use tokio::runtime::{Builder, Handle, Runtime};

/// Threads beyond the instances' own: for those that are made or freed meanwhile.
const SPARE: usize = 64;
/// Ten years. A thread must not end before the instances that it has made: their processes
/// would die with it.
const FOREVER: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

/// How long threads may take to end what they do.
const FAREWELL: Duration = Duration::from_secs(1);

/// A tokio runtime whose blocking threads stay.
pub(crate) struct Threads(Option<Runtime>);

impl Threads {
    /// Room for `instances` that serve at one time. A thread is started when it is needed.
    pub fn start(instances: u32) -> Result<Self, HostError> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .max_blocking_threads(instances as usize + SPARE)
            .thread_keep_alive(FOREVER)
            .thread_name("lumos-pool")
            .enable_all()
            .build()
            .map_err(|e| HostError::system("start threads", e))?;
        Ok(Self(Some(runtime)))
    }

    pub fn handle(&self) -> Handle {
        self.runtime().handle().clone()
    }

    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.runtime().block_on(future)
    }

    fn runtime(&self) -> &Runtime {
        self.0.as_ref().expect("it is there until this is dropped")
    }
}

impl Drop for Threads {
    /// Does not wait for a guest that was told to stop and has not yet.
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_timeout(FAREWELL);
        }
    }
}

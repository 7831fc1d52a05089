//! All event loops of a gateway.
//!
//! Serving a request takes less time than handing it to another thread. So event loops share
//! no work: a connection stays with the loop to which it was assigned.

use std::sync::Arc;
use std::time::Duration;

use lumos_runtime::error::HostError;
use tokio::runtime::{Builder, Runtime};

use super::activity::Activity;
use super::event_loop::EventLoop;
use super::watchdog::Watchdog;

/// The most event loops, however many cores the machine has: the clients need some too.
const MAX_LOOPS: usize = 4;
/// Worker threads of a loop: one works, one stands by.
const THREADS: usize = 2;
/// How long the threads of a loop may take to end.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(1);
const TIMER_INTERVAL: Duration = Duration::from_millis(500);

/// All event loops; they end when this is dropped.
pub(super) struct EventLoops {
    runtimes: Vec<Runtime>,
    loops: Vec<Arc<EventLoop>>,
    watchdog: Watchdog,
}

impl EventLoops {
    /// Starts a loop for each core, up to a limit.
    ///
    /// # Errors
    /// If a thread cannot be started.
    pub(super) fn start() -> Result<Self, HostError> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let failed = |e| HostError::system("start the gateway's threads", e);
        let runtimes = (0..cores.min(MAX_LOOPS)).map(|_| start_runtime());
        let runtimes = runtimes.collect::<Result<Vec<_>, _>>().map_err(failed)?;
        let activity = Arc::<Activity>::default();
        let event_loop = |runtime: &Runtime| {
            Arc::new(EventLoop::new(runtime.handle().clone(), Arc::clone(&activity)))
        };
        let loops: Vec<_> = runtimes.iter().map(event_loop).collect();
        let watchdog = Watchdog::start(loops.clone(), Arc::clone(&activity)).map_err(failed)?;
        for runtime in &runtimes {
            runtime.spawn(keep_a_timer());
        }
        Ok(Self { runtimes, loops, watchdog })
    }

    /// The runtime for work that belongs to no connection.
    pub(super) fn first(&self) -> &Runtime {
        &self.runtimes[0]
    }

    pub(super) fn all(&self) -> &[Arc<EventLoop>] {
        &self.loops
    }
}

impl Drop for EventLoops {
    fn drop(&mut self) {
        self.watchdog.stop();
        for runtime in self.runtimes.drain(..) {
            runtime.shutdown_timeout(SHUTDOWN_TIMEOUT);
        }
    }
}

fn start_runtime() -> std::io::Result<Runtime> {
    Builder::new_multi_thread().worker_threads(THREADS).thread_name("gateway").enable_all().build()
}

/// Keeps an early timer running. Each request starts a timer for the head of the next one. A
/// new timer that is due before all others wakes the event loop, which costs as much as
/// several requests.
async fn keep_a_timer() {
    let mut timer = tokio::time::interval(TIMER_INTERVAL);
    loop {
        timer.tick().await;
    }
}

//! The threads of a gateway: some event loops, each with connections of its own.
//!
//! A request is served in less time than it takes to hand it to another thread, so the loops
//! share no work: a connection stays with the loop that it was given to, the one that had
//! the fewest.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use lumos_runtime::error::HostError;
use tokio::runtime::{Builder, Handle, Runtime};

use super::LAST_ANSWERS;
use super::here::{Here, Permit, Watchdog, Watched};

/// Threads of a loop: one that works, and one that stands by ([`super::here`]).
const THREADS: usize = 2;

/// All event loops; ended when it is dropped.
pub struct EventLoops {
    runtimes: Vec<Runtime>,
    loops: Vec<Arc<EventLoop>>,
    watchdog: Watchdog,
}

/// One event loop, as the connections see it that it has.
pub struct EventLoop {
    /// Where tasks are given to it.
    pub threads: Handle,
    here: Arc<Here>,
    watched: Watched,
    connections: AtomicUsize,
}

impl EventLoops {
    /// Starts `count` loops.
    ///
    /// # Errors
    /// When no threads can be had.
    pub fn start(count: usize) -> Result<Self, HostError> {
        let failed = |e| HostError::system("start the gateway's threads", e);
        let runtimes = (0..count).map(|_| runtime()).collect::<Result<Vec<_>, _>>();
        let runtimes = runtimes.map_err(failed)?;
        let heres: Vec<_> = runtimes.iter().map(|_| Arc::new(Here::new())).collect();
        let handles = runtimes.iter().map(|runtime| runtime.handle().clone());
        let watchdog = Watchdog::start(heres.iter().cloned().zip(handles).collect());
        let watchdog = watchdog.map_err(failed)?;
        let loops = runtimes.iter().zip(heres).map(|(runtime, here)| {
            let (threads, watched) = (runtime.handle().clone(), watchdog.watched());
            let connections = AtomicUsize::new(0);
            Arc::new(EventLoop { threads, here, watched, connections })
        });
        let loops = loops.collect();
        Ok(Self { runtimes, loops, watchdog })
    }

    /// The loop that does what belongs to no connection.
    pub fn first(&self) -> &Runtime {
        &self.runtimes[0]
    }

    /// The loops.
    pub fn all(&self) -> &[Arc<EventLoop>] {
        &self.loops
    }
}

impl Drop for EventLoops {
    fn drop(&mut self) {
        self.watchdog.end();
        for runtime in self.runtimes.drain(..) {
            runtime.shutdown_timeout(LAST_ANSWERS);
        }
    }
}

fn runtime() -> std::io::Result<Runtime> {
    Builder::new_multi_thread().worker_threads(THREADS).thread_name("gateway").enable_all().build()
}

impl EventLoop {
    /// A place for one more connection.
    pub fn with_fewest_connections(loops: &[Arc<Self>]) -> Place {
        let connections = |event_loop: &&Arc<Self>| event_loop.connections.load(Ordering::Relaxed);
        let fewest = loops.iter().min_by_key(connections).expect("there is one loop at least");
        fewest.connections.fetch_add(1, Ordering::Relaxed);
        Place(Arc::clone(fewest))
    }

    /// The permit to serve a request on the thread that works for this loop.
    pub fn enter(&self) -> Option<Permit<'_>> {
        self.here.enter(&self.watched)
    }
}

/// What a connection has of its event loop; given back when it is dropped.
pub struct Place(pub Arc<EventLoop>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.connections.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_goes_where_the_fewest_are() {
        let loops = EventLoops::start(3).unwrap();
        let place = || EventLoop::with_fewest_connections(loops.all());
        let at = |place: &Place| {
            loops
                .all()
                .iter()
                .position(|one| Arc::ptr_eq(one, &place.0))
                .expect("it is one of them")
        };
        let mut places: Vec<_> = (0..6).map(|_| place()).collect();
        assert_eq!(places.iter().map(at).collect::<Vec<_>>(), [0, 1, 2, 0, 1, 2]);
        drop(places.remove(4));
        assert_eq!(at(&place()), 1);
    }
}

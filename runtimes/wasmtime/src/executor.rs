//! Drives the engine's futures on the calling thread.
//!
//! Wasmtime runs a guest on a stack of its own, inside a future. The future is ready at its
//! first poll unless the guest waits for a socket, a clock or a file. Therefore it is polled
//! once before any timer or reactor is touched. Host calls use the instance's own tokio
//! runtime: with a shared one, a waiting instance would depend on the thread of another
//! instance to poll its socket. The runtime of a dropped instance is reused.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use lumos_os::clock::monotonic_ns;
use lumos_runtime::HostError;
use tokio::runtime::{Builder, Handle, Runtime, RuntimeFlavor};
use tokio::task::block_in_place;

/// Runtimes that no instance uses.
static SPARE: Mutex<Vec<Runtime>> = Mutex::new(Vec::new());

/// A tokio runtime without threads: the thread that waits for a future drives it.
pub struct Executor(Option<Runtime>);

/// The deadline passed before the future was ready.
#[derive(Debug)]
pub struct DeadlinePassed;

impl Executor {
    /// An executor that is not shared. Any thread may drive its futures, one at a time.
    pub fn exclusive() -> Result<Self, HostError> {
        let spare = SPARE.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let runtime = match spare {
            Some(runtime) => runtime,
            None => Builder::new_current_thread()
                .enable_all()
                .build()
                .map_err(|error| HostError::system("make the instance's event loop", error))?,
        };
        Ok(Self(Some(runtime)))
    }

    fn runtime(&self) -> &Runtime {
        self.0.as_ref().expect("only drop takes it")
    }

    /// Waits for `future`. A worker thread of another runtime first hands its other tasks to
    /// another thread.
    fn wait<F: Future>(&self, future: F) -> F::Output {
        let outer = Handle::try_current().map(|outer| outer.runtime_flavor());
        match outer {
            Ok(RuntimeFlavor::MultiThread) => block_in_place(|| self.runtime().block_on(future)),
            _ => self.runtime().block_on(future),
        }
    }

    /// Runs `future` to its end, without a deadline.
    ///
    /// # Panics
    /// On a thread that drives a single-threaded tokio runtime.
    pub fn run<F: Future>(&self, future: F) -> F::Output {
        match self.poll_once(pin!(future).as_mut()) {
            Ok(output) => output,
            Err(future) => self.wait(future),
        }
    }

    /// Runs `future` until it is ready or `deadline_ns` of the monotonic clock has passed. A
    /// guest that computes yields when the watchdog has moved the epoch.
    ///
    /// # Panics
    /// On a thread that drives a single-threaded tokio runtime.
    #[inline]
    pub fn run_until<F: Future>(
        &self,
        deadline_ns: u64,
        future: F,
    ) -> Result<F::Output, DeadlinePassed> {
        match self.poll_once(pin!(future).as_mut()) {
            Ok(output) => Ok(output),
            Err(future) => self.wait(until(deadline_ns, future)),
        }
    }

    #[inline]
    fn poll_once<'a, F: Future>(
        &self,
        mut future: Pin<&'a mut F>,
    ) -> Result<F::Output, Pin<&'a mut F>> {
        let _entered = self.runtime().enter();
        match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(output) => Ok(output),
            Poll::Pending => Err(future),
        }
    }
}

impl Drop for Executor {
    fn drop(&mut self) {
        SPARE.lock().unwrap_or_else(PoisonError::into_inner).extend(self.0.take());
    }
}

/// Checks the deadline before each poll: a guest that computes can always continue, and the
/// epoch moves only once.
async fn until<F: Future>(
    deadline_ns: u64,
    mut future: Pin<&mut F>,
) -> Result<F::Output, DeadlinePassed> {
    let left = Duration::from_nanos(deadline_ns.saturating_sub(monotonic_ns()));
    let mut alarm = pin!(tokio::time::sleep(left));
    std::future::poll_fn(|context| {
        if monotonic_ns() >= deadline_ns {
            return Poll::Ready(Err(DeadlinePassed));
        }
        if let Poll::Ready(output) = future.as_mut().poll(context) {
            return Poll::Ready(Ok(output));
        }
        // Wakes this task; the clock above then shows that the deadline has passed.
        alarm.as_mut().poll(context).map(|()| Err(DeadlinePassed))
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn in_ms(ms: u64) -> u64 {
        monotonic_ns() + ms * 1_000_000
    }

    #[test]
    fn a_ready_future_needs_no_event_loop() {
        let executor = Executor::exclusive().unwrap();
        assert_eq!(executor.run_until(0, async { 7 }).unwrap(), 7);
    }

    #[test]
    fn timers_run_until_the_deadline() {
        let executor = Executor::exclusive().unwrap();
        let sleep = |ms| tokio_sleep(ms);
        assert!(executor.run_until(in_ms(60_000), sleep(1)).is_ok());
        assert!(executor.run_until(in_ms(5), sleep(60_000)).is_err());
    }

    #[test]
    fn a_future_that_always_wakes_itself_stops_at_the_deadline() {
        let executor = Executor::exclusive().unwrap();
        let spin = std::future::poll_fn(|context| {
            context.waker().wake_by_ref();
            Poll::<()>::Pending
        });
        assert!(executor.run_until(in_ms(5), spin).is_err());
    }

    #[test]
    fn a_worker_of_another_runtime_may_wait() {
        let outer = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let waited = outer.spawn(async {
            let executor = Executor::exclusive().unwrap();
            let there = tokio::spawn(async {});
            let waited = executor.run_until(in_ms(60_000), tokio_sleep(1)).is_ok();
            there.await.unwrap();
            waited
        });
        assert!(outer.block_on(waited).unwrap());
    }

    async fn tokio_sleep(ms: u64) {
        tokio::time::sleep(Duration::from_millis(ms)).await;
    }
}

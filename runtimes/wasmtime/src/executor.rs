//! Drives the engine's futures on the calling thread.
//!
//! Wasmtime runs a guest on a stack of its own, inside a future; the future is ready at
//! its first poll unless the guest waits for a socket, a clock or a file. So it is polled
//! once before any timer or reactor is touched. Host calls find the thread's own tokio
//! runtime, which is made with the thread's first instance and stays.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use lumos_host::HostError;
use lumos_host::clock::monotonic_ns;
use tokio::runtime::{Builder, Runtime};

thread_local! {
    static THREAD: std::cell::OnceCell<Executor> = const { std::cell::OnceCell::new() };
}

/// A tokio runtime without threads of its own: who waits for a future drives it.
#[derive(Clone)]
pub struct Executor(Arc<Runtime>);

/// The deadline came before the future was ready.
#[derive(Debug)]
pub struct DeadlinePassed;

impl Executor {
    /// The calling thread's executor. What was made with it may be driven from another
    /// thread as well.
    pub fn of_this_thread() -> Result<Self, HostError> {
        THREAD.with(|thread| {
            if let Some(executor) = thread.get() {
                return Ok(executor.clone());
            }
            let runtime = Builder::new_current_thread()
                .enable_all()
                .build()
                .map_err(|error| HostError::system("make the thread's event loop", error))?;
            Ok(thread.get_or_init(|| Self(Arc::new(runtime))).clone())
        })
    }

    /// Runs `future` to its end, however long that takes.
    ///
    /// # Panics
    /// On a thread that is driving another tokio runtime.
    pub fn run<F: Future>(&self, future: F) -> F::Output {
        match self.poll_once(pin!(future).as_mut()) {
            Ok(output) => output,
            Err(future) => self.0.block_on(future),
        }
    }

    /// Runs `future` until it is ready or `deadline_ns` of the monotonic clock has
    /// passed. A guest that spins yields when the watchdog has moved the epoch.
    ///
    /// # Panics
    /// On a thread that is driving another tokio runtime.
    #[inline]
    pub fn run_until<F: Future>(
        &self,
        deadline_ns: u64,
        future: F,
    ) -> Result<F::Output, DeadlinePassed> {
        match self.poll_once(pin!(future).as_mut()) {
            Ok(output) => Ok(output),
            Err(future) => self.0.block_on(until(deadline_ns, future)),
        }
    }

    #[inline]
    fn poll_once<'a, F: Future>(
        &self,
        mut future: Pin<&'a mut F>,
    ) -> Result<F::Output, Pin<&'a mut F>> {
        let _entered = self.0.enter();
        match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(output) => Ok(output),
            Poll::Pending => Err(future),
        }
    }
}

/// Looks at the deadline before each poll: a guest that spins is ready to go on at any
/// time, and the epoch has moved but once.
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
        // Wakes this task: its being ready is seen through the clock above.
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
    fn what_is_ready_needs_no_event_loop() {
        let executor = Executor::of_this_thread().unwrap();
        assert_eq!(executor.run_until(0, async { 7 }).unwrap(), 7);
    }

    #[test]
    fn timers_run_and_deadlines_end_them() {
        let executor = Executor::of_this_thread().unwrap();
        let sleep = |ms| tokio_sleep(ms);
        assert!(executor.run_until(in_ms(60_000), sleep(1)).is_ok());
        assert!(executor.run_until(in_ms(5), sleep(60_000)).is_err());
    }

    #[test]
    fn a_future_that_always_wakes_itself_ends_at_its_deadline() {
        let executor = Executor::of_this_thread().unwrap();
        let spin = std::future::poll_fn(|context| {
            context.waker().wake_by_ref();
            Poll::<()>::Pending
        });
        assert!(executor.run_until(in_ms(5), spin).is_err());
    }

    async fn tokio_sleep(ms: u64) {
        tokio::time::sleep(Duration::from_millis(ms)).await;
    }
}

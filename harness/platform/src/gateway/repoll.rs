//! Polls a task again at once if it has woken itself.
//!
//! In HTTP/1 one task reads a request's body and feeds it, so the reader wakes its own task.
//! The event loop takes this for new work: it moves the task to the end of its queue and wakes
//! a sleeping thread for it, which costs more than the request.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

/// How often a task is polled again before other tasks have their turn.
const MAX_POLLS: usize = 16;

/// Wakes a task, unless it is being polled; then it only records the wake-up.
struct SelfWaker {
    polling: AtomicBool,
    woken: AtomicBool,
    task: Mutex<Waker>,
}

impl Wake for SelfWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.woken.store(true, Ordering::SeqCst);
        if !self.polling.load(Ordering::SeqCst) {
            self.task.lock().unwrap_or_else(PoisonError::into_inner).wake_by_ref();
        }
    }
}

/// Polls one task through its [`SelfWaker`].
struct Repoll {
    state: Arc<SelfWaker>,
    waker: Waker,
}

impl Repoll {
    fn new() -> Self {
        let state = Arc::new(SelfWaker {
            polling: AtomicBool::new(false),
            woken: AtomicBool::new(false),
            task: Mutex::new(Waker::noop().clone()),
        });
        Self { waker: Waker::from(Arc::clone(&state)), state }
    }

    /// Calls `poll` until it is ready or waits for something outside the task.
    fn poll<T>(
        &self,
        cx: &mut Context<'_>,
        mut poll: impl FnMut(&mut Context<'_>) -> Poll<T>,
    ) -> Poll<T> {
        self.state.task.lock().unwrap_or_else(PoisonError::into_inner).clone_from(cx.waker());
        let mut inner = Context::from_waker(&self.waker);
        for _ in 0..MAX_POLLS {
            self.state.polling.store(true, Ordering::SeqCst);
            self.state.woken.store(false, Ordering::SeqCst);
            let polled = poll(&mut inner);
            self.state.polling.store(false, Ordering::SeqCst);
            // A wake-up from here on wakes the task itself.
            if polled.is_ready() || !self.state.woken.load(Ordering::SeqCst) {
                return polled;
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

/// A future that calls `poll` and repeats it when the task has woken itself meanwhile.
pub(super) async fn repoll<T>(mut poll: impl FnMut(&mut Context<'_>) -> Poll<T>) -> T {
    let task = Repoll::new();
    std::future::poll_fn(|cx| task.poll(cx, &mut poll)).await
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::*;

    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    #[test]
    fn self_waking_task_is_polled_again_and_outside_wake_ups_pass_through() {
        let count = Arc::new(Count(AtomicUsize::new(0)));
        let waker = Waker::from(Arc::clone(&count));
        let mut cx = Context::from_waker(&waker);
        let task = Repoll::new();
        let (mut polls, mut kept) = (0, None);
        let polled = task.poll(&mut cx, |cx| {
            polls += 1;
            kept = Some(cx.waker().clone());
            if polls < 3 {
                cx.waker().wake_by_ref();
            }
            Poll::<()>::Pending
        });
        assert_eq!((polled, polls, count.0.load(Ordering::SeqCst)), (Poll::Pending, 3, 0));
        kept.unwrap().wake();
        assert_eq!(count.0.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn task_that_always_wakes_itself_yields_to_others() {
        let count = Arc::new(Count(AtomicUsize::new(0)));
        let waker = Waker::from(Arc::clone(&count));
        let mut polls = 0;
        let polled = Repoll::new().poll(&mut Context::from_waker(&waker), |cx| {
            polls += 1;
            cx.waker().wake_by_ref();
            Poll::<()>::Pending
        });
        assert_eq!((polled, polls, count.0.load(Ordering::SeqCst)), (Poll::Pending, MAX_POLLS, 1));
    }
}

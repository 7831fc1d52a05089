//! A task that wakes itself while it runs goes on at once.
//!
//! Who reads a request's body wakes who feeds it, and in HTTP/1 that is the same task. To its
//! event loop this is new work: it goes to the end of the queue, and a sleeping thread is
//! woken for it, which costs more than the request.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

/// How often a task may go on before others have their turn.
const TURNS: usize = 16;

/// Wakes a task, unless it is running: then it goes on by itself.
struct Bell {
    runs: AtomicBool,
    rung: AtomicBool,
    task: Mutex<Waker>,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.rung.store(true, Ordering::SeqCst);
        if !self.runs.load(Ordering::SeqCst) {
            self.task.lock().unwrap_or_else(PoisonError::into_inner).wake_by_ref();
        }
    }
}

/// Polls something by a [`Bell`] of its own.
struct Rewake {
    bell: Arc<Bell>,
    waker: Waker,
}

impl Rewake {
    /// For one task.
    fn new() -> Self {
        let bell = Arc::new(Bell {
            runs: AtomicBool::new(false),
            rung: AtomicBool::new(false),
            task: Mutex::new(Waker::noop().clone()),
        });
        Self { waker: Waker::from(Arc::clone(&bell)), bell }
    }

    /// Calls `poll` until it is ready, or waits for somebody else.
    fn poll<T>(
        &self,
        cx: &mut Context<'_>,
        mut poll: impl FnMut(&mut Context<'_>) -> Poll<T>,
    ) -> Poll<T> {
        self.bell.task.lock().unwrap_or_else(PoisonError::into_inner).clone_from(cx.waker());
        let mut inner = Context::from_waker(&self.waker);
        for _ in 0..TURNS {
            self.bell.runs.store(true, Ordering::SeqCst);
            self.bell.rung.store(false, Ordering::SeqCst);
            let polled = poll(&mut inner);
            self.bell.runs.store(false, Ordering::SeqCst);
            // Who rings from here on wakes the task.
            if polled.is_ready() || !self.bell.rung.load(Ordering::SeqCst) {
                return polled;
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

/// A future that is polled so.
pub async fn rewake<T>(mut poll: impl FnMut(&mut Context<'_>) -> Poll<T>) -> T {
    let own = Rewake::new();
    std::future::poll_fn(|cx| own.poll(cx, &mut poll)).await
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
    fn who_wakes_itself_goes_on_and_who_is_woken_from_outside_is_told() {
        let count = Arc::new(Count(AtomicUsize::new(0)));
        let waker = Waker::from(Arc::clone(&count));
        let mut cx = Context::from_waker(&waker);
        let own = Rewake::new();
        let (mut turns, mut kept) = (0, None);
        let polled = own.poll(&mut cx, |cx| {
            turns += 1;
            kept = Some(cx.waker().clone());
            if turns < 3 {
                cx.waker().wake_by_ref();
            }
            Poll::<()>::Pending
        });
        assert_eq!((polled, turns, count.0.load(Ordering::SeqCst)), (Poll::Pending, 3, 0));
        kept.unwrap().wake();
        assert_eq!(count.0.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn who_always_wakes_itself_leaves_others_their_turn() {
        let count = Arc::new(Count(AtomicUsize::new(0)));
        let waker = Waker::from(Arc::clone(&count));
        let mut turns = 0;
        let polled = Rewake::new().poll(&mut Context::from_waker(&waker), |cx| {
            turns += 1;
            cx.waker().wake_by_ref();
            Poll::<()>::Pending
        });
        assert_eq!((polled, turns, count.0.load(Ordering::SeqCst)), (Poll::Pending, TURNS, 1));
    }
}

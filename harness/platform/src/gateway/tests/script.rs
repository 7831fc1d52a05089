//! A service whose behaviour each request prescribes.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex};

use bytes::Bytes;
use lumos_model::cell::Start;
use lumos_model::phase::{Phase, Phases};
use lumos_model::row::{Sample, Times};
use lumos_os::clock::monotonic_ns;
use tokio::sync::{Notify, oneshot};

use crate::pool::Standing;
use crate::service::{Answer, Cause, Pending, Request, Service};

/// Does what a request's body says:
///
/// * `inline` is served inline on the event loop;
/// * `hold` too, and blocks until the test calls `release`;
/// * `wait` is submitted, and answered when the test calls `release`;
/// * the word of a cause is answered with that cause;
/// * any other body is echoed.
#[derive(Default)]
pub(super) struct Script {
    waiting: Mutex<Vec<oneshot::Sender<()>>>,
    busy: Arc<AtomicU32>,
    done: Notify,
    released: Mutex<bool>,
    release: Condvar,
}

const CAUSES: [Cause; 9] = [
    Cause::BadRequest,
    Cause::FunctionFailed,
    Cause::Trapped,
    Cause::OutOfMemory,
    Cause::DeadlinePassed,
    Cause::QueueFull,
    Cause::Draining,
    Cause::NoInstance,
    Cause::Answered,
];

fn answer(request: &Request, cause: Cause) -> Answer {
    let total_ns = (monotonic_ns() - request.intended_ns).max(1_000);
    let mut phases_ns = Phases::default();
    phases_ns.add(Phase::Queue, 1_000);
    phases_ns.close(total_ns).unwrap();
    let served = !matches!(cause, Cause::QueueFull | Cause::Draining | Cause::NoInstance);
    let start = if served { Start::Warm } else { Start::Mixed };
    let times = Times { intended_ns: request.intended_ns, total_ns };
    let sample = Sample {
        error: (cause != Cause::Answered).then(|| format!("it was \"{}\"", cause.as_str())),
        phases_ns,
        instance: served.then_some(0),
        ..Sample::unserved(request.seq, start, cause.outcome(), times)
    };
    let body = if cause == Cause::Answered { request.body.clone() } else { Bytes::new() };
    Answer { cause, sample, body }
}

/// A running request; it ends when it is answered or dropped.
struct Running(Arc<AtomicU32>);

impl Running {
    fn new(busy: &Arc<AtomicU32>) -> Self {
        busy.fetch_add(1, Ordering::SeqCst);
        Self(Arc::clone(busy))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Script {
    pub(super) fn busy(&self) -> u32 {
        self.busy.load(Ordering::SeqCst)
    }

    pub(super) fn release(&self) {
        *self.released.lock().unwrap() = true;
        self.release.notify_all();
        for waiting in self.waiting.lock().unwrap().drain(..) {
            let _ = waiting.send(());
        }
    }
}

impl Service for Script {
    fn name(&self) -> &str {
        "script"
    }

    fn serve_here(&self, request: Request) -> Result<Answer, Request> {
        match &request.body[..] {
            b"inline" => {}
            b"hold" => {
                let _running = Running::new(&self.busy);
                let released = self.released.lock().unwrap();
                drop(self.release.wait_while(released, |released| !*released).unwrap());
            }
            _ => return Err(request),
        }
        Ok(answer(&request, Cause::Answered))
    }

    fn submit(self: Arc<Self>, request: Request) -> Pending {
        let text = String::from_utf8_lossy(&request.body).into_owned();
        let running = Running::new(&self.busy);
        let wait = (text == "wait").then(|| {
            let (sender, receiver) = oneshot::channel();
            self.waiting.lock().unwrap().push(sender);
            receiver
        });
        Box::pin(async move {
            let stopped = match wait {
                Some(wait) => wait.await.is_err(),
                None => false,
            };
            let cause = match CAUSES.into_iter().find(|cause| cause.as_str() == text) {
                _ if stopped => Cause::Draining,
                Some(cause) => cause,
                None => Cause::Answered,
            };
            let answer = answer(&request, cause);
            drop(running);
            self.done.notify_waiters();
            answer
        })
    }

    fn standing(&self) -> Standing {
        Standing { idle: 1, busy: self.busy(), made: 3, ..Standing::default() }
    }

    fn drain(self: Arc<Self>) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(async move {
            loop {
                let done = self.done.notified();
                if self.busy() == 0 {
                    return;
                }
                done.await;
            }
        })
    }

    fn stop(&self) {
        self.waiting.lock().unwrap().clear();
    }
}

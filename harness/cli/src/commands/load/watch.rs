//! Watches a load from another thread: shows a line on a terminal, and stops it at a signal.

use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use indicatif::ProgressBar;
use lumos_load::http::Live;
use lumos_runner::interrupt;

/// How often to look for signals. Seldom, because looking takes CPU time from the measurement.
const POLL_INTERVAL: Duration = Duration::from_millis(100);
/// How often to draw the line.
const DRAW_INTERVAL: Duration = Duration::from_millis(500);

/// Watches a load until it is dropped.
pub(super) struct Watch {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    live: Live,
    stop: AtomicBool,
    over: AtomicBool,
}

impl Watch {
    /// Watches a load with at most this duration and number of requests.
    pub(super) fn start(duration: Option<Duration>, requests: Option<u64>) -> Self {
        let shared = Arc::new(Shared::default());
        let watched = shared.clone();
        let thread = std::thread::spawn(move || watched.watch(duration, requests));
        Self { shared, thread: Some(thread) }
    }

    /// Set after a signal.
    pub(super) fn stop(&self) -> &AtomicBool {
        &self.shared.stop
    }

    /// The counts that the line shows.
    pub(super) fn live(&self) -> &Live {
        &self.shared.live
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn watch(&self, duration: Option<Duration>, requests: Option<u64>) {
        let mut line = std::io::stderr().is_terminal().then(|| Line::new(duration, requests));
        while !self.over.load(Ordering::Relaxed) {
            if interrupt::is_interrupted() {
                self.stop.store(true, Ordering::Relaxed);
            }
            line.iter_mut().for_each(|line| line.update(&self.live));
            std::thread::park_timeout(POLL_INTERVAL);
        }
    }
}

/// The line on a terminal; cleared when it is dropped.
struct Line {
    bar: ProgressBar,
    duration: Option<Duration>,
    requests: Option<u64>,
    begin: Instant,
    drawn_at: Instant,
    /// Requests that had ended when the line was drawn last.
    drawn: u64,
}

impl Line {
    fn new(duration: Option<Duration>, requests: Option<u64>) -> Self {
        let (bar, now) = (ProgressBar::new_spinner(), Instant::now());
        Self { bar, duration, requests, begin: now, drawn_at: now, drawn: 0 }
    }

    fn update(&mut self, live: &Live) {
        let since = self.drawn_at.elapsed();
        if since < DRAW_INTERVAL {
            return;
        }
        let (ended, failed) = live.read();
        let rate = (ended - self.drawn) as f64 / since.as_secs_f64();
        (self.drawn_at, self.drawn) = (Instant::now(), ended);
        let elapsed = self.begin.elapsed().as_secs();
        let time = match self.duration {
            Some(duration) => format!("{elapsed} of {} s", duration.as_secs_f64()),
            None => format!("{elapsed} s"),
        };
        let of = self.requests.map(|number| format!(" of {number}")).unwrap_or_default();
        let message = format!("{time}  {ended}{of} requests  {rate:.0}/s  {failed} failed");
        self.bar.set_message(message);
        self.bar.tick();
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

//! While a load goes: a line on a terminal, and the signal that stops it.

use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use indicatif::ProgressBar;
use lumos_load::http::Live;
use lumos_runner::interrupt;

/// How often signals are looked for and the line is drawn: seldom, for it takes time from what
/// is measured.
const INTERVAL: Duration = Duration::from_millis(100);

/// Looks after a load from another thread until it is dropped.
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
    /// Begins to look after a load that lasts at most so long or so many requests.
    pub(super) fn start(duration: Option<Duration>, requests: Option<u64>) -> Self {
        let shared = Arc::new(Shared::default());
        let watched = shared.clone();
        let thread = std::thread::spawn(move || watched.watch(duration, requests));
        Self { shared, thread: Some(thread) }
    }

    /// Set when a signal has come.
    pub(super) fn stop(&self) -> &AtomicBool {
        &self.shared.stop
    }

    /// What the line shows.
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
        let is_terminal = std::io::stderr().is_terminal();
        let line = if is_terminal { ProgressBar::new_spinner() } else { ProgressBar::hidden() };
        let begin = Instant::now();
        let (mut shown_at, mut shown) = (begin, 0);
        while !self.over.load(Ordering::Relaxed) {
            if interrupt::is_interrupted() {
                self.stop.store(true, Ordering::Relaxed);
            }
            let since = shown_at.elapsed();
            if is_terminal && since >= Duration::from_millis(500) {
                let (ended, failed) = self.live.read();
                let rate = (ended - shown) as f64 / since.as_secs_f64();
                (shown_at, shown) = (Instant::now(), ended);
                let gone = begin.elapsed().as_secs();
                let time = match duration {
                    Some(duration) => format!("{gone} of {} s", duration.as_secs_f64()),
                    None => format!("{gone} s"),
                };
                let of = requests.map(|most| format!(" of {most}")).unwrap_or_default();
                line.set_message(format!(
                    "{time}  {ended}{of} requests  {rate:.0}/s  {failed} failed"
                ));
                line.tick();
            }
            std::thread::park_timeout(INTERVAL);
        }
        line.finish_and_clear();
    }
}

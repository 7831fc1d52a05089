//! How far a run is: a bar with an ETA on a terminal, plain lines otherwise. On standard
//! error, so that standard output holds the result alone.

use std::io::IsTerminal;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use lumos_model::cell::Cell;
use lumos_runner::observer::Observer;

/// How often a plain line appears.
const PLAIN_INTERVAL: Duration = Duration::from_secs(10);

/// Shows a run's progress.
pub struct Progress {
    bar: ProgressBar,
    plain: Option<Mutex<Plain>>,
}

struct Plain {
    begin: Instant,
    shown: Instant,
    done: u64,
    total: u64,
}

impl Progress {
    /// Shows nothing yet.
    pub fn new() -> Self {
        let now = Instant::now();
        let is_terminal = std::io::stderr().is_terminal();
        let bar = if is_terminal { ProgressBar::new_spinner() } else { ProgressBar::hidden() };
        let plain = Plain { begin: now, shown: now, done: 0, total: 0 };
        Self { bar, plain: (!is_terminal).then(|| Mutex::new(plain)) }
    }

    fn plain(&self) -> Option<std::sync::MutexGuard<'_, Plain>> {
        self.plain.as_ref().map(|plain| plain.lock().unwrap_or_else(|e| e.into_inner()))
    }
}

impl Observer for Progress {
    fn stage(&self, what: &str) {
        match self.plain {
            Some(_) => eprintln!("{what}"),
            None => self.bar.println(what),
        }
    }

    fn note(&self, what: &str) {
        self.bar.set_message(what.to_owned());
        self.bar.tick();
    }

    fn warn(&self, what: &str) {
        match self.plain {
            Some(_) => eprintln!("warning: {what}"),
            None => self.bar.println(format!("warning: {what}")),
        }
    }

    fn start(&self, blocks: u64) {
        let template = "{bar:30} {pos}/{len} blocks  {elapsed} gone, about {eta} left  {msg}";
        self.bar.set_style(ProgressStyle::with_template(template).expect("a fixed template"));
        self.bar.set_length(blocks);
        self.bar.set_position(0);
        self.bar.reset();
        if let Some(mut plain) = self.plain() {
            let now = Instant::now();
            *plain = Plain { begin: now, shown: now, done: 0, total: blocks };
            eprintln!("measuring {blocks} blocks");
        }
    }

    // Drawn now: nothing is drawn while the block is measured.
    fn block(&self, cell: &Cell) {
        self.note(&cell.to_string());
    }

    // Blocks are shuffled, so their mean time foretells the rest.
    fn done(&self) {
        self.bar.inc(1);
        let Some(mut plain) = self.plain() else { return };
        plain.done += 1;
        if plain.shown.elapsed() >= PLAIN_INTERVAL && plain.done < plain.total {
            plain.shown = Instant::now();
            let gone = plain.begin.elapsed().as_secs_f64();
            let left = gone / plain.done as f64 * (plain.total - plain.done) as f64;
            eprintln!("{}/{} blocks, about {left:.0} s left", plain.done, plain.total);
        }
    }

    fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

impl Default for Progress {
    fn default() -> Self {
        Self::new()
    }
}

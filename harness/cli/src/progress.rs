//! How far a run is: a progress bar with a time estimate on a terminal, plain lines otherwise. On
//! standard error, so that standard output has only the result.

use std::io::IsTerminal;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use lumos_model::cell::Cell;
use lumos_runner::observer::Observer;

use crate::terminal::warning_line;

/// How often a plain line appears.
const PLAIN_INTERVAL: Duration = Duration::from_secs(10);

/// Shows the progress of a run.
pub(crate) enum Progress {
    /// On a terminal.
    Bar(ProgressBar),
    /// In a file or a pipe.
    Plain(Mutex<Plain>),
}

/// What plain lines are computed from.
pub(crate) struct Plain {
    begin: Instant,
    shown: Instant,
    done: u64,
    total: u64,
}

impl Plain {
    fn of(total: u64) -> Self {
        let now = Instant::now();
        Self { begin: now, shown: now, done: 0, total }
    }

    /// Counts a block; returns a line from time to time. Blocks are shuffled, so their mean time
    /// predicts the time of the rest.
    fn block_done(&mut self) -> Option<String> {
        self.done += 1;
        if self.shown.elapsed() < PLAIN_INTERVAL || self.done >= self.total {
            return None;
        }
        self.shown = Instant::now();
        let elapsed = self.begin.elapsed().as_secs_f64();
        let left = elapsed / self.done as f64 * (self.total - self.done) as f64;
        Some(format!("{}/{} blocks, about {left:.0} s left", self.done, self.total))
    }
}

impl Progress {
    /// Shows nothing yet.
    pub(crate) fn new() -> Self {
        match std::io::stderr().is_terminal() {
            true => Self::Bar(ProgressBar::new_spinner()),
            false => Self::Plain(Mutex::new(Plain::of(0))),
        }
    }

    fn print(&self, line: &str) {
        match self {
            Self::Bar(bar) => bar.println(line),
            Self::Plain(_) => eprintln!("{line}"),
        }
    }
}

impl Observer for Progress {
    fn stage(&self, what: &str) {
        self.print(what);
    }

    fn note(&self, what: &str) {
        if let Self::Bar(bar) = self {
            bar.set_message(what.to_owned());
            bar.tick();
        }
    }

    fn warn(&self, what: &str) {
        self.print(&warning_line(what));
    }

    fn blocks_start(&self, number: u64) {
        match self {
            Self::Bar(bar) => {
                let template =
                    "{bar:30} {pos}/{len} blocks  {elapsed} elapsed, about {eta} left  {msg}";
                let style = ProgressStyle::with_template(template);
                bar.set_style(style.expect("the template is constant and valid"));
                bar.set_length(number);
                bar.set_position(0);
                bar.reset();
            }
            Self::Plain(plain) => {
                *plain.lock().unwrap_or_else(PoisonError::into_inner) = Plain::of(number);
                eprintln!("measuring {number} blocks");
            }
        }
    }

    fn block_start(&self, cell: &Cell) {
        self.note(&cell.to_string());
    }

    fn block_done(&self) {
        match self {
            Self::Bar(bar) => bar.inc(1),
            Self::Plain(plain) => {
                let line = plain.lock().unwrap_or_else(PoisonError::into_inner).block_done();
                line.iter().for_each(|line| eprintln!("{line}"));
            }
        }
    }

    fn finish(&self) {
        if let Self::Bar(bar) = self {
            bar.finish_and_clear();
        }
    }
}

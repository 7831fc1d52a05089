//! The server's own account: a sample for each request, at most so many.

use std::sync::{Mutex, MutexGuard, PoisonError};

use lumos_model::row::Sample;

/// Samples that nobody has taken yet.
#[derive(Debug)]
pub struct Records {
    most: usize,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    samples: Vec<Sample>,
    lost: u64,
}

impl Records {
    /// Keeps at most `most` at one time; zero: none, and none counts as lost.
    pub fn new(most: usize) -> Self {
        Self { most, kept: Mutex::default() }
    }

    /// Keeps `sample`, or counts it as lost.
    pub fn keep(&self, sample: impl FnOnce() -> Sample) {
        if self.most == 0 {
            return;
        }
        let mut kept = self.lock();
        if kept.samples.len() < self.most {
            kept.samples.push(sample());
        } else {
            kept.lost += 1;
        }
    }

    /// The samples since the last time, and how many were not kept.
    pub fn take(&self) -> (Vec<Sample>, u64) {
        let Kept { samples, lost } = std::mem::take(&mut *self.lock());
        (samples, lost)
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

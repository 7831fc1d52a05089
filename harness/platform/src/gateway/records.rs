//! The gateway's own record of requests: a bounded buffer of samples.

use std::sync::{Mutex, MutexGuard, PoisonError};

use lumos_model::row::Sample;

/// Samples that have not been taken yet.
#[derive(Debug)]
pub(super) struct Records {
    capacity: usize,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    samples: Vec<Sample>,
    lost: u64,
}

impl Records {
    /// Keeps at most `capacity` samples. With zero, none is kept and none counts as lost.
    pub(super) fn new(capacity: usize) -> Self {
        Self { capacity, kept: Mutex::default() }
    }

    /// Keeps `sample`, or counts it as lost if the buffer is full.
    pub(super) fn keep(&self, sample: impl FnOnce() -> Sample) {
        if self.capacity == 0 {
            return;
        }
        let mut kept = self.lock();
        if kept.samples.len() < self.capacity {
            kept.samples.push(sample());
        } else {
            kept.lost += 1;
        }
    }

    /// The samples since the last call, and how many were lost.
    pub(super) fn take(&self) -> (Vec<Sample>, u64) {
        let Kept { samples, lost } = std::mem::take(&mut *self.lock());
        (samples, lost)
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

//! The compiled code of one guest.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};

/// The executable ranges of one guest, which a signal handler may read.
#[derive(Default)]
pub(crate) struct GuestCode {
    ranges: [(AtomicUsize, AtomicUsize); GuestCode::MAX_RANGES],
    hit: AtomicBool,
    frozen: AtomicBool,
}

impl GuestCode {
    /// A shared library has one executable mapping, a JIT one for each module.
    const MAX_RANGES: usize = 32;

    /// Records the ranges.
    pub fn set(&self, ranges: &[Range<usize>]) {
        for (slot, range) in self.ranges.iter().zip(ranges) {
            slot.0.store(range.start, SeqCst);
            slot.1.store(range.end, SeqCst);
        }
    }

    /// Forgets the ranges and the hit.
    pub fn clear(&self) {
        for slot in &self.ranges {
            slot.0.store(0, SeqCst);
            slot.1.store(0, SeqCst);
        }
        self.hit.store(false, SeqCst);
    }

    /// Makes the code not executable.
    pub fn freeze(&self) {
        self.frozen.store(true, SeqCst);
        self.protect(libc::PROT_READ);
    }

    /// Makes the code executable again.
    pub fn thaw(&self) {
        self.protect(libc::PROT_READ | libc::PROT_EXEC);
        self.frozen.store(false, SeqCst);
    }

    pub fn is_frozen(&self) -> bool {
        self.frozen.load(SeqCst)
    }

    fn protect(&self, protection: libc::c_int) {
        for (start, end) in &self.ranges {
            let (start, end) = (start.load(SeqCst), end.load(SeqCst));
            if start < end {
                // SAFETY: the range is a whole executable mapping of guest code, which an
                // instance keeps mapped. A thread that executes it faults, which WasmEdge
                // reports as a trap. The watchdog makes sure that no other instance runs it.
                unsafe { libc::mprotect(start as *mut libc::c_void, end - start, protection) };
            }
        }
    }

    /// Whether there is no compiled code.
    pub fn is_empty(&self) -> bool {
        self.ranges[0].1.load(SeqCst) == 0
    }

    /// Records that the signal handler has redirected the guest into a fault.
    pub fn set_hit(&self) {
        self.hit.store(true, SeqCst);
    }

    pub fn is_hit(&self) -> bool {
        self.hit.load(SeqCst)
    }

    pub fn contains(&self, address: usize) -> bool {
        self.ranges
            .iter()
            .any(|(start, end)| (start.load(SeqCst)..end.load(SeqCst)).contains(&address))
    }
}

//! The preview 1 form: a core module whose exports the host calls.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::RefCell;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::function::Function;
use crate::invoke::invoke_bytes;

pub use lumos_wire::canary::spin as canary;

thread_local! {
    static ANSWER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Allocates memory for a request of `bytes` bytes, which the host fills and passes to [`invoke`].
/// It frees the previous answer.
pub fn alloc(bytes: u32) -> *mut u8 {
    drop(ANSWER.take());
    Box::into_raw(Box::<[u8]>::new_uninit_slice(bytes as usize)).cast()
}

/// Serves the request at `request` and returns the position of its answer: address << 32 | length.
/// The answer remains valid until the next call.
///
/// # Safety
/// `request` must come from [`alloc`] with the same `bytes`, and the host must have filled it.
pub unsafe fn invoke<F: Function>(request: *mut u8, bytes: u32) -> u64 {
    let request = std::ptr::slice_from_raw_parts_mut(request, bytes as usize);
    // SAFETY: `alloc` created this box, and the caller has filled it.
    let request = unsafe { Box::from_raw(request) };
    let answer = invoke_bytes::<F>(&request);
    drop(request);
    let place = (answer.as_ptr() as u64) << 32 | answer.len() as u64;
    ANSWER.set(answer);
    place
}

/// 1 if an allocation has failed, which explains a trap.
pub fn oom() -> u32 {
    u32::from(OUT_OF_MEMORY.load(Ordering::Relaxed))
}

static OUT_OF_MEMORY: AtomicBool = AtomicBool::new(false);

/// The system's allocator, which records a failure. Without this, the host cannot distinguish the
/// abort that follows from any other trap.
struct FailureRecorder;

#[global_allocator]
static ALLOCATOR: FailureRecorder = FailureRecorder;

fn record_failure(memory: *mut u8) -> *mut u8 {
    if memory.is_null() {
        OUT_OF_MEMORY.store(true, Ordering::Relaxed);
    }
    memory
}

// SAFETY: every call is passed to `System` unchanged.
unsafe impl GlobalAlloc for FailureRecorder {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller fulfils the contract of `GlobalAlloc`, which `System` shares.
        record_failure(unsafe { System.alloc(layout) })
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as above.
        record_failure(unsafe { System.alloc_zeroed(layout) })
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, bytes: usize) -> *mut u8 {
        // SAFETY: as above.
        record_failure(unsafe { System.realloc(memory, layout, bytes) })
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[doc(hidden)]
#[macro_export]
macro_rules! __export_for_target {
    ($function:ty) => {
        #[unsafe(no_mangle)]
        extern "C" fn alloc(bytes: u32) -> *mut u8 {
            $crate::reactor::alloc(bytes)
        }

        #[unsafe(no_mangle)]
        unsafe extern "C" fn invoke(request: *mut u8, bytes: u32) -> u64 {
            // SAFETY: the host fulfils the contract of `lumos_function`'s reactor.
            unsafe { $crate::reactor::invoke::<$function>(request, bytes) }
        }

        #[unsafe(no_mangle)]
        extern "C" fn canary(iterations: u32) -> u32 {
            $crate::reactor::canary(iterations)
        }

        #[unsafe(no_mangle)]
        extern "C" fn oom() -> u32 {
            $crate::reactor::oom()
        }
    };
}

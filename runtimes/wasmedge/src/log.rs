//! WasmEdge's log, kept off the terminal and put into the errors it explains.
//!
//! WasmEdge returns a code and a phrase; the import that was missing or the offset of the
//! malformed byte it only logs.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::sync::Once;

use wasmedge_sys::ffi;

use crate::failure;

/// Lines kept for each thread; an error logs up to five.
const KEPT: usize = 8;

thread_local! {
    static LINES: RefCell<VecDeque<String>> = const { RefCell::new(VecDeque::new()) };
}

/// Routes the log here, once.
pub fn capture() {
    static ROUTED: Once = Once::new();
    ROUTED.call_once(|| {
        // SAFETY: both set a global of the library; the callback is a plain function.
        unsafe {
            ffi::WasmEdge_LogSetLevel(ffi::WasmEdge_LogLevel_Warn);
            ffi::WasmEdge_LogSetCallback(Some(keep));
        }
    });
}

/// What this thread's calls have logged since the last time, oldest first.
pub fn take() -> Vec<String> {
    LINES.with_borrow_mut(|lines| lines.drain(..).collect())
}

/// The line among what was logged since the last time that holds `phrase`.
pub fn find(phrase: &str) -> Option<String> {
    take().into_iter().find(|line| line.contains(phrase))
}

extern "C" fn keep(message: *const ffi::WasmEdge_LogMessage) {
    // SAFETY: WasmEdge passes a message that lives for this call.
    let Some(message) = (unsafe { message.as_ref() }) else { return };
    let text = failure::text(message.Message);
    // A thread that ends has no lines left to keep.
    let _ = LINES.try_with(|lines| {
        let Ok(mut lines) = lines.try_borrow_mut() else { return };
        if lines.len() == KEPT {
            lines.pop_front();
        }
        lines.push_back(text.trim().to_owned());
    });
}

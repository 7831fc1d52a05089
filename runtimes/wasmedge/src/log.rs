//! WasmEdge's log, which is kept off the terminal and added to the errors that it explains.
//!
//! WasmEdge returns a code and a phrase. Details such as the missing import or the offset of a
//! malformed byte are only logged.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::sync::Once;

use wasmedge_sys::ffi;

use crate::strings::text;

/// Lines that are kept for each thread. An error logs up to five.
const KEPT: usize = 8;

thread_local! {
    static LINES: RefCell<VecDeque<String>> = const { RefCell::new(VecDeque::new()) };
}

/// Redirects the log to this module.
pub fn capture() {
    static ROUTED: Once = Once::new();
    ROUTED.call_once(|| {
        // SAFETY: both functions set a global of the library, and the callback is a plain
        // function.
        unsafe {
            ffi::WasmEdge_LogSetLevel(ffi::WasmEdge_LogLevel_Warn);
            ffi::WasmEdge_LogSetCallback(Some(keep));
        }
    });
}

/// The lines that this thread has logged since the last call, oldest first.
pub fn take() -> Vec<String> {
    LINES.with_borrow_mut(|lines| lines.drain(..).collect())
}

/// The first line since the last call that contains `phrase`.
pub fn find(phrase: &str) -> Option<String> {
    take().into_iter().find(|line| line.contains(phrase))
}

extern "C" fn keep(message: *const ffi::WasmEdge_LogMessage) {
    // SAFETY: WasmEdge passes a message that is valid during this call.
    let Some(message) = (unsafe { message.as_ref() }) else { return };
    let line = text(message.Message);
    // A thread that is ending keeps no lines.
    let _ = LINES.try_with(|lines| {
        let Ok(mut lines) = lines.try_borrow_mut() else { return };
        if lines.len() == KEPT {
            lines.pop_front();
        }
        lines.push_back(line.trim().to_owned());
    });
}

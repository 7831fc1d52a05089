//! Stops an interpreted guest.

use std::ptr::null;

use wasmedge_sys::ffi;

/// The stop token of an executor: a flag that the interpreter reads at each branch.
pub struct StopToken {
    executor: *mut ffi::WasmEdge_ExecutorContext,
    function: *const ffi::WasmEdge_FunctionInstanceContext,
}

// SAFETY: besides the owner only the watchdog has it, and only while the instance lives. The
// flag is atomic and the functions used are thread-safe.
unsafe impl Send for StopToken {}
// SAFETY: as above.
unsafe impl Sync for StopToken {}

impl StopToken {
    /// The token of `executor`.
    ///
    /// # Safety
    /// Executor and function live for as long as the token is used. The function belongs to
    /// the executor and takes at least one parameter.
    pub(crate) unsafe fn new(
        executor: *mut ffi::WasmEdge_ExecutorContext,
        function: *const ffi::WasmEdge_FunctionInstanceContext,
    ) -> Self {
        Self { executor, function }
    }

    /// Sets the flag. The C interface offers one way to do that: to cancel an asynchronous call
    /// of the same executor. The call that is made for this has too few parameters, so it is
    /// refused before it runs or changes anything.
    pub fn set(&self) {
        // SAFETY: executor and function live (see `new`), and the call has finished when it is
        // deleted.
        unsafe {
            let call = ffi::WasmEdge_ExecutorAsyncInvoke(self.executor, self.function, null(), 0);
            if call.is_null() {
                return;
            }
            ffi::WasmEdge_AsyncWait(call);
            ffi::WasmEdge_AsyncCancel(call);
            ffi::WasmEdge_AsyncDelete(call);
        }
    }
}

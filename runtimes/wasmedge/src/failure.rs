//! Results and version of WasmEdge's C interface.

use std::ffi::CStr;

use wasmedge_sys::ffi;

use crate::log;

/// A word in the log line that WasmEdge writes when it continues without compiled code.
pub(crate) const FALLS_BACK: &str = "interpreter";

/// Why WasmEdge refused an operation or a guest failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    code: ffi::WasmEdge_ErrCode,
    message: String,
}

impl Failure {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { code: ffi::WasmEdge_ErrCode_RuntimeError, message: message.into() }
    }

    fn of(result: ffi::WasmEdge_Result) -> Self {
        // SAFETY: both functions only read their argument, and the message is a static string of
        // the library.
        let (code, phrase) = unsafe {
            (
                ffi::WasmEdge_ResultGetCode(result),
                CStr::from_ptr(ffi::WasmEdge_ResultGetMessage(result)),
            )
        };
        let phrase = phrase.to_string_lossy();
        let mut message = phrase.clone().into_owned();
        for line in log::take() {
            // The log repeats the phrase with its code, and repeats itself.
            if !line.contains(&*phrase) && !message.contains(&line) {
                message.push_str("; ");
                message.push_str(&line);
            }
        }
        Self { code, message }
    }

    /// Whether the guest called `proc_exit`.
    pub fn is_exit(&self) -> bool {
        self.code == ffi::WasmEdge_ErrCode_Terminated
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

/// Unlike `WasmEdge_ResultOK`, this is an error for a guest that called `proc_exit` and
/// returned nothing.
#[inline]
pub(crate) fn check(result: ffi::WasmEdge_Result) -> Result<(), Failure> {
    if result.Code == ffi::WasmEdge_ErrCode_Success { Ok(()) } else { Err(Failure::of(result)) }
}

/// The library's version.
pub fn version() -> String {
    // SAFETY: the function returns a static string.
    unsafe { CStr::from_ptr(ffi::WasmEdge_VersionGet()) }.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_library_has_the_version_of_the_sdk() {
        assert_eq!(version(), "0.17.1");
    }
}

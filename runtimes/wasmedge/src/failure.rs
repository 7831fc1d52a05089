//! Results, strings and version of WasmEdge's C interface.

use std::ffi::CStr;

use wasmedge_sys::ffi;

use crate::log;

/// In what WasmEdge logs when it goes on without compiled code.
pub(crate) const FALLS_BACK: &str = "interpreter";

/// Why WasmEdge refused or a guest failed.
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
        // SAFETY: both only read the value that they are passed; the message is a static
        // string of the library.
        let (code, phrase) = unsafe {
            (
                ffi::WasmEdge_ResultGetCode(result),
                CStr::from_ptr(ffi::WasmEdge_ResultGetMessage(result)),
            )
        };
        let phrase = phrase.to_string_lossy();
        let mut message = phrase.clone().into_owned();
        for line in log::take() {
            // The log repeats the phrase with its code, and itself.
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

/// `WasmEdge_ResultOK` also holds for a guest that left by `proc_exit` and returned
/// nothing; here only success is.
#[inline]
pub(crate) fn check(result: ffi::WasmEdge_Result) -> Result<(), Failure> {
    if result.Code == ffi::WasmEdge_ErrCode_Success { Ok(()) } else { Err(Failure::of(result)) }
}

/// The text of a string that WasmEdge lends.
pub(crate) fn text(string: ffi::WasmEdge_String) -> String {
    if string.Buf.is_null() {
        return String::new();
    }
    // SAFETY: WasmEdge lends `Length` bytes at `Buf` for this call.
    let bytes = unsafe { std::slice::from_raw_parts(string.Buf.cast(), string.Length as usize) };
    String::from_utf8_lossy(bytes).into_owned()
}

/// Lends a name to the library.
pub(crate) fn name(name: &str) -> ffi::WasmEdge_String {
    // SAFETY: wraps without copying; the callee of each use below copies or only reads.
    unsafe { ffi::WasmEdge_StringWrap(name.as_ptr().cast(), name.len() as u32) }
}

/// The library's version.
pub fn version() -> String {
    // SAFETY: a static string.
    unsafe { CStr::from_ptr(ffi::WasmEdge_VersionGet()) }.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_library_is_the_one_that_the_sdk_was_made_for() {
        assert_eq!(version(), "0.17.1");
    }
}

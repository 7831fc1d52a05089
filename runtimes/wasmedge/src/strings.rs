//! Strings of WasmEdge's C interface.

use wasmedge_sys::ffi;

/// Copies a string that WasmEdge lends.
pub(crate) fn text(string: ffi::WasmEdge_String) -> String {
    if string.Buf.is_null() {
        return String::new();
    }
    // SAFETY: WasmEdge lends `Length` bytes at `Buf` for the duration of this call.
    let bytes = unsafe { std::slice::from_raw_parts(string.Buf.cast(), string.Length as usize) };
    String::from_utf8_lossy(bytes).into_owned()
}

/// Lends a name to WasmEdge.
pub(crate) fn name(name: &str) -> ffi::WasmEdge_String {
    // SAFETY: wraps without copying. Every function that takes the result copies it or reads it
    // only during the call.
    unsafe { ffi::WasmEdge_StringWrap(name.as_ptr().cast(), name.len() as u32) }
}

//! Storage through host calls: two calls, and no socket in the guest.
//!
//! A component imports the interface `storage` of `wit/function.wit`. A preview 1 module imports
//! three functions of module `lumos`, which do the same with integers. `storage_get` and
//! `storage_put` return the length of the result, or -1 - length of an error message. The host
//! keeps these bytes until `storage_take` copies them into memory that the guest has allocated.

pub(crate) use target::{get, put};

#[cfg(not(target_family = "wasm"))]
mod target {
    use crate::error::Error;

    pub(crate) fn get(_key: &str) -> Result<Vec<u8>, Error> {
        Err(no_host())
    }

    pub(crate) fn put(_key: &str, _value: &[u8]) -> Result<(), Error> {
        Err(no_host())
    }

    fn no_host() -> Error {
        Error::new("storage `host` is for wasm: a native function has no host to call")
    }
}

#[cfg(all(target_os = "wasi", target_env = "p2"))]
mod target {
    use crate::bindings::lumos::function::storage;
    use crate::error::Error;

    pub(crate) fn get(key: &str) -> Result<Vec<u8>, Error> {
        storage::get(key).map_err(Error::new)
    }

    pub(crate) fn put(key: &str, value: &[u8]) -> Result<(), Error> {
        storage::put(key, value).map_err(Error::new)
    }
}

#[cfg(all(target_os = "wasi", target_env = "p1"))]
mod target {
    use crate::error::Error;

    #[link(wasm_import_module = "lumos")]
    unsafe extern "C" {
        fn storage_get(key: *const u8, key_bytes: u32) -> i64;
        fn storage_put(key: *const u8, key_bytes: u32, value: *const u8, bytes: u32) -> i64;
        fn storage_take(into: *mut u8);
    }

    pub(crate) fn get(key: &str) -> Result<Vec<u8>, Error> {
        // SAFETY: the host reads `key` during the call.
        outcome(unsafe { storage_get(key.as_ptr(), key.len() as u32) })
    }

    pub(crate) fn put(key: &str, value: &[u8]) -> Result<(), Error> {
        let (key, key_bytes) = (key.as_ptr(), key.len() as u32);
        // SAFETY: the host reads `key` and `value` during the call.
        outcome(unsafe { storage_put(key, key_bytes, value.as_ptr(), value.len() as u32) })
            .map(drop)
    }

    /// Takes the bytes that the host keeps: the value, or an error message.
    fn outcome(length: i64) -> Result<Vec<u8>, Error> {
        let bytes = if length < 0 { -1 - length } else { length } as usize;
        let mut waiting = Vec::with_capacity(bytes);
        if bytes > 0 {
            // SAFETY: the host writes exactly `bytes` bytes, the length that it has just returned,
            // and the vector has room for them.
            unsafe {
                storage_take(waiting.as_mut_ptr());
                waiting.set_len(bytes);
            }
        }
        if length < 0 {
            return Err(Error::new(String::from_utf8_lossy(&waiting).into_owned()));
        }
        Ok(waiting)
    }
}

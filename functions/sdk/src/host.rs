//! Storage that the host reaches for the function: two calls, and no socket in the guest.
//!
//! A component imports the interface `storage` of `wit/function.wit`. A preview 1 module
//! imports three functions of module `lumos`, which say the same in integers:
//! `storage_get` and `storage_put` return a length, or -1 - length for an error, of the
//! bytes that wait with the host, if there are any, until `storage_take` has them copied into the guest's
//! own allocation.

pub(crate) use target::{get, put};

#[cfg(not(target_family = "wasm"))]
mod target {
    use crate::Error;

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
    use crate::Error;
    use crate::component::lumos::function::storage;

    pub(crate) fn get(key: &str) -> Result<Vec<u8>, Error> {
        storage::get(key).map_err(Error::new)
    }

    pub(crate) fn put(key: &str, value: &[u8]) -> Result<(), Error> {
        storage::put(key, value).map_err(Error::new)
    }
}

#[cfg(all(target_os = "wasi", target_env = "p1"))]
mod target {
    use crate::Error;

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

    /// Takes what waits: the value, or an error's message.
    fn outcome(length: i64) -> Result<Vec<u8>, Error> {
        let bytes = if length < 0 { -1 - length } else { length } as usize;
        let mut waiting = Vec::with_capacity(bytes);
        if bytes > 0 {
            // SAFETY: the host writes the `bytes` bytes that it has just told, and there
            // is room for them.
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

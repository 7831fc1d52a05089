//! The interface `storage` (`functions/sdk/wit`): the host stores values for its guest.

use wasmtime::component::Linker;
use wasmtime::{Result, StoreContextMut};

use crate::guest::Guest;

const INTERFACE: &str = "lumos:function/storage";

/// Adds the interface to `linker`.
///
/// A call blocks the guest's thread and is bounded by the socket's own timeout, because the
/// executor notices a deadline only while the guest waits for a future.
pub fn add_to_linker(linker: &mut Linker<Guest>) -> Result<()> {
    let mut storage = linker.instance(INTERFACE)?;
    storage.func_wrap("get", |mut store: StoreContextMut<'_, Guest>, (key,): (String,)| {
        Ok((store.data_mut().storage.get(&key),))
    })?;
    storage.func_wrap(
        "put",
        |mut store: StoreContextMut<'_, Guest>, (key, value): (String, Vec<u8>)| {
            Ok((store.data_mut().storage.put(&key, &value),))
        },
    )
}

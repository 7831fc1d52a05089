//! The module `lumos` that a guest imports when it has its host store things.
//!
//! What the three functions mean to the guest is in `functions/sdk/src/host.rs`. They
//! run on the guest's thread, inside of its call.

use std::ffi::c_void;
use std::ptr::{NonNull, null};

use lumos_runtime::HostStorage;
use wasmedge_sys::ffi;

use crate::failure::{Failure, name};
use crate::vm::Owned;

/// The module's name, in the guest's imports.
pub(crate) const MODULE: &str = "lumos";

/// The functions of one instance at a time, and what is behind them.
pub(crate) struct StorageModule {
    // Dropped first: its functions refer to the desk.
    module: Owned<ffi::WasmEdge_ModuleInstanceContext>,
    desk: NonNull<Desk>,
}

// SAFETY: only the guest's calls and its owner use the desk, one at a time.
unsafe impl Send for StorageModule {}

/// Where guest and host hand things over.
#[derive(Default)]
struct Desk {
    storage: HostStorage,
    waiting: Vec<u8>,
}

type Implementation = unsafe extern "C" fn(
    *mut c_void,
    *const ffi::WasmEdge_CallingFrameContext,
    *const ffi::WasmEdge_Value,
    *mut ffi::WasmEdge_Value,
) -> ffi::WasmEdge_Result;

impl StorageModule {
    /// The module, in front of `storage`.
    ///
    /// # Errors
    /// When WasmEdge is out of memory.
    pub fn new(storage: HostStorage) -> Result<Self, Failure> {
        // SAFETY: the name is copied.
        let module = unsafe { ffi::WasmEdge_ModuleInstanceCreate(name(MODULE)) };
        let module = Owned::new(module, ffi::WasmEdge_ModuleInstanceDelete)?;
        let desk = Box::new(Desk { storage, waiting: Vec::new() });
        let made = Self { module, desk: NonNull::from(Box::leak(desk)) };
        made.add("storage_get", 2, true, storage_get);
        made.add("storage_put", 4, true, storage_put);
        made.add("storage_take", 1, false, storage_take);
        Ok(made)
    }

    /// Puts `storage` in the place of the one that an instance before had.
    pub fn renew(&mut self, storage: HostStorage) {
        // SAFETY: the desk lives, and no guest runs while its owner is here.
        unsafe { *self.desk.as_ptr() = Desk { storage, waiting: Vec::new() } }
    }

    /// The module, for the executor or VM that is to know it.
    pub fn as_ptr(&self) -> *mut ffi::WasmEdge_ModuleInstanceContext {
        self.module.as_ptr()
    }

    /// Adds a function of `integers` 32-bit parameters that returns 64 bits or nothing.
    fn add(&self, function: &str, integers: u32, returns: bool, implementation: Implementation) {
        // SAFETY: the type is copied and deleted here; the module takes the function, and
        // is deleted before the desk.
        unsafe {
            let parameters = [ffi::WasmEdge_ValTypeGenI32(); 4];
            let results = [ffi::WasmEdge_ValTypeGenI64()];
            let results = if returns { (results.as_ptr(), 1) } else { (null(), 0) };
            let kind = ffi::WasmEdge_FunctionTypeCreate(
                parameters.as_ptr(),
                integers,
                results.0,
                results.1,
            );
            let desk = self.desk.as_ptr().cast();
            let made = ffi::WasmEdge_FunctionInstanceCreate(kind, Some(implementation), desk, 0);
            ffi::WasmEdge_FunctionTypeDelete(kind);
            ffi::WasmEdge_ModuleInstanceAddFunction(self.as_ptr(), name(function), made);
        }
    }
}

impl Drop for StorageModule {
    fn drop(&mut self) {
        // SAFETY: leaked by `new`; whoever calls the module's functions is dropped before.
        drop(unsafe { Box::from_raw(self.desk.as_ptr()) });
    }
}

/// What WasmEdge passes to one call.
struct Call<'a> {
    desk: &'a mut Desk,
    memory: *mut ffi::WasmEdge_MemoryInstanceContext,
    parameters: *const ffi::WasmEdge_Value,
}

impl Call<'_> {
    /// # Safety
    /// The arguments are those of a call of a function of [`StorageModule`].
    unsafe fn new(
        desk: *mut c_void,
        frame: *const ffi::WasmEdge_CallingFrameContext,
        parameters: *const ffi::WasmEdge_Value,
    ) -> Self {
        // SAFETY: the desk outlives the module, and a guest makes one call at a time; the
        // frame is valid for the call.
        unsafe {
            Self {
                desk: &mut *desk.cast(),
                memory: ffi::WasmEdge_CallingFrameGetMemoryInstance(frame, 0),
                parameters,
            }
        }
    }

    /// # Safety
    /// The function has a parameter of this number.
    unsafe fn parameter(&self, number: usize) -> u32 {
        // SAFETY: as the caller says.
        unsafe { (*self.parameters.add(number)).Value as u32 }
    }

    /// The guest's bytes whose place and length are in two parameters from `number` on;
    /// `None`: they are beyond its memory.
    ///
    /// # Safety
    /// The function has these parameters; the guest does not run while the bytes are in
    /// use.
    unsafe fn bytes<'m>(&self, number: usize) -> Option<&'m [u8]> {
        // SAFETY: WasmEdge checks the bounds and returns null beyond them, and for no
        // memory.
        unsafe {
            let (offset, length) = (self.parameter(number), self.parameter(number + 1));
            let start = ffi::WasmEdge_MemoryInstanceGetPointerConst(
                self.memory,
                u64::from(offset),
                u64::from(length),
            );
            (!start.is_null()).then(|| std::slice::from_raw_parts(start, length as usize))
        }
    }

    /// Leaves the outcome for `storage_take`; what the guest is told of it.
    fn leave(&mut self, outcome: Result<Vec<u8>, String>) -> i64 {
        let failed = outcome.is_err();
        self.desk.waiting = outcome.unwrap_or_else(String::into_bytes);
        let length = self.desk.waiting.len() as i64;
        if failed { -1 - length } else { length }
    }
}

const DONE: ffi::WasmEdge_Result = ffi::WasmEdge_Result { Code: ffi::WasmEdge_ErrCode_Success };
/// A trap of the guest.
const OUTSIDE: ffi::WasmEdge_Result =
    ffi::WasmEdge_Result { Code: ffi::WasmEdge_ErrCode_MemoryOutOfBounds };

fn text(bytes: &[u8]) -> Result<&str, String> {
    std::str::from_utf8(bytes).map_err(|_| "the key is no text".to_owned())
}

unsafe extern "C" fn storage_get(
    desk: *mut c_void,
    frame: *const ffi::WasmEdge_CallingFrameContext,
    parameters: *const ffi::WasmEdge_Value,
    results: *mut ffi::WasmEdge_Value,
) -> ffi::WasmEdge_Result {
    // SAFETY: WasmEdge calls this as the function of two parameters and one result that
    // it was registered as, and the guest waits for it.
    unsafe {
        let mut call = Call::new(desk, frame, parameters);
        let Some(key) = call.bytes(0) else { return OUTSIDE };
        let outcome = text(key).and_then(|key| call.desk.storage.get(key));
        *results = ffi::WasmEdge_ValueGenI64(call.leave(outcome));
    }
    DONE
}

unsafe extern "C" fn storage_put(
    desk: *mut c_void,
    frame: *const ffi::WasmEdge_CallingFrameContext,
    parameters: *const ffi::WasmEdge_Value,
    results: *mut ffi::WasmEdge_Value,
) -> ffi::WasmEdge_Result {
    // SAFETY: as above, with four parameters.
    unsafe {
        let mut call = Call::new(desk, frame, parameters);
        let (Some(key), Some(value)) = (call.bytes(0), call.bytes(2)) else { return OUTSIDE };
        let outcome = text(key).and_then(|key| call.desk.storage.put(key, value));
        *results = ffi::WasmEdge_ValueGenI64(call.leave(outcome.map(|()| Vec::new())));
    }
    DONE
}

unsafe extern "C" fn storage_take(
    desk: *mut c_void,
    frame: *const ffi::WasmEdge_CallingFrameContext,
    parameters: *const ffi::WasmEdge_Value,
    _: *mut ffi::WasmEdge_Value,
) -> ffi::WasmEdge_Result {
    // SAFETY: as above, with one parameter; WasmEdge checks the bounds of the copy.
    unsafe {
        let call = Call::new(desk, frame, parameters);
        let waiting = std::mem::take(&mut call.desk.waiting);
        ffi::WasmEdge_MemoryInstanceSetData(
            call.memory,
            waiting.as_ptr(),
            u64::from(call.parameter(0)),
            waiting.len() as u64,
        )
    }
}

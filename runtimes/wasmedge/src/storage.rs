//! The module `lumos`, which a guest imports if the host stores values for it.
//!
//! `functions/sdk/src/host.rs` describes the three functions from the guest's side. They run on
//! the guest's thread, during its call.

use std::ffi::c_void;
use std::ptr::{NonNull, null};

use lumos_runtime::HostStorage;
use wasmedge_sys::ffi;

use crate::failure::Failure;
use crate::owned::Owned;
use crate::strings::name;

/// The module's name, in the guest's imports.
pub(crate) const MODULE: &str = "lumos";

/// The functions, which serve one instance at a time, and their data.
pub(crate) struct StorageModule {
    // Dropped first, because its functions refer to the data.
    module: Owned<ffi::WasmEdge_ModuleInstanceContext>,
    data: NonNull<Data>,
}

// SAFETY: only the guest's calls and its owner use the data, one at a time.
unsafe impl Send for StorageModule {}

/// The data of the functions.
#[derive(Default)]
struct Data {
    storage: HostStorage,
    /// The result of the last call, until `storage_take` copies it.
    result: Vec<u8>,
}

/// What a function returns to the guest.
enum Returns {
    /// 64 bits.
    Integer,
    Nothing,
}

type Implementation = unsafe extern "C" fn(
    *mut c_void,
    *const ffi::WasmEdge_CallingFrameContext,
    *const ffi::WasmEdge_Value,
    *mut ffi::WasmEdge_Value,
) -> ffi::WasmEdge_Result;

impl StorageModule {
    /// The module with access to `storage`.
    ///
    /// # Errors
    /// When WasmEdge is out of memory.
    pub fn new(storage: HostStorage) -> Result<Self, Failure> {
        // SAFETY: the name is copied.
        let module = unsafe { ffi::WasmEdge_ModuleInstanceCreate(name(MODULE)) };
        let module = Owned::new(module, ffi::WasmEdge_ModuleInstanceDelete)?;
        let data = Box::new(Data { storage, result: Vec::new() });
        let created = Self { module, data: NonNull::from(Box::leak(data)) };
        created.add("storage_get", 2, Returns::Integer, storage_get);
        created.add("storage_put", 4, Returns::Integer, storage_put);
        created.add("storage_take", 1, Returns::Nothing, storage_take);
        Ok(created)
    }

    /// Replaces the storage of the previous instance.
    pub fn renew(&mut self, storage: HostStorage) {
        // SAFETY: the data lives, and no guest runs while its owner calls this.
        unsafe { *self.data.as_ptr() = Data { storage, result: Vec::new() } }
    }

    /// The module, for the executor or VM that registers it.
    pub fn as_ptr(&self) -> *mut ffi::WasmEdge_ModuleInstanceContext {
        self.module.as_ptr()
    }

    /// Adds a function with `parameters` 32-bit parameters.
    fn add(
        &self,
        function: &str,
        parameters: u32,
        returns: Returns,
        implementation: Implementation,
    ) {
        // SAFETY: the type is copied and then deleted here. The module owns the function and is
        // deleted before the data.
        unsafe {
            let types = [ffi::WasmEdge_ValTypeGenI32(); 4];
            let integer = [ffi::WasmEdge_ValTypeGenI64()];
            let (results, count) = match returns {
                Returns::Integer => (integer.as_ptr(), 1),
                Returns::Nothing => (null(), 0),
            };
            let kind = ffi::WasmEdge_FunctionTypeCreate(types.as_ptr(), parameters, results, count);
            let data = self.data.as_ptr().cast();
            let created = ffi::WasmEdge_FunctionInstanceCreate(kind, Some(implementation), data, 0);
            ffi::WasmEdge_FunctionTypeDelete(kind);
            ffi::WasmEdge_ModuleInstanceAddFunction(self.as_ptr(), name(function), created);
        }
    }
}

impl Drop for StorageModule {
    fn drop(&mut self) {
        // SAFETY: `new` leaked it, and the guest that calls the module's functions was dropped
        // before.
        drop(unsafe { Box::from_raw(self.data.as_ptr()) });
    }
}

/// The arguments that WasmEdge passes to one call.
struct Call<'a> {
    data: &'a mut Data,
    memory: *mut ffi::WasmEdge_MemoryInstanceContext,
    parameters: *const ffi::WasmEdge_Value,
}

impl Call<'_> {
    /// # Safety
    /// The arguments are those of a call of a function of [`StorageModule`].
    unsafe fn new(
        data: *mut c_void,
        frame: *const ffi::WasmEdge_CallingFrameContext,
        parameters: *const ffi::WasmEdge_Value,
    ) -> Self {
        // SAFETY: the data outlives the module, and a guest makes one call at a time. The frame is
        // valid during the call.
        unsafe {
            Self {
                data: &mut *data.cast(),
                memory: ffi::WasmEdge_CallingFrameGetMemoryInstance(frame, 0),
                parameters,
            }
        }
    }

    /// # Safety
    /// The function has a parameter of this number.
    unsafe fn parameter(&self, number: usize) -> u32 {
        // SAFETY: the caller guarantees it.
        unsafe { (*self.parameters.add(number)).Value as u32 }
    }

    /// The guest's bytes whose offset and length are the parameters `number` and `number + 1`;
    /// `None` if they are outside of its memory.
    ///
    /// # Safety
    /// The function has these parameters, and the guest does not run while the bytes are in use.
    unsafe fn bytes<'m>(&self, number: usize) -> Option<&'m [u8]> {
        // SAFETY: WasmEdge returns null for a range outside of the memory, and without a memory.
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

    /// Keeps the result for `storage_take`. Returns the integer that the guest gets: the length
    /// of a value, or a negative number for an error message.
    fn keep(&mut self, outcome: Result<Vec<u8>, String>) -> i64 {
        let failed = outcome.is_err();
        self.data.result = outcome.unwrap_or_else(String::into_bytes);
        let length = self.data.result.len() as i64;
        if failed { -1 - length } else { length }
    }
}

const DONE: ffi::WasmEdge_Result = ffi::WasmEdge_Result { Code: ffi::WasmEdge_ErrCode_Success };
/// A trap of the guest.
const OUT_OF_BOUNDS: ffi::WasmEdge_Result =
    ffi::WasmEdge_Result { Code: ffi::WasmEdge_ErrCode_MemoryOutOfBounds };

fn text(bytes: &[u8]) -> Result<&str, String> {
    std::str::from_utf8(bytes).map_err(|_| "the key is not UTF-8".to_owned())
}

unsafe extern "C" fn storage_get(
    data: *mut c_void,
    frame: *const ffi::WasmEdge_CallingFrameContext,
    parameters: *const ffi::WasmEdge_Value,
    results: *mut ffi::WasmEdge_Value,
) -> ffi::WasmEdge_Result {
    // SAFETY: WasmEdge calls this with two parameters and one result, as it was registered, and
    // the guest waits for it.
    unsafe {
        let mut call = Call::new(data, frame, parameters);
        let Some(key) = call.bytes(0) else { return OUT_OF_BOUNDS };
        let outcome = text(key).and_then(|key| call.data.storage.get(key));
        *results = ffi::WasmEdge_ValueGenI64(call.keep(outcome));
    }
    DONE
}

unsafe extern "C" fn storage_put(
    data: *mut c_void,
    frame: *const ffi::WasmEdge_CallingFrameContext,
    parameters: *const ffi::WasmEdge_Value,
    results: *mut ffi::WasmEdge_Value,
) -> ffi::WasmEdge_Result {
    // SAFETY: as above, with four parameters.
    unsafe {
        let mut call = Call::new(data, frame, parameters);
        let (Some(key), Some(value)) = (call.bytes(0), call.bytes(2)) else { return OUT_OF_BOUNDS };
        let outcome = text(key).and_then(|key| call.data.storage.put(key, value));
        *results = ffi::WasmEdge_ValueGenI64(call.keep(outcome.map(|()| Vec::new())));
    }
    DONE
}

unsafe extern "C" fn storage_take(
    data: *mut c_void,
    frame: *const ffi::WasmEdge_CallingFrameContext,
    parameters: *const ffi::WasmEdge_Value,
    _: *mut ffi::WasmEdge_Value,
) -> ffi::WasmEdge_Result {
    // SAFETY: as above, with one parameter; WasmEdge checks the bounds of the copy.
    unsafe {
        let call = Call::new(data, frame, parameters);
        let result = std::mem::take(&mut call.data.result);
        ffi::WasmEdge_MemoryInstanceSetData(
            call.memory,
            result.as_ptr(),
            u64::from(call.parameter(0)),
            result.len() as u64,
        )
    }
}

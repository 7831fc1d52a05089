//! Guests: instances of WasmEdge's C interface.
//!
//! An executor instantiates interpreted modules and AoT code; it takes the parsed module by
//! reference. Only a VM compiles (the JIT runs in `WasmEdge_VMInstantiate`), so JIT code lives
//! in a VM. Calls are the same for all three: the executor that created an instance calls a
//! function of it that was found once.

use std::ptr::{NonNull, null, null_mut};

use lumos_runtime::HostStorage;
use wasmedge_sys::{Config, ffi};

use crate::ast::Ast;
use crate::failure::{FALLS_BACK, Failure, check};
use crate::log;
use crate::owned::Owned;
use crate::stop_token::StopToken;
use crate::storage::StorageModule;
use crate::strings::name;
use crate::surroundings::Surroundings;

/// A VM that holds a module compiled by the JIT.
pub struct JitVm {
    // Dropped first, because it refers to the storage.
    vm: Owned<ffi::WasmEdge_VMContext>,
    storage: Option<StorageModule>,
}

// SAFETY: WasmEdge locks the functions of a VM, and one thread at a time owns this one.
unsafe impl Send for JitVm {}

impl JitVm {
    /// Compiles a validated module. WasmEdge compiles in the first instantiation, so this
    /// creates an instance, which the next one replaces.
    ///
    /// # Errors
    /// When the VM cannot be created, the module cannot be instantiated, or WasmEdge would
    /// continue without compiled code.
    pub fn compile(config: &Config, module: &Ast) -> Result<Self, Failure> {
        log::take();
        let storage = storage_for(module, HostStorage::default)?;
        // SAFETY: the VM is created with valid arguments, owned, and copies the configuration
        // and the module.
        let vm = unsafe {
            let vm = Owned::new(
                ffi::WasmEdge_VMCreate(config.as_ptr(), null_mut()),
                ffi::WasmEdge_VMDelete,
            )?;
            if let Some(storage) = &storage {
                check(ffi::WasmEdge_VMRegisterModuleFromImport(vm.as_ptr(), storage.as_ptr()))?;
            }
            check(ffi::WasmEdge_VMLoadWasmFromASTModule(vm.as_ptr(), module.as_ptr()))?;
            check(ffi::WasmEdge_VMValidate(vm.as_ptr()))?;
            check(ffi::WasmEdge_VMInstantiate(vm.as_ptr()))?;
            vm
        };
        match log::find(FALLS_BACK) {
            Some(line) => Err(Failure::new(line)),
            None => Ok(Self { vm, storage }),
        }
    }
}

/// The storage module, if the module imports it.
fn storage_for(
    module: &Ast,
    storage: impl FnOnce() -> HostStorage,
) -> Result<Option<StorageModule>, Failure> {
    module.imports_storage().then(|| StorageModule::new(storage())).transpose()
}

/// The objects that an instance needs. Fields are dropped from top to bottom.
enum Parts {
    Executor {
        instance: Owned<ffi::WasmEdge_ModuleInstanceContext>,
        _wasi: Owned<ffi::WasmEdge_ModuleInstanceContext>,
        _storage: Option<StorageModule>,
        _store: Owned<ffi::WasmEdge_StoreContext>,
        executor: Owned<ffi::WasmEdge_ExecutorContext>,
    },
    Vm(JitVm),
}

impl Parts {
    fn executor(&self) -> *mut ffi::WasmEdge_ExecutorContext {
        match self {
            Parts::Executor { executor, .. } => executor.as_ptr(),
            // SAFETY: the VM lives and owns its executor.
            Parts::Vm(vm) => unsafe { ffi::WasmEdge_VMGetExecutorContext(vm.vm.as_ptr()) },
        }
    }

    fn instance(&self) -> *const ffi::WasmEdge_ModuleInstanceContext {
        match self {
            Parts::Executor { instance, .. } => instance.as_ptr(),
            // SAFETY: the VM lives and was instantiated.
            Parts::Vm(vm) => unsafe { ffi::WasmEdge_VMGetActiveModule(vm.vm.as_ptr()) },
        }
    }
}

/// A function of the [`Guest`] in which it was found.
#[derive(Clone, Copy)]
pub struct Function(NonNull<ffi::WasmEdge_FunctionInstanceContext>);

// SAFETY: it only names a function of a guest, and only the guest's owner can call it.
unsafe impl Send for Function {}

/// An instance.
pub struct Guest {
    executor: *mut ffi::WasmEdge_ExecutorContext,
    memory: *mut ffi::WasmEdge_MemoryInstanceContext,
    /// The type of every argument.
    integer: ffi::WasmEdge_ValType,
    parts: Parts,
}

// SAFETY: an instance has one owner, and WasmEdge does not bind it to a thread: it sets its
// thread-local variables at the start of each call.
unsafe impl Send for Guest {}

impl Guest {
    /// An instance of interpreted or AoT code, with an executor of its own.
    ///
    /// The caller must keep `module` for as long as the guest lives.
    ///
    /// # Errors
    /// When an import is missing or the instance exceeds the bounds of the configuration.
    pub fn instantiate(
        config: &Config,
        module: &Ast,
        surroundings: &Surroundings<'_>,
    ) -> Result<Self, Failure> {
        log::take();
        // SAFETY: each object is created with valid arguments, owned, and dropped after the
        // objects that refer to it.
        unsafe {
            let executor = Owned::new(
                ffi::WasmEdge_ExecutorCreate(config.as_ptr(), null_mut()),
                ffi::WasmEdge_ExecutorDelete,
            )?;
            let store = Owned::new(ffi::WasmEdge_StoreCreate(), ffi::WasmEdge_StoreDelete)?;
            let wasi = Owned::new(
                ffi::WasmEdge_ModuleInstanceCreateWASI(null(), 0, null(), 0, null(), 0),
                ffi::WasmEdge_ModuleInstanceDelete,
            )?;
            let register = |module: *mut ffi::WasmEdge_ModuleInstanceContext| {
                let (executor, store) = (executor.as_ptr(), store.as_ptr());
                check(ffi::WasmEdge_ExecutorRegisterImport(executor, store, module))
            };
            surroundings.give_to(wasi.as_ptr())?;
            register(wasi.as_ptr())?;
            let storage = storage_for(module, || HostStorage::new(surroundings.env))?;
            if let Some(storage) = &storage {
                register(storage.as_ptr())?;
            }
            let mut instance = null_mut();
            check(ffi::WasmEdge_ExecutorInstantiate(
                executor.as_ptr(),
                &mut instance,
                store.as_ptr(),
                module.as_ptr(),
            ))?;
            let instance = Owned::new(instance, ffi::WasmEdge_ModuleInstanceDelete)?;
            let parts = Parts::Executor {
                instance,
                _wasi: wasi,
                _storage: storage,
                _store: store,
                executor,
            };
            Self::of(parts)
        }
    }

    /// A new instance in a VM, which replaces the VM's previous one.
    ///
    /// # Errors
    /// When the instance exceeds the bounds of the VM's configuration.
    pub fn replace(mut vm: JitVm, surroundings: &Surroundings<'_>) -> Result<Self, Failure> {
        log::take();
        if let Some(storage) = &mut vm.storage {
            storage.renew(HostStorage::new(surroundings.env));
        }
        // SAFETY: the VM lives, owns its WASI module, and has validated its module.
        unsafe {
            let wasi = ffi::WasmEdge_VMGetImportModuleContext(
                vm.vm.as_ptr(),
                ffi::WasmEdge_HostRegistration_Wasi,
            );
            surroundings.give_to(wasi)?;
            check(ffi::WasmEdge_VMInstantiate(vm.vm.as_ptr()))?;
        }
        Self::of(Parts::Vm(vm))
    }

    fn of(parts: Parts) -> Result<Self, Failure> {
        // WasmEdge cuts a memory whose initial size exceeds the limit down to the limit.
        if let Some(line) = log::find("Memory Instance:") {
            return Err(Failure::new(format!(
                "the initial size of its memory is not within the limit: raise the limit ({line})"
            )));
        }
        // SAFETY: the instance lives as long as `parts`.
        let memory =
            unsafe { ffi::WasmEdge_ModuleInstanceFindMemory(parts.instance(), name("memory")) };
        if memory.is_null() {
            return Err(Failure::new("it exports no memory"));
        }
        // SAFETY: returns a value.
        let integer = unsafe { ffi::WasmEdge_ValTypeGenI32() };
        Ok(Self { executor: parts.executor(), memory, integer, parts })
    }

    /// The instance's VM, if it has one, for the next instance.
    pub fn into_vm(self) -> Option<JitVm> {
        match self.parts {
            Parts::Vm(vm) => Some(vm),
            Parts::Executor { .. } => None,
        }
    }

    /// The exported function of that name.
    pub fn function(&self, function: &str) -> Option<Function> {
        // SAFETY: the instance lives as long as `self`.
        let found = unsafe {
            ffi::WasmEdge_ModuleInstanceFindFunction(self.parts.instance(), name(function))
        };
        NonNull::new(found).map(Function)
    }

    /// Calls a function of this instance with integers. Returns its result, or 0 if it has none.
    ///
    /// # Errors
    /// When the guest traps, exits or is interrupted, and when the function has another type.
    #[inline]
    pub fn call<const N: usize>(
        &mut self,
        function: Function,
        arguments: [u32; N],
        results: u32,
    ) -> Result<u64, Failure> {
        let arguments = arguments.map(|argument| ffi::WasmEdge_Value {
            Value: u128::from(argument),
            Type: self.integer,
        });
        let mut result = ffi::WasmEdge_Value { Value: 0, Type: self.integer };
        // SAFETY: the function belongs to this instance, and both lists have the given lengths.
        check(unsafe {
            ffi::WasmEdge_ExecutorInvoke(
                self.executor,
                function.0.as_ptr(),
                arguments.as_ptr(),
                N as u32,
                &mut result,
                results,
            )
        })?;
        Ok(result.Value as u64)
    }

    /// Copies `bytes` into the memory at `offset`.
    ///
    /// # Errors
    /// When they do not fit.
    #[inline]
    pub fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), Failure> {
        // SAFETY: the memory lives as long as `self`; WasmEdge checks the bounds.
        check(unsafe {
            ffi::WasmEdge_MemoryInstanceSetData(
                self.memory,
                bytes.as_ptr(),
                u64::from(offset),
                bytes.len() as u64,
            )
        })
    }

    /// Copies `len` bytes of the memory at `offset` to the end of `to`.
    ///
    /// # Errors
    /// When they reach beyond the memory.
    #[inline]
    pub fn read(&self, offset: u32, len: u32, to: &mut Vec<u8>) -> Result<(), Failure> {
        // SAFETY: the memory lives as long as `self`, and WasmEdge returns null for a range
        // outside of it. No guest runs while the slice is in use.
        let bytes = unsafe {
            let start = ffi::WasmEdge_MemoryInstanceGetPointerConst(
                self.memory,
                u64::from(offset),
                u64::from(len),
            );
            if start.is_null() {
                return Err(Failure::new(format!(
                    "its answer of {len} bytes at {offset:#x} is outside of its memory"
                )));
            }
            std::slice::from_raw_parts(start, len as usize)
        };
        to.extend_from_slice(bytes);
        Ok(())
    }

    /// Size of the memory in bytes.
    pub fn memory_bytes(&self) -> u64 {
        // SAFETY: the memory lives as long as `self`.
        unsafe { ffi::WasmEdge_MemoryInstanceGetPageSize(self.memory) }.saturating_mul(PAGE_BYTES)
    }

    /// The stop token of this instance's interpreter. `function` must take at least one
    /// parameter, and the token must not outlive the instance.
    pub fn stop_token(&self, function: Function) -> StopToken {
        // SAFETY: both belong to this instance, and the caller drops the token before it.
        unsafe { StopToken::new(self.executor, function.0.as_ptr()) }
    }
}

/// Size of a page of linear memory.
pub const PAGE_BYTES: u64 = 64 << 10;

//! Instances, by WasmEdge's C interface, as little of it as this host needs.
//!
//! The interpreter and AoT code are instantiated by an executor, which takes the parsed
//! module by reference. Only a VM compiles (`WasmEdge_VMInstantiate` is where the JIT
//! is), so JIT code lives in one. From there on all three are the same: a function
//! instance, found once, is called by the executor that made it.

use std::ptr::{NonNull, null, null_mut};

use lumos_runtime::HostStorage;
use wasmedge_sys::{Config, ffi};

use crate::ast::Ast;
use crate::failure::{FALLS_BACK, Failure, check, name};
use crate::log;
use crate::storage::StorageModule;
use crate::surroundings::Surroundings;

/// Something of WasmEdge's that is deleted with its owner.
pub(crate) struct Owned<T>(NonNull<T>, unsafe extern "C" fn(*mut T));

impl<T> Owned<T> {
    pub fn new(made: *mut T, delete: unsafe extern "C" fn(*mut T)) -> Result<Self, Failure> {
        let made = NonNull::new(made).ok_or_else(|| Failure::new("WasmEdge is out of memory"))?;
        Ok(Self(made, delete))
    }

    pub fn as_ptr(&self) -> *mut T {
        self.0.as_ptr()
    }
}

impl<T> Drop for Owned<T> {
    fn drop(&mut self) {
        // SAFETY: `new` was given the delete function of the very thing it owns.
        unsafe { self.1(self.0.as_ptr()) }
    }
}

/// A VM that holds a module compiled by the JIT.
pub struct JitVm {
    // Dropped first: it knows the storage.
    vm: Owned<ffi::WasmEdge_VMContext>,
    storage: Option<StorageModule>,
}

// SAFETY: WasmEdge locks a VM's own functions, and one thread at a time has this one.
unsafe impl Send for JitVm {}

impl JitVm {
    /// Compiles a validated module. WasmEdge does it within the first instantiation, so
    /// the instance of that is made and left to the next one to replace.
    ///
    /// # Errors
    /// When the VM cannot be made, the module not instantiated, or when WasmEdge would
    /// go on without compiled code.
    pub fn compile(config: &Config, module: &Ast) -> Result<Self, Failure> {
        log::take();
        let storage = storage_for(module, HostStorage::default)?;
        // SAFETY: the registration is set in the VM's copy of the configuration by
        // creating it with that; the module is copied.
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

/// The storage that a module imports, if it does.
fn storage_for(
    module: &Ast,
    storage: impl FnOnce() -> HostStorage,
) -> Result<Option<StorageModule>, Failure> {
    module.imports_storage().then(|| StorageModule::new(storage())).transpose()
}

/// What keeps an instance alive. Fields are dropped from the top.
enum Home {
    Executor {
        instance: Owned<ffi::WasmEdge_ModuleInstanceContext>,
        _wasi: Owned<ffi::WasmEdge_ModuleInstanceContext>,
        _storage: Option<StorageModule>,
        _store: Owned<ffi::WasmEdge_StoreContext>,
        executor: Owned<ffi::WasmEdge_ExecutorContext>,
    },
    Vm(JitVm),
}

impl Home {
    fn executor(&self) -> *mut ffi::WasmEdge_ExecutorContext {
        match self {
            Home::Executor { executor, .. } => executor.as_ptr(),
            // SAFETY: the VM lives and owns its executor.
            Home::Vm(vm) => unsafe { ffi::WasmEdge_VMGetExecutorContext(vm.vm.as_ptr()) },
        }
    }

    fn instance(&self) -> *const ffi::WasmEdge_ModuleInstanceContext {
        match self {
            Home::Executor { instance, .. } => instance.as_ptr(),
            // SAFETY: the VM lives and was instantiated.
            Home::Vm(vm) => unsafe { ffi::WasmEdge_VMGetActiveModule(vm.vm.as_ptr()) },
        }
    }
}

/// A function of an instance, for the [`Guest`] that it was found in.
#[derive(Clone, Copy)]
pub struct Function(NonNull<ffi::WasmEdge_FunctionInstanceContext>);

// SAFETY: a name for something of a guest; only the guest's owner can use it.
unsafe impl Send for Function {}

/// An instance.
pub struct Guest {
    executor: *mut ffi::WasmEdge_ExecutorContext,
    memory: *mut ffi::WasmEdge_MemoryInstanceContext,
    /// The type of all arguments.
    integer: ffi::WasmEdge_ValType,
    home: Home,
}

// SAFETY: an instance has one owner; WasmEdge binds none of it to a thread (its thread
// locals are set at the entry of each call).
unsafe impl Send for Guest {}

impl Guest {
    /// An instance of interpreted or AoT code, with an executor of its own.
    ///
    /// The caller keeps `module` for as long as the guest lives.
    ///
    /// # Errors
    /// When an import is missing or the instance does not fit the configuration.
    pub fn instantiate(
        config: &Config,
        module: &Ast,
        surroundings: &Surroundings<'_>,
    ) -> Result<Self, Failure> {
        log::take();
        // SAFETY: each thing is made with valid arguments, owned, and dropped after what
        // refers to it.
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
            surroundings.give_to(wasi.as_ptr())?;
            check(ffi::WasmEdge_ExecutorRegisterImport(
                executor.as_ptr(),
                store.as_ptr(),
                wasi.as_ptr(),
            ))?;
            let storage = storage_for(module, || HostStorage::new(surroundings.env))?;
            if let Some(storage) = &storage {
                check(ffi::WasmEdge_ExecutorRegisterImport(
                    executor.as_ptr(),
                    store.as_ptr(),
                    storage.as_ptr(),
                ))?;
            }
            let mut instance = null_mut();
            check(ffi::WasmEdge_ExecutorInstantiate(
                executor.as_ptr(),
                &mut instance,
                store.as_ptr(),
                module.as_ptr(),
            ))?;
            let instance = Owned::new(instance, ffi::WasmEdge_ModuleInstanceDelete)?;
            let home = Home::Executor {
                instance,
                _wasi: wasi,
                _storage: storage,
                _store: store,
                executor,
            };
            Self::of(home)
        }
    }

    /// A new instance in a VM, in place of the one that it held.
    ///
    /// # Errors
    /// When the instance does not fit the VM's configuration.
    pub fn replace(mut vm: JitVm, surroundings: &Surroundings<'_>) -> Result<Self, Failure> {
        log::take();
        if let Some(storage) = &mut vm.storage {
            storage.renew(HostStorage::new(surroundings.env));
        }
        // SAFETY: the VM lives, owns its WASI module, and is validated.
        unsafe {
            let wasi = ffi::WasmEdge_VMGetImportModuleContext(
                vm.vm.as_ptr(),
                ffi::WasmEdge_HostRegistration_Wasi,
            );
            surroundings.give_to(wasi)?;
            check(ffi::WasmEdge_VMInstantiate(vm.vm.as_ptr()))?;
        }
        Self::of(Home::Vm(vm))
    }

    fn of(home: Home) -> Result<Self, Failure> {
        // WasmEdge makes a memory that begins beyond the limit as small as the limit.
        if let Some(line) = log::find("Memory Instance:") {
            return Err(Failure::new(format!(
                "its memory does not begin within the limit, raise it ({line})"
            )));
        }
        // SAFETY: the instance lives as long as `home`.
        let memory =
            unsafe { ffi::WasmEdge_ModuleInstanceFindMemory(home.instance(), name("memory")) };
        if memory.is_null() {
            return Err(Failure::new("it exports no memory"));
        }
        // SAFETY: makes a value.
        let integer = unsafe { ffi::WasmEdge_ValTypeGenI32() };
        Ok(Self { executor: home.executor(), memory, integer, home })
    }

    /// The VM of an instance that has one, for the next instance.
    pub fn into_vm(self) -> Option<JitVm> {
        match self.home {
            Home::Vm(vm) => Some(vm),
            Home::Executor { .. } => None,
        }
    }

    /// The exported function of that name.
    pub fn function(&self, function: &str) -> Option<Function> {
        // SAFETY: the instance lives as long as `self`.
        let found = unsafe {
            ffi::WasmEdge_ModuleInstanceFindFunction(self.home.instance(), name(function))
        };
        NonNull::new(found).map(Function)
    }

    /// Calls a function of this instance with integers and returns its result, 0 when it
    /// has none.
    ///
    /// # Errors
    /// When the guest traps, leaves, or is interrupted, and when the types are others.
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
        // SAFETY: the function is of this instance; both lists are as long as they say.
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
        // SAFETY: the memory lives as long as `self`; WasmEdge checks the bounds and
        // returns null beyond them. No guest runs while the slice is in use.
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

    /// What stops this instance's interpreter. `function` takes one parameter or more.
    pub fn stop_token(&self, function: Function) -> StopToken {
        StopToken { executor: self.executor, function: function.0.as_ptr() }
    }
}

/// Size of a page of linear memory.
pub const PAGE_BYTES: u64 = 64 << 10;

/// Stops an interpreted guest: a flag of its executor that is read at each branch.
pub struct StopToken {
    executor: *mut ffi::WasmEdge_ExecutorContext,
    function: *const ffi::WasmEdge_FunctionInstanceContext,
}

// SAFETY: the watchdog is the one other thread that has it, and only while the instance
// lives; the flag is an atomic and the functions used are thread-safe.
unsafe impl Send for StopToken {}
// SAFETY: as above.
unsafe impl Sync for StopToken {}

impl StopToken {
    /// Sets the flag. The C interface has no other way to it than to cancel an
    /// asynchronous call of the same executor, so one is made whose parameters do not
    /// match: it is refused before it runs or changes anything.
    pub fn set(&self) {
        // SAFETY: executor and function live (see above); the call is waited for before
        // it is deleted.
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

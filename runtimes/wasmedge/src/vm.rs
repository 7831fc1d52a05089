//! WasmEdge's C interface, as little of it as this host needs.
//!
//! The interpreter and AoT code are instantiated by an executor, which takes the parsed
//! module by reference. Only a VM compiles (`WasmEdge_VMInstantiate` is where the JIT
//! is), so JIT code lives in one. From there on all three are the same: a function
//! instance, found once, is called by the executor that made it.

use std::ffi::{CStr, CString};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::ptr::{NonNull, null, null_mut};

use wasmedge_sys::{Config, ffi};

use crate::log;

/// Why WasmEdge refused or a guest failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    code: ffi::WasmEdge_ErrCode,
    message: String,
}

impl Failure {
    fn new(message: impl Into<String>) -> Self {
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
        let mut message = phrase.to_string_lossy().into_owned();
        for line in log::take() {
            // The log begins by repeating the phrase with its code.
            if !line.is_empty() && !line.contains(&message) {
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
fn check(result: ffi::WasmEdge_Result) -> Result<(), Failure> {
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

fn name(name: &str) -> ffi::WasmEdge_String {
    // SAFETY: wraps without copying; the callee of each use below copies or only reads.
    unsafe { ffi::WasmEdge_StringWrap(name.as_ptr().cast(), name.len() as u32) }
}

/// The library's version.
pub fn version() -> String {
    // SAFETY: a static string.
    unsafe { CStr::from_ptr(ffi::WasmEdge_VersionGet()) }.to_string_lossy().into_owned()
}

/// A parsed and validated module.
pub struct Ast(NonNull<ffi::WasmEdge_ASTModuleContext>);

// SAFETY: WasmEdge only reads a validated module (its C interface takes it const and
// documents its functions as thread-safe).
unsafe impl Send for Ast {}
// SAFETY: as above.
unsafe impl Sync for Ast {}

impl Ast {
    /// Reads a file: a module, or its AoT code as a shared library, which is mapped.
    ///
    /// # Errors
    /// When WasmEdge cannot read or parse it.
    pub fn parse(config: &Config, path: &Path) -> Result<Self, Failure> {
        let path = CString::new(path.as_os_str().as_bytes())
            .map_err(|_| Failure::new("its path holds a zero byte"))?;
        let mut module = null_mut();
        // SAFETY: the loader is made, used and deleted here; `module` is an out pointer
        // that is set on success and then owned.
        let parsed = unsafe {
            let loader = ffi::WasmEdge_LoaderCreate(config.as_ptr());
            let result = ffi::WasmEdge_LoaderParseFromFile(loader, &mut module, path.as_ptr());
            ffi::WasmEdge_LoaderDelete(loader);
            result
        };
        check(parsed)?;
        NonNull::new(module).map(Self).ok_or_else(|| Failure::new("it is no core module"))
    }

    /// Validates, without which a module is not instantiated.
    ///
    /// # Errors
    /// When the module is invalid.
    pub fn validate(&self, config: &Config) -> Result<(), Failure> {
        // SAFETY: the validator is made, used and deleted here; the module is valid and
        // no other thread has it yet.
        check(unsafe {
            let validator = ffi::WasmEdge_ValidatorCreate(config.as_ptr());
            let result = ffi::WasmEdge_ValidatorValidate(validator, self.0.as_ptr());
            ffi::WasmEdge_ValidatorDelete(validator);
            result
        })
    }

    /// Names of what the module exports.
    pub fn exports(&self) -> Vec<String> {
        // SAFETY: the list is filled up to its length with pointers into the module,
        // whose names are copied while it lives.
        unsafe {
            let count = ffi::WasmEdge_ASTModuleListExportsLength(self.0.as_ptr());
            let mut list = vec![null(); count as usize];
            ffi::WasmEdge_ASTModuleListExports(self.0.as_ptr(), list.as_mut_ptr(), count);
            list.into_iter()
                .map(|export| text(ffi::WasmEdge_ExportTypeGetExternalName(export)))
                .collect()
        }
    }
}

impl Drop for Ast {
    fn drop(&mut self) {
        // SAFETY: owned; instances keep what they need of it (the module that made this
        // one holds it for as long as they live).
        unsafe { ffi::WasmEdge_ASTModuleDelete(self.0.as_ptr()) }
    }
}

/// What a guest sees of its host.
pub struct Surroundings<'a> {
    /// Its environment, complete.
    pub env: &'a [(String, String)],
    /// The file descriptor that it reads as its standard input.
    pub stdin: i32,
    /// The one that its standard output and error go to.
    pub output: i32,
}

impl Surroundings<'_> {
    /// Initialises a WASI module: environment, no arguments, no preopened folder.
    ///
    /// # Safety
    /// `wasi` is a live WASI module instance.
    unsafe fn give_to(&self, wasi: *mut ffi::WasmEdge_ModuleInstanceContext) -> Result<(), Failure> {
        let env = self
            .env
            .iter()
            .map(|(key, value)| CString::new(format!("{key}={value}")))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|_| Failure::new("an environment variable holds a zero byte"))?;
        let env: Vec<_> = env.iter().map(|entry| entry.as_ptr()).collect();
        // SAFETY: the lists are as long as they say and are copied.
        unsafe {
            ffi::WasmEdge_ModuleInstanceInitWASIWithFds(
                wasi,
                null(),
                0,
                env.as_ptr(),
                env.len() as u32,
                null(),
                0,
                self.stdin,
                self.output,
                self.output,
            );
        }
        Ok(())
    }
}

/// Something of WasmEdge's that is deleted with its owner.
struct Owned<T>(NonNull<T>, unsafe extern "C" fn(*mut T));

impl<T> Owned<T> {
    fn new(made: *mut T, delete: unsafe extern "C" fn(*mut T)) -> Result<Self, Failure> {
        let made = NonNull::new(made).ok_or_else(|| Failure::new("WasmEdge is out of memory"))?;
        Ok(Self(made, delete))
    }

    fn as_ptr(&self) -> *mut T {
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
pub struct JitVm(Owned<ffi::WasmEdge_VMContext>);

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
        // SAFETY: the registration is set in the VM's copy of the configuration by
        // creating it with that; the module is copied.
        let vm = unsafe {
            let vm = Owned::new(
                ffi::WasmEdge_VMCreate(config.as_ptr(), null_mut()),
                ffi::WasmEdge_VMDelete,
            )?;
            check(ffi::WasmEdge_VMLoadWasmFromASTModule(vm.as_ptr(), module.0.as_ptr()))?;
            check(ffi::WasmEdge_VMValidate(vm.as_ptr()))?;
            check(ffi::WasmEdge_VMInstantiate(vm.as_ptr()))?;
            vm
        };
        match log::take().into_iter().find(|line| line.contains("interpreter mode instead")) {
            Some(line) => Err(Failure::new(line)),
            None => Ok(Self(vm)),
        }
    }
}

/// What keeps an instance alive. Fields are dropped from the top.
enum Home {
    Executor {
        instance: Owned<ffi::WasmEdge_ModuleInstanceContext>,
        _wasi: Owned<ffi::WasmEdge_ModuleInstanceContext>,
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
            Home::Vm(vm) => unsafe { ffi::WasmEdge_VMGetExecutorContext(vm.0.as_ptr()) },
        }
    }

    fn instance(&self) -> *const ffi::WasmEdge_ModuleInstanceContext {
        match self {
            Home::Executor { instance, .. } => instance.as_ptr(),
            // SAFETY: the VM lives and was instantiated.
            Home::Vm(vm) => unsafe { ffi::WasmEdge_VMGetActiveModule(vm.0.as_ptr()) },
        }
    }
}

/// A function of an instance, for the [`Guest`] that it was found in.
#[derive(Clone, Copy)]
pub struct Function(NonNull<ffi::WasmEdge_FunctionInstanceContext>);

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
            let mut instance = null_mut();
            check(ffi::WasmEdge_ExecutorInstantiate(
                executor.as_ptr(),
                &mut instance,
                store.as_ptr(),
                module.0.as_ptr(),
            ))?;
            let instance = Owned::new(instance, ffi::WasmEdge_ModuleInstanceDelete)?;
            Self::of(Home::Executor { instance, _wasi: wasi, _store: store, executor })
        }
    }

    /// A new instance in a VM, in place of the one that it held.
    ///
    /// # Errors
    /// When the instance does not fit the VM's configuration.
    pub fn replace(vm: JitVm, surroundings: &Surroundings<'_>) -> Result<Self, Failure> {
        log::take();
        // SAFETY: the VM lives, owns its WASI module, and is validated.
        unsafe {
            let wasi = ffi::WasmEdge_VMGetImportModuleContext(
                vm.0.as_ptr(),
                ffi::WasmEdge_HostRegistration_Wasi,
            );
            surroundings.give_to(wasi)?;
            check(ffi::WasmEdge_VMInstantiate(vm.0.as_ptr()))?;
        }
        Self::of(Home::Vm(vm))
    }

    fn of(home: Home) -> Result<Self, Failure> {
        // SAFETY: the instance lives as long as `home`.
        let memory = unsafe {
            ffi::WasmEdge_ModuleInstanceFindMemory(home.instance(), name("memory"))
        };
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_library_is_the_one_that_the_sdk_was_made_for() {
        assert_eq!(version(), "0.17.1");
    }
}

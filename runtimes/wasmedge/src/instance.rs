//! Instances, and their invocations from the request's bytes to the envelope's.

use std::fs::File;
use std::os::fd::AsRawFd;
use std::sync::OnceLock;
use std::time::Duration;

use lumos_model::phase::Phase;
use lumos_os::clock::monotonic_ns;
use lumos_runtime::{HostError, InstanceConfig, InvokeError, Marks};

use crate::config;
use crate::failure::Failure;
use crate::mode::Mode;
use crate::module::Module;
use crate::surroundings::Surroundings;
use crate::vm::{Function, Guest};
use crate::watchdog::Watch;

/// An instance of a module. It serves one invocation at a time.
pub struct Instance {
    // Dropped before the guest, to which the watchdog refers.
    watch: Option<Watch>,
    guest: Option<Guest>,
    alloc: Function,
    invoke: Function,
    module: Module,
    memory_pages: Option<u32>,
    /// Whether the executor's stop token may still be set.
    stopped: bool,
}

impl Instance {
    /// Links the module, allocates its memory and initialises it: [`Phase::Instantiate`]. The JIT
    /// compiles first if it has no compiled VM: [`Phase::Compile`].
    ///
    /// # Errors
    /// When an import is missing, the instance exceeds its bound, or `_initialize` fails.
    pub fn new(
        module: &Module,
        given: &InstanceConfig,
        marks: &mut Marks,
    ) -> Result<Self, HostError> {
        let surroundings = Surroundings {
            env: &given.env,
            folder: given.folder.as_deref(),
            stdin: empty_input()?,
            output: STDERR,
        };
        let refuse = |failure: Failure| HostError::artifact(module.path(), failure);
        let vm = match module.mode() {
            Mode::Jit => Some(module.jit_vm(given.memory_bytes, marks)?),
            Mode::Interp | Mode::Aot => None,
        };
        marks.span(Phase::Instantiate, || {
            let guest = match vm {
                Some(vm) => Guest::replace(vm, &surroundings).map_err(refuse)?,
                None => {
                    let config = config::engine(module.mode(), given.memory_bytes)?;
                    Guest::instantiate(&config, module.ast(), &surroundings).map_err(refuse)?
                }
            };
            let initialize = guest.function("_initialize");
            let mut instance = Self::of(guest, module, given)?;
            if let Some(initialize) = initialize {
                instance.side_call(initialize, [], 0).map_err(refuse)?;
            }
            Ok(instance)
        })
    }

    /// Finds the functions of a guest and registers it with the watchdog.
    fn of(guest: Guest, module: &Module, given: &InstanceConfig) -> Result<Self, HostError> {
        let find = |name: &str| {
            guest.function(name).ok_or_else(|| {
                HostError::artifact(module.path(), format!("its `{name}` is not a function"))
            })
        };
        let (alloc, invoke) = (find("alloc")?, find("invoke")?);
        Ok(Self {
            watch: Some(Watch::new(module.code().clone(), guest.stop_token(alloc))),
            guest: Some(guest),
            alloc,
            invoke,
            module: module.clone(),
            memory_pages: config::memory_pages(given.memory_bytes),
            stopped: false,
        })
    }

    /// Calls the artifact's canary loop.
    ///
    /// # Errors
    /// When the artifact has none, or it traps.
    pub fn canary(&mut self, rounds: u32) -> Result<u32, HostError> {
        let canary = self.guest().function("canary").ok_or_else(|| {
            HostError::artifact(
                self.module.path(),
                "the module exports no `canary`, so its mode cannot be proven: build it with \
                 the lumos function SDK",
            )
        })?;
        let value = self.side_call(canary, [rounds], 1).map_err(HostError::engine)?;
        Ok(value as u32)
    }

    fn guest(&mut self) -> &mut Guest {
        self.guest.as_mut().expect("only drop takes it")
    }

    /// Calls a function outside of an invocation, with [`SIDE_CALL_NS`] as its time limit.
    fn side_call<const N: usize>(
        &mut self,
        function: Function,
        arguments: [u32; N],
        results: u32,
    ) -> Result<u64, Failure> {
        self.watch().arm(monotonic_ns().saturating_add(SIDE_CALL_NS));
        let result = self.guest().call(function, arguments, results);
        self.stopped |= self.watch().disarm();
        result
    }

    /// The invocation itself. Between its calls it only reads the clock.
    #[inline]
    fn serve(
        &mut self,
        request: &[u8],
        answer: &mut Vec<u8>,
        start_ns: u64,
        marks: &mut Marks,
    ) -> Result<u64, Failure> {
        let (alloc, invoke) = (self.alloc, self.invoke);
        let guest = self.guest();
        let length = request.len() as u32;
        let buffer = guest.call(alloc, [length], 1)? as u32;
        guest.write(buffer, request)?;
        let called_ns = monotonic_ns();
        marks.add(Phase::Request, called_ns - start_ns);
        let envelope = guest.call(invoke, [buffer, length], 1)?;
        let returned_ns = monotonic_ns();
        answer.clear();
        guest.read((envelope >> 32) as u32, envelope as u32, answer)?;
        let end_ns = monotonic_ns();
        marks.add(Phase::Response, end_ns - returned_ns);
        Ok(end_ns)
    }

    /// The error of a failed call.
    #[cold]
    fn failed(&mut self, failure: &Failure) -> InvokeError {
        if failure.is_exit() {
            return InvokeError::Trap("the guest called proc_exit".to_owned());
        }
        // The SDK sets a flag if its allocator fails before it traps.
        let oom = self.guest().function("oom");
        match oom.map(|oom| self.side_call(oom, [], 1)) {
            Some(Ok(flag)) if flag as u32 != 0 => InvokeError::OutOfMemory(format!(
                "the guest got no memory beyond {} bytes ({failure})",
                self.memory()
            )),
            _ => InvokeError::Trap(failure.to_string()),
        }
    }

    fn memory(&self) -> u64 {
        self.guest.as_ref().map_or(0, Guest::memory_bytes)
    }
}

impl lumos_runtime::Instance for Instance {
    #[inline]
    fn invoke(
        &mut self,
        request: &[u8],
        timeout: Duration,
        answer: &mut Vec<u8>,
        marks: &mut Marks,
    ) -> Result<(), InvokeError> {
        if u32::try_from(request.len()).is_err() {
            return Err(InvokeError::Failed(format!(
                "a request of {} bytes does not fit a guest's memory",
                request.len()
            )));
        }
        let start_ns = monotonic_ns();
        let deadline_ns =
            start_ns.saturating_add(u64::try_from(timeout.as_nanos()).unwrap_or(u64::MAX));
        self.watch().arm(deadline_ns);
        let served = self.serve(request, answer, start_ns, marks);
        if self.watch().disarm() {
            self.stopped = true;
            return Err(late(timeout));
        }
        match served {
            Ok(end_ns) if end_ns < deadline_ns => Ok(()),
            Ok(_) => Err(late(timeout)),
            Err(failure) => Err(self.failed(&failure)),
        }
    }

    fn memory_bytes(&self) -> u64 {
        self.memory()
    }
}

impl Instance {
    fn watch(&self) -> &Watch {
        self.watch.as_ref().expect("only drop takes it")
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        self.watch = None;
        let vm = self.guest.take().and_then(Guest::into_vm);
        if let Some(vm) = vm.filter(|_| !self.stopped) {
            self.module.give_back(self.memory_pages, vm);
        }
    }
}

#[cold]
fn late(timeout: Duration) -> InvokeError {
    InvokeError::Timeout(format!("the invocation passed its timeout of {timeout:?}"))
}

/// The longest time of `_initialize`, `canary` and `oom`.
const SIDE_CALL_NS: u64 = 60_000_000_000;

/// Guests write to the host's standard error, because its standard output carries the protocol.
const STDERR: i32 = 2;

/// The guest's standard input, which is empty.
fn empty_input() -> Result<i32, HostError> {
    static INPUT: OnceLock<File> = OnceLock::new();
    if let Some(open) = INPUT.get() {
        return Ok(open.as_raw_fd());
    }
    let open =
        File::open("/dev/null").map_err(|error| HostError::system("open /dev/null", error))?;
    Ok(INPUT.get_or_init(|| open).as_raw_fd())
}

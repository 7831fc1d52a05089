//! A component with a store of its own, serving one invocation at a time.

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use lumos_model::phase::Phase;
use lumos_model::wire::{DATA_FOLDER, GuestPhases, Status, envelope};
use lumos_os::clock::monotonic_ns;
use lumos_runtime::{
    GUEST_FOLDER, HostError, HostStorage, Instance, InstanceConfig, InvokeError, Marks,
};
use wasmtime::Store;
use wasmtime::component::{ResourceTable, TypedFunc};
use wasmtime_wasi::{FsPerms, WasiCtx, WasiCtxView, WasiView};

use crate::copies::{Inbound, Outbound};
use crate::executor::{DeadlinePassed, Executor};
use crate::failure;
use crate::limiter::Limiter;
use crate::module::WasmtimeModule;
use crate::stderr::LastWords;
use crate::watchdog::Alarm;

type Invoke = TypedFunc<(Inbound<'static>,), (Result<Outbound, String>,)>;
type Canary = TypedFunc<(u32,), (u32,)>;

/// What the host keeps for a guest.
pub struct Guest {
    wasi: WasiCtx,
    table: ResourceTable,
    limiter: Limiter,
    pub(crate) storage: HostStorage,
}

impl WasiView for Guest {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

/// A provisioned sandbox.
pub struct WasmtimeInstance {
    store: Store<Guest>,
    invoke: Invoke,
    canary: Option<Canary>,
    executor: Executor,
    alarm: Alarm,
    last_words: LastWords,
    dead: bool,
}

impl WasmtimeInstance {
    pub(crate) fn new(module: &WasmtimeModule, config: &InstanceConfig) -> Result<Self, HostError> {
        let executor = Executor::exclusive()?;
        let last_words = LastWords::default();
        let guest = Guest {
            wasi: wasi(config, &last_words)?,
            table: ResourceTable::new(),
            limiter: Limiter::new(config.memory_bytes),
            storage: HostStorage::new(&config.env),
        };
        let mut store = Store::new(&module.engine.engine, guest);
        store.limiter(|guest| &mut guest.limiter);
        store.set_epoch_deadline(1);
        store.epoch_deadline_async_yield_and_update(1);

        let refused = |store: &Store<Guest>, error: wasmtime::Error| {
            let why = failure::classify(&error, store.data().limiter.denied(), &last_words.text());
            HostError::artifact(&module.path, format!("no instance could be made: {why}"))
        };
        let instance = executor
            .run(module.pre.instantiate_async(&mut store))
            .map_err(|error| refused(&store, error))?;
        let typed = |error| wrong_type(module, error);
        let invoke = instance.get_typed_func(&mut store, module.invoke).map_err(typed)?;
        let canary = module.canary.as_ref();
        let canary = canary
            .map(|index| instance.get_typed_func(&mut store, index))
            .transpose()
            .map_err(typed)?;
        let alarm = module.engine.watchdog.alarm();
        Ok(Self { store, invoke, canary, executor, alarm, last_words, dead: false })
    }

    /// Runs the artifact's canary loop; `None`: it has none.
    pub(crate) fn canary(
        &mut self,
        iterations: u32,
        timeout: Duration,
    ) -> Option<Result<u32, InvokeError>> {
        let canary = self.canary?;
        let called = self.guarded(timeout, async |store: &mut Store<Guest>| {
            canary.call_async(store, (iterations,)).await
        });
        Some(called.map(|(value,)| value))
    }

    /// Runs `call` until the deadline; any failure but the function's own is the
    /// instance's end.
    #[inline]
    fn guarded<T>(
        &mut self,
        timeout: Duration,
        call: impl AsyncFnOnce(&mut Store<Guest>) -> wasmtime::Result<T>,
    ) -> Result<T, InvokeError> {
        if self.dead {
            return Err(InvokeError::Failed(
                "the instance is dead: an invocation before this one trapped or timed out".into(),
            ));
        }
        let timeout_ns = u64::try_from(timeout.as_nanos()).unwrap_or(u64::MAX);
        let deadline_ns = monotonic_ns().saturating_add(timeout_ns);
        // First the store's deadline, then the alarm that moves the epoch beyond it.
        self.store.set_epoch_deadline(1);
        self.store.data_mut().limiter.forget();
        self.last_words.clear();
        self.alarm.arm(deadline_ns);
        let called = self.executor.run_until(deadline_ns, call(&mut self.store));
        self.alarm.disarm();
        match called {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => {
                self.dead = true;
                let denied = self.store.data().limiter.denied();
                Err(failure::classify(&error, denied, &self.last_words.text()))
            }
            Err(DeadlinePassed) => {
                self.dead = true;
                Err(InvokeError::Timeout(format!("no answer after {timeout:?}")))
            }
        }
    }
}

impl Instance for WasmtimeInstance {
    #[inline]
    fn invoke(
        &mut self,
        request: &[u8],
        timeout: Duration,
        answer: &mut Vec<u8>,
        marks: &mut Marks,
    ) -> Result<(), InvokeError> {
        let invoke = self.invoke;
        let copied_in = AtomicU64::new(0);
        let (outcome,) = self.guarded(timeout, async |store: &mut Store<Guest>| {
            invoke.call_async(store, (Inbound { bytes: request, copy_ns: &copied_in },)).await
        })?;
        let copied_in = copied_in.into_inner();
        if copied_in > 0 {
            marks.add(Phase::Request, copied_in);
        }
        match outcome {
            Ok(Outbound { bytes, copy_ns }) => {
                *answer = bytes;
                if copy_ns > 0 {
                    marks.add(Phase::Response, copy_ns);
                }
            }
            Err(message) => {
                *answer = message.into_bytes();
                envelope::seal(answer, &GuestPhases::default(), Status::Error);
            }
        }
        Ok(())
    }

    fn memory_bytes(&self) -> u64 {
        self.store.data().limiter.bytes()
    }
}

/// What a guest may do: its environment, clocks, randomness, TCP, and its folder. Its
/// standard output goes nowhere: the host's is the protocol's.
fn wasi(config: &InstanceConfig, last_words: &LastWords) -> Result<WasiCtx, HostError> {
    let mut wasi = WasiCtx::builder();
    wasi.envs(&config.env).stderr(last_words.clone()).inherit_network().allow_tcp(true);
    if let Some(folder) = &config.folder {
        // Files are read and written on the guest's thread, as everywhere else. The
        // engine's default hands each operation to a thread of tokio's, whose time is not
        // the instance's.
        wasi.allow_blocking_current_thread(true)
            .env(DATA_FOLDER, GUEST_FOLDER)
            .preopened_dir(folder, GUEST_FOLDER, FsPerms::ReadWrite)
            .map_err(|error| {
                HostError::engine(format!("open the folder {}: {error:#}", folder.display()))
            })?;
    }
    Ok(wasi.build())
}

fn wrong_type(module: &WasmtimeModule, error: wasmtime::Error) -> HostError {
    HostError::artifact(
        &module.path,
        format!(
            "an export has not the type of the world `lumos:function/function` \
             (functions/sdk/wit): {error:#}"
        ),
    )
}

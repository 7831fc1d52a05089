//! An instance: a component with a store of its own.

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use lumos_model::phase::Phase;
use lumos_model::wire::{GuestPhases, Status, envelope};
use lumos_os::clock::monotonic_ns;
use lumos_runtime::{HostError, Instance, InstanceConfig, InvokeError, Marks};
use wasmtime::Store;
use wasmtime::component::TypedFunc;

use crate::copies::{Inbound, Outbound};
use crate::executor::{DeadlinePassed, Executor};
use crate::failure;
use crate::guest::Guest;
use crate::module::WasmtimeModule;
use crate::stderr::StderrTail;
use crate::watchdog::Alarm;

type Invoke = TypedFunc<(Inbound<'static>,), (Result<Outbound, String>,)>;
type Canary = TypedFunc<(u32,), (u32,)>;

/// An instance of a component. It serves one invocation at a time.
pub struct WasmtimeInstance {
    store: Store<Guest>,
    invoke: Invoke,
    canary: Option<Canary>,
    executor: Executor,
    alarm: Alarm,
    stderr: StderrTail,
    dead: bool,
}

impl WasmtimeInstance {
    pub(crate) fn new(module: &WasmtimeModule, config: &InstanceConfig) -> Result<Self, HostError> {
        let executor = Executor::exclusive()?;
        let stderr = StderrTail::default();
        let mut store = Store::new(&module.engine.engine, Guest::new(config, &stderr)?);
        store.limiter(|guest| &mut guest.limiter);
        store.set_epoch_deadline(1);
        store.epoch_deadline_async_yield_and_update(1);

        let refused = |store: &Store<Guest>, error: wasmtime::Error| {
            let why = failure::classify(&error, store.data().limiter.denied(), &stderr.text());
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
        Ok(Self { store, invoke, canary, executor, alarm, stderr, dead: false })
    }

    /// Runs the artifact's canary loop; `None` if it has none.
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

    /// Runs `call` until the deadline. Any failure other than the function's own error kills the
    /// instance.
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
        // The store's deadline comes first, then the alarm that moves the epoch beyond it.
        self.store.set_epoch_deadline(1);
        self.store.data_mut().limiter.forget();
        self.stderr.clear();
        self.alarm.arm(deadline_ns);
        let called = self.executor.run_until(deadline_ns, call(&mut self.store));
        self.alarm.disarm();
        match called {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => {
                self.dead = true;
                let denied = self.store.data().limiter.denied();
                Err(failure::classify(&error, denied, &self.stderr.text()))
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

fn wrong_type(module: &WasmtimeModule, error: wasmtime::Error) -> HostError {
    HostError::artifact(
        &module.path,
        format!(
            "an export does not have the type that is declared in the world `lumos:function/function` \
             (functions/sdk/wit): {error:#}"
        ),
    )
}

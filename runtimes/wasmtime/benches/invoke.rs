//! The overhead of the runtime over the bare engine: compare each `ours` with its `bare`.
//!
//! Uses the function `noop` of scripts/build-functions.sh.

use std::collections::BTreeMap;
use std::future::Future;
use std::path::PathBuf;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use lumos_host::{Backend, EngineBackend};
use lumos_host_wasmtime::WasmtimeRuntime;
use lumos_model::cell::{Isolation, Start, Target};
use lumos_model::protocol::{Limits, Prepare};
use lumos_model::units::Span;
use lumos_runtime::sample::Output;
use lumos_runtime::{Engine as _, Instance, InstanceConfig, Marks};
use wasmtime::component::{Component, InstancePre, Linker, ResourceTable, TypedFunc};
use wasmtime::{Config, Engine, Store};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

const REQUEST: &[u8] = b"{}";
const TIMEOUT: Duration = Duration::from_secs(60);

fn noop() -> PathBuf {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../target/functions/wasm32-wasip2/release/noop.wasm"
    );
    assert!(std::fs::exists(path).is_ok_and(|there| there), "run scripts/build-functions.sh first");
    path.into()
}

/// The engine with the settings of the runtime, with or without interruption.
struct Bare {
    engine: Engine,
    pre: InstancePre<Guest>,
}

struct Guest {
    wasi: WasiCtx,
    table: ResourceTable,
}

impl WasiView for Guest {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

type Invoke = TypedFunc<(&'static [u8],), (Result<Vec<u8>, String>,)>;

impl Bare {
    fn new(target: Option<&str>, interruption: bool) -> Self {
        let mut config = Config::new();
        config.epoch_interruption(interruption);
        if let Some(target) = target {
            config.target(target).unwrap();
        }
        let engine = Engine::new(&config).unwrap();
        let mut linker = Linker::new(&engine);
        wasmtime_wasi::p2::add_to_linker_async(&mut linker).unwrap();
        let component = Component::from_file(&engine, noop()).unwrap();
        let pre = linker.instantiate_pre(&component).unwrap();
        Self { engine, pre }
    }

    fn instance(&self) -> (Store<Guest>, wasmtime::component::Instance) {
        let wasi = WasiCtx::builder().inherit_network().build();
        let mut store = Store::new(&self.engine, Guest { wasi, table: ResourceTable::new() });
        store.set_epoch_deadline(1 << 40);
        let instance = at_once(self.pre.instantiate_async(&mut store)).unwrap();
        (store, instance)
    }
}

fn at_once<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("noop never waits"),
    }
}

fn warm(c: &mut Criterion) {
    let mut group = c.benchmark_group("warm noop");
    for (mode, target) in [("jit", None), ("interp", Some("pulley64"))] {
        let bare = Bare::new(target, true);
        let (mut store, instance) = bare.instance();
        let invoke: Invoke = instance.get_typed_func(&mut store, "invoke").unwrap();
        group.bench_function(format!("{mode} bare"), |b| {
            b.iter(|| at_once(invoke.call_async(&mut store, (REQUEST,))).unwrap().0.unwrap());
        });

        let mut instance = ours(mode);
        let (mut answer, mut marks) = (Vec::new(), Marks::default());
        group.bench_function(format!("{mode} ours"), |b| {
            b.iter(|| instance.invoke(REQUEST, TIMEOUT, &mut answer, &mut marks).unwrap());
        });

        // A whole sample: the clocks, the sum of its phases, the hash of its output, its row.
        let backend = EngineBackend::new(WasmtimeRuntime::new(), "/nonexistent".into());
        let (mut cell, _) = backend.prepare(prepare(mode), None).unwrap();
        group.bench_function(format!("{mode} sample"), |b| {
            b.iter_custom(|rounds| {
                let begin = Instant::now();
                let block = cell.block(rounds as u32, Output::Hashed, None);
                let took = begin.elapsed();
                assert_eq!(block.samples.len() as u64, rounds);
                took
            });
        });
    }
}

fn prepare(mode: &str) -> Prepare {
    Prepare {
        target: target(mode),
        artifact: noop(),
        isolation: Isolation::Thread,
        start: Start::Warm,
        limits: Limits::default(),
        env: BTreeMap::new(),
        folder: None,
        request: String::from_utf8(REQUEST.to_vec()).unwrap(),
        warmup: 3,
        gap: Span(Duration::ZERO),
        cgroup: None,
    }
}

fn target(mode: &str) -> Target {
    format!("wasmtime-{mode}").parse().unwrap()
}

fn ours(mode: &str) -> lumos_host_wasmtime::WasmtimeInstance {
    let (runtime, mut marks) = (WasmtimeRuntime::new(), Marks::default());
    let module = runtime.load(&target(mode), &noop(), &mut marks).unwrap();
    runtime.instantiate(&module, &InstanceConfig::default(), &mut marks).unwrap()
}

fn instantiate(c: &mut Criterion) {
    let mut group = c.benchmark_group("instantiate");
    let bare = Bare::new(None, true);
    group.bench_function("bare", |b| b.iter(|| bare.instance()));

    let (runtime, mut marks) = (WasmtimeRuntime::new(), Marks::default());
    let module = runtime.load(&target("jit"), &noop(), &mut marks).unwrap();
    let config = InstanceConfig::default();
    group.bench_function("ours", |b| {
        b.iter(|| runtime.instantiate(&module, &config, &mut marks).unwrap());
    });
}

fn load(c: &mut Criterion) {
    let mut group = c.benchmark_group("load");
    group.sample_size(10);
    let (runtime, mut marks) = (WasmtimeRuntime::new(), Marks::default());
    let folder = tempfile::tempdir().unwrap();
    let code = folder.path().join("noop.wasmtime-aot");
    runtime.compile(&target("aot"), &noop(), &code).unwrap();
    for (mode, artifact) in [("jit", noop()), ("interp", noop()), ("aot", code)] {
        group.bench_function(mode, |b| {
            b.iter(|| runtime.load(&target(mode), &artifact, &mut marks).unwrap());
        });
    }
}

/// The cost of epoch checks in a tight loop.
fn interruption(c: &mut Criterion) {
    let mut group = c.benchmark_group("canary loop");
    for (name, interruption) in [("without epoch", false), ("with epoch", true)] {
        let (mut store, instance) = Bare::new(None, interruption).instance();
        let canary: TypedFunc<(u32,), (u32,)> =
            instance.get_typed_func(&mut store, "canary").unwrap();
        group.bench_function(name, |b| {
            b.iter(|| at_once(canary.call_async(&mut store, (1_000_000,))).unwrap());
        });
    }
}

criterion_group!(benches, warm, instantiate, load, interruption);
criterion_main!(benches);

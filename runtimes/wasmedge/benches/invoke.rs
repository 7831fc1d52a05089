//! The overhead of the host over the engine's own calls, for a warm no-op of 100 bytes.

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use lumos_host_wasmedge::ast::Ast;
use lumos_host_wasmedge::instance::Instance;
use lumos_host_wasmedge::mode::Mode;
use lumos_host_wasmedge::module::Module;
use lumos_host_wasmedge::surroundings::Surroundings;
use lumos_host_wasmedge::vm::{Guest, JitVm};
use lumos_host_wasmedge::{compile, config};
use lumos_runtime::{Instance as _, InstanceConfig, Marks};

const REQUEST: [u8; 100] = [b'e'; 100];
const SURROUNDINGS: Surroundings<'_> = Surroundings { env: &[], folder: None, stdin: 0, output: 2 };

fn invoke(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (wasm, aot) = (folder.path().join("guest.wasm"), folder.path().join("guest.so"));
    let guest = wat::parse_str(include_str!("../tests/common/guest.wat")).expect("valid WAT");
    std::fs::write(&wasm, guest).expect("a writable folder");
    compile::compile(&wasm, &aot).expect("the guest compiles");

    for mode in Mode::ALL {
        let path = if mode == Mode::Aot { &aot } else { &wasm };
        let mut group = criterion.benchmark_group(mode.target().as_str());

        let config = config::engine(mode, None).expect("a configuration");
        let ast = Ast::parse(&config, path).expect("a module");
        ast.validate(&config).expect("a valid module");
        let mut bare = match mode {
            Mode::Jit => {
                JitVm::compile(&config, &ast).and_then(|vm| Guest::replace(vm, &SURROUNDINGS))
            }
            Mode::Interp | Mode::Aot => Guest::instantiate(&config, &ast, &SURROUNDINGS),
        }
        .expect("an instance");
        let function = |name| bare.function(name).expect("an export");
        let (initialize, alloc, run) =
            (function("_initialize"), function("alloc"), function("invoke"));
        bare.call(initialize, [], 0).expect("it initialises");
        let mut answer = Vec::new();
        group.bench_function("engine", |bencher| {
            bencher.iter(|| {
                let length = REQUEST.len() as u32;
                let buffer = bare.call(alloc, [length], 1).expect("memory") as u32;
                bare.write(buffer, black_box(&REQUEST)).expect("it fits");
                let envelope = bare.call(run, [buffer, length], 1).expect("an answer");
                answer.clear();
                bare.read((envelope >> 32) as u32, envelope as u32, &mut answer).expect("bytes");
            });
        });

        let module = Module::load(mode, path, &mut Marks::default()).expect("a module");
        let mut instance =
            Instance::new(&module, &InstanceConfig::default(), &mut Marks::default())
                .expect("an instance");
        group.bench_function("instance", |bencher| {
            bencher.iter(|| {
                let mut marks = Marks::default();
                instance
                    .invoke(black_box(&REQUEST), Duration::from_secs(60), &mut answer, &mut marks)
                    .expect("an answer");
                marks
            });
        });
        group.finish();
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(30)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1));
    targets = invoke
}
criterion_main!(benches);

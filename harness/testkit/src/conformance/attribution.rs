//! An instance is charged with what it used: a known time of burning and a known amount
//! of memory, each told by two counters that the kernel keeps apart.

use lumos_model::cell::Isolation;
use lumos_model::counters::Counter;
use lumos_model::protocol::{BlockResult, Prepare};
use lumos_model::row::Outcome;
use lumos_runtime::engine::Runtime;

use super::groups::Groups;
use super::host::Host;
use super::requests;
use super::subject::{Subject, show};

/// CPU time of one burn, at least; a block of them is long beside what surrounds it.
const BURN_NS: u64 = 50_000_000;
const BURNS: u32 = 5;
/// What the two counters may differ by. Processes: nothing was seen. Threads: 0.02 %, which
/// is the host's own work between samples.
const CPU_TOLERANCE: f64 = 0.02;

/// The CPU time of a block's rows is that of the instance's cgroup over the block; of an
/// instance in the host's process it is that of all the process' threads.
pub fn attributed_cpu<R: Runtime>(subject: &Subject<R>) {
    let mut prepare = subject.prepare();
    prepare.request = requests::burn(long_burn(subject));
    let block = measure(subject, prepare, BURNS);
    let rows_ns = block.samples.iter().map(|sample| {
        assert_eq!(sample.outcome, Outcome::Ok, "{}", show(sample));
        sample.cpu_ns.expect("an instance that lives has a CPU clock")
    });
    let rows_ns = rows_ns.sum::<u64>();
    let counted_ns = match subject.isolation() {
        Isolation::Process => block.instances[0].group_cpu_ns().expect("a group counts CPU time"),
        Isolation::Thread => block.host.get(Counter::Cpu).expect("a process counts CPU time"),
    };
    assert!(rows_ns >= u64::from(BURNS) * BURN_NS / 2, "the burns became shorter: {rows_ns} ns");
    let apart = (counted_ns as f64 / rows_ns as f64 - 1.0).abs();
    assert!(apart <= CPU_TOLERANCE, "rows say {rows_ns} ns, the other counter {counted_ns} ns");
}

/// How many rounds take [`BURN_NS`].
fn long_burn<R: Runtime>(subject: &Subject<R>) -> u32 {
    let mut cell = subject.cell(subject.prepare(), None);
    let mut iterations = 10_000;
    while cell.ask(&requests::burn(iterations)).cpu_ns.expect("it lives") < BURN_NS {
        iterations *= 2;
    }
    iterations
}

const HELD: u32 = 64 << 20;
/// What memory may be apart by. The kernel charges groups in advance, 64 pages for each CPU
/// (`MEMCG_CHARGE_BATCH`), and engines have their own; 0.4 MiB was seen.
const MEMORY_TOLERANCE: u64 = 1 << 20;
/// Linear memory grows by pages, and the guest's allocator may have had room.
const WASM_PAGE: u64 = 64 << 10;

/// A guest that keeps 64 MiB more is charged with 64 MiB more: in the peak of its cgroup,
/// or in the anonymous memory of the process that it shares, and in its linear memory.
/// One more goes before the two: the kernel charges a page of a file to the group that first
/// reads it (25 MiB of executable and module after the page cache was dropped), for all time.
pub fn attributed_memory<R: Runtime>(subject: &Subject<R>) {
    let [_, without, with] = [0, 0, HELD].map(|bytes| match subject.isolation() {
        Isolation::Process => in_process(subject, bytes),
        Isolation::Thread => in_thread(subject, bytes),
    });
    let told = format!("{without:?} became {with:?}");
    let near = |before: u64, after: u64, tolerance: u64| {
        after.checked_sub(before).is_some_and(|more| more.abs_diff(HELD.into()) <= tolerance)
    };
    assert!(near(without.charged_bytes, with.charged_bytes, MEMORY_TOLERANCE), "{told}");
    if subject.has_modules() {
        let [before, after] = [&without, &with].map(|m| m.linear_bytes.expect("it has one"));
        assert!(near(before, after, WASM_PAGE), "{told}");
    }
}

/// What an instance holds.
#[derive(Debug)]
struct Memory {
    charged_bytes: u64,
    linear_bytes: Option<u64>,
}

fn in_process<R: Runtime>(subject: &Subject<R>, bytes: u32) -> Memory {
    let groups = Groups::create();
    let mut cell = subject.cell(subject.prepare(), Some(&groups));
    let sample = cell.ask(&requests::grow(bytes));
    assert_eq!(sample.outcome, Outcome::Ok, "{}", show(&sample));
    let charged_bytes = sample.memory_peak_bytes.expect("a group tells its peak");
    Memory { charged_bytes, linear_bytes: sample.linear_memory_bytes }
}

/// In a host of its own. Proportional memory would tell the same, but that of this host
/// changes with every other test that ends: they share an executable.
fn in_thread<R: Runtime>(subject: &Subject<R>, bytes: u32) -> Memory {
    let mut prepare = subject.prepare();
    prepare.request = requests::grow(bytes);
    prepare.warmup = 1;
    let mut host = Host::start(subject.host());
    let warmup = host.prepare(prepare);
    let counters = host.block(0).host;
    let read = |counter: Counter| {
        counters.get(counter).unwrap_or_else(|| panic!("{counter} is missing: {counters:?}"))
    };
    let _ = (read(Counter::PssBefore), read(Counter::PssWithInstance));
    Memory {
        charged_bytes: read(Counter::AnonymousWithInstance) - read(Counter::AnonymousBefore),
        linear_bytes: warmup[0].linear_memory_bytes,
    }
}

/// A block in a process of its own, or in a host of its own.
fn measure<R: Runtime>(subject: &Subject<R>, prepare: Prepare, samples: u32) -> BlockResult {
    match subject.isolation() {
        Isolation::Process => {
            let groups = Groups::create();
            subject.cell(prepare, Some(&groups)).0.block(samples, false, None)
        }
        Isolation::Thread => {
            let mut host = Host::start(subject.host());
            host.prepare(prepare);
            host.block(samples)
        }
    }
}

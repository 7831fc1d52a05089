//! CPU time and memory are attributed to the instance that used them. Two counters, which the
//! kernel keeps independently, must agree on a known amount.

use lumos_model::cell::Isolation;
use lumos_model::counters::Counter;
use lumos_model::protocol::{BlockResult, Prepare};
use lumos_model::row::Outcome;

use super::groups::Groups;
use super::host::Host;
use super::requests;
use super::subject::{Subject, show};

/// The least CPU time of one burn. A block of burns takes much longer than the host's own work
/// around it.
const BURN_NS: u64 = 50_000_000;
const BURNS: u32 = 5;
/// The relative difference that is allowed between the two counters. Processes showed none,
/// threads 0.02 %, which is the host's own work between samples.
const CPU_TOLERANCE: f64 = 0.02;

/// The CPU times of a block's rows add up to the CPU time of the instance's control group. For
/// an instance inside the host they add up to the CPU time of all threads of the host process.
pub fn attributed_cpu(subject: &Subject) {
    let mut prepare = subject.prepare();
    prepare.request = requests::burn(long_burn(subject));
    let block = measure(subject, prepare, BURNS);
    let rows_ns = block.samples.iter().map(|sample| {
        assert_eq!(sample.outcome, Outcome::Ok, "{}", show(sample));
        sample.cpu_ns.expect("a living instance has a CPU clock")
    });
    let rows_ns = rows_ns.sum::<u64>();
    let counted_ns = match subject.isolation() {
        Isolation::Process => block.instances[0].group_cpu_ns().expect("a group counts CPU time"),
        Isolation::Thread => block.host.get(Counter::Cpu).expect("a process counts CPU time"),
    };
    assert!(rows_ns >= u64::from(BURNS) * BURN_NS / 2, "the burns were too short: {rows_ns} ns");
    let apart = (counted_ns as f64 / rows_ns as f64 - 1.0).abs();
    assert!(
        apart <= CPU_TOLERANCE,
        "the rows add up to {rows_ns} ns, the other counter says {counted_ns} ns"
    );
}

/// The number of rounds that takes [`BURN_NS`].
fn long_burn(subject: &Subject) -> u32 {
    let mut cell = subject.cell(subject.prepare(), None);
    let mut iterations = 10_000;
    while cell.ask(&requests::burn(iterations)).cpu_ns.expect("it is alive") < BURN_NS {
        iterations *= 2;
    }
    iterations
}

const HELD: u32 = 64 << 20;
/// The allowed difference in charged memory. The kernel charges groups in advance, by 64 pages
/// for each CPU (`MEMCG_CHARGE_BATCH`), and engines allocate memory of their own. The largest
/// difference observed was 0.4 MiB.
const MEMORY_TOLERANCE: u64 = 1 << 20;
/// Linear memory grows by pages, and the guest's allocator may have some left.
const WASM_PAGE: u64 = 64 << 10;

/// A guest that keeps 64 MiB more is charged 64 MiB more: in the peak of its control group (or
/// in the anonymous memory of the host process) and in its linear memory.
///
/// An extra instance runs first, because the kernel charges a page of a file to the group that
/// reads it first: 25 MiB of executable and module after the page cache was dropped.
pub fn attributed_memory(subject: &Subject) {
    let [_, without, with] = [0, 0, HELD].map(|bytes| match subject.isolation() {
        Isolation::Process => in_process(subject, bytes),
        Isolation::Thread => in_thread(subject, bytes),
    });
    let change = format!("{without:?} became {with:?}");
    let near = |before: u64, after: u64, tolerance: u64| {
        after.checked_sub(before).is_some_and(|more| more.abs_diff(HELD.into()) <= tolerance)
    };
    assert!(near(without.charged_bytes, with.charged_bytes, MEMORY_TOLERANCE), "{change}");
    if subject.has_modules() {
        let [before, after] =
            [&without, &with].map(|m| m.linear_bytes.expect("it has linear memory"));
        assert!(near(before, after, WASM_PAGE), "{change}");
    }
}

/// The memory of an instance.
#[derive(Debug)]
struct Memory {
    charged_bytes: u64,
    linear_bytes: Option<u64>,
}

fn in_process(subject: &Subject, bytes: u32) -> Memory {
    let groups = Groups::create();
    let mut cell = subject.cell(subject.prepare(), Some(&groups));
    let sample = cell.ask(&requests::grow(bytes));
    assert_eq!(sample.outcome, Outcome::Ok, "{}", show(&sample));
    let charged_bytes = sample.memory_peak_bytes.expect("a group has a peak");
    Memory { charged_bytes, linear_bytes: sample.linear_memory_bytes }
}

/// Uses a host of its own. Its proportional memory would show the same, but changes whenever
/// another test ends, because the tests share an executable.
fn in_thread(subject: &Subject, bytes: u32) -> Memory {
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

/// Measures a block in a process of its own, or in a host of its own.
fn measure(subject: &Subject, prepare: Prepare, samples: u32) -> BlockResult {
    match subject.isolation() {
        Isolation::Process => {
            let groups = Groups::create();
            subject.cell(prepare, Some(&groups)).block(samples)
        }
        Isolation::Thread => {
            let mut host = Host::start(subject.host());
            host.prepare(prepare);
            host.block(samples)
        }
    }
}

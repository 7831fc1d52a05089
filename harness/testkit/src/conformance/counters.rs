//! Memory and CPU time follow what the guest does.

use lumos_model::cell::Isolation;
use lumos_model::row::{Outcome, Sample};
use lumos_runtime::engine::Runtime;

use super::groups::Groups;
use super::requests;
use super::subject::{Cell, Subject, show};

const GROWTH: u32 = 8 << 20;

/// A guest that keeps more has more: in its linear memory where it has one, and else in its
/// cgroup. There the peak may be the start's, an engine's compiler for example.
pub fn memory<R: Runtime>(subject: &Subject<R>) {
    let in_process = subject.isolation() == Isolation::Process;
    let groups = in_process.then(Groups::create);
    let mut cell = subject.cell(subject.prepare(), groups.as_ref());
    let before = ask(&mut cell, &requests::grow(0));
    let after = ask(&mut cell, &requests::grow(GROWTH));
    assert_eq!(after.output.as_deref(), Some(r#"{"held":8388608}"#));

    let linear = [before.linear_memory_bytes, after.linear_memory_bytes];
    let peak = [before.memory_peak_bytes, after.memory_peak_bytes];
    assert_eq!(linear.map(|bytes| bytes.is_some()), [subject.has_modules(); 2], "{}", show(&after));
    assert_eq!(peak.map(|bytes| bytes.is_some()), [in_process; 2], "{}", show(&after));
    let telling = if subject.has_modules() { linear } else { peak };
    let [before, after] = telling.map(|bytes| bytes.expect("one of them is there"));
    assert!(after >= before + u64::from(GROWTH), "from {before} to {after} bytes");
    assert!(peak[1] >= peak[0] && peak[1].is_none_or(|peak| peak >= u64::from(GROWTH)));
}

/// A burn that takes at least so much CPU time is long enough to be compared.
const ENOUGH_NS: u64 = 20_000_000;
/// What the clocks may disagree in.
const TOLERANCE_NS: u64 = 1_000_000;

/// CPU time is that of the guest: no more than the time that passed, and in proportion to
/// the work.
pub fn cpu_time<R: Runtime>(subject: &Subject<R>) {
    let mut cell = subject.cell(subject.prepare(), None);
    let mut iterations = 10_000;
    while burn_ns(&mut cell, iterations) < ENOUGH_NS {
        iterations *= 2;
    }
    let (one, four) = (least_ns(&mut cell, iterations), least_ns(&mut cell, 4 * iterations));
    let ratio = four as f64 / one as f64;
    assert!((2.0..8.0).contains(&ratio), "four times the work took {ratio:.2} times the CPU");
}

/// The least of three: others on the machine can only add.
fn least_ns(cell: &mut Cell<'_>, iterations: u32) -> u64 {
    (0..3).map(|_| burn_ns(cell, iterations)).min().expect("three readings")
}

fn burn_ns(cell: &mut Cell<'_>, iterations: u32) -> u64 {
    let sample = ask(cell, &requests::burn(iterations));
    let cpu_ns = sample.cpu_ns.expect("an instance that lives has a CPU clock");
    assert!(cpu_ns > 0, "{}", show(&sample));
    assert!(
        cpu_ns <= sample.total_ns + TOLERANCE_NS,
        "more than the time itself: {}",
        show(&sample)
    );
    cpu_ns
}

fn ask(cell: &mut Cell<'_>, request: &str) -> Sample {
    let sample = cell.ask(request);
    assert_eq!(sample.outcome, Outcome::Ok, "{}", show(&sample));
    sample
}

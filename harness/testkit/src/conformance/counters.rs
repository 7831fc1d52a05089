//! Memory and CPU time follow the guest's work.

use lumos_model::cell::Isolation;
use lumos_model::row::{Outcome, Sample};

use super::groups::Groups;
use super::requests;
use super::subject::{Cell, Subject, show};

const GROWTH: u32 = 8 << 20;

/// A guest that keeps more memory has more: in its linear memory if it has one, otherwise in its
/// control group. The group's peak may also come from the start, for example from a compiler.
pub fn memory(subject: &Subject) {
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
    let charged = if subject.has_modules() { linear } else { peak };
    let [before, after] = charged.map(|bytes| bytes.expect("its presence was checked above"));
    assert!(after >= before + u64::from(GROWTH), "from {before} to {after} bytes");
    assert!(peak[1] >= peak[0] && peak[1].is_none_or(|peak| peak >= u64::from(GROWTH)));
}

/// The CPU time from which on burns can be compared.
const COMPARABLE_NS: u64 = 20_000_000;
/// The allowed difference between the CPU clock and the monotonic clock.
const TOLERANCE_NS: u64 = 1_000_000;

/// CPU time is the guest's: it does not exceed the elapsed time and is proportional to the work.
pub fn cpu_time(subject: &Subject) {
    let mut cell = subject.cell(subject.prepare(), None);
    let mut iterations = 10_000;
    while burn_ns(&mut cell, iterations) < COMPARABLE_NS {
        iterations *= 2;
    }
    let (one, four) = (least_ns(&mut cell, iterations), least_ns(&mut cell, 4 * iterations));
    let ratio = four as f64 / one as f64;
    assert!((2.0..8.0).contains(&ratio), "four times the work took {ratio:.2} times the CPU");
}

/// The least of three readings: other load on the machine only adds to them.
fn least_ns(cell: &mut Cell, iterations: u32) -> u64 {
    (0..3).map(|_| burn_ns(cell, iterations)).min().expect("three readings")
}

fn burn_ns(cell: &mut Cell, iterations: u32) -> u64 {
    let sample = ask(cell, &requests::burn(iterations));
    let cpu_ns = sample.cpu_ns.expect("a living instance has a CPU clock");
    assert!(cpu_ns > 0, "{}", show(&sample));
    assert!(
        cpu_ns <= sample.total_ns + TOLERANCE_NS,
        "more CPU time than elapsed time: {}",
        show(&sample)
    );
    cpu_ns
}

fn ask(cell: &mut Cell, request: &str) -> Sample {
    let sample = cell.ask(request);
    assert_eq!(sample.outcome, Outcome::Ok, "{}", show(&sample));
    sample
}

//! A sample tells what was new for it.

use lumos_model::cell::{Isolation, Start};
use lumos_model::phase::Phase;
use lumos_model::row::{Outcome, Sample};

use super::groups::Groups;
use super::subject::{Subject, check, show};
use crate::runtime::Runtime;

/// Every rung that is offered is the rung that samples report, with the phases of what
/// was new and no others.
pub fn starts<R: Runtime>(subject: &Subject<R>) {
    let offered = Start::ALL.iter().copied().filter(|start| subject.offers(*start));
    for start in offered {
        let groups = (start == Start::ColdProcess).then(Groups::create);
        let mut prepare = subject.prepare();
        prepare.start = start;
        let mut cell = subject.cell(prepare, groups.as_ref());
        for sample in &cell.0.block(3, false, None).samples {
            check(sample);
            assert_eq!(sample.outcome, Outcome::Ok, "{start}: {}", show(sample));
            assert_eq!(sample.start_kind, start, "{}", show(sample));
            check_phases(subject, sample);
            check_spans(sample);
        }
    }
}

fn check_phases<R: Runtime>(subject: &Subject<R>, sample: &Sample) {
    let start = sample.start_kind;
    let has = |phase| sample.phases_ns.get(phase) > 0;
    assert_eq!(has(Phase::Instantiate), start.is_cold(), "instantiate: {}", show(sample));
    assert_eq!(has(Phase::Provision), is_new_process(start), "provision: {}", show(sample));
    let new_module = start == Start::ColdModule || is_new_process(start);
    let new_module = new_module && subject.has_modules();
    assert_eq!(has(Phase::Load), new_module, "load: {}", show(sample));
    if !new_module {
        assert!(!has(Phase::Compile), "compile: {}", show(sample));
    }
    let in_thread = subject.isolation() == Isolation::Thread;
    let torn_down = is_new_process(start) || (start.is_cold() && in_thread);
    assert_eq!(sample.teardown_ns.is_some(), torn_down, "teardown: {}", show(sample));
}

fn check_spans(sample: &Sample) {
    let spans = sample.provision_spans;
    assert_eq!(spans.is_some(), is_new_process(sample.start_kind), "{}", show(sample));
    if let Some(spans) = spans {
        let parts = [spans.cgroup_create_ns, spans.attach_ns, spans.exec_ns];
        assert!(parts.iter().all(|ns| *ns > 0), "{}", show(sample));
        let provision_ns = sample.phases_ns.get(Phase::Provision);
        assert!(parts.iter().sum::<u64>() <= provision_ns, "{}", show(sample));
    }
}

fn is_new_process(start: Start) -> bool {
    matches!(start, Start::ColdProcess | Start::ColdImage)
}

//! A sample reports what was new for it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use lumos_model::cell::{Isolation, Start};
use lumos_model::phase::Phase;
use lumos_model::row::{Outcome, Sample};

use super::groups::Groups;
use super::subject::{Subject, check, show};

/// Samples report the start kind that was asked for, with the phases of what was new and no
/// others.
pub fn starts(subject: &Subject) {
    let offered = Start::ALL.iter().copied().filter(|start| subject.offers(*start));
    for start in offered {
        let groups = is_new_process(start).then(Groups::create);
        let mut prepare = subject.prepare();
        prepare.start = start;
        // Mapped pages cannot be evicted, and other tests have the artifact mapped.
        let copy = (start == Start::ColdImage).then(|| Copy::of(&prepare.artifact));
        if let Some(copy) = &copy {
            prepare.artifact.clone_from(&copy.0);
        }
        let mut cell = subject.cell(prepare, groups.as_ref());
        for sample in &cell.block(3).samples {
            check(sample);
            assert_eq!(sample.outcome, Outcome::Ok, "{start}: {}", show(sample));
            assert_eq!(sample.start_kind, start, "{}", show(sample));
            check_phases(subject, sample);
            check_spans(sample);
            check_pages(sample);
        }
    }
}

fn check_phases(subject: &Subject, sample: &Sample) {
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

/// All pages of an evicted artifact are gone, and there were some: the previous sample or the
/// creation of the file had read them in.
fn check_pages(sample: &Sample) {
    let evicted = sample.evicted_pages.map(|pages| pages > 0);
    let expected =
        if sample.start_kind == Start::ColdImage { (Some(true), Some(0)) } else { (None, None) };
    assert_eq!((evicted, sample.resident_pages_after), expected, "{}", show(sample));
}

fn is_new_process(start: Start) -> bool {
    matches!(start, Start::ColdProcess | Start::ColdImage)
}

/// A copy of an artifact in the same folder, removed when this is dropped.
struct Copy(PathBuf);

impl Copy {
    fn of(artifact: &Path) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = artifact.file_name().expect("an artifact is a file").to_string_lossy();
        let copy = artifact.with_file_name(format!("{}-{number}-{name}", std::process::id()));
        // Copied by another process. If this one opened the file for writing, a child that
        // another test is just starting could inherit it, and the file could not be executed.
        let status = Command::new("cp").arg(artifact).arg(&copy).status().expect("cp(1)");
        assert!(status.success(), "{} cannot be copied: {status}", artifact.display());
        Self(copy)
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        // A file that is left in the build's folder is not a failure.
        let _ = std::fs::remove_file(&self.0);
    }
}

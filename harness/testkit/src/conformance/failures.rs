//! What ends an instance ends one invocation and says why.

use lumos_model::cell::{Isolation, Start};
use lumos_model::row::Outcome;
use lumos_runtime::engine::Runtime;

use super::groups::Groups;
use super::requests;
use super::subject::{Subject, assert_ended};

/// A trap ends the instance; the next invocation gets a new one.
pub fn traps<R: Runtime>(subject: &Subject<R>) {
    let trap = requests::trap();
    each_ends_one(subject, [&trap, &trap], &["unreachable", "SIGABRT"]);
}

/// A panic is a trap.
pub fn panics<R: Runtime>(subject: &Subject<R>) {
    let panic = requests::panic();
    each_ends_one(subject, [&panic, &panic], &["a panic was asked for", "unreachable"]);
}

/// A guest that exits has not answered, whatever its exit code says.
pub fn exits<R: Runtime>(subject: &Subject<R>) {
    each_ends_one(subject, [&requests::exit(0), &requests::exit(3)], &["exit"]);
}

/// Two of them, because the instance after the first end is made on another way.
fn each_ends_one<R: Runtime>(subject: &Subject<R>, requests: [&str; 2], words: &[&str]) {
    let mut cell = subject.cell(subject.prepare(), None);
    for request in requests {
        let sample = cell.ask(request);
        assert_ended(&sample, Outcome::Trap, words);
        assert_eq!(sample.start_kind, Start::Warm);
        assert_eq!(sample.output, None);
        cell.serves_anew(subject.isolation());
    }
}

/// A guest that fills its memory is out of memory, and is not confused with one that
/// traps, whether its engine or the kernel stops it.
pub fn out_of_memory<R: Runtime>(subject: &Subject<R>) {
    let groups = (subject.isolation() == Isolation::Process).then(Groups::create);
    let mut cell = subject.cell(subject.prepare_bounded(), groups.as_ref());
    for _ in 0..2 {
        let sample = cell.ask(&requests::oom());
        assert_ended(&sample, Outcome::OutOfMemory, &["memory"]);
        cell.serves_anew(subject.isolation());
    }
}

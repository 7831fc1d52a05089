//! A failure ends one instance and one invocation, with the right outcome and message.

use lumos_model::cell::{Isolation, Start};
use lumos_model::row::Outcome;

use super::groups::Groups;
use super::requests;
use super::subject::{Subject, assert_ended};

/// A trap ends the instance, and the next invocation gets a new one.
pub fn traps(subject: &Subject) {
    let trap = requests::trap();
    each_ends_one(subject, [&trap, &trap], &["unreachable", "SIGABRT"]);
}

/// A panic is a trap.
pub fn panics(subject: &Subject) {
    let panic = requests::panic();
    each_ends_one(subject, [&panic, &panic], &["a panic was asked for", "unreachable"]);
}

/// A guest that exits has not answered, whatever its exit code.
pub fn exits(subject: &Subject) {
    each_ends_one(subject, [&requests::exit(0), &requests::exit(3)], &["exit"]);
}

/// Fails twice, because the instance after the first failure is created in another way.
fn each_ends_one(subject: &Subject, requests: [&str; 2], words: &[&str]) {
    let mut cell = subject.cell(subject.prepare(), None);
    for request in requests {
        let sample = cell.ask(request);
        assert_ended(&sample, Outcome::Trap, words);
        assert_eq!(sample.start_kind, Start::Warm);
        assert_eq!(sample.output, None);
        cell.serves_with_new_instance(subject.isolation());
    }
}

/// A guest that fills its memory is reported as out of memory and not as a trap, whether its
/// engine or the kernel stops it.
pub fn out_of_memory(subject: &Subject) {
    let groups = (subject.isolation() == Isolation::Process).then(Groups::create);
    let mut cell = subject.cell(subject.prepare_bounded(), groups.as_ref());
    for _ in 0..2 {
        let sample = cell.ask(&requests::oom());
        assert_ended(&sample, Outcome::OutOfMemory, &["memory"]);
        cell.serves_with_new_instance(subject.isolation());
    }
}

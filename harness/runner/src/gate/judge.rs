//! Decides what may be measured from what the hosts showed. Pure.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashSet};

use lumos_model::cell::{Cell, Size, Storage, Target};
use lumos_model::manifest::{GateFailure, Output, Proof};

use super::admission::{Admission, Subject};
use super::examine::{Answer, Examined, Work};
use super::job::Job;

/// A function with one of its inputs.
type Input = (String, Size, Storage);
/// What the targets made of one input.
type Works = Vec<(Target, Work)>;

/// Admits those of `cells` whose artifact proved its mode and gave the same output as the other
/// targets.
pub(super) fn judge(cells: &[Cell], examined: Vec<Examined>) -> Admission {
    let mut judge = Judge::default();
    let mut by_input: BTreeMap<Input, Works> = BTreeMap::new();
    for Examined { job, proof, answers } in examined {
        judge.take_proof(job, proof);
        for Answer { cell, result } in answers {
            match result {
                Ok(work) => by_input
                    .entry((cell.function, cell.size, cell.storage))
                    .or_default()
                    .push((cell.target, work)),
                Err(reason) => judge.refuse(Subject::of(&cell), reason),
            }
        }
    }
    for (input, works) in &by_input {
        judge.compare(input, works);
    }
    judge.finish(cells)
}

/// What is decided so far.
#[derive(Default)]
struct Judge {
    admission: Admission,
    admitted: HashSet<Subject>,
}

impl Judge {
    fn take_proof(&mut self, job: Job, proof: Result<Proof, String>) {
        let Job { function, target, .. } = job;
        match proof {
            Ok(proof) => self.admission.proofs.push(proof),
            Err(reason) => {
                let failure = GateFailure { function, input: None, target, reason };
                self.admission.failures.push(failure);
            }
        }
    }

    fn refuse(&mut self, subject: Subject, reason: String) {
        let Subject { function, size, storage, target } = subject;
        let failure = GateFailure { function, input: Some((size, storage)), target, reason };
        self.admission.failures.push(failure);
    }

    /// Admits the targets that did the right work with this input, and refuses the others.
    fn compare(&mut self, (function, size, storage): &Input, works: &Works) {
        let (size, storage) = (*size, *storage);
        let subject = |target: &Target| {
            let (function, target) = (function.clone(), target.clone());
            Subject { function, size, storage, target }
        };
        let (reference, right) = reference(works);
        let mut agreeing = 0;
        for (target, work) in works {
            if work == right {
                self.admitted.insert(subject(target));
                agreeing += 1;
            } else {
                self.refuse(subject(target), difference(work, reference, right));
            }
        }
        self.admission.outputs.push(Output {
            function: function.clone(),
            size,
            storage,
            sha256: right.sha256.clone(),
            bytes: right.bytes,
            stored_sha256: right.stored_sha256.clone(),
            targets: agreeing,
        });
    }

    /// Refuses all of `cells` that are not admitted. The lists get an order, because workers end
    /// in any order.
    fn finish(self, cells: &[Cell]) -> Admission {
        let Self { mut admission, admitted } = self;
        let subjects = cells.iter().map(Subject::of);
        admission.refused = subjects.filter(|subject| !admitted.contains(subject)).collect();
        admission
            .proofs
            .sort_by(|a, b| (&a.function, &a.proof.target).cmp(&(&b.function, &b.proof.target)));
        admission.failures.sort_by_cached_key(GateFailure::to_string);
        admission
    }
}

/// The target whose work counts as right, and its work: the native target, or else one with the most
/// frequent work. The choice does not depend on the order of `works`.
fn reference(works: &Works) -> (&Target, &Work) {
    let count = |work: &Work| works.iter().filter(|(_, other)| other == work).count();
    let native = works.iter().find(|(target, _)| target.is_native());
    let frequent =
        || works.iter().max_by_key(|(target, work)| (count(work), work, Reverse(target)));
    let (target, work) = native.or_else(frequent).expect("an input has at least one work");
    (target, work)
}

fn difference(work: &Work, reference: &Target, right: &Work) -> String {
    format!(
        "its output ({} bytes, sha256 {:.12}) differs from that of {reference} ({} bytes, sha256 \
         {:.12})",
        work.bytes, work.sha256, right.bytes, right.sha256
    )
}

#[cfg(test)]
mod tests {
    use lumos_model::cell::{Demand, Isolation, Start};
    use lumos_model::protocol::ModeProof;

    use super::*;

    fn cell(target: &str) -> Cell {
        Cell {
            function: "noop".to_owned(),
            size: Size::Tiny,
            target: target.parse().unwrap(),
            isolation: Isolation::Process,
            storage: Storage::Inline,
            demand: Demand::Each(Start::Warm),
        }
    }

    /// A target that proved its mode and answered with `output`.
    fn answered(target: &str, output: &str) -> Examined {
        let cell = cell(target);
        let work = Work { sha256: output.to_owned(), bytes: 3, stored_sha256: None };
        let proof = ModeProof {
            target: cell.target.clone(),
            setting: String::new(),
            code: String::new(),
            canary_ns: 1,
            reference_ns: 1,
        };
        Examined {
            job: Job {
                function: "noop".to_owned(),
                target: cell.target.clone(),
                cells: vec![cell.clone()],
            },
            proof: Ok(Proof { function: "noop".to_owned(), proof }),
            answers: vec![Answer { cell, result: Ok(work) }],
        }
    }

    fn refused(cells: &[Cell], admission: &Admission) -> Vec<String> {
        let refused = cells.iter().filter(|cell| !admission.admits(cell));
        refused.map(|cell| cell.target.to_string()).collect()
    }

    #[test]
    fn the_native_output_is_right_even_against_a_majority() {
        let targets = ["native", "wasmtime-aot", "wasmtime-interp"];
        let cells = targets.map(cell);
        let outputs = ["a", "b", "b"];
        let examined = targets.iter().zip(outputs).map(|(t, output)| answered(t, output));
        let admission = judge(&cells, examined.collect());
        assert_eq!(refused(&cells, &admission), ["wasmtime-aot", "wasmtime-interp"]);
        assert_eq!((admission.outputs[0].sha256.as_str(), admission.outputs[0].targets), ("a", 1));
        let reason = admission.failures()[0].to_string();
        assert!(reason.contains("(3 bytes, sha256 b) differs from that of native"), "{reason}");
    }

    #[test]
    fn without_native_the_most_frequent_output_is_right() {
        let targets = ["wasmedge-aot", "wasmtime-aot", "wasmtime-interp"];
        let cells = targets.map(cell);
        let outputs = ["b", "a", "a"];
        let examined = targets.iter().zip(outputs).map(|(t, output)| answered(t, output));
        let admission = judge(&cells, examined.collect());
        assert_eq!(refused(&cells, &admission), ["wasmedge-aot"]);
        assert_eq!(admission.outputs[0].targets, 2);
    }

    #[test]
    fn a_target_without_a_proof_is_refused_with_its_reason() {
        let cells = ["native", "wasmtime-aot"].map(cell);
        let without = answered("wasmtime-aot", "a");
        let without =
            Examined { proof: Err("no proof".to_owned()), answers: Vec::new(), ..without };
        let admission = judge(&cells, vec![without, answered("native", "a")]);
        assert_eq!(refused(&cells, &admission), ["wasmtime-aot"]);
        let failures: Vec<_> = admission.failures().iter().map(ToString::to_string).collect();
        assert_eq!(failures, ["noop wasmtime-aot: no proof"]);
        assert_eq!(admission.proofs.len(), 1);
    }

    #[test]
    fn an_invocation_that_failed_is_refused_with_its_reason() {
        let cells = ["native", "wasmtime-aot"].map(cell);
        let mut failed = answered("wasmtime-aot", "a");
        failed.answers[0].result = Err("trap: unreachable".to_owned());
        let admission = judge(&cells, vec![failed, answered("native", "a")]);
        assert_eq!(refused(&cells, &admission), ["wasmtime-aot"]);
        let failures: Vec<_> = admission.failures().iter().map(ToString::to_string).collect();
        assert_eq!(failures, ["noop tiny inline wasmtime-aot: trap: unreachable"]);
    }
}

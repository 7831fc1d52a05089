//! Decides what may be measured from what the hosts showed. Pure.

use std::collections::{BTreeMap, HashSet};

use lumos_model::cell::{Cell, Size, Storage, Target};
use lumos_model::manifest::{GateFailure, Output};

use super::admission::{Admission, Subject};
use super::examine::{Answer, Examined, Work};

/// What the targets made of one input.
type Works = Vec<(Target, Work)>;

/// Admits those of `cells` whose artifact proved its mode and gave the same output as the other
/// targets.
pub(super) fn judge(cells: &[Cell], examined: Vec<Examined>) -> Admission {
    let mut admission = Admission::default();
    let mut by_input: BTreeMap<(String, Size, Storage), Works> = BTreeMap::new();
    for Examined { job, proof, answers } in examined {
        match proof {
            Ok(proof) => admission.proofs.push(proof),
            Err(reason) => admission.failures.push(GateFailure {
                function: job.function,
                input: None,
                target: job.target,
                reason,
            }),
        }
        for Answer { cell, result } in answers {
            match result {
                Ok(work) => by_input
                    .entry((cell.function, cell.size, cell.storage))
                    .or_default()
                    .push((cell.target, work)),
                Err(reason) => admission.failures.push(failure(Subject::of(&cell), reason)),
            }
        }
    }
    let mut admitted = HashSet::new();
    for ((function, size, storage), works) in by_input {
        let subject = |target: &Target| {
            let (function, target) = (function.clone(), target.clone());
            Subject { function, size, storage, target }
        };
        let right = reference(&works);
        let (same, other): (Vec<_>, Vec<_>) = works.iter().partition(|(_, work)| work == right);
        for (target, work) in other {
            let reason = difference(work, &same[0].0, right);
            admission.failures.push(failure(subject(target), reason));
        }
        admitted.extend(same.iter().map(|(target, _)| subject(target)));
        admission.outputs.push(Output {
            sha256: right.sha256.clone(),
            bytes: right.bytes,
            stored_sha256: right.stored_sha256.clone(),
            targets: same.len(),
            function,
            size,
            storage,
        });
    }
    let subjects = cells.iter().map(Subject::of);
    admission.refused = subjects.filter(|subject| !admitted.contains(subject)).collect();
    sort(&mut admission);
    admission
}

fn failure(subject: Subject, reason: String) -> GateFailure {
    let Subject { function, size, storage, target } = subject;
    GateFailure { function, input: Some((size, storage)), target, reason }
}

/// The work that counts as right: that of the native target, or else the most frequent one.
fn reference(works: &Works) -> &Work {
    let native = works.iter().find(|(target, _)| target.is_native());
    let mut counts: BTreeMap<&Work, usize> = BTreeMap::new();
    for (_, work) in works {
        *counts.entry(work).or_default() += 1;
    }
    let frequent = counts.into_iter().max_by_key(|(_, count)| *count).map(|(work, _)| work);
    native.map(|(_, work)| work).or(frequent).expect("an entry has at least one work")
}

fn difference(work: &Work, reference: &Target, right: &Work) -> String {
    format!(
        "its output ({} bytes, sha256 {:.12}) differs from that of {reference} ({} bytes, sha256 \
         {:.12})",
        work.bytes, work.sha256, right.bytes, right.sha256
    )
}

/// Workers end in any order; manifests have one.
fn sort(admission: &mut Admission) {
    admission
        .proofs
        .sort_by(|a, b| (&a.function, &a.proof.target).cmp(&(&b.function, &b.proof.target)));
    admission.failures.sort_by_cached_key(GateFailure::to_string);
}

#[cfg(test)]
mod tests {
    use lumos_model::cell::{Demand, Isolation, Start};
    use lumos_model::manifest::Proof;
    use lumos_model::protocol::ModeProof;

    use super::super::job::Job;
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

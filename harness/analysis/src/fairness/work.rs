//! Whether all targets did the same work, in the mode of their names.

use std::collections::{BTreeMap, BTreeSet};

use lumos_model::cell::{Cell, Size, Storage, Target};
use lumos_model::manifest::{Output, RunManifest};
use lumos_model::protocol::{Execution, ModeProof};
use lumos_scenario::inputs;

use super::check::{Check, RunFacts};

/// Cores that a single thread can seem to use: the clocks of CPU time and of time are not read
/// at the same instant.
const ONE_THREAD: f64 = 1.05;

const THREAD: &str = "one thread";
const INPUTS: &str = "inputs from a seed and hashed";
const OUTPUTS: &str = "same outputs on every target";
const MODE: &str = "mode proven";

pub(super) fn checks(run: &RunFacts) -> Vec<Check> {
    vec![threads(run), inputs(run.manifest), outputs(run), modes(run)]
}

/// Only in warm cells: a cold process may compile on several threads.
fn threads(run: &RunFacts) -> Check {
    if run.is_load() {
        let why = "requests under load run concurrently, so their cores are not counted";
        return Check::inapplicable(THREAD, why);
    }
    let shares = run.observed.cpu_share.iter();
    let medians: Vec<(&Cell, f64)> =
        shares.filter_map(|(cell, shares)| Some((cell, median(shares)?))).collect();
    let Some((_, most)) = medians.iter().max_by(|(_, a), (_, b)| a.total_cmp(b)) else {
        return Check::unknown(THREAD, "no warm sample has a CPU time");
    };
    let over = medians.iter().filter(|(_, share)| *share > ONE_THREAD);
    let violations = over.map(|(cell, share)| format!("{cell} used {share:.2} cores")).collect();
    let evidence =
        format!("at most {most:.2} s of CPU time per second in {} warm cells", medians.len());
    Check::decided(THREAD, violations, evidence)
}

fn median(values: &[f64]) -> Option<f64> {
    lumos_stats::Samples::new(values.iter().copied()).ok().map(|samples| samples.median())
}

fn inputs(manifest: &RunManifest) -> Check {
    let has_input = |function: &str| {
        lumos_inputs::functions().iter().any(|known| known.name == function && known.has_input)
    };
    let read = manifest.cells.iter().filter(|cell| has_input(&cell.function));
    let needed: BTreeSet<(&str, Size)> =
        read.map(|cell| (cell.function.as_str(), cell.size)).collect();
    if needed.is_empty() {
        return Check::held(INPUTS, "no function of the run reads an input");
    }
    let seed = manifest.seed;
    let is_of_seed = |function: &str, size: Size| {
        let input = lumos_inputs::input(function, inputs::size(size), seed).ok().flatten();
        input.is_some_and(|input| manifest.inputs_sha256.get(&input.key) == Some(&input.sha256))
    };
    let other = needed.iter().filter(|(function, size)| !is_of_seed(function, *size));
    let violations = other
        .map(|(function, size)| format!("the input of {function} {size} is not that of the seed"))
        .collect();
    let evidence = format!(
        "the inputs of {} functions and sizes, generated again from seed {seed}, have the run's \
         hashes",
        needed.len()
    );
    Check::decided(INPUTS, violations, evidence)
}

fn outputs(run: &RunFacts) -> Check {
    let outputs = &run.manifest.outputs;
    if outputs.is_empty() {
        return Check::unknown(OUTPUTS, "the gate recorded no outputs");
    }
    let mut planned: BTreeMap<(&str, Size, Storage), BTreeSet<&Target>> = BTreeMap::new();
    for cell in &run.manifest.cells {
        let place = (cell.function.as_str(), cell.size, cell.storage);
        planned.entry(place).or_default().insert(&cell.target);
    }
    let targets = |output: &Output| {
        planned
            .get(&(output.function.as_str(), output.size, output.storage))
            .map_or(0, BTreeSet::len)
    };
    let violations =
        outputs.iter().flat_map(|output| output_violations(run, output, targets(output)));
    let evidence = format!(
        "byte-identical on all targets at the gate for {} functions, sizes and storages, and in \
         every row of {} of them",
        outputs.len(),
        outputs.iter().filter(|output| seen(run, output).is_some()).count()
    );
    Check::decided(OUTPUTS, violations.collect(), evidence)
}

/// What is wrong with an output that `targets` targets should have.
fn output_violations(run: &RunFacts, output: &Output, targets: usize) -> Vec<String> {
    let Output { function, size, storage, .. } = output;
    let mut violations = Vec::new();
    if output.targets != targets {
        let agreed = output.targets;
        violations
            .push(format!("{function} {size} {storage}: {agreed} of {targets} targets agreed"));
    }
    if seen(run, output).is_some_and(|seen| seen.iter().any(|hash| *hash != output.sha256)) {
        violations.push(format!("{function} {size} {storage}: rows differ from the gate's output"));
    }
    violations
}

/// The hashes in the rows.
fn seen<'a>(run: &'a RunFacts, output: &Output) -> Option<&'a BTreeSet<String>> {
    run.observed.outputs.get(&(output.function.clone(), output.size, output.storage))
}

fn modes(run: &RunFacts) -> Check {
    let measured: BTreeSet<(&str, &Target)> =
        run.observed.orders.keys().map(|id| (id.cell.function.as_str(), &id.cell.target)).collect();
    if measured.is_empty() {
        return Check::unknown(MODE, "nothing was measured");
    }
    let mut violations = Vec::new();
    let (mut compiled, mut interpreted) = (Vec::new(), Vec::new());
    for &(function, target) in &measured {
        match canary(run.manifest, function, target) {
            Canary::Unproven => violations.push(format!("{function} {target} has no proof")),
            Canary::NotNeeded => {}
            Canary::Measured(proof) => {
                let (expected, slowdowns) = match target.mode() {
                    Some("interp") => (Execution::Interpreted, &mut interpreted),
                    _ => (Execution::Compiled, &mut compiled),
                };
                let slowdown = proof.slowdown();
                slowdowns.push(slowdown);
                if proof.execution() != Some(expected) {
                    violations.push(format!("{function} {target}: its canary took {slowdown:.1}x"));
                }
            }
        }
    }
    let mut evidence = format!("{} artifacts on their targets", measured.len());
    if let Some(most) = compiled.into_iter().reduce(f64::max) {
        evidence += &format!("; compiled canaries took at most {most:.1}x the host's own");
    }
    if let Some(least) = interpreted.into_iter().reduce(f64::min) {
        evidence += &format!("; interpreted ones at least {least:.0}x");
    }
    Check::decided(MODE, violations, evidence)
}

/// What the canary loop of an artifact showed.
enum Canary<'m> {
    Unproven,
    /// Native runs no engine.
    NotNeeded,
    /// The loop was run.
    Measured(&'m ModeProof),
}

fn canary<'m>(manifest: &'m RunManifest, function: &str, target: &Target) -> Canary<'m> {
    let mut proofs = manifest.proofs.iter();
    match proofs.find(|of| of.function == function && of.proof.target == *target) {
        None => Canary::Unproven,
        Some(of) if of.proof.reference_ns == 0 => Canary::NotNeeded,
        Some(of) => Canary::Measured(&of.proof),
    }
}

//! Whether all targets did the same work, in the mode of their names.

use std::collections::{BTreeMap, BTreeSet};

use lumos_model::cell::{Cell, Target};
use lumos_model::protocol::Execution;
use lumos_scenario::inputs;

use super::{Check, Run, check, inapplicable, unknown};

/// A single thread cannot use more CPU time than time passes, but for the reading of
/// both clocks.
const ONE_THREAD: f64 = 1.05;

pub(super) fn checks(run: &Run) -> Vec<Check> {
    vec![threads(run), inputs(run), outputs(run), modes(run)]
}

/// In warm cells: a cold process may well compile on several threads.
fn threads(run: &Run) -> Check {
    const RULE: &str = "one thread";
    if run.is_load() {
        return inapplicable(
            RULE,
            "under load requests run side by side, so their cores are not counted",
        );
    }
    let medians: Vec<(&Cell, f64)> = run
        .observed
        .cpu_share
        .iter()
        .filter_map(|(cell, shares)| {
            Some((cell, lumos_stats::Samples::new(shares.iter().copied()).ok()?.median()))
        })
        .collect();
    let Some((_, most)) = medians.iter().max_by(|(_, a), (_, b)| a.total_cmp(b)) else {
        return unknown(RULE, "no warm sample has a CPU time");
    };
    let over = medians.iter().filter(|(_, share)| *share > ONE_THREAD);
    let faults: Vec<String> =
        over.map(|(cell, share)| format!("{cell} used {share:.2} cores")).collect();
    let evidence =
        format!("at most {most:.2} s of CPU time a second in {} warm cells", medians.len());
    check(RULE, &faults, evidence)
}

fn inputs(run: &Run) -> Check {
    let known: BTreeMap<&str, bool> =
        lumos_inputs::functions().iter().map(|f| (f.name, f.has_input)).collect();
    let mut needed = BTreeSet::new();
    for cell in &run.manifest.cells {
        if known.get(cell.function.as_str()) == Some(&true) {
            needed.insert((cell.function.as_str(), cell.size));
        }
    }
    let hashes = &run.manifest.inputs_sha256;
    let faults: Vec<String> = needed
        .iter()
        .filter_map(|(function, size)| {
            let size = inputs::size(*size);
            match lumos_inputs::input(function, size, run.manifest.seed) {
                Ok(Some(input)) if hashes.get(&input.key) == Some(&input.sha256) => None,
                _ => Some(format!("the input of {function} {size:?} is not the seed's")),
            }
        })
        .collect();
    let evidence = match needed.len() {
        0 => "no function of the run reads an input".to_owned(),
        count => format!(
            "those of {count} functions and sizes were made again from seed {}, and have the hashes \
             of the run",
            run.manifest.seed
        ),
    };
    check("inputs from a seed and hashed", &faults, evidence)
}

fn outputs(run: &Run) -> Check {
    const RULE: &str = "same outputs on every target";
    let mut planned: BTreeMap<_, BTreeSet<&Target>> = BTreeMap::new();
    for cell in &run.manifest.cells {
        let place = (cell.function.as_str(), cell.size, cell.storage);
        planned.entry(place).or_default().insert(&cell.target);
    }
    if run.manifest.outputs.is_empty() {
        return unknown(RULE, "the gate has left no outputs");
    }
    let mut faults = Vec::new();
    let mut hashed = 0;
    for output in &run.manifest.outputs {
        let place = (output.function.as_str(), output.size, output.storage);
        let name = format!("{} {} {}", place.0, place.1, place.2);
        let targets = planned.get(&place).map_or(0, BTreeSet::len);
        if output.targets != targets {
            faults.push(format!("{name}: {} of {targets} targets agreed", output.targets));
        }
        let seen =
            run.observed.outputs.get(&(output.function.clone(), output.size, output.storage));
        hashed += usize::from(seen.is_some());
        if seen.is_some_and(|seen| seen.iter().any(|hash| *hash != output.sha256)) {
            faults.push(format!("{name}: rows with another output than the gate's"));
        }
    }
    let evidence = format!(
        "byte-identical on all targets at the gate for {} functions, sizes and storages, and in every \
         row of {hashed} of them",
        run.manifest.outputs.len()
    );
    check(RULE, &faults, evidence)
}

fn modes(run: &Run) -> Check {
    const RULE: &str = "mode proven";
    let measured: BTreeSet<(&str, &Target)> =
        run.observed.orders.keys().map(|id| (id.cell.function.as_str(), &id.cell.target)).collect();
    if measured.is_empty() {
        return unknown(RULE, "nothing was measured");
    }
    let mut faults = Vec::new();
    let (mut compiled, mut interpreted): (Option<f64>, Option<f64>) = (None, None);
    for (function, target) in &measured {
        let mut proofs = run.manifest.proofs.iter();
        let proof = proofs.find(|p| p.function == *function && p.proof.target == **target);
        let proof = match proof {
            None => {
                faults.push(format!("{function} {target} has no proof"));
                continue;
            }
            Some(proof) if proof.proof.reference_ns == 0 => continue, // no engine, no canary
            Some(proof) => &proof.proof,
        };
        let slowdown = proof.slowdown();
        let expected = match target.mode() {
            Some("interp") => {
                interpreted = Some(interpreted.map_or(slowdown, |least| least.min(slowdown)));
                Execution::Interpreted
            }
            _ => {
                compiled = Some(compiled.map_or(slowdown, |most| most.max(slowdown)));
                Execution::Compiled
            }
        };
        if proof.execution() != Some(expected) {
            faults.push(format!("{function} {target}: its canary took {slowdown:.1}x"));
        }
    }
    let mut evidence = format!("{} artifacts on their targets", measured.len());
    if let Some(most) = compiled {
        evidence += &format!("; compiled canaries took at most {most:.1}x the host's own");
    }
    if let Some(least) = interpreted {
        evidence += &format!("; interpreted ones at least {least:.0}x");
    }
    check(RULE, &faults, evidence)
}

//! What makes two runs incomparable, and what is compared.

use std::collections::{BTreeMap, BTreeSet};

use lumos_model::artifact::Artifact;
use lumos_model::cell::{Storage, Target};
use lumos_model::fingerprint::Fingerprint;
use lumos_model::manifest::{Output, RedisFacts};
use lumos_scenario::scenario::Scenario;
use serde::Serialize;

use super::side::Side;

/// Relative difference of the memory that may come from a kernel's boot alone.
const MEMORY_TOLERANCE: f64 = 0.01;
/// Most names that a reason lists.
const MOST_NAMES: usize = 3;

/// Why the runs cannot be compared, a line each; empty: they can.
pub fn obstacles(base: &Side, new: &Side) -> Vec<String> {
    let mut found = Vec::new();
    let mut differ = |what: &str, a: String, b: String| {
        if a != b {
            found.push(format!("{what}: {a} in the base run, {b} in the new one"));
        }
    };
    let schema = |side: &Side| side.manifest.schema.to_string();
    differ("other schema", schema(base), schema(new));
    let seed = |side: &Side| side.manifest.seed.to_string();
    differ("other seed, so other inputs", seed(base), seed(new));
    for (what, a, b) in settings(base, new) {
        differ(&what, a, b);
    }
    for (what, a, b) in machines(base, new) {
        differ(&format!("other machine, its {what}"), a, b);
    }
    if let (Some(a), Some(b)) = (&base.manifest.trace, &new.manifest.trace)
        && a != b
    {
        found.push(format!("other recorded arrivals: {} has changed", a.file.display()));
    }
    found.extend(inputs(base, new));
    found.extend(outputs(base, new));
    found.extend(builds(base, new));
    found.extend(forms(base, new));
    if base.common(new).next().is_none() {
        found.push("no cell in common: the scenarios or filters differ".to_owned());
    }
    found
}

/// What differs and may well be what is compared, a line each.
pub fn changes(base: &Side, new: &Side) -> Vec<String> {
    let mut found = Vec::new();
    let changed = both(base, new).filter(|(a, b)| a.sha256 != b.sha256);
    let names: Vec<String> = changed.map(|(a, _)| format!("{} {}", a.function, a.form)).collect();
    match names.len() {
        0 => {}
        count => found.push(format!("{count} artifacts: {}", some(&names))),
    }
    let mut differ = |what: &str, a: &str, b: &str| {
        if a != b {
            found.push(format!("{what}: {a} -> {b}"));
        }
    };
    differ("lumos", &base.manifest.lumos, &new.manifest.lumos);
    let commit = |side: &Side| {
        let git = side.manifest.fingerprint.as_ref().and_then(|print| print.git.as_ref());
        git.map_or("unknown".to_owned(), word)
    };
    differ("checkout", &commit(base), &commit(new));
    let versions = |side: &Side, runtime: &str| {
        let known = side.manifest.versions.get(runtime);
        known.map_or("none".to_owned(), |v| v.values().cloned().collect::<Vec<_>>().join(", "))
    };
    for runtime in runtimes(base, new) {
        differ(&runtime, &versions(base, &runtime), &versions(new, &runtime));
    }
    found
}

fn runtimes(base: &Side, new: &Side) -> BTreeSet<String> {
    let runtimes = base.common(new).map(|cell| cell.target.runtime());
    runtimes.filter(|runtime| *runtime != "native").map(str::to_owned).collect()
}

/// A value as it stands in files.
fn word(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default().replace('"', "")
}

/// Names and values of what the scenario sets for every cell.
fn settings(base: &Side, new: &Side) -> Vec<(String, String, String)> {
    let uses = |storage: &[Storage]| base.common(new).any(|cell| storage.contains(&cell.storage));
    let (a, b) = (&base.scenario, &new.scenario);
    let mut all = vec![
        ("limits", word(&a.limits), word(&b.limits)),
        ("pinning", word(&a.pinning), word(&b.pinning)),
        ("load", load(a), load(b)),
    ];
    if base.common(new).any(|cell| cell.start().is_cold()) {
        all.push(("gap", word(&a.gap), word(&b.gap)));
    }
    if base.common(new).any(|cell| !cell.start().is_cold()) {
        all.push(("warm-up", word(&a.warmup), word(&b.warmup)));
    }
    if uses(&[Storage::Redis, Storage::Host]) {
        let redis = |side: &Side| side.manifest.redis.as_ref().map_or(String::new(), redis_words);
        all.push(("connection", word(&a.connection), word(&b.connection)));
        all.push(("Redis server", redis(base), redis(new)));
    }
    let groups =
        |side: &Side| side.manifest.cgroup_mode.map_or("none".to_owned(), |mode| mode.to_string());
    all.push(("control groups", groups(base), groups(new)));
    all.into_iter().map(|(what, a, b)| (format!("other {what}"), a, b)).collect()
}

fn redis_words(redis: &RedisFacts) -> String {
    let whose = if redis.own { "started by lumos" } else { "given by --redis-url" };
    format!("{} ({whose})", redis.version)
}

/// What holds for all cells under load; how requests arrive and how long instances live
/// are axes, and stand in the cells.
fn load(scenario: &Scenario) -> String {
    let Some(load) = &scenario.load else { return "none".to_owned() };
    format!("{} and {} requests, pool {}", load.duration, load.requests, word(&load.pool))
}

/// Names and values of what makes a machine; by the line for people where a run has no
/// fingerprint.
fn machines(base: &Side, new: &Side) -> Vec<(&'static str, String, String)> {
    let (Some(a), Some(b)) = (&base.manifest.fingerprint, &new.manifest.fingerprint) else {
        return vec![("description", base.machine(), new.machine())];
    };
    let facts = |print: &Fingerprint| {
        [
            ("architecture", print.architecture.clone()),
            ("CPU", print.cpu_model.clone().unwrap_or_default()),
            ("board", print.board.clone().unwrap_or_default()),
            ("number of cores", print.cores.map_or(String::new(), |cores| cores.to_string())),
            ("kernel", print.kernel.clone().unwrap_or_default()),
            ("governors", print.governors().join(", ")),
        ]
    };
    let mut found: Vec<_> =
        facts(a).into_iter().zip(facts(b)).map(|((what, a), (_, b))| (what, a, b)).collect();
    if let (Some(a), Some(b)) = (a.memory_bytes, b.memory_bytes)
        && a.abs_diff(b) as f64 > a.max(b) as f64 * MEMORY_TOLERANCE
    {
        found.push(("memory", format!("{a} bytes"), format!("{b} bytes")));
    }
    found
}

fn inputs(base: &Side, new: &Side) -> Option<String> {
    let other = base.manifest.inputs_sha256.iter().filter(|(key, hash)| {
        new.manifest.inputs_sha256.get(*key).is_some_and(|other| other != *hash)
    });
    let keys: Vec<String> = other.map(|(key, _)| key.clone()).collect();
    (!keys.is_empty()).then(|| format!("other inputs under the same key: {}", some(&keys)))
}

/// A function that answers something else does something else.
fn outputs(base: &Side, new: &Side) -> Option<String> {
    let is_same_place = |a: &Output, b: &Output| {
        (&a.function, a.size, a.storage) == (&b.function, b.size, b.storage)
    };
    let differs = |a: &&Output| {
        let mut others = new.manifest.outputs.iter();
        others.any(|b| {
            is_same_place(a, b) && (&a.sha256, &a.stored_sha256) != (&b.sha256, &b.stored_sha256)
        })
    };
    let names = base.manifest.outputs.iter().filter(differs);
    let names: Vec<String> =
        names.map(|o| format!("{} {} {}", o.function, o.size, o.storage)).collect();
    (!names.is_empty()).then(|| format!("other outputs, so other work: {}", some(&names)))
}

/// The artifacts that both runs have, by function and form.
fn both<'a>(base: &'a Side, new: &'a Side) -> impl Iterator<Item = (&'a Artifact, &'a Artifact)> {
    base.manifest.artifacts.iter().filter_map(|a| {
        let mut others = new.manifest.artifacts.iter();
        Some((a, others.find(|b| (&a.function, &a.form) == (&b.function, &b.form))?))
    })
}

/// Other compilers or flags; other hashes are what is compared. An engine's own compiler
/// changes with the engine: its version may differ when the runtime's does.
fn builds(base: &Side, new: &Side) -> Vec<String> {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (a, b) in both(base, new) {
        let name = format!("{} {}", a.function, a.form);
        let runtime = a.form.0.split('-').next().unwrap_or_default();
        let versions = |side: &Side| side.manifest.versions.get(runtime).cloned();
        let comes_with_runtime = a.source_sha256.is_some() && versions(base) != versions(new);
        let line = |text: &str| text.lines().next().unwrap_or_default().to_owned();
        if a.compiler != b.compiler && !comes_with_runtime {
            let what = format!("other compiler ({} and {})", line(&a.compiler), line(&b.compiler));
            found.entry(what).or_default().push(name.clone());
        }
        if a.flags != b.flags {
            let what = format!("other compiler flags (`{}` and `{}`)", a.flags, b.flags);
            found.entry(what).or_default().push(name);
        }
    }
    found.into_iter().map(|(what, names)| format!("{what}: {}", some(&names))).collect()
}

/// Functions that ran in other forms on the same targets.
fn forms(base: &Side, new: &Side) -> Option<String> {
    let targets = |side: &Side, function: &str| -> BTreeSet<Target> {
        let cells = side.manifest.cells.iter().filter(|cell| cell.function == function);
        cells.map(|cell| cell.target.clone()).collect()
    };
    let forms = |side: &Side, function: &str| -> BTreeSet<String> {
        let artifacts = side.manifest.artifacts.iter().filter(|a| a.function == function);
        artifacts.map(|artifact| artifact.form.to_string()).collect()
    };
    let functions: BTreeSet<&str> = base.common(new).map(|cell| cell.function.as_str()).collect();
    let other = functions.into_iter().filter(|function| {
        targets(base, function) == targets(new, function)
            && forms(base, function) != forms(new, function)
    });
    let names: Vec<String> = other.map(str::to_owned).collect();
    (!names.is_empty())
        .then(|| format!("other forms of artifacts on the same targets: {}", some(&names)))
}

fn some(names: &[String]) -> String {
    let shown = names.iter().take(MOST_NAMES).cloned().collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(MOST_NAMES) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

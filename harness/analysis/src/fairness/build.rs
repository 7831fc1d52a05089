//! Whether native and wasm were built alike.

use std::collections::{BTreeMap, BTreeSet};

use lumos_model::artifact::{Artifact, Form};

use super::check::{Check, RunFacts};

/// Without these settings the crates `aes` and `polyval` use a processor's own instructions,
/// which wasm does not have.
const SOFTWARE_AES: [&str; 2] = ["aes_force_soft", "polyval_force_soft"];

const COMPILER: &str = "one compiler for native and wasm";
const LOCK: &str = "one lock file";
const PROFILE: &str = "same flags and profile for native and wasm";
const SIMD: &str = "SIMD is a stated setting for native and wasm";

pub(super) fn checks(run: &RunFacts) -> Vec<Check> {
    let built: Vec<&Artifact> =
        run.manifest.artifacts.iter().filter(|a| a.source_sha256.is_none()).collect();
    let has = |native: bool| built.iter().any(|a| is_native(a) == native);
    let needs = |native: bool| run.manifest.cells.iter().any(|c| c.target.is_native() == native);
    if [true, false].into_iter().any(|native| needs(native) && !has(native)) || built.is_empty() {
        let unknown = |rule| Check::unknown(rule, "the run does not list all artifacts of rustc");
        return vec![unknown(COMPILER), lock(run), unknown(PROFILE), unknown(SIMD)];
    }
    vec![compiler(&built), lock(run), profile(&built), simd(run, &built)]
}

fn is_native(artifact: &Artifact) -> bool {
    artifact.form.0 == Form::NATIVE
}

fn compiler(built: &[&Artifact]) -> Check {
    let compilers: BTreeSet<&str> =
        built.iter().filter_map(|artifact| artifact.compiler.lines().next()).collect();
    let compilers = Vec::from_iter(compilers);
    match compilers.as_slice() {
        [only] => Check::held(COMPILER, format!("{only}, for all artifacts ({})", built.len())),
        several => Check::violated(COMPILER, format!("compiled by {}", several.join(" and "))),
    }
}

/// The build collects all forms under the hash of one lock file.
fn lock(run: &RunFacts) -> Check {
    match &run.manifest.functions_lock_sha256 {
        Some(hash) => Check::held(LOCK, format!("sha256 {hash:.12} for all forms")),
        None => Check::unknown(LOCK, "the run does not record the hash of its lock file"),
    }
}

/// The flags that compile code: all but those of the linker.
fn compiling(flags: &str) -> Vec<String> {
    let mut left = Vec::new();
    let mut words = flags.split_whitespace();
    while let Some(word) = words.next() {
        match word {
            "-L" => drop(words.next()),
            "-C" | "--cfg" => {
                let value = words.next().unwrap_or_default();
                let links = ["link-arg=", "link-self-contained=", "linker="];
                if !links.iter().any(|prefix| value.starts_with(prefix)) {
                    left.push(format!("{word} {value}"));
                }
            }
            word => left.push(word.to_owned()),
        }
    }
    left
}

fn profile(built: &[&Artifact]) -> Check {
    let mut by_flags: BTreeMap<Vec<String>, &Artifact> = BTreeMap::new();
    for artifact in built {
        by_flags.entry(compiling(&artifact.flags)).or_insert(artifact);
    }
    if by_flags.len() > 1 {
        let violation = |(flags, example): (&Vec<String>, &&Artifact)| {
            format!("`{}` for {} {}", flags.join(" "), example.function, example.form)
        };
        return Check::decided(PROFILE, by_flags.iter().map(violation).collect(), String::new());
    }
    let flags = by_flags.keys().next().map_or(String::new(), |flags| flags.join(" "));
    Check::held(
        PROFILE,
        match flags.as_str() {
            "" => "no flags besides those of the profile".to_owned(),
            flags => format!("`{flags}` for every form, besides linker flags"),
        },
    )
}

/// Which vector instructions each form may use, and whether it may use those for AES.
fn simd(run: &RunFacts, built: &[&Artifact]) -> Check {
    let settings = vector_settings(built);
    let mut violations: Vec<String> = built
        .iter()
        .filter(|artifact| SOFTWARE_AES.iter().any(|setting| !artifact.flags.contains(setting)))
        .map(|artifact| format!("{} {} may use AES instructions", artifact.function, artifact.form))
        .collect();
    for (side, found) in settings.iter().filter(|(_, found)| found.len() > 1) {
        let all = Vec::from_iter(found.iter().map(String::as_str));
        violations.push(format!("{side} artifacts differ: {}", all.join(" / ")));
    }
    let stated = settings.iter().map(|(side, found)| {
        let flags = found.first().map_or("", String::as_str);
        match (*side, flags) {
            ("native", "") => format!("native: {}", baseline(run)),
            (_, "") => "wasm: none (no simd128)".to_owned(),
            (side, flags) => format!("{side}: {flags}"),
        }
    });
    let stated = stated.collect::<Vec<_>>().join("; ");
    Check::decided(SIMD, violations, format!("{stated}; AES in software everywhere"))
}

/// The flags about vector instructions, of native and of wasm artifacts.
fn vector_settings(built: &[&Artifact]) -> BTreeMap<&'static str, BTreeSet<String>> {
    let is_vector = |flag: &String| flag.contains("target-feature") || flag.contains("target-cpu");
    let mut settings: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for artifact in built {
        let side = if is_native(artifact) { "native" } else { "wasm" };
        let flags: Vec<String> = compiling(&artifact.flags).into_iter().filter(is_vector).collect();
        settings.entry(side).or_default().insert(flags.join(" "));
    }
    settings
}

fn baseline(run: &RunFacts) -> &'static str {
    match run.manifest.fingerprint.as_ref().map(|print| print.architecture.as_str()) {
        Some("x86_64") => "the baseline of x86_64, which has SSE2",
        Some("aarch64") => "the baseline of aarch64, which has NEON",
        _ => "the architecture's baseline",
    }
}

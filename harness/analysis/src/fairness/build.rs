//! Whether native and wasm were built alike.

use std::collections::{BTreeMap, BTreeSet};

use lumos_model::artifact::{Artifact, Form};

use super::{Check, Run, check, unknown};

/// Settings without which the crates `aes` and `polyval` use a processor's own
/// instructions, which wasm has not.
const SOFTWARE_AES: [&str; 2] = ["aes_force_soft", "polyval_force_soft"];

const COMPILER: &str = "one compiler for native and wasm";
const PROFILE: &str = "same flags and profile for native and wasm";
const SIMD: &str = "SIMD is a stated setting on both sides";

pub(super) fn checks(run: &Run) -> Vec<Check> {
    let built: Vec<&Artifact> =
        run.manifest.artifacts.iter().filter(|a| a.source_sha256.is_none()).collect();
    let has = |native: bool| built.iter().any(|a| (a.form.0 == Form::NATIVE) == native);
    let needs = |native: bool| run.manifest.cells.iter().any(|c| c.target.is_native() == native);
    if [true, false].into_iter().any(|native| needs(native) && !has(native)) || built.is_empty() {
        let why = "the run does not list what rustc wrote for all of its targets";
        return vec![unknown(COMPILER, why), lock(run), unknown(PROFILE, why), unknown(SIMD, why)];
    }
    vec![compiler(&built), lock(run), profile(&built), simd(run, &built)]
}

fn compiler(built: &[&Artifact]) -> Check {
    let compilers: BTreeSet<&str> =
        built.iter().filter_map(|artifact| artifact.compiler.lines().next()).collect();
    let compilers: Vec<&str> = compilers.into_iter().collect();
    let faults = match compilers.as_slice() {
        [_] => Vec::new(),
        several => vec![format!("built by {}", several.join(" and "))],
    };
    let evidence = format!("{} built {} artifacts", compilers.join(", "), built.len());
    check(COMPILER, &faults, evidence)
}

/// The build collects all forms under the hash of one lock file.
fn lock(run: &Run) -> Check {
    const RULE: &str = "one lock file";
    match &run.manifest.functions_lock_sha256 {
        Some(hash) => check(RULE, &[], format!("sha256 {hash:.12} for all forms")),
        None => unknown(RULE, "the run does not tell the lock file's hash"),
    }
}

/// Flags without those that only link: what is left compiles the code.
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
    let mut by_flags: BTreeMap<Vec<String>, Vec<String>> = BTreeMap::new();
    for artifact in built {
        let name = format!("{} {}", artifact.function, artifact.form);
        by_flags.entry(compiling(&artifact.flags)).or_default().push(name);
    }
    let all = by_flags.iter().map(|(flags, names)| {
        format!("`{}` for {}", flags.join(" "), names.first().map_or("", String::as_str))
    });
    let faults: Vec<String> = if by_flags.len() > 1 { all.collect() } else { Vec::new() };
    let flags = by_flags.keys().next().map_or(String::new(), |flags| flags.join(" "));
    let evidence = match flags.as_str() {
        "" => "no flags beside the profile's".to_owned(),
        flags => format!("`{flags}` on every form, beside what links"),
    };
    check(PROFILE, &faults, evidence)
}

/// What each form may use of vectors, and of a processor's own AES.
fn simd(run: &Run, built: &[&Artifact]) -> Check {
    let is_vector = |flag: &String| flag.contains("target-feature") || flag.contains("target-cpu");
    let mut settings: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    let mut faults = Vec::new();
    for artifact in built {
        let form = match artifact.form.0.as_str() {
            Form::NATIVE => "native",
            _ => "wasm",
        };
        let flags: Vec<String> = compiling(&artifact.flags).into_iter().filter(is_vector).collect();
        settings.entry(form).or_default().insert(flags.join(" "));
        if SOFTWARE_AES.iter().any(|setting| !artifact.flags.contains(setting)) {
            faults
                .push(format!("{} {} may use AES instructions", artifact.function, artifact.form));
        }
    }
    for (form, found) in settings.iter().filter(|(_, found)| found.len() > 1) {
        faults.push(format!(
            "{form} artifacts differ: {}",
            Vec::from_iter(found.clone()).join(" / ")
        ));
    }
    let baseline = match run.manifest.fingerprint.as_ref().map(|p| p.architecture.as_str()) {
        Some("x86_64") => "the baseline of x86_64, which has SSE2",
        Some("aarch64") => "the baseline of aarch64, which has NEON",
        _ => "the architecture's baseline",
    };
    let stated = settings.iter().map(|(form, found)| {
        let flags = found.first().map_or("", String::as_str);
        match (*form, flags) {
            ("native", "") => format!("native: {baseline}"),
            (_, "") => "wasm: none (no simd128)".to_owned(),
            (form, flags) => format!("{form}: {flags}"),
        }
    });
    let evidence = format!("{}; AES in software everywhere", stated.collect::<Vec<_>>().join("; "));
    check(SIMD, &faults, evidence)
}

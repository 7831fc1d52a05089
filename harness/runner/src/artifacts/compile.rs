//! The ahead-of-time compilers of the hosts, and when their code can be kept.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Instant, SystemTime};

use lumos_model::SCHEMA;
use lumos_model::artifact::{Artifact, Form};
use lumos_model::cell::Target;
use lumos_record::atomic::{self, Replacement};
use lumos_scenario::hosts::Host;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::digest::digest;
use super::lookup::Artifacts;

/// `compilers.json`: version and flags that each compiler stated when it last ran. Only a
/// compilation can tell them, so without this file everything would be compiled at each build.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Compilers {
    schema: u32,
    targets: BTreeMap<Target, Known>,
}

/// A compiler that has run before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Known {
    /// Identity of the host; another host may compile otherwise.
    host: String,
    compiled: Compiled,
}

/// What an ahead-of-time compiler states with its code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Compiled {
    compiler: String,
    flags: String,
}

const COMPILERS: &str = "compilers.json";

impl Compilers {
    /// Reads the file in `folder`; an unreadable one knows no compilers.
    pub(super) fn read(folder: &Path) -> Self {
        let text = std::fs::read(folder.join(COMPILERS)).unwrap_or_default();
        let known: Option<Self> = serde_json::from_slice(&text).ok();
        known.filter(|known| known.schema == SCHEMA).unwrap_or_default()
    }

    /// Remembers what the compiler of `target` stated, if it has run.
    pub(super) fn remember(&mut self, target: &AotTarget<'_>) {
        if let Some(compiled) = &target.compiled {
            let known = Known { host: target.identity.clone(), compiled: compiled.clone() };
            self.targets.insert(target.target.clone(), known);
        }
    }

    /// Writes the file in `folder`.
    pub(super) fn write(&self, folder: &Path) -> anyhow::Result<()> {
        let known = Self { schema: SCHEMA, targets: self.targets.clone() };
        let path = folder.join(COMPILERS);
        Ok(atomic::write(&path, &serde_json::to_vec_pretty(&known)?)?)
    }
}

/// A target with an ahead-of-time compiler.
pub(super) struct AotTarget<'a> {
    target: &'a Target,
    host: &'a Host,
    unavailable: Option<&'a str>,
    /// Identity of the host as it is now.
    identity: String,
    compiled: Option<Compiled>,
    /// The form that its compiler writes.
    pub(super) form: &'a Form,
    /// The form that its compiler reads.
    pub(super) from: &'a Form,
}

impl<'a> AotTarget<'a> {
    /// The targets of `hosts` that have a compiler.
    pub(super) fn of(hosts: &'a [Host], known: &Compilers) -> Vec<Self> {
        let answered = hosts.iter().filter_map(|host| Some((host, host.result.as_ref().ok()?)));
        let targets = answered.flat_map(|(host, can)| can.targets.iter().map(move |t| (host, t)));
        targets
            .filter_map(|(host, can)| {
                let identity = identity(host);
                let known = known.targets.get(&can.target).filter(|known| known.host == identity);
                Some(Self {
                    target: &can.target,
                    host,
                    unavailable: can.unavailable.as_deref(),
                    compiled: known.map(|known| known.compiled.clone()),
                    identity,
                    form: &can.form,
                    from: can.compiled_from.as_ref()?,
                })
            })
            .collect()
    }

    /// The code of an earlier build, when the same compiler would write it again from the same
    /// `source`. A changed host must compile once before any code can be kept.
    pub(super) fn reusable<'o>(
        &self,
        old: &'o Artifacts,
        source: &Artifact,
    ) -> Option<&'o Artifact> {
        let now = self.compiled.as_ref()?;
        let there = old.find(&source.function, self.form).ok()?;
        let same = there.source_sha256.as_ref() == Some(&source.sha256)
            && there.compiler == now.compiler
            && there.flags == now.flags
            && old.verify(there).is_ok();
        same.then_some(there)
    }

    /// Compiles `source` to `path`, both below `folder`; the error says why there is no code.
    pub(super) fn compile(
        &mut self,
        folder: &Path,
        source: &Artifact,
        path: PathBuf,
    ) -> Result<Artifact, String> {
        if let Some(reason) = self.unavailable {
            return Err(reason.to_owned());
        }
        let (from, to) = (folder.join(&source.path), folder.join(&path));
        let replacement = Replacement::of(&to);
        let started = Instant::now();
        let compiled = self.run_compiler(&from, replacement.path())?;
        let compile_ns = u64::try_from(started.elapsed().as_nanos()).ok();
        let digest = replacement
            .commit()
            .and_then(|()| digest(&to))
            .map_err(|error| format!("the compiler of {} left no file: {error}", self.target))?;
        self.compiled = Some(compiled.clone());
        Ok(Artifact {
            function: source.function.clone(),
            form: self.form.clone(),
            path,
            bytes: digest.bytes,
            sha256: digest.sha256,
            compiler: compiled.compiler,
            flags: compiled.flags,
            compile_ns,
            source_sha256: Some(source.sha256.clone()),
        })
    }

    fn run_compiler(&self, from: &Path, to: &Path) -> Result<Compiled, String> {
        let output = Command::new(&self.host.path)
            .args(["compile", "--target", self.target.as_str(), "--from"])
            .arg(from)
            .arg("--to")
            .arg(to)
            .stdin(Stdio::null())
            .output()
            .map_err(|error| format!("lumos-host-{}: {error}", self.host.runtime()))?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            return Err(format!("the compiler of {} failed: {}", self.target, said.trim()));
        }
        serde_json::from_slice(&output.stdout).map_err(|error| {
            format!("the compiler of {} did not answer with JSON: {error}", self.target)
        })
    }
}

/// A hash of a host's file (size and time of change) and its capabilities.
fn identity(host: &Host) -> String {
    let file = host.path.metadata().ok();
    let changed = file.as_ref().and_then(|file| file.modified().ok());
    let changed = changed.and_then(|time| time.duration_since(SystemTime::UNIX_EPOCH).ok());
    let can = host.result.as_ref().map(serde_json::to_string);
    let can = can.ok().and_then(Result::ok).unwrap_or_default();
    let mut hasher = Sha256::new();
    hasher.update(format!("{:?} {changed:?} {can}", file.map(|file| file.len())));
    format!("{:x}", hasher.finalize())
}

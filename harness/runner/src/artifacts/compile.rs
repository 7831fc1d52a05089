//! Ahead-of-time compilers: the hosts that have one, and when their work can be kept.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Instant, SystemTime};

use anyhow::Context;
use lumos_model::SCHEMA;
use lumos_model::artifact::{Artifact, Form};
use lumos_model::cell::Target;
use lumos_scenario::hosts::Host;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Artifacts, file};

/// `compilers.json`: what each compiler said of itself when it last worked, so that
/// unchanged code need not be compiled to learn that.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Compilers {
    schema: u32,
    targets: BTreeMap<Target, Known>,
}

/// A compiler of which it is known what it writes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Known {
    /// Host executable and capabilities; another one may compile otherwise.
    host: String,
    compiled: Compiled,
}

/// What an ahead-of-time compiler says of its work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Compiled {
    compiler: String,
    flags: String,
}

const COMPILERS: &str = "compilers.json";

impl Compilers {
    /// Reads what is known; nothing if the file cannot be read.
    pub fn read(folder: &Path) -> Self {
        let text = std::fs::read(folder.join(COMPILERS)).unwrap_or_default();
        let known: Option<Self> = serde_json::from_slice(&text).ok();
        known.filter(|known| known.schema == SCHEMA).unwrap_or_default()
    }

    /// Notes what `target` said of itself, if it was asked.
    pub fn remember(&mut self, target: &AotTarget<'_>) {
        if let Some(compiled) = &target.compiled {
            let known = Known { host: target.identity.clone(), compiled: compiled.clone() };
            self.targets.insert(target.target.clone(), known);
        }
    }

    /// Writes what is known.
    pub fn write(&self, folder: &Path) -> anyhow::Result<()> {
        let known = Self { schema: SCHEMA, targets: self.targets.clone() };
        let path = folder.join(COMPILERS);
        file::write_whole(&path, &serde_json::to_vec_pretty(&known)?)
            .with_context(|| format!("cannot write {}", path.display()))
    }
}

/// A target whose code is compiled ahead of time.
pub(super) struct AotTarget<'a> {
    target: &'a Target,
    host: &'a Host,
    unavailable: Option<&'a str>,
    /// Host executable and capabilities as they are now.
    identity: String,
    compiled: Option<Compiled>,
    /// The form of its code.
    pub form: &'a Form,
    /// The form that its compiler reads.
    pub from: &'a Form,
}

impl<'a> AotTarget<'a> {
    /// The targets of `hosts` that want code of their own.
    pub fn of(hosts: &'a [Host], known: &Compilers) -> Vec<Self> {
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

    /// The code that is there already, when the same compiler would write it again from
    /// the same `source`. Until a changed host has compiled once, nothing is.
    pub fn reusable<'o>(&self, old: &'o Artifacts, source: &Artifact) -> Option<&'o Artifact> {
        let now = self.compiled.as_ref()?;
        let there = old.find(&source.function, self.form).ok()?;
        let same = there.source_sha256.as_ref() == Some(&source.sha256)
            && there.compiler == now.compiler
            && there.flags == now.flags
            && old.verify(there).is_ok();
        same.then_some(there)
    }

    /// Compiles `source` to `path`, both below `folder`.
    ///
    /// # Errors
    /// Why there is no code, and what to do.
    pub fn compile(
        &mut self,
        folder: &Path,
        source: &Artifact,
        path: PathBuf,
    ) -> Result<Artifact, String> {
        if let Some(reason) = self.unavailable {
            return Err(reason.to_owned());
        }
        let (from, to) = (folder.join(&source.path), folder.join(&path));
        let aside = file::aside(&to);
        let started = Instant::now();
        let compiled = self.call(&from, &aside)?;
        let compile_ns = u64::try_from(started.elapsed().as_nanos()).ok();
        let digest = std::fs::rename(&aside, &to)
            .and_then(|()| file::digest(&to))
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

    fn call(&self, from: &Path, to: &Path) -> Result<Compiled, String> {
        let output = Command::new(&self.host.path)
            .args(["compile", "--target", self.target.as_str(), "--from"])
            .arg(from)
            .arg("--to")
            .arg(to)
            .stdin(Stdio::null())
            .output()
            .map_err(|error| format!("lumos-host-{}: {error}", self.host.runtime()))?;
        if !output.status.success() {
            let complaint = String::from_utf8_lossy(&output.stderr);
            let complaint = complaint.trim();
            return Err(format!("the compiler of {} failed: {complaint}", self.target));
        }
        serde_json::from_slice(&output.stdout)
            .map_err(|error| format!("the compiler of {} gave no JSON: {error}", self.target))
    }
}

/// What tells one host from another: its file and its capabilities.
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

//! Makes the folder of artifacts from what cargo built: copies, compiles ahead of time
//! for each target that wants it, writes the manifest. What is unchanged stays.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use lumos_model::SCHEMA;
use lumos_model::artifact::{Artifact, ArtifactManifest};
use lumos_scenario::hosts::Host;

use super::compile::{AotTarget, Compilers};
use super::record::{BuildRecord, RUSTC_FORMS};
use super::{Artifacts, MANIFEST, file, missing_key};

/// What is built from and into.
#[derive(Clone, Debug)]
pub struct Build<'a> {
    /// The functions' target folder, which holds `build.json`.
    pub built: &'a Path,
    /// The functions' lock file.
    pub lock: &'a Path,
    /// The folder of artifacts.
    pub folder: &'a Path,
    /// The functions; one that no form was built of is listed as missing.
    pub functions: &'a [&'a str],
    /// Functions that may be absent, such as those for tests.
    pub optional: &'a [&'a str],
    /// Who compiles ahead of time.
    pub hosts: &'a [Host],
}

/// What a build did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Built {
    /// Artifacts in the manifest.
    pub artifacts: usize,
    /// Files copied because they are new or other than before.
    pub copied: usize,
    /// Files compiled ahead of time, with the time of the compiler.
    pub compiled: usize,
    /// Time of the ahead-of-time compilers together.
    pub compile_time: Duration,
    /// Forms that could not be made, with the reason.
    pub missing: BTreeMap<String, String>,
}

impl Build<'_> {
    /// Brings the folder of artifacts up to date; `say` gets a line for each slow step.
    ///
    /// # Errors
    /// When there is no record of a build, or a file cannot be read or written. A form
    /// that cannot be made is no error: it is listed as missing.
    pub fn run(&self, say: &mut dyn FnMut(String)) -> anyhow::Result<Built> {
        let record = BuildRecord::read(self.built)?;
        let old = Artifacts::open(self.folder).ok();
        let mut new = ArtifactManifest {
            schema: SCHEMA,
            compiler: record.compiler.clone(),
            lock_sha256: self.lock_sha256()?,
            artifacts: Vec::new(),
            missing: BTreeMap::new(),
        };
        let mut built = Built::default();
        self.collect(&record, &mut new, &mut built)?;
        self.compile(old.as_ref(), &mut new, &mut built, say)?;
        new.artifacts.sort_by(|a, b| (&a.function, &a.form).cmp(&(&b.function, &b.form)));

        let path = self.folder.join(MANIFEST);
        let json = serde_json::to_string_pretty(&new)?;
        file::write_whole(&path, format!("{json}\n").as_bytes())
            .with_context(|| format!("cannot write {}", path.display()))?;
        built.artifacts = new.artifacts.len();
        built.missing = new.missing;
        Ok(built)
    }

    fn lock_sha256(&self) -> anyhow::Result<String> {
        let digest = file::digest(self.lock).with_context(|| {
            format!("cannot read the functions' lock file {}", self.lock.display())
        })?;
        Ok(digest.sha256)
    }

    /// Copies what rustc wrote.
    fn collect(
        &self,
        record: &BuildRecord,
        new: &mut ArtifactManifest,
        built: &mut Built,
    ) -> anyhow::Result<()> {
        for function in self.functions.iter().chain(self.optional) {
            for rustc_form in RUSTC_FORMS {
                match self.source(record, function, rustc_form, built)? {
                    Ok(artifact) => new.artifacts.push(artifact),
                    Err(_) if self.optional.contains(function) => {}
                    Err(reason) => {
                        new.missing.insert(missing_key(function, &rustc_form.0.into()), reason);
                    }
                }
            }
        }
        Ok(())
    }

    /// One form of a function as rustc wrote it, or why there is none.
    fn source(
        &self,
        record: &BuildRecord,
        function: &str,
        (form, ending): (&str, &str),
        built: &mut Built,
    ) -> anyhow::Result<Result<Artifact, String>> {
        let Some(target) = record.target(form) else {
            let reason = "the functions were built without a compiler for it; run \
                          ./scripts/setup.sh, which says how to get one, and ./scripts/build.sh";
            return Ok(Err(reason.to_owned()));
        };
        let (file, path) = (target.file(function), artifact_path(function, ending));
        let digest = match self.take(&self.built.join(&file), &path, built) {
            Ok(digest) => digest,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let reason = format!("cargo left no {}; run ./scripts/build.sh", file.display());
                return Ok(Err(reason));
            }
            Err(error) => Err(error).with_context(|| format!("cannot copy {}", file.display()))?,
        };
        Ok(Ok(Artifact {
            function: function.to_owned(),
            form: form.into(),
            path,
            bytes: digest.bytes,
            sha256: digest.sha256,
            compiler: record.compiler_line().to_owned(),
            flags: target.flags.clone(),
            compile_ns: None,
            source_sha256: None,
        }))
    }

    /// Copies `from` to `path` below the folder of artifacts, unless it is there already.
    fn take(&self, from: &Path, path: &Path, built: &mut Built) -> io::Result<file::FileDigest> {
        let digest = file::digest(from)?;
        let to = self.folder.join(path);
        if file::digest(&to).is_ok_and(|there| there == digest) {
            return Ok(digest);
        }
        if let Some(parent) = to.parent() {
            std::fs::create_dir_all(parent)?;
        }
        file::copy_whole(from, &to)?;
        built.copied += 1;
        Ok(digest)
    }

    /// Compiles what has changed for each target that wants code of its own.
    fn compile(
        &self,
        old: Option<&Artifacts>,
        new: &mut ArtifactManifest,
        built: &mut Built,
        say: &mut dyn FnMut(String),
    ) -> anyhow::Result<()> {
        let mut compilers = Compilers::read(self.folder);
        for mut target in AotTarget::of(self.hosts, &compilers) {
            for function in self.functions.iter().chain(self.optional) {
                let Some(source) = new.find(function, target.from).cloned() else {
                    let reason = format!("its compiler needs {}, which is missing", target.from);
                    if !self.optional.contains(function) {
                        new.missing.insert(missing_key(function, target.form), reason);
                    }
                    continue;
                };
                if let Some(kept) = old.and_then(|old| target.reusable(old, &source)) {
                    new.artifacts.push(kept.clone());
                    continue;
                }
                let path = artifact_path(function, target.form.0.as_str());
                match target.compile(self.folder, &source, path) {
                    Ok(artifact) => {
                        let time = Duration::from_nanos(artifact.compile_ns.unwrap_or_default());
                        built.compiled += 1;
                        built.compile_time += time;
                        say(format!("{function} for {}: {:.2} s", target.form, time.as_secs_f64()));
                        new.artifacts.push(artifact);
                    }
                    Err(reason) => {
                        new.missing.insert(missing_key(function, target.form), reason);
                    }
                }
            }
            compilers.remember(&target);
        }
        compilers.write(self.folder)
    }
}

/// Where an artifact is, below the folder of artifacts.
fn artifact_path(function: &str, ending: &str) -> PathBuf {
    Path::new(function).join(format!("{function}.{ending}"))
}

//! Fills the folder of artifacts with what cargo built: copies it, compiles it ahead of time for
//! each target that has a compiler, and writes the manifest. Unchanged files are kept.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use lumos_model::SCHEMA;
use lumos_model::artifact::{Artifact, ArtifactManifest, Form};
use lumos_record::atomic;
use lumos_scenario::hosts::Host;

use super::build_record::{BuildRecord, RustcForm};
use super::compile::{AotTarget, Compilers};
use super::digest::{FileDigest, digest};
use super::lookup::{Artifacts, MANIFEST, missing_key};

/// What is built from what, and where.
#[derive(Clone, Debug)]
pub struct Build<'a> {
    /// The functions' target folder, which holds `build.json`.
    pub built: &'a Path,
    /// The functions' lock file.
    pub lock: &'a Path,
    /// The folder of artifacts.
    pub folder: &'a Path,
    /// The functions. Those without any form are listed as missing.
    pub functions: &'a [&'a str],
    /// Functions that may be absent, such as those for tests.
    pub optional: &'a [&'a str],
    /// The hosts, some of which compile ahead of time.
    pub hosts: &'a [Host],
}

/// What a build did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Built {
    /// Artifacts in the manifest.
    pub artifacts: usize,
    /// Files that were copied because they are new or have changed.
    pub copied: usize,
    /// Files that were compiled ahead of time.
    pub compiled: usize,
    /// Total time of the ahead-of-time compilers.
    pub compile_time: Duration,
    /// Forms that could not be made, with the reason.
    pub missing: BTreeMap<String, String>,
}

impl Build<'_> {
    /// Brings the folder of artifacts up to date; `say` gets a line for each compilation.
    ///
    /// # Errors
    /// When there is no record of a build, or a file cannot be read or written. A form that
    /// cannot be made is not an error: it is listed as missing.
    pub fn run(&self, say: &mut dyn FnMut(String)) -> anyhow::Result<Built> {
        let record = BuildRecord::read(self.built)?;
        let manifest = ArtifactManifest {
            schema: SCHEMA,
            compiler: record.compiler.clone(),
            lock_sha256: self.lock_sha256()?,
            artifacts: Vec::new(),
            missing: BTreeMap::new(),
        };
        let mut update = Update { build: self, manifest, built: Built::default() };
        update.copy(&record)?;
        update.compile(say)?;
        update.finish()
    }

    fn lock_sha256(&self) -> anyhow::Result<String> {
        let digest = digest(self.lock).with_context(|| {
            format!("cannot read the functions' lock file {}", self.lock.display())
        })?;
        Ok(digest.sha256)
    }

    fn all_functions(&self) -> impl Iterator<Item = &str> {
        self.functions.iter().chain(self.optional).copied()
    }
}

/// A folder of artifacts that is being updated.
struct Update<'a> {
    build: &'a Build<'a>,
    manifest: ArtifactManifest,
    built: Built,
}

impl Update<'_> {
    /// Copies the files that rustc wrote.
    fn copy(&mut self, record: &BuildRecord) -> anyhow::Result<()> {
        let build = self.build;
        for function in build.all_functions() {
            for form in RustcForm::ALL {
                match self.copy_form(record, function, form)? {
                    Ok(artifact) => self.manifest.artifacts.push(artifact),
                    Err(reason) => self.miss(function, &form.form(), reason),
                }
            }
        }
        Ok(())
    }

    /// One form of a function as rustc wrote it, or why there is none.
    fn copy_form(
        &mut self,
        record: &BuildRecord,
        function: &str,
        form: RustcForm,
    ) -> anyhow::Result<Result<Artifact, String>> {
        let Some(target) = record.target(form) else {
            let reason = "the functions were built without a compiler for it; run \
                          ./scripts/setup.sh, which says how to get one, and ./scripts/build.sh";
            return Ok(Err(reason.to_owned()));
        };
        let file = target.file(function);
        let path = artifact_path(function, form.suffix());
        let FileDigest { bytes, sha256 } = match self.copy_file(&file, &path) {
            Ok(digest) => digest,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let reason = format!("cargo left no {}; run ./scripts/build.sh", file.display());
                return Ok(Err(reason));
            }
            Err(error) => Err(error).with_context(|| format!("cannot copy {}", file.display()))?,
        };
        Ok(Ok(Artifact {
            function: function.to_owned(),
            form: form.form(),
            path,
            bytes,
            sha256,
            compiler: record.compiler_line().to_owned(),
            flags: target.flags.clone(),
            compile_ns: None,
            source_sha256: None,
        }))
    }

    /// Copies `file`, which cargo built, to `path` below the folder of artifacts, unless it is
    /// there already. A process that runs the old file keeps it.
    fn copy_file(&mut self, file: &Path, path: &Path) -> io::Result<FileDigest> {
        let (from, to) = (self.build.built.join(file), self.build.folder.join(path));
        let new = digest(&from)?;
        if digest(&to).is_ok_and(|old| old == new) {
            return Ok(new);
        }
        if let Some(parent) = to.parent() {
            std::fs::create_dir_all(parent)?;
        }
        atomic::copy(&from, &to)?;
        self.built.copied += 1;
        Ok(new)
    }

    /// Compiles what has changed, for each target with an ahead-of-time compiler.
    fn compile(&mut self, say: &mut dyn FnMut(String)) -> anyhow::Result<()> {
        let build = self.build;
        let old = Artifacts::open(build.folder).ok();
        let mut compilers = Compilers::read(build.folder);
        for mut target in AotTarget::of(build.hosts, &compilers) {
            for function in build.all_functions() {
                self.compile_function(&mut target, function, old.as_ref(), say);
            }
            compilers.remember(&target);
        }
        compilers.write(build.folder)
    }

    fn compile_function(
        &mut self,
        target: &mut AotTarget,
        function: &str,
        old: Option<&Artifacts>,
        say: &mut dyn FnMut(String),
    ) {
        let Some(source) = self.manifest.find(function, target.from).cloned() else {
            let reason = format!("its compiler needs {}, which is missing", target.from);
            return self.miss(function, target.form, reason);
        };
        if let Some(kept) = old.and_then(|old| target.reusable(old, &source)) {
            return self.manifest.artifacts.push(kept.clone());
        }
        let path = artifact_path(function, &target.form.0);
        match target.compile(self.build.folder, &source, path) {
            Ok(artifact) => {
                let time = Duration::from_nanos(artifact.compile_ns.unwrap_or_default());
                self.built.compiled += 1;
                self.built.compile_time += time;
                say(format!("{function} for {}: {:.2} s", target.form, time.as_secs_f64()));
                self.manifest.artifacts.push(artifact);
            }
            Err(reason) => {
                self.manifest.missing.insert(missing_key(function, target.form), reason);
            }
        }
    }

    /// Notes why a form is missing, unless the function is optional.
    fn miss(&mut self, function: &str, form: &Form, reason: String) {
        if !self.build.optional.contains(&function) {
            self.manifest.missing.insert(missing_key(function, form), reason);
        }
    }

    /// Writes the manifest.
    fn finish(mut self) -> anyhow::Result<Built> {
        let by_name =
            |a: &Artifact, b: &Artifact| (&a.function, &a.form).cmp(&(&b.function, &b.form));
        self.manifest.artifacts.sort_by(by_name);
        let json = serde_json::to_string_pretty(&self.manifest)?;
        atomic::write(&self.build.folder.join(MANIFEST), format!("{json}\n").as_bytes())?;
        let ArtifactManifest { artifacts, missing, .. } = self.manifest;
        Ok(Built { artifacts: artifacts.len(), missing, ..self.built })
    }
}

/// Where an artifact is, below the folder of artifacts.
fn artifact_path(function: &str, suffix: &str) -> PathBuf {
    Path::new(function).join(format!("{function}.{suffix}"))
}

//! `target/functions/build.json`: how scripts/build-functions.sh built the functions.

use std::path::{Path, PathBuf};

use anyhow::Context;
use lumos_model::artifact::Form;
use serde::Deserialize;

/// How the functions were built.
#[derive(Debug, Deserialize)]
pub(super) struct BuildRecord {
    /// The output of `rustc -vV`.
    pub(super) compiler: String,
    native: Option<BuiltTarget>,
    wasip1: Option<BuiltTarget>,
    wasip2: Option<BuiltTarget>,
}

/// A target for which the functions were built.
#[derive(Debug, Deserialize)]
pub(super) struct BuiltTarget {
    triple: String,
    /// Flags of the compiler.
    pub(super) flags: String,
}

/// A form that rustc writes.
#[derive(Clone, Copy, Debug)]
pub(super) enum RustcForm {
    Native,
    P1,
    P2,
}

impl RustcForm {
    pub(super) const ALL: [Self; 3] = [Self::Native, Self::P1, Self::P2];

    pub(super) fn form(self) -> Form {
        match self {
            Self::Native => Form::NATIVE.into(),
            Self::P1 => Form::P1.into(),
            Self::P2 => Form::P2.into(),
        }
    }

    /// How names of such files end in the folder of artifacts.
    pub(super) const fn suffix(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::P1 => "p1.wasm",
            Self::P2 => "p2.wasm",
        }
    }
}

impl BuildRecord {
    /// Reads the record in `built`.
    pub(super) fn read(built: &Path) -> anyhow::Result<Self> {
        let path = built.join("build.json");
        let text = std::fs::read_to_string(&path).with_context(|| {
            format!(
                "no functions are built: cannot read {}; run ./scripts/build.sh",
                path.display()
            )
        })?;
        serde_json::from_str(&text).with_context(|| {
            format!("{} is not a record of a build; run ./scripts/build.sh", path.display())
        })
    }

    /// The target of `form`; `None` when there was no compiler for it.
    pub(super) fn target(&self, form: RustcForm) -> Option<&BuiltTarget> {
        match form {
            RustcForm::Native => self.native.as_ref(),
            RustcForm::P1 => self.wasip1.as_ref(),
            RustcForm::P2 => self.wasip2.as_ref(),
        }
    }

    /// Name and version of the compiler.
    pub(super) fn compiler_line(&self) -> &str {
        self.compiler.lines().next().unwrap_or_default()
    }
}

impl BuiltTarget {
    /// Where cargo put `function`, below the functions' target folder.
    pub(super) fn file(&self, function: &str) -> PathBuf {
        let name = match self.triple.starts_with("wasm") {
            true => format!("{}.wasm", function.replace('-', "_")),
            false => function.to_owned(),
        };
        Path::new(&self.triple).join("release").join(name)
    }
}

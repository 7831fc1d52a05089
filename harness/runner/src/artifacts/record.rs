//! `target/functions/build.json`: how scripts/build-functions.sh built the functions.

use std::path::{Path, PathBuf};

use anyhow::Context;
use lumos_model::artifact::Form;
use serde::Deserialize;

/// How the functions were built.
#[derive(Debug, Deserialize)]
pub(super) struct BuildRecord {
    /// What `rustc -vV` said.
    pub compiler: String,
    native: Option<BuiltTarget>,
    wasip1: Option<BuiltTarget>,
    wasip2: Option<BuiltTarget>,
}

/// A target that the functions were built for.
#[derive(Debug, Deserialize)]
pub(super) struct BuiltTarget {
    triple: String,
    /// Flags of the compiler.
    pub flags: String,
}

/// The forms that rustc writes, with the end of their files' names.
pub(super) const RUSTC_FORMS: [(&str, &str); 3] =
    [(Form::NATIVE, "native"), (Form::P1, "p1.wasm"), (Form::P2, "p2.wasm")];

impl BuildRecord {
    /// Reads the record in `built`.
    pub fn read(built: &Path) -> anyhow::Result<Self> {
        let path = built.join("build.json");
        let text = std::fs::read_to_string(&path).with_context(|| {
            format!(
                "no functions are built: {} cannot be read; run ./scripts/build.sh",
                path.display()
            )
        })?;
        serde_json::from_str(&text)
            .with_context(|| format!("{} is no record of a build", path.display()))
    }

    /// The target of `form`; `None`: it could not be built.
    pub fn target(&self, form: &str) -> Option<&BuiltTarget> {
        match form {
            Form::NATIVE => self.native.as_ref(),
            Form::P1 => self.wasip1.as_ref(),
            Form::P2 => self.wasip2.as_ref(),
            _ => None,
        }
    }

    /// Name and version of the compiler.
    pub fn compiler_line(&self) -> &str {
        self.compiler.lines().next().unwrap_or_default()
    }
}

impl BuiltTarget {
    /// What cargo made of `function`, below the functions' target folder.
    pub fn file(&self, function: &str) -> PathBuf {
        let name = match self.triple.starts_with("wasm") {
            true => format!("{}.wasm", function.replace('-', "_")),
            false => function.to_owned(),
        };
        Path::new(&self.triple).join("release").join(name)
    }
}

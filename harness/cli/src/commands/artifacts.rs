//! `lumos artifacts`: the last step of scripts/build.sh.

use std::io::Write;
use std::path::PathBuf;

use anyhow::Context;
use lumos_runner::artifacts::build::Build;
use lumos_runner::discovery;

use super::shared::{ArtifactsFolder, count, crate_names};
use crate::commands::Exit;

/// Collect the built functions, compile them ahead of time, and write their manifest.
#[derive(Debug, clap::Args)]
pub struct Artifacts {
    #[command(flatten)]
    folder: ArtifactsFolder,
    /// Where scripts/build-functions.sh left its files [default: functions beside the
    /// folder of artifacts].
    #[arg(long, value_name = "DIR")]
    built: Option<PathBuf>,
    /// The functions' lock file.
    #[arg(long, value_name = "FILE", default_value = "functions/Cargo.lock")]
    lock: PathBuf,
}

impl Artifacts {
    /// Brings the folder of artifacts up to date and says what was done.
    ///
    /// # Errors
    /// When nothing was built, or a file cannot be read or written.
    pub fn run(&self, out: &mut dyn Write) -> anyhow::Result<Exit> {
        let folder = self.folder.path()?;
        std::fs::create_dir_all(&folder)
            .with_context(|| format!("cannot make {}", folder.display()))?;
        let built = self.built.clone().unwrap_or_else(|| folder.with_file_name("functions"));
        let hosts = discovery::discover()?;
        for host in &hosts {
            if let Err(reason) = &host.result {
                eprintln!("warning: {reason}");
            }
        }
        let build = Build {
            built: &built,
            lock: &self.lock,
            folder: &folder,
            functions: &crate_names(),
            optional: &["conformance"],
            hosts: &hosts,
        };
        let done = build.run(&mut |line| eprintln!("artifacts: compiled {line}"))?;
        writeln!(
            out,
            "artifacts: {}, {} copied, {} compiled in {:.1} s, {} missing",
            count(done.artifacts, "file"),
            done.copied,
            done.compiled,
            done.compile_time.as_secs_f64(),
            done.missing.len()
        )?;
        for (form, reason) in &done.missing {
            writeln!(out, "  {form}: {reason}")?;
        }
        Ok(Exit::Done)
    }
}

//! `lumos artifacts`: the last step of scripts/build.sh.

use std::io::Write;
use std::path::PathBuf;

use anyhow::Context;
use lumos_runner::artifacts::{Build, Built};
use lumos_runner::hosts::discover;

use crate::arguments::ArtifactsFolder;
use crate::exit::Exit;
use crate::terminal::warn;
use crate::text::count;

/// Collect the built functions, compile them ahead of time, and write their manifest
#[derive(Debug, clap::Args)]
pub(super) struct ArtifactsCommand {
    #[command(flatten)]
    folder: ArtifactsFolder,
    /// Where scripts/build-functions.sh left its files [default: functions, next to the folder
    /// of artifacts]
    #[arg(long, value_name = "DIR")]
    built: Option<PathBuf>,
    /// The lock file of the functions
    #[arg(long, value_name = "FILE", default_value = "functions/Cargo.lock")]
    lock: PathBuf,
}

impl ArtifactsCommand {
    /// Brings the folder of artifacts up to date, and prints what was done.
    pub(super) fn run(&self, out: &mut dyn Write) -> anyhow::Result<Exit> {
        let folder = self.folder.path()?;
        std::fs::create_dir_all(&folder)
            .with_context(|| format!("cannot create {}", folder.display()))?;
        let built = self.built.clone().unwrap_or_else(|| folder.with_file_name("functions"));
        let hosts = discover()?;
        hosts.iter().filter_map(|host| host.result.as_ref().err()).for_each(warn);
        let build = Build {
            built: &built,
            lock: &self.lock,
            folder: &folder,
            functions: &crate_names(),
            optional: &["conformance"],
            hosts: &hosts,
        };
        let built = build.run(&mut |line| eprintln!("artifacts: compiled {line}"))?;
        print(&built, out)?;
        Ok(Exit::Done)
    }
}

/// The crates of the functions. One crate may contain several functions.
fn crate_names() -> Vec<&'static str> {
    let mut names: Vec<_> =
        lumos_inputs::functions().iter().map(|function| function.krate).collect();
    names.dedup();
    names
}

fn print(built: &Built, out: &mut dyn Write) -> std::io::Result<()> {
    writeln!(
        out,
        "artifacts: {}, {} copied, {} compiled in {:.1} s, {} missing",
        count(built.artifacts, "file"),
        built.copied,
        built.compiled,
        built.compile_time.as_secs_f64(),
        built.missing.len()
    )?;
    for (form, reason) in &built.missing {
        writeln!(out, "  {form}: {reason}")?;
    }
    Ok(())
}

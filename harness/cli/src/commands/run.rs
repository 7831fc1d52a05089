//! `lumos run`.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;

use super::Exit;
use super::shared::ArtifactsFolder;
use crate::run::{Ended, Run};
use crate::run_info::utc_now;
use crate::scenario::Scenario;
use crate::store::{RunOptions, read_manifest};

/// Measure what a scenario describes and show the comparison.
#[derive(Debug, Args)]
pub struct RunCommand {
    /// The scenario's file; with --resume it is the one in the run directory.
    #[arg(value_name = "FILE", required_unless_present = "resume", conflicts_with = "resume")]
    file: Option<PathBuf>,

    /// Go on with a run that was ended early.
    #[arg(long, value_name = "DIR")]
    resume: Option<PathBuf>,

    /// The run directory to make [default: results/NAME-TIME].
    #[arg(long, value_name = "DIR", conflicts_with = "resume")]
    out: Option<PathBuf>,

    /// Only the cells that match, such as function=noop,target=wasmtime-*.
    #[arg(long, value_name = "KEY=VALUE,..", conflicts_with = "resume")]
    filter: Option<String>,

    /// Take this many samples of each cell instead of the scenario's number.
    #[arg(long, value_name = "N", conflicts_with = "resume", value_parser = clap::value_parser!(u32).range(1..))]
    repetitions: Option<u32>,

    /// Use this Redis server instead of starting one; such as redis://127.0.0.1:6379.
    #[arg(long, value_name = "URL")]
    redis_url: Option<String>,

    #[command(flatten)]
    artifacts: ArtifactsFolder,
}

impl RunCommand {
    /// Runs the scenario.
    ///
    /// # Errors
    /// Bad input, a machine on which nothing of it can run, a full disk, an interrupt.
    pub fn run(&self, out: &mut dyn Write) -> anyhow::Result<Exit> {
        let (file, dir, options) = match (&self.resume, &self.file) {
            (Some(dir), _) => {
                if !dir.join("scenario.toml").is_file() {
                    bail!("{} is no run directory: it has no scenario.toml", dir.display());
                }
                let options = read_manifest(dir)?.options;
                (dir.join("scenario.toml"), Some(dir.clone()), options)
            }
            (None, Some(file)) => {
                let options =
                    RunOptions { filter: self.filter.clone(), repetitions: self.repetitions };
                (file.clone(), self.out.clone(), options)
            }
            (None, None) => bail!("give a scenario's file, or --resume DIR"),
        };
        let (mut scenario, text) = load(&file)?;
        if let Some(repetitions) = options.repetitions {
            scenario.set_repetitions(repetitions);
        }
        let dir = match dir {
            Some(dir) => dir,
            None => default_dir(&scenario.name).context("the current folder")?,
        };
        let run = Run {
            scenario,
            text,
            dir,
            resume: self.resume.is_some(),
            options,
            artifacts: self.artifacts.open()?,
            redis_url: self.redis_url.clone(),
        };
        Ok(match run.execute(out)? {
            Ended::Complete => Exit::Done,
            Ended::WithFailures => Exit::MeasuredFailure,
        })
    }
}

fn load(file: &Path) -> anyhow::Result<(Scenario, String)> {
    let functions: Vec<&str> = lumos_inputs::functions().iter().map(|f| f.name).collect();
    Ok(Scenario::load(file, &functions)?)
}

/// `results/NAME-TIME`, which does not exist yet.
fn default_dir(name: &str) -> std::io::Result<PathBuf> {
    let time = utc_now().replace(['-', ':'], "");
    let first = std::env::current_dir()?.join("results").join(format!("{name}-{time}"));
    let mut dir = first.clone();
    for number in 2.. {
        if !dir.exists() {
            break;
        }
        dir = first.with_file_name(format!("{name}-{time}-{number}"));
    }
    Ok(dir)
}

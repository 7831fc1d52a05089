//! `lumos run`.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, bail};
use clap::Args;
use lumos_analysis::Analysis;
use lumos_model::files;
use lumos_model::manifest::RunOptions;
use lumos_record::{RecordError, Run, read_manifest};
use lumos_report::{RunInfo, text};
use lumos_runner::run::{Experiment, utc_now};
use lumos_scenario::Scenario;
use lumos_scenario::inputs::function_names;

use super::Exit;
use super::shared::ArtifactsFolder;
use crate::progress::Progress;
use crate::terminal::width;

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
                let scenario = dir.join(files::SCENARIO);
                if !scenario.is_file() {
                    let missing = files::SCENARIO;
                    return Err(RecordError::NoRun { dir: dir.clone(), missing }.into());
                }
                (scenario, Some(dir.clone()), read_manifest(dir)?.options)
            }
            (None, Some(file)) => {
                let options =
                    RunOptions { filter: self.filter.clone(), repetitions: self.repetitions };
                (file.clone(), self.out.clone(), options)
            }
            (None, None) => bail!("give a scenario's file, or --resume DIR"),
        };
        let begin = Instant::now();
        let (mut scenario, text) = Scenario::load(&file, &function_names())?;
        if let Some(repetitions) = options.repetitions {
            scenario.set_repetitions(repetitions);
        }
        let dir = match dir {
            Some(dir) => dir,
            None => default_dir(&scenario.name).context("the current folder")?,
        };
        let experiment = Experiment {
            scenario,
            text,
            dir,
            resume: self.resume.is_some(),
            options,
            artifacts: self.artifacts.open()?,
            redis_url: self.redis_url.clone(),
        };
        let measured = experiment.execute(&Progress::new());
        let dir = experiment.dir.as_path();
        measured.and_then(|()| conclude(dir, begin, out)).with_context(|| {
            format!(
                "stopped; what was measured is kept: go on with `lumos run --resume {}`",
                dir.display()
            )
        })
    }
}

/// Summary and reports, from the rows alone.
fn conclude(dir: &Path, begin: Instant, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let run = Run::open(dir)?;
    let analysis = Analysis::of(&run)?;
    let mut info = RunInfo::new(run.manifest(), &analysis);
    let report = super::report::write(dir, &analysis, &info)?;
    info.files = vec![
        format!("run     {}", dir.display()),
        format!("report  {}", report.display()),
        format!("took    {:.0} s", begin.elapsed().as_secs_f64()),
    ];
    writeln!(out, "{}", text::render(&analysis.summary, &info, width()))?;
    let is_well = !analysis.has_failures() && info.gate_failures.is_empty();
    Ok(if is_well { Exit::Done } else { Exit::MeasuredFailure })
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

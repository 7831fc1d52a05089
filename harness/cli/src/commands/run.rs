//! `lumos run`.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Context;
use lumos_analysis::Analysis;
use lumos_model::files;
use lumos_record::{RecordError, Run, find_scenario, read_manifest};
use lumos_report::{RunInfo, text};
use lumos_runner::directory::RunDirectory;
use lumos_runner::run::Experiment;

use super::report;
use crate::arguments::{ArtifactsFolder, RedisServer, ScenarioOptions, read_scenario};
use crate::exit::Exit;
use crate::progress::Progress;
use crate::terminal::width;

/// Measure what a scenario describes, and show the comparison
///
/// Exit code: 0 when all invocations succeeded, 1 when some failed or the gate refused a target,
/// 2 for bad usage or input.
#[derive(Debug, clap::Args)]
#[command(override_usage = "lumos run [OPTIONS] <FILE>\n       lumos run [OPTIONS] --resume <DIR>")]
pub(super) struct RunCommand {
    /// The scenario, a TOML file (see scenarios/README.md)
    #[arg(value_name = "FILE", required_unless_present = "resume")]
    file: Option<PathBuf>,

    /// Continue the run in this directory, with the scenario and the options it was started with
    #[arg(long, value_name = "DIR",
          conflicts_with_all = ["file", "out", "filters", "repetitions"])]
    resume: Option<PathBuf>,

    /// Directory for the results [default: results/NAME-TIME]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,

    #[command(flatten)]
    options: ScenarioOptions,

    #[command(flatten)]
    redis: RedisServer,

    #[command(flatten)]
    artifacts: ArtifactsFolder,
}

impl RunCommand {
    /// Runs the scenario, and writes the comparison to `out`.
    pub(super) fn run(&self, out: &mut dyn Write) -> anyhow::Result<Exit> {
        let begin = Instant::now();
        let experiment = self.experiment()?;
        let dir = experiment.directory.path();
        let measured = experiment.execute(&Progress::new());
        measured.and_then(|()| conclude(dir, begin, out)).map_err(|error| stopped(error, dir))
    }

    fn experiment(&self) -> anyhow::Result<Experiment> {
        let (file, options, directory) = match (&self.resume, &self.file) {
            (Some(dir), _) => {
                let file = find_scenario(dir)?;
                let options = read_manifest(dir)?.options;
                (file, options, Some(RunDirectory::Resume(dir.clone())))
            }
            (None, file) => {
                let file = file.clone().context("give a scenario's file, or --resume DIR")?;
                let directory = self.out.clone().map(RunDirectory::New);
                (file, self.options.run_options(), directory)
            }
        };
        let (scenario, text) = read_scenario(&file, &options)?;
        let directory = match directory {
            Some(directory) => directory,
            None => RunDirectory::new_in_results(&scenario.name).context("the current folder")?,
        };
        Ok(Experiment {
            scenario,
            text,
            directory,
            options,
            artifacts: self.artifacts.open()?,
            redis_url: self.redis.url.clone(),
        })
    }
}

/// Writes the summary and the reports, from the rows alone.
fn conclude(dir: &Path, begin: Instant, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let run = Run::open(dir)?;
    let analysis = Analysis::of(&run)?;
    let mut info = RunInfo::new(run.manifest(), &analysis);
    let report = report::write(dir, &analysis, &info)?;
    info.files = vec![
        format!("run     {}", dir.display()),
        format!("report  {}", report.display()),
        format!("took    {:.0} s", begin.elapsed().as_secs_f64()),
    ];
    writeln!(out, "{}", text::render(&analysis.summary, &info, width()))?;
    let has_failed = analysis.has_failures() || !info.gate_failures.is_empty();
    Ok(if has_failed { Exit::MeasuredFailure } else { Exit::Done })
}

/// Adds to an error how to continue, once the run in `dir` has started.
fn stopped(error: anyhow::Error, dir: &Path) -> anyhow::Error {
    let is_of_another_run = matches!(
        error.downcast_ref(),
        Some(RecordError::Taken { .. } | RecordError::Locked { .. })
    );
    if is_of_another_run || !dir.join(files::SCENARIO).is_file() {
        return error;
    }
    let dir = dir.display();
    error.context(format!(
        "the run was stopped, and its rows are kept: continue with `lumos run --resume {dir}`"
    ))
}

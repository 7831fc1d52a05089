//! `lumos report`: the numbers of a run, from its rows alone.

use std::io::Write;
use std::path::{Path, PathBuf};

use lumos_analysis::Analysis;
use lumos_model::files;
use lumos_record::{Run, atomic};
use lumos_report::{RunInfo, json, markdown, text};

use crate::exit::Exit;
use crate::terminal::width;

/// Show the numbers of a run, computed from its rows
#[derive(Debug, clap::Args)]
pub(super) struct ReportCommand {
    /// The run directory
    dir: PathBuf,
    /// Format of the report
    #[arg(long, value_enum, default_value_t)]
    format: ReportFormat,
    /// Also write summary.json and report.md to the run directory
    #[arg(long)]
    write: bool,
}

/// The form of a report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum ReportFormat {
    /// Tables for a terminal
    #[default]
    Text,
    /// All numbers, in Markdown
    Md,
    /// The summary, for programs
    Json,
}

impl ReportCommand {
    /// Writes the report to `out`.
    pub(super) fn run(&self, out: &mut dyn Write) -> anyhow::Result<Exit> {
        let run = Run::open(&self.dir)?;
        let analysis = Analysis::of(&run)?;
        let mut info = RunInfo::new(run.manifest(), &analysis);
        if self.write {
            write(&self.dir, &analysis, &info)?;
            let (summary, report) = (files::SUMMARY, files::REPORT);
            info.files.push(format!("{}/{{{summary},{report}}}", self.dir.display()));
        }
        let summary = &analysis.summary;
        let rendered = match self.format {
            ReportFormat::Text => text::render(summary, &info, width()),
            ReportFormat::Md => markdown::render(summary, &info),
            ReportFormat::Json => json::render(summary),
        };
        out.write_all(rendered.as_bytes())?;
        Ok(Exit::Done)
    }
}

/// Writes `summary.json` and `report.md` to the run directory `dir`. Returns the path of the
/// report.
pub(super) fn write(dir: &Path, analysis: &Analysis, info: &RunInfo) -> anyhow::Result<PathBuf> {
    let report = dir.join(files::REPORT);
    atomic::write(&dir.join(files::SUMMARY), json::render(&analysis.summary).as_bytes())?;
    atomic::write(&report, markdown::render(&analysis.summary, info).as_bytes())?;
    Ok(report)
}

//! `lumos doctor`: what this machine lacks for clean numbers.

use std::io::Write;

use anyhow::Context;
use lumos_model::SCHEMA;
use lumos_runner::doctor::{Check, Facts, State, diagnose};
use serde_json::json;

use crate::arguments::{ArtifactsFolder, Format};
use crate::exit::Exit;
use crate::text::{Table, count};

/// Check what this machine lacks for clean numbers, and show the command that fixes each problem
///
/// Exit code: 0 when lumos can measure something here, 1 when it cannot.
#[derive(Debug, clap::Args)]
pub(super) struct DoctorCommand {
    /// Output format
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    #[command(flatten)]
    artifacts: ArtifactsFolder,
}

impl DoctorCommand {
    /// Writes the checks to `out`.
    pub(super) fn run(&self, out: &mut dyn Write) -> anyhow::Result<Exit> {
        let facts = Facts::read(&self.artifacts.path()?).context("look for hosts next to lumos")?;
        let checks = diagnose(&facts);
        match self.format {
            Format::Text => out.write_all(text(&checks).as_bytes())?,
            Format::Json => {
                let machine = &facts.machine.fingerprint;
                let json = json!({ "schema": SCHEMA, "checks": checks, "machine": machine });
                writeln!(out, "{json:#}")?;
            }
        }
        Ok(if checks.iter().any(Check::is_fatal) { Exit::MeasuredFailure } else { Exit::Done })
    }
}

/// The checks as a table. The commands that fix them are below it, where each can be copied as a
/// whole.
fn text(checks: &[Check]) -> String {
    let mut table = Table::new(["check", "state", "what it means"]);
    for check in checks {
        table.row([&check.check, check.state.as_str(), &check.meaning]);
    }
    let fixes: Vec<_> = checks
        .iter()
        .filter(|check| check.state != State::Ok)
        .filter_map(|check| Some((&check.check, check.fix.as_ref()?)))
        .collect();
    let name_width = fixes.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let fixes: String =
        fixes.iter().map(|(name, fix)| format!("  {name:name_width$}  {fix}\n")).collect();
    let heading = if fixes.is_empty() { "" } else { "\nHow to fix:\n" };
    format!("{}{heading}{fixes}\n{}\n", table.lines(), conclusion(checks))
}

fn conclusion(checks: &[Check]) -> String {
    let of = |state: State| checks.iter().filter(|check| check.state == state).count();
    let fatal: Vec<&str> =
        checks.iter().filter(|check| check.is_fatal()).map(|check| check.check.as_str()).collect();
    match (&fatal[..], of(State::Missing), of(State::Warn)) {
        ([_, ..], _, _) => format!("Nothing can be measured without: {}.", fatal.join(", ")),
        ([], 0, 0) => "Nothing is missing.".to_owned(),
        ([], missing, warnings) => {
            format!("lumos can measure here: {missing} missing, {}.", count(warnings, "warning"))
        }
    }
}

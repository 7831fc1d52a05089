//! `lumos doctor`: what this machine lacks for clean numbers.

use std::io::Write;

use anyhow::Context;
use lumos_model::SCHEMA;
use lumos_runner::doctor::{Check, Facts, State, diagnose};
use serde_json::json;

use super::Exit;
use super::shared::{ArtifactsFolder, Format, count, lines, table};

/// Say what this machine lacks for clean numbers, and the command that mends each.
#[derive(Debug, clap::Args)]
pub struct Doctor {
    /// In which form.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    #[command(flatten)]
    artifacts: ArtifactsFolder,
}

impl Doctor {
    /// Writes the checks to `out`; ends with 1 when nothing can be measured here.
    ///
    /// # Errors
    /// When the folder of this executable cannot be read.
    pub fn run(&self, out: &mut dyn Write) -> anyhow::Result<Exit> {
        let facts = Facts::read(&self.artifacts.path()?).context("look beside lumos for hosts")?;
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

/// The checks as a table; what mends them stands below, where a command can be copied whole.
fn text(checks: &[Check]) -> String {
    let mut table = table(["check", "state", "what it means"]);
    for check in checks {
        table.add_row([&check.check, check.state.as_str(), &check.meaning]);
    }
    let mends: Vec<_> = checks
        .iter()
        .filter(|check| check.state != State::Ok)
        .filter_map(|check| Some((&check.check, check.mend.as_ref()?)))
        .collect();
    let name_width = mends.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let mends: String =
        mends.iter().map(|(name, mend)| format!("  {name:name_width$}  {mend}\n")).collect();
    let how_to = if mends.is_empty() { "" } else { "\nHow to mend:\n" };
    format!("{}{how_to}{mends}\n{}\n", lines(&table), verdict(checks))
}

fn verdict(checks: &[Check]) -> String {
    let of = |state: State| checks.iter().filter(|check| check.state == state).count();
    let fatal: Vec<&str> =
        checks.iter().filter(|check| check.is_fatal()).map(|check| check.check.as_str()).collect();
    match (&fatal[..], of(State::Missing), of(State::Warn)) {
        ([_, ..], _, _) => format!("Nothing can be measured without: {}.", fatal.join(", ")),
        ([], 0, 0) => "All is well.".to_owned(),
        ([], missing, warnings) => {
            format!("lumos can measure here: {missing} missing, {}.", count(warnings, "warning"))
        }
    }
}

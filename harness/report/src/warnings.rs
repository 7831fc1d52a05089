//! Warnings in words.

use lumos_model::files;
use lumos_model::warning::Warning;

/// A warning as a line of a report.
pub fn words(warning: &Warning) -> String {
    match warning {
        Warning::NoControlGroups { reason } => format!(
            "no cgroups: {reason}. Limits are not applied, and memory, throttling and pressure are \
             not measured"
        ),
        Warning::Machine { finding } => format!("{finding} (`lumos doctor`)"),
        Warning::CutShort { dir } => format!(
            "the last line of {} is incomplete and was left out, because the run was killed; \
             continue it with `lumos run --resume {dir}`",
            files::ROWS
        ),
        Warning::NoRows { cells, planned, example } => format!(
            "{cells} of {planned} planned cells have no rows, such as {example}: the run ended \
             before them, or their blocks could not be measured, see {}",
            files::TELEMETRY
        ),
        Warning::ControlFailures { count, example } => {
            let example = example.as_ref().map(|error| format!(" (\"{error}\")"));
            format!("{count} invocations of the control pair failed{}", example.unwrap_or_default())
        }
        Warning::Text { text } => text.clone(),
    }
}

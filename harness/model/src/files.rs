//! Names of the files in a run directory.

/// A copy of the scenario file.
pub const SCENARIO: &str = "scenario.toml";
/// The facts of the run ([`RunManifest`](crate::manifest::RunManifest)).
pub const MANIFEST: &str = "manifest.json";
/// One line per invocation ([`Row`](crate::row::Row)).
pub const ROWS: &str = "invocations.jsonl";
/// One line per block ([`BlockTelemetry`](crate::telemetry::BlockTelemetry)).
pub const TELEMETRY: &str = "telemetry.jsonl";
/// A copy of the scenario's recorded arrivals, if it has any.
pub const TRACE: &str = "trace.csv";
/// The summary, computed from the rows.
pub const SUMMARY: &str = "summary.json";
/// The report in Markdown.
pub const REPORT: &str = "report.md";

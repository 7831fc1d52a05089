//! Names of the files in a run directory.

/// The scenario, as it was read.
pub const SCENARIO: &str = "scenario.toml";
/// What was measured where ([`crate::manifest::RunManifest`]).
pub const MANIFEST: &str = "manifest.json";
/// A line for each invocation ([`crate::row::Row`]).
pub const ROWS: &str = "invocations.jsonl";
/// A line for each block ([`crate::telemetry::BlockTelemetry`]).
pub const TELEMETRY: &str = "telemetry.jsonl";
/// The copy of the scenario's recorded arrivals, if it has any.
pub const TRACE: &str = "trace.csv";
/// The numbers, computed from the rows.
pub const SUMMARY: &str = "summary.json";
/// The report in Markdown.
pub const REPORT: &str = "report.md";

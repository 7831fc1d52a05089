//! The summary as JSON: the content of `summary.json`.

use lumos_analysis::summary::Summary;

/// Renders `summary` with a line break at its end.
pub fn render(summary: &Summary) -> String {
    let mut json = serde_json::to_string_pretty(summary).expect("a summary is plain data");
    json.push('\n');
    json
}

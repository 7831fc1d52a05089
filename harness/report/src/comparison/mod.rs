//! The comparison of two runs: what became slower and faster in full, the rest as counts.
//!
//! | file | what it does |
//! |---|---|
//! | `mod` | the text as a whole, and JSON |
//! | `tables` | counts of verdicts, changed cells |
//! | `notes` | noise, level, undecided cells, cells of one run |
//! | `obstacles`, `changes` | what else differs between the runs |

mod changes;
mod notes;
mod obstacles;
mod tables;

use lumos_analysis::compare::{Comparison, RunName};
use lumos_stats::Verdict;
use serde::Serialize;

pub use obstacles::obstacles;

use self::changes::changes;

use crate::terminal::{LabelledLists, paragraph};

/// Wider text is hard to read.
const WIDEST: usize = 100;

/// Renders `comparison` for a terminal of `width` columns.
pub fn render(comparison: &Comparison, width: usize) -> String {
    let width = width.min(WIDEST);
    let mut out = heading(comparison, width);
    out.push_str(&tables::counts(comparison, width));
    for verdict in [Verdict::Slower, Verdict::Faster] {
        out.push_str(&tables::changed(comparison, verdict, width));
    }
    let mut lists = LabelledLists::new(width);
    lists.add("Noise", &notes::noise(comparison));
    lists.add("Level", &[notes::level(comparison)]);
    lists.add("Unsure", &notes::unsure(comparison));
    lists.add("Drift", &notes::drift(comparison));
    lists.add("Cells", &notes::unmatched(comparison));
    lists.add("Changed", &changes(&comparison.changed));
    lists.add("Caution", &obstacles(&comparison.obstacles));
    out.push_str(&lists.finish());
    out
}

fn heading(comparison: &Comparison, width: usize) -> String {
    let runs = [("base", &comparison.base), ("new", &comparison.new)];
    let line = |(label, run): &(&str, &RunName)| {
        let text = format!("{label:<5} {} ({}, started {})", run.dir, run.name, run.started);
        paragraph(&text, width)
    };
    format!("{}\n", runs.iter().map(line).collect::<String>())
}

/// The comparison as JSON.
pub fn json(comparison: &Comparison) -> String {
    let file = File {
        comparison,
        changed: changes(&comparison.changed),
        warnings: obstacles(&comparison.obstacles),
    };
    let mut json = serde_json::to_string_pretty(&file).expect("a comparison is plain data");
    json.push('\n');
    json
}

#[derive(Serialize)]
struct File<'a> {
    #[serde(flatten)]
    comparison: &'a Comparison,
    changed: Vec<String>,
    warnings: Vec<String>,
}

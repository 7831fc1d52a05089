//! `[[exclude]]`: cells that are left out on purpose.

use toml::de::DeValue;

use super::load::Load;
use crate::check;
use crate::error::Problem;
use crate::reader::{Node, Problems, Table, list, text};
use crate::scenario::{Exclude, LoadSettings, Matrix};
use crate::selector::{Axis, Pattern, Selector};

/// Reads all exclusions, unless mistakes leave matrix or load undetermined.
pub(super) fn excludes(
    node: Option<Node<'_>>,
    matrix: Option<&Matrix>,
    load: &Load,
    problems: &mut Problems,
) -> Vec<Exclude> {
    let (Some(node), Some(matrix), Load::Absent | Load::Present(_)) = (node, matrix, load) else {
        return Vec::new();
    };
    if let DeValue::Table(_) = node.get_ref() {
        let problem = Problem::new(node.span(), "`exclude` is a list of tables");
        return problems.push(problem.hint("write [[exclude]]")).unwrap_or_default();
    }
    let entries = list(node, problems).unwrap_or_default();
    let exclude = |entry| exclude(entry, matrix, load.settings(), problems);
    entries.into_iter().filter_map(exclude).collect()
}

fn exclude(
    node: Node<'_>,
    matrix: &Matrix,
    load: Option<&LoadSettings>,
    problems: &mut Problems,
) -> Option<Exclude> {
    let mut table = Table::of(node, "[[exclude]]", problems)?;
    let mut cells = Selector::default();
    for &axis in Axis::ALL {
        let Some(node) = table.get(axis.as_str()) else { continue };
        let patterns = match node.get_ref().as_array() {
            Some(_) => list(node, problems).unwrap_or_default(),
            None => vec![node],
        };
        for node in patterns {
            let Some(text) = text(node, problems) else { continue };
            let pattern = Pattern(text.to_owned());
            check::pattern_is_used(node, axis, &pattern, (matrix, load), problems);
            cells.add(axis, pattern);
        }
    }
    check::excludes_something(&mut table, &cells, problems);
    let reason = table.require("reason", "\"needs 2 GiB\"").and_then(|node| text(node, problems));
    table.finish(problems);
    Some(Exclude { cells, reason: reason?.to_owned() })
}

//! Checks of what a user asks for, before anything is started.

use anyhow::bail;
use lumos_model::cell::Cell;
use lumos_scenario::hosts::{Host, capability};
use lumos_scenario::inputs::function_names;
use lumos_scenario::words::closest;

use crate::artifacts::Artifacts;

/// Checks that one of `hosts` can run `cell`.
///
/// # Errors
/// Why none can, and what to do.
pub fn check_cell(hosts: &[Host], cell: &Cell) -> anyhow::Result<()> {
    let capability = capability(hosts, &cell.target).map_err(anyhow::Error::msg)?;
    match capability.refusal(cell.isolation, cell.start(), cell.storage) {
        Some(refusal) => Err(anyhow::Error::msg(refusal)),
        None => Ok(()),
    }
}

/// Checks that there is a function of this name, with generated inputs or without.
///
/// # Errors
/// When there is none. The error names the closest function.
pub fn check_function(name: &str, artifacts: &Artifacts) -> anyhow::Result<()> {
    if has_inputs(name) || artifacts.has(name) {
        return Ok(());
    }
    let near = closest(name, function_names());
    let hint = near.map(|near| format!("did you mean `{near}`? ")).unwrap_or_default();
    bail!("there is no function `{name}`: {hint}`lumos list functions` lists all")
}

/// Whether requests of this function can be generated.
pub fn has_inputs(function: &str) -> bool {
    function_names().contains(&function)
}

//! The scenario that a run was started with.

use lumos_record::Run;
use lumos_scenario::Scenario;
use lumos_scenario::inputs::function_names;
use lumos_scenario::scenario::ScenarioError;

/// The scenario of `run`, with the options of its command applied.
///
/// # Errors
/// When the scenario is missing or has mistakes.
pub(crate) fn run_scenario(run: &Run) -> Result<Scenario, ScenarioError> {
    let (mut scenario, _) = Scenario::load(&run.scenario_path(), &function_names())?;
    if let Some(repetitions) = run.manifest().and_then(|manifest| manifest.options.repetitions) {
        scenario.set_repetitions(repetitions);
    }
    Ok(scenario)
}

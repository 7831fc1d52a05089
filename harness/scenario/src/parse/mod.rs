//! From the text of a scenario to a [`Scenario`], table by table.
//!
//! | module | contents |
//! |---|---|
//! | `root` | the keys at the top |
//! | `sampling` | how often cells are measured, `[warm]` |
//! | `matrix` | `[matrix]` |
//! | `load` | whether there is a load, `[load]` |
//! | `arrival` | `[arrival]` |
//! | `pool` | `[pool]` |
//! | `exclude` | `[[exclude]]` |

mod arrival;
mod exclude;
mod load;
mod matrix;
mod pool;
mod root;
mod sampling;
#[cfg(test)]
mod tests;

use std::path::Path;

use toml::de::DeTable;

use crate::error::{Problem, ScenarioError};
use crate::reader::Problems;
use crate::scenario::Scenario;

impl Scenario {
    /// Reads the scenario at `path`, which may name `functions`. Also returns the text, so that
    /// a run can keep what it was started with.
    ///
    /// # Errors
    /// When the file cannot be read, or has mistakes; the error lists all of them.
    pub fn load(path: &Path, functions: &[&str]) -> Result<(Self, String), ScenarioError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ScenarioError::Read { path: path.to_owned(), source })?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let mut scenario = read(&text, path, functions, Some(folder))?;
        scenario.folder = folder.to_owned();
        Ok((scenario, text))
    }

    /// Reads a scenario from `text`. Uses `path` only for messages, and does not check that
    /// other files exist.
    ///
    /// # Errors
    /// When the text has mistakes; the error lists all of them.
    pub fn parse(text: &str, path: &Path, functions: &[&str]) -> Result<Self, ScenarioError> {
        read(text, path, functions, None)
    }
}

fn read(
    text: &str,
    path: &Path,
    functions: &[&str],
    folder: Option<&Path>,
) -> Result<Scenario, ScenarioError> {
    parse(text, functions, folder).map_err(|problems| ScenarioError::Wrong {
        path: path.to_owned(),
        text: text.to_owned(),
        problems,
    })
}

fn parse(text: &str, functions: &[&str], folder: Option<&Path>) -> Result<Scenario, Vec<Problem>> {
    let (root, syntax) = DeTable::parse_recoverable(text);
    if let Some(error) = syntax.first() {
        let span = error.span().unwrap_or(0..0);
        return Err(vec![Problem::new(span, format!("invalid TOML: {}", error.message()))]);
    }
    let mut problems = Problems::default();
    match root::scenario(&root, functions, folder, &mut problems) {
        Some(scenario) if problems.len() == 0 => Ok(scenario),
        _ => Err(problems.sorted()),
    }
}

//! Arguments that several commands have.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::Context;
use lumos_model::manifest::RunOptions;
use lumos_runner::artifacts::{self, Artifacts};
use lumos_scenario::Scenario;
use lumos_scenario::inputs::function_names;
use lumos_scenario::selector::{Axis, BadSelector, Selector};

/// The form of a command's output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// For people
    #[default]
    Text,
    /// For programs
    Json,
}

/// What the command line changes in a scenario.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct ScenarioOptions {
    #[arg(long = "filter", value_name = "KEY=VALUE,..", help = FILTER_HELP, long_help = filter_help())]
    filters: Vec<Filter>,

    /// Number of samples of each cell, instead of the scenario's
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    repetitions: Option<u32>,
}

const FILTER_HELP: &str =
    "Keep only matching cells, such as function=noop,target=wasmtime-*; may be repeated";

fn filter_help() -> String {
    format!(
        "{FILTER_HELP}\n\nSeveral values of one key are alternatives; different keys must all \
         match; `*` stands for any text. Keys: {}.",
        Axis::list()
    )
}

/// A selector, with the text from which it was parsed.
#[derive(Clone, Debug)]
struct Filter {
    text: String,
    selector: Selector,
}

impl FromStr for Filter {
    type Err = BadSelector;

    fn from_str(text: &str) -> Result<Self, BadSelector> {
        Ok(Self { text: text.to_owned(), selector: text.parse()? })
    }
}

impl ScenarioOptions {
    /// All filters as one.
    pub(crate) fn filter(&self) -> Selector {
        let mut all = Selector::default();
        self.filters.iter().for_each(|filter| all.extend(&filter.selector));
        all
    }

    /// The options of a run.
    pub(crate) fn run_options(&self) -> RunOptions {
        let texts: Vec<&str> = self.filters.iter().map(|filter| filter.text.as_str()).collect();
        let filter = (!texts.is_empty()).then(|| texts.join(","));
        RunOptions { filter, repetitions: self.repetitions }
    }
}

/// Reads the scenario in `file` and applies `options` to it; also returns the text of the file.
pub(crate) fn read_scenario(
    file: &Path,
    options: &RunOptions,
) -> anyhow::Result<(Scenario, String)> {
    let (mut scenario, text) = Scenario::load(file, &function_names())?;
    if let Some(repetitions) = options.repetitions {
        scenario.set_repetitions(repetitions);
    }
    Ok((scenario, text))
}

/// Where the functions were built.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct ArtifactsFolder {
    /// Folder of the built functions [default: target/artifacts, next to this executable]
    #[arg(long = "artifacts", value_name = "DIR", env = "LUMOS_ARTIFACTS")]
    folder: Option<PathBuf>,
}

impl ArtifactsFolder {
    /// The folder, or the default one.
    pub(crate) fn path(&self) -> anyhow::Result<PathBuf> {
        match &self.folder {
            Some(folder) => Ok(folder.clone()),
            None => artifacts::default_folder().context("find the folder of this executable"),
        }
    }

    /// Opens the folder.
    pub(crate) fn open(&self) -> anyhow::Result<Artifacts> {
        Ok(Artifacts::open(&self.path()?)?)
    }
}

/// Which Redis server functions use.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct RedisServer {
    /// Use this Redis server, such as redis://127.0.0.1:6379, instead of starting one
    #[arg(long = "redis-url", value_name = "URL")]
    pub(crate) url: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(filters: &[&str]) -> ScenarioOptions {
        let filters = filters.iter().map(|text| text.parse().unwrap()).collect();
        ScenarioOptions { filters, repetitions: Some(3) }
    }

    #[test]
    fn repeated_filters_are_one() {
        let options = options(&["target=native,function=noop", "start=warm"]);
        let RunOptions { filter, repetitions } = options.run_options();
        assert_eq!(filter.as_deref(), Some("target=native,function=noop,start=warm"));
        assert_eq!(repetitions, Some(3));
        assert_eq!(filter.unwrap().parse::<Selector>().unwrap(), options.filter());
    }

    #[test]
    fn without_filters_a_run_has_none() {
        assert_eq!(options(&[]).run_options().filter, None);
    }
}

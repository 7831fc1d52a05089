//! `lumos list scenarios`.

use std::path::{Path, PathBuf};

use anyhow::Context;
use lumos_model::SCHEMA;
use lumos_model::manifest::RunOptions;
use lumos_runner::hosts::discover;
use lumos_scenario::plan::Plan;
use lumos_scenario::selector::Selector;
use serde_json::json;

use super::listing::Listing;
use crate::arguments::read_scenario;
use crate::text::{Table, count};

/// The scenarios in `folder`, with what of them can run here.
pub(super) fn list(folder: &Path) -> anyhow::Result<Listing> {
    let paths = toml_files(folder)
        .with_context(|| format!("cannot read the folder {} of scenarios", folder.display()))?;
    let hosts = discover()?;
    let header = ["file", "cells", "run here", "samples", "what it is for"];
    let mut table = Table::new(header).align_right(1..4);
    let (mut problems, mut list) = (String::new(), Vec::new());
    for path in &paths {
        let file = path.display().to_string();
        match read_scenario(path, &RunOptions::default()) {
            Ok((scenario, _)) => {
                let plan = Plan::new(&scenario, &hosts, &Selector::default());
                let (cells, runnable) = (plan.cells.len(), plan.runnable().count());
                let samples = plan.estimate(&scenario).samples;
                let purpose = scenario.description.clone().unwrap_or_default();
                let [c, r, s] = [cells, runnable, samples as usize].map(|n| n.to_string());
                table.row([&file, &c, &r, &s, &purpose]);
                list.push(json!({
                    "file": file, "name": scenario.name, "description": scenario.description,
                    "cells": cells, "runnable": runnable, "samples": samples,
                }));
            }
            Err(error) => {
                problems += &format!("\nerror: {error}");
                list.push(json!({ "file": file, "error": error.to_string() }));
            }
        }
    }
    if paths.is_empty() {
        problems += &format!("{} in {}\n", count(0, "scenario"), folder.display());
    }
    Ok(Listing {
        text: table.lines() + &problems,
        json: json!({ "schema": SCHEMA, "scenarios": list }),
    })
}

fn toml_files(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broken_scenario_does_not_hide_the_others() {
        let folder = tempfile::tempdir().unwrap();
        let good = "name = \"good\"\n[matrix]\nfunctions = [\"noop\"]\nsizes = [\"tiny\"]\n\
                    targets = [\"native\"]\nstart = [\"warm\"]\n";
        std::fs::write(folder.path().join("good.toml"), good).unwrap();
        std::fs::write(folder.path().join("bad.toml"), good.replace("noop", "nopp")).unwrap();
        let Listing { text, json } = list(folder.path()).unwrap();
        assert!(text.contains("good.toml") && text.contains("bad.toml:3:14"), "{text}");
        assert_eq!(json["scenarios"][1]["cells"], 1);
        assert!(json["scenarios"][0]["error"].as_str().unwrap().contains("did you mean `noop`"));
    }
}

//! `lumos list`: what there is to measure, and what with.

use std::fmt::Display;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context;
use lumos_model::SCHEMA;
use lumos_model::artifact::Artifact;
use lumos_model::capability::Capabilities;
use lumos_runner::discovery;
use lumos_scenario::hosts::{self, Host};
use lumos_scenario::plan::Plan;
use lumos_scenario::selector::Selector;
use serde_json::{Value, json};

use super::shared::{ArtifactsFolder, Format, align_right, count, lines, load_scenario, table};
use crate::commands::Exit;

/// List the functions, the targets of this machine, or the scenarios.
#[derive(Debug, clap::Args)]
pub struct List {
    /// What to list.
    #[arg(value_enum)]
    what: What,
    /// In which form.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    #[command(flatten)]
    artifacts: ArtifactsFolder,
    /// Folder of the scenarios.
    #[arg(long, value_name = "DIR", default_value = "scenarios")]
    scenarios: PathBuf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum What {
    /// The workloads, their sizes, and the forms that are built.
    Functions,
    /// Runtimes with their modes: what each can do here, or what it lacks.
    Targets,
    /// The experiments in ./scenarios.
    Scenarios,
}

impl List {
    /// Writes the list to `out`.
    ///
    /// # Errors
    /// When a folder cannot be read.
    pub fn run(&self, out: &mut dyn Write) -> anyhow::Result<Exit> {
        let (text, json) = match self.what {
            What::Functions => self.functions(),
            What::Targets => targets(&discovery::discover()?),
            What::Scenarios => scenarios(&self.scenarios)?,
        };
        match self.format {
            Format::Text => out.write_all(text.as_bytes())?,
            Format::Json => {
                serde_json::to_writer_pretty(&mut *out, &json)?;
                writeln!(out)?;
            }
        }
        Ok(Exit::Done)
    }

    fn functions(&self) -> (String, Value) {
        let artifacts = self.artifacts.open();
        let manifest = artifacts.as_ref().ok().map(|artifacts| artifacts.manifest());
        let mut table = table(["function", "what it does", "tiny .. large", "unit", "built"]);
        let mut list = Vec::new();
        for function in lumos_inputs::functions() {
            let amounts = lumos_inputs::Size::ALL.map(|size| function.amount(size));
            let built: Vec<&Artifact> = manifest
                .map(|manifest| manifest.artifacts.iter().filter(|a| a.function == function.krate))
                .into_iter()
                .flatten()
                .collect();
            let sizes: Vec<String> = amounts.iter().flatten().map(ToString::to_string).collect();
            let (sizes, forms) = (sizes.join(", "), join(built.iter().map(|built| &built.form)));
            table.add_row([function.name, function.description, &sizes, function.unit, &forms]);
            list.push(json!({
                "name": function.name,
                "description": function.description,
                "unit": function.unit,
                "has_input": function.has_input,
                "has_output": function.has_output,
                "sizes": lumos_inputs::Size::ALL.map(|size| json!({
                    "size": size.name(), "amount": function.amount(size),
                })),
                "artifacts": built,
            }));
        }
        let mut text = lines(&table);
        if let Err(error) = artifacts {
            text += &format!("\n{error}\n");
        }
        (text, json!({ "schema": SCHEMA, "functions": list }))
    }
}

fn targets(hosts: &[Host]) -> (String, Value) {
    let mut table = table(["target", "here", "version", "isolation", "start", "storage"]);
    let (mut text, mut list, mut absent) = (String::new(), Vec::new(), Vec::new());
    for host in hosts {
        match &host.result {
            Ok(can) => {
                for target in &can.targets {
                    table.add_row([
                        target.target.to_string(),
                        if target.unavailable.is_none() { "yes" } else { "no" }.to_owned(),
                        version(can),
                        join(&target.isolations),
                        join(&target.starts),
                        join(&target.storages),
                    ]);
                    if let Some(reason) = &target.unavailable {
                        text += &format!("{}: {reason}\n", target.target);
                    }
                    let mut entry = json!(target);
                    entry["available"] = json!(target.unavailable.is_none());
                    entry["versions"] = json!(can.versions);
                    list.push(entry);
                }
            }
            Err(reason) => absent.push((host.runtime(), reason.clone())),
        }
    }
    absent.extend(hosts::absent_runtimes(hosts));
    for (runtime, reason) in &absent {
        table.add_row([*runtime, "no", "", "", "", ""]);
        text += &format!("{runtime}: {reason}\n");
    }
    let absent: Vec<_> =
        absent.iter().map(|(runtime, why)| json!({ "runtime": runtime, "reason": why })).collect();
    let json = json!({ "schema": SCHEMA, "targets": list, "absent": absent });
    let gap = if text.is_empty() { "" } else { "\n" };
    (format!("{}{gap}{text}", lines(&table)), json)
}

/// The version of the runtime itself, or of what it stands on.
fn version(can: &Capabilities) -> String {
    match can.versions.get(&can.runtime) {
        Some(version) => version.clone(),
        None => join(can.versions.iter().map(|(name, version)| format!("{name} {version}"))),
    }
}

fn scenarios(folder: &Path) -> anyhow::Result<(String, Value)> {
    let cannot = || format!("cannot read the folder {} of scenarios", folder.display());
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(cannot)? {
        let path = entry.with_context(cannot)?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            paths.push(path);
        }
    }
    paths.sort();
    let hosts = discovery::discover()?;
    let mut table = table(["file", "cells", "run here", "samples", "what it is for"]);
    let (mut text, mut list) = (String::new(), Vec::new());
    for path in &paths {
        let file = path.display().to_string();
        match load_scenario(path) {
            Ok((scenario, _)) => {
                let plan = Plan::new(&scenario, &hosts, &Selector::default());
                let (cells, run) = (plan.cells.len(), plan.runnable().count());
                let samples = plan.estimate(&scenario).samples;
                let purpose = scenario.description.clone().unwrap_or_default();
                let numbers = [cells.to_string(), run.to_string(), samples.to_string()];
                let [cells_text, run_text, samples_text] = &numbers;
                table.add_row([&file, cells_text, run_text, samples_text, &purpose]);
                list.push(json!({
                    "file": file, "name": scenario.name, "description": scenario.description,
                    "cells": cells, "runnable": run, "samples": samples,
                }));
            }
            Err(error) => {
                text += &format!("\nerror: {error}");
                list.push(json!({ "file": file, "error": error.to_string() }));
            }
        }
    }
    align_right(&mut table, 1..4);
    if paths.is_empty() {
        text += &format!("{} in {}\n", count(0, "scenario"), folder.display());
    }
    Ok((lines(&table) + &text, json!({ "schema": SCHEMA, "scenarios": list })))
}

fn join<T: Display>(items: impl IntoIterator<Item = T>) -> String {
    items.into_iter().map(|item| item.to_string()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use lumos_testkit::plans::hosts;

    use super::*;

    #[test]
    fn targets_say_what_they_can_and_what_they_lack() {
        let mut hosts = hosts();
        hosts.push(Host {
            path: "lumos-host-broken".into(),
            result: Err("lumos-host-broken capabilities: exit status: 127".to_owned()),
        });
        let (text, json) = targets(&hosts);
        // The table is as wide as the terminal; what stands below it is not.
        let (table, reasons) = text.split_once("\n\n").unwrap();
        assert!(
            table.contains("wasmtime-aot  yes") && table.contains("wasmtime-jit  no"),
            "{text}"
        );
        insta::assert_snapshot!(reasons, @r"
        wasmtime-jit: no JIT here: install it
        broken: lumos-host-broken capabilities: exit status: 127
        wasmedge: lumos-host-wasmedge is not in the folder of lumos: run ./scripts/setup.sh and ./scripts/build.sh
        ");
        assert_eq!(json["targets"][2]["available"], false);
        assert_eq!(json["absent"][0]["runtime"], "broken");
    }

    #[test]
    fn a_broken_scenario_does_not_hide_the_others() {
        let folder = tempfile::tempdir().unwrap();
        let good = "name = \"good\"\n[matrix]\nfunctions = [\"noop\"]\nsizes = [\"tiny\"]\n\
                    targets = [\"native\"]\nstart = [\"warm\"]\n";
        std::fs::write(folder.path().join("good.toml"), good).unwrap();
        std::fs::write(folder.path().join("bad.toml"), good.replace("noop", "nopp")).unwrap();
        let (text, json) = scenarios(folder.path()).unwrap();
        assert!(text.contains("good.toml") && text.contains("bad.toml:3:14"), "{text}");
        assert_eq!(json["scenarios"][1]["cells"], 1);
        assert!(json["scenarios"][0]["error"].as_str().unwrap().contains("did you mean `noop`"));
    }
}

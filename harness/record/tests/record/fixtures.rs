//! A small run.

use std::path::{Path, PathBuf};

use lumos_model::SCHEMA;
use lumos_model::cell::{Cell, Demand, Isolation, Size, Start, Storage};
use lumos_model::counters::Counters;
use lumos_model::health::BlockHealth;
use lumos_model::manifest::RunManifest;
use lumos_model::row::{Outcome, Row, Sample, Times};
use lumos_model::telemetry::BlockTelemetry;
use lumos_record::RunWriter;
use serde_json::json;

pub const SCENARIO: &str = "name = \"test\"\n";

pub fn cell() -> Cell {
    Cell {
        function: "noop".to_owned(),
        size: Size::Tiny,
        target: "native".parse().unwrap(),
        isolation: Isolation::Process,
        storage: Storage::Inline,
        demand: Demand::Each(Start::Warm),
    }
}

pub fn row(block: u32, seq: u32) -> Row {
    let times = Times { intended_ns: 1_000, total_ns: 100 };
    Row {
        schema: SCHEMA,
        cell: cell(),
        block,
        order: block,
        control: false,
        taints: Vec::new(),
        sample: Sample::unserved(seq, Start::Warm, Outcome::Ok, times),
    }
}

pub fn block(block: u32) -> BlockTelemetry {
    BlockTelemetry {
        schema: SCHEMA,
        cell: cell(),
        block,
        order: block,
        control: false,
        rows: 2,
        wall_ms: 1,
        lost: None,
        error: None,
        instances: Vec::new(),
        host: Counters::default(),
        host_cgroup: None,
        health: BlockHealth::default(),
        taints: Vec::new(),
        pool: None,
    }
}

pub fn manifest(seed: u64) -> RunManifest {
    serde_json::from_value(json!({
        "schema": 2, "name": "test", "started": "2026-11-25T00:00:00Z", "lumos": "0.1.0",
        "seed": seed, "versions": {}, "artifacts": [], "inputs_sha256": {}, "proofs": [],
        "outputs": [], "options": {}, "cells": [],
    }))
    .unwrap()
}

/// A run directory in `parent` with two complete blocks of two rows each.
pub fn run_of_two_blocks(parent: &Path) -> PathBuf {
    let dir = parent.join("out");
    let mut writer = RunWriter::create(&dir, SCENARIO, None, &manifest(42)).unwrap();
    for number in 0..2 {
        writer.append(&[row(number, 0), row(number, 1)], &block(number)).unwrap();
    }
    dir
}

/// Appends `text` to the file `name` of a run directory.
pub fn append(dir: &Path, name: &str, text: &str) {
    let path = dir.join(name);
    let mut content = std::fs::read_to_string(&path).unwrap();
    content.push_str(text);
    std::fs::write(path, content).unwrap();
}

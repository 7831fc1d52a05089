//! Turns a `manifest.json` of schema 1 into one of schema 2.

use serde_json::{Map, Value, json};

/// Replaces the texts of schema 1 with facts.
///
/// Schema 1 had an object `report` with the sentences of the report. Facts are recovered from
/// them where the sentences state them. The machine and the artifacts have other fields, so
/// their sentences are dropped.
pub(crate) fn upgrade(manifest: &mut Value) {
    let Some(manifest) = manifest.as_object_mut() else { return };
    let Some(Value::Object(report)) = manifest.remove("report") else { return };
    if let Some(redis) = report.get("redis").and_then(Value::as_str) {
        let version = redis.split_once(" (").map_or(redis, |(version, _)| version);
        let own = redis.contains("started by lumos");
        manifest.insert("redis".into(), json!({ "version": version, "own": own }));
    }
    if let Some(Value::Object(settings)) = report.get("settings") {
        let pairs = settings.iter().map(|(target, text)| (target.clone(), settings_of(text)));
        manifest.insert("settings".into(), Value::Object(pairs.collect()));
    }
    if let Some(refused) = report.get("refused") {
        manifest.insert("refused".into(), refused.clone());
    }
    manifest.insert("warnings".into(), warnings(&report));
}

/// `key: value; key: value` as an object.
fn settings_of(text: &Value) -> Value {
    let pairs = text.as_str().unwrap_or_default().split("; ");
    let pair = |pair: &str| {
        let (key, value) = pair.split_once(": ")?;
        Some((key.to_owned(), Value::from(value)))
    };
    Value::Object(pairs.filter_map(pair).collect::<Map<String, Value>>())
}

/// Warnings and gate failures, which were sentences alike.
fn warnings(report: &Map<String, Value>) -> Value {
    let texts = |key: &str| -> Vec<&str> {
        let list = report.get(key).and_then(Value::as_array);
        list.into_iter().flatten().filter_map(Value::as_str).collect()
    };
    let failures = texts("gate_failures").into_iter();
    let failures = failures.map(|text| format!("stopped at the gate: {text}"));
    let warnings = texts("warnings").into_iter().map(str::to_owned);
    warnings.chain(failures).map(|text| json!({ "kind": "text", "text": text })).collect()
}

#[cfg(test)]
mod tests {
    use lumos_model::manifest::RunManifest;
    use lumos_model::warning::Warning;

    use super::*;

    #[test]
    fn sentences_of_schema_1_become_facts() {
        let mut manifest = json!({
            "schema": 1, "name": "quick", "started": "2026-11-25T00:00:00Z", "lumos": "0.1.0",
            "seed": 42, "versions": {}, "artifacts": [], "inputs_sha256": {}, "proofs": [],
            "outputs": [], "options": {}, "cells": [],
            "report": {
                "title": "quick", "redis": "7.0.15 (started by lumos)",
                "settings": {"wasmtime-aot": "opt-level: speed; simd: off"},
                "refused": [], "gate_failures": ["noop native: no proof"],
                "warnings": ["a governor"],
            },
        });
        upgrade(&mut manifest);
        let manifest: RunManifest = serde_json::from_value(manifest).unwrap();
        let redis = manifest.redis.unwrap();
        assert_eq!((redis.version.as_str(), redis.own), ("7.0.15", true));
        assert_eq!(manifest.settings[&"wasmtime-aot".parse().unwrap()]["simd"], "off");
        let text = |text: &str| Warning::Text { text: text.to_owned() };
        let expected = [text("a governor"), text("stopped at the gate: noop native: no proof")];
        assert_eq!(manifest.warnings, expected);
    }
}

//! Reads `manifest.json`, of this version and of earlier ones.

use std::path::Path;

use lumos_model::files::MANIFEST;
use lumos_model::manifest::{MANIFEST_SCHEMA, RunManifest};
use serde_json::{Map, Value, json};

use crate::error::RecordError;

/// The manifest of the run in `dir`; `None`: it has none.
///
/// # Errors
/// When it cannot be read, is damaged, or was written by a later `lumos`.
pub(crate) fn read(dir: &Path) -> Result<Option<RunManifest>, RecordError> {
    let path = dir.join(MANIFEST);
    let bytes = match std::fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(RecordError::Read { path, source }),
    };
    let damaged = |source| RecordError::Damaged { path: path.clone(), source };
    let mut value: Value = serde_json::from_slice(&bytes).map_err(damaged)?;
    let schema = value.get("schema").and_then(Value::as_u64).unwrap_or_default();
    if schema > u64::from(MANIFEST_SCHEMA) {
        let found = u32::try_from(schema).unwrap_or(u32::MAX);
        return Err(RecordError::Later { path, line: None, found, known: MANIFEST_SCHEMA });
    }
    if schema < 2 {
        facts_from_texts(&mut value);
    }
    serde_json::from_value(value).map(Some).map_err(damaged)
}

/// Schema 1 held an object `report` with the report's texts. They become facts as far as the
/// texts tell them; the machine's line and the artifacts' lines follow from other facts.
fn facts_from_texts(manifest: &mut Value) {
    let Some(manifest) = manifest.as_object_mut() else { return };
    let Some(Value::Object(report)) = manifest.remove("report") else { return };
    let texts = |key: &str| -> Vec<String> {
        let list = report.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
        list.into_iter().filter_map(|text| text.as_str().map(str::to_owned)).collect()
    };
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
    let warnings: Vec<Value> = texts("warnings")
        .into_iter()
        .chain(
            texts("gate_failures").into_iter().map(|text| format!("stopped at the gate: {text}")),
        )
        .map(|text| json!({ "kind": "text", "text": text }))
        .collect();
    manifest.insert("warnings".into(), Value::Array(warnings));
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

#[cfg(test)]
mod tests {
    use lumos_model::warning::Warning;

    use super::*;

    #[test]
    fn the_first_schema_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let manifest = json!({
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
        std::fs::write(dir.path().join(MANIFEST), manifest.to_string()).unwrap();
        let read = read(dir.path()).unwrap().unwrap();
        let redis = read.redis.unwrap();
        assert_eq!((redis.version.as_str(), redis.own), ("7.0.15", true));
        assert_eq!(read.settings[&"wasmtime-aot".parse().unwrap()]["simd"], "off");
        let text = |text: &str| Warning::Text { text: text.to_owned() };
        let expected = [text("a governor"), text("stopped at the gate: noop native: no proof")];
        assert_eq!(read.warnings, expected);
    }

    #[test]
    fn a_later_schema_is_refused_and_none_is_none() {
        let dir = tempfile::tempdir().unwrap();
        assert!(read(dir.path()).unwrap().is_none());
        std::fs::write(dir.path().join(MANIFEST), r#"{"schema": 99}"#).unwrap();
        let error = read(dir.path()).unwrap_err().to_string();
        assert!(error.contains("schema 99"), "{error}");
        std::fs::write(dir.path().join(MANIFEST), "{").unwrap();
        assert!(read(dir.path()).unwrap_err().to_string().ends_with("is damaged"));
    }
}

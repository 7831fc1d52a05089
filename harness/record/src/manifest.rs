//! Reads `manifest.json`, of this version and of earlier ones.

use std::io::ErrorKind;
use std::path::Path;

use lumos_model::files::MANIFEST;
use lumos_model::manifest::{MANIFEST_SCHEMA, RunManifest};
use serde_json::Value;

use crate::error::RecordError;
use crate::schema_1;

/// The manifest of the run in `dir`; `None` when there is none.
pub(crate) fn read(dir: &Path) -> Result<Option<RunManifest>, RecordError> {
    let path = dir.join(MANIFEST);
    let bytes = match std::fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(RecordError::Read { path, source }),
    };
    let damaged = |source| RecordError::Damaged { path: path.clone(), source };
    // A later version may have other fields, so its number is read before them.
    let mut value: Value = serde_json::from_slice(&bytes).map_err(damaged)?;
    let schema = value.get("schema").and_then(Value::as_u64).unwrap_or_default();
    if schema > u64::from(MANIFEST_SCHEMA) {
        let found = u32::try_from(schema).unwrap_or(u32::MAX);
        return Err(RecordError::Later { path, line: None, found, known: MANIFEST_SCHEMA });
    }
    if schema < 2 {
        schema_1::upgrade(&mut value);
    }
    serde_json::from_value(value).map(Some).map_err(damaged)
}

//! `lumos list functions`.

use lumos_inputs::{FunctionInfo, Size};
use lumos_model::SCHEMA;
use lumos_model::artifact::Artifact;
use lumos_runner::artifacts::Artifacts;
use serde_json::{Value, json};

use super::listing::Listing;
use crate::text::{Table, join};

/// The functions, with what of `artifacts` is built of them.
pub(super) fn list(artifacts: anyhow::Result<Artifacts>) -> Listing {
    let mut table = Table::new(["function", "what it does", "tiny .. large", "unit", "built"]);
    let mut list = Vec::new();
    for function in lumos_inputs::functions() {
        let all = artifacts.as_ref().map(|artifacts| &artifacts.manifest().artifacts[..]);
        let built: Vec<&Artifact> = all
            .unwrap_or_default()
            .iter()
            .filter(|artifact| artifact.function == function.krate)
            .collect();
        let sizes = join(Size::ALL.iter().filter_map(|size| function.amount(*size)));
        let forms = join(built.iter().map(|built| &built.form));
        table.row([function.name, function.description, &sizes, function.unit, &forms]);
        list.push(entry(function, &built));
    }
    let problem = artifacts.err().map(|error| format!("\n{error}\n")).unwrap_or_default();
    Listing { text: table.lines() + &problem, json: json!({ "schema": SCHEMA, "functions": list }) }
}

fn entry(function: &FunctionInfo, built: &[&Artifact]) -> Value {
    let size = |size: Size| json!({ "size": size.name(), "amount": function.amount(size) });
    json!({
        "name": function.name,
        "description": function.description,
        "unit": function.unit,
        "has_input": function.has_input,
        "has_output": function.has_output,
        "sizes": Size::ALL.map(size),
        "artifacts": built,
    })
}

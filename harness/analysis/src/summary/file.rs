//! The cells of `summary.json`: one list per kind of demand.

use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serializer};

use super::cell::{CellSummary, Numbers};

/// `cells`, and `load` if any cell is under load.
pub(super) fn serialize<S: Serializer>(
    cells: &[CellSummary],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let (mut each, mut load) = (Vec::new(), Vec::new());
    for cell in cells {
        match cell.numbers {
            Numbers::Each(_) => each.push(cell),
            Numbers::Load(_) => load.push(cell),
        }
    }
    let mut map = serializer.serialize_map(None)?;
    map.serialize_entry("cells", &each)?;
    if !load.is_empty() {
        map.serialize_entry("load", &load)?;
    }
    map.end()
}

#[derive(Deserialize)]
struct Lists {
    cells: Vec<CellSummary>,
    #[serde(default)]
    load: Vec<CellSummary>,
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<CellSummary>, D::Error> {
    let Lists { mut cells, load } = Lists::deserialize(deserializer)?;
    cells.extend(load);
    cells.sort_by(|a, b| a.cell.cmp(&b.cell));
    Ok(cells)
}

//! How far unchanged things differ from themselves, within each run and between both.

use lumos_model::artifact::Form;
use lumos_model::cell::Cell;
use lumos_stats::{NoiseFloor, ratio_of_blocks, ratio_of_runs};
use serde::Serialize;

use super::side::Side;
use crate::gather::GatheredCell;
use crate::method::{LEVEL, floor_plan};
use crate::metric::Metric;
use crate::pairing::paired;

/// The noise of one metric. Each floor is the farther end of a 95 % interval of `native` over
/// `native`.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct MetricNoise {
    /// The highest of those below; 0 when there are none.
    pub floor: NoiseFloor,
    /// Within the base run: its widest control pair.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base: Option<NoiseFloor>,
    /// Within the new run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new: Option<NoiseFloor>,
    /// Between the runs: their control cells, when `lumos` and the executable are the same in
    /// both. It shows the drift of the machine from run to run, which the control pair of one
    /// run cannot show.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub between: Option<NoiseFloor>,
    /// The ratio of these control cells, new over base.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shift: Option<f64>,
}

impl MetricNoise {
    /// The noise of `metric`. A metric that the control lacks, such as the cold starts of a
    /// warm control, has the noise of the totals.
    pub(super) fn of(base: &Side, new: &Side, metric: Metric) -> Self {
        let mut cells = base.gathered.cells.values().chain(new.gathered.cells.values());
        let metric = match cells.any(|cell| !cell.control.by_block(metric).is_empty()) {
            true => metric,
            false => Metric::Total,
        };
        let [of_base, of_new] = [base, new].map(|side| {
            let pairs = side.gathered.cells.values().filter_map(|cell| within(cell, metric));
            pairs.reduce(NoiseFloor::max)
        });
        let (shift, between) = between(base, new, metric).unzip();
        let known = [of_base, of_new, between].into_iter().flatten();
        let floor = known.fold(NoiseFloor::UNKNOWN, NoiseFloor::max);
        Self { floor, base: of_base, new: of_new, between, shift }
    }
}

/// The floor of a cell's control pair, over paired blocks as in the run's summary.
fn within(cell: &GatheredCell, metric: Metric) -> Option<NoiseFloor> {
    let blocks = paired(&cell.own.by_block(metric), &cell.control.by_block(metric));
    NoiseFloor::from_control(&ratio_of_blocks(&blocks, &floor_plan()).ok()?).ok()
}

/// The control cells of one run against those of the other: ratio and floor of the cell that
/// moved most.
fn between(base: &Side, new: &Side, metric: Metric) -> Option<(f64, NoiseFloor)> {
    let is_same_lumos = base.manifest.lumos == new.manifest.lumos && same_commit(base, new);
    let is_unchanged = |cell: &&Cell| is_same_lumos && same_executable(base, new, &cell.function);
    let has_control = |cell: &&Cell| base.gathered.cells[*cell].control.samples.len() > 0;
    let cells = base.common(new).filter(has_control).filter(is_unchanged);
    let floors = cells.filter_map(|cell| {
        let all = |side: &Side| {
            let of = &side.gathered.cells[cell];
            let blocks = [of.own.by_block(metric), of.control.by_block(metric)];
            let blocks = blocks.into_iter().flat_map(|blocks| blocks.into_values());
            blocks.map(|block| block.into_owned()).collect::<Vec<_>>()
        };
        let found = ratio_of_runs(&all(base), &all(new), LEVEL).ok()?;
        Some((found.estimate(), NoiseFloor::from_control(&found).ok()?))
    });
    floors.max_by(|(_, a), (_, b)| a.fraction().total_cmp(&b.fraction()))
}

fn same_commit(base: &Side, new: &Side) -> bool {
    let git = |side: &Side| side.manifest.fingerprint.as_ref().and_then(|print| print.git.clone());
    git(base) == git(new)
}

fn same_executable(base: &Side, new: &Side, function: &str) -> bool {
    let hash = |side: &Side| {
        let mut artifacts = side.manifest.artifacts.iter();
        let native = artifacts.find(|a| a.function == function && a.form.0 == Form::NATIVE);
        native.map(|artifact| artifact.sha256.clone())
    };
    hash(base) == hash(new)
}

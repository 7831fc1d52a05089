//! What the checks need of a run's rows and telemetry.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use lumos_model::cell::{Cell, Isolation, Size, Start, Storage};
use lumos_model::phase::Phase;
use lumos_model::row::{Outcome, Row};
use serde_json::Value;

/// The CPU clock is read outside of the total, and each reading takes CPU time itself.
const CLOCKS_NS: u64 = 1_000;

/// A block: cell, number, whether it is the control's.
pub type BlockId = (Cell, u32, bool);

/// Rows and telemetry, taken in.
#[derive(Debug, Default)]
pub struct Observed {
    /// Position of each block in the run.
    pub orders: BTreeMap<BlockId, u32>,
    /// Hashes of the outputs, by function, size and storage.
    pub outputs: BTreeMap<(String, Size, Storage), BTreeSet<String>>,
    /// CPU time, less that of the readings, over total time of each warm sample that has
    /// one.
    pub cpu_share: BTreeMap<Cell, Vec<f64>>,
    /// Samples, and those among them that connected to the storage.
    pub connected: BTreeMap<Cell, (u64, u64)>,
    /// CPU time of the instances' processes, by block of `process` cells.
    pub process_cpu_ns: BTreeMap<BlockId, u64>,
    /// CPU time of the instances' control groups, by block of `process` cells.
    pub group_cpu_ns: BTreeMap<BlockId, u64>,
}

impl Observed {
    /// Takes a row.
    pub fn add(&mut self, row: &Row) {
        let (cell, sample) = (&row.cell, &row.sample);
        let id = (cell.clone(), row.block, row.control);
        if cell.isolation == Isolation::Process && cell.start == Start::Warm {
            *self.process_cpu_ns.entry(id.clone()).or_default() += sample.cpu_ns.unwrap_or(0);
        }
        self.orders.entry(id).or_insert(row.order);
        if sample.outcome != Outcome::Ok {
            return;
        }
        if let Some(hash) = &sample.output_sha256 {
            let place = (cell.function.clone(), cell.size, cell.storage);
            let hashes = self.outputs.entry(place).or_default();
            if !hashes.contains(hash) {
                hashes.insert(hash.clone());
            }
        }
        if let (Some(cpu), Start::Warm) = (sample.cpu_ns, cell.start) {
            let share = cpu.saturating_sub(CLOCKS_NS) as f64 / sample.total_ns.max(1) as f64;
            self.cpu_share.entry(cell.clone()).or_default().push(share);
        }
        let (samples, connected) = self.connected.entry(cell.clone()).or_default();
        *samples += 1;
        *connected += u64::from(sample.phases_ns.get(Phase::IoConnect) > 0);
    }

    /// Reads the control groups' counters from the run's telemetry; what is not there or
    /// cannot be read stays unknown.
    pub fn read_telemetry(&mut self, dir: &Path) {
        let text = std::fs::read_to_string(dir.join("telemetry.jsonl")).unwrap_or_default();
        for line in text.lines().filter_map(|line| serde_json::from_str(line).ok()) {
            if let Some((id, cpu_ns)) = group_cpu(&line) {
                self.group_cpu_ns.insert(id, cpu_ns);
            }
        }
    }
}

/// The block of a line of telemetry, and the CPU time of its instances' groups.
fn group_cpu(line: &Value) -> Option<(BlockId, u64)> {
    let cell = serde_json::from_value(line["cell"].clone()).ok()?;
    let block = u32::try_from(line["block"].as_u64()?).ok()?;
    let control = line["control"].as_bool().unwrap_or(false);
    let groups = line["instances"].as_array()?;
    let cpu_ns = groups.iter().map(|group| {
        let us = group["cpu_usage_us"].as_u64().map(|us| us * 1_000);
        group["cpu_usage_ns"].as_u64().or(us)
    });
    Some(((cell, block, control), cpu_ns.sum::<Option<u64>>().filter(|_| !groups.is_empty())?))
}

//! What the checks need from a run's rows and telemetry.

use std::collections::{BTreeMap, BTreeSet};

use lumos_model::cell::{Cell, Isolation, Size, Start, Storage};
use lumos_model::counters::Counters;
use lumos_model::phase::Phase;
use lumos_model::row::{BlockId, Outcome, Row};
use lumos_model::telemetry::BlockTelemetry;

/// CPU time of reading the CPU clock, which happens outside of the total.
const CLOCKS_NS: u64 = 1_000;

/// Takes rows and telemetry, in any order.
#[derive(Debug, Default)]
pub(crate) struct Observed {
    /// Position of each block in the run.
    pub orders: BTreeMap<BlockId, u32>,
    /// Hashes of the outputs, by function, size and storage.
    pub outputs: BTreeMap<(String, Size, Storage), BTreeSet<String>>,
    /// CPU time, without that of reading the clock, over total time of each warm sample whose
    /// CPU time is known.
    pub cpu_share: BTreeMap<Cell, Vec<f64>>,
    /// Number of samples, and how many of them connected to the storage.
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
        let id = row.block_id();
        if cell.isolation == Isolation::Process && cell.start() == Start::Warm {
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
        if let (Some(cpu), Start::Warm) = (sample.cpu_ns, cell.start()) {
            let share = cpu.saturating_sub(CLOCKS_NS) as f64 / sample.total_ns.max(1) as f64;
            self.cpu_share.entry(cell.clone()).or_default().push(share);
        }
        let (samples, connected) = self.connected.entry(cell.clone()).or_default();
        *samples += 1;
        *connected += u64::from(sample.phases_ns.get(Phase::IoConnect) > 0);
    }

    /// Takes a block's telemetry: the counters of the instances' control groups.
    pub fn add_block(&mut self, block: &BlockTelemetry) {
        let groups = block.instances.iter().map(Counters::group_cpu_ns);
        let cpu_ns: Option<u64> = groups.sum();
        if let Some(cpu_ns) = cpu_ns.filter(|_| !block.instances.is_empty()) {
            self.group_cpu_ns.insert(block.block_id(), cpu_ns);
        }
    }
}

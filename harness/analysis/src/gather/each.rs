//! The values of an invocation in a cell that is measured one invocation at a time.

use lumos_model::row::Row;

use crate::metric::Metric;

pub(super) fn values(row: &Row) -> impl Iterator<Item = (Metric, u64)> {
    let sample = &row.sample;
    let is_cold = row.cell.start().is_cold();
    let known = [
        Some((Metric::Total, sample.total_ns)),
        is_cold.then(|| (Metric::ColdStart, sample.phases_ns.cold_start())),
        sample.cpu_ns.map(|ns| (Metric::Cpu, ns)),
        sample.memory_peak_bytes.map(|bytes| (Metric::MemoryPeak, bytes)),
        sample.linear_memory_bytes.map(|bytes| (Metric::LinearMemory, bytes)),
    ];
    let phases = sample.phases_ns.iter().map(|(phase, ns)| (Metric::Phase(phase), ns));
    known.into_iter().flatten().chain(phases)
}

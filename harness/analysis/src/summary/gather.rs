//! Takes rows one by one and keeps what the statistics need of them.

use std::collections::{BTreeMap, HashMap};

use lumos_model::SCHEMA;
use lumos_model::cell::{Cell, Start};
use lumos_model::phase::Phase;
use lumos_model::row::{Outcome, Row, Taint};
use lumos_model::telemetry::BlockTelemetry;
use lumos_stats::Margin;

use super::load::{self, GatheredLoad};
use super::{Failure, LoadSummary, Summary, compare, describe};

/// Rows, taken in. A row costs some hundred bytes and not the five hundred of its line.
#[derive(Debug, Default)]
pub struct Gather {
    rows: u64,
    cells: HashMap<Cell, Gathered>,
    load: HashMap<Cell, GatheredLoad>,
}

impl Gather {
    /// Takes a row.
    pub fn add(&mut self, row: &Row) {
        self.rows += 1;
        if row.cell.load().is_some() {
            if !self.load.contains_key(&row.cell) {
                self.load.insert(row.cell.clone(), GatheredLoad::default());
            }
            self.load.get_mut(&row.cell).expect("inserted above").add(row);
            return;
        }
        if !self.cells.contains_key(&row.cell) {
            self.cells.insert(row.cell.clone(), Gathered::default());
        }
        let gathered = self.cells.get_mut(&row.cell).expect("inserted above");
        match row.control {
            true => gathered.add_control(row),
            false => gathered.add(row),
        }
    }

    /// Whether any row is of a cell under load.
    pub fn has_load(&self) -> bool {
        !self.load.is_empty()
    }

    /// Takes a block's telemetry: under load it knows the pool, which no row does.
    pub fn add_block(&mut self, block: &BlockTelemetry) {
        if let Some(load) = self.load.get_mut(&block.cell) {
            load.add_block(block);
        }
    }

    /// Computes the summary; `seed` is that of the bootstrap.
    pub fn finish(self, seed: u64) -> Summary {
        let margin = Margin::default();
        let mut cells: BTreeMap<Cell, Gathered> = self.cells.into_iter().collect();
        let load: BTreeMap<Cell, GatheredLoad> = self.load.into_iter().collect();
        cells.extend(load.iter().map(|(cell, load)| (cell.clone(), load.medians())));
        let floor = compare::noise_floor(&cells, seed);
        let judge = compare::Judge { cells: &cells, floor: floor.as_ref().ok(), margin, seed };
        let is_ordinary = |cell: &Cell, g: &Gathered| cell.load().is_none() && g.was_measured();
        let measured: Vec<_> = cells.iter().filter(|(cell, g)| is_ordinary(cell, g)).collect();
        let summaries = in_parallel(&measured, |&(cell, gathered)| {
            let mut summary = describe::cell(cell, gathered, seed);
            match judge.ratio_to_native(cell, gathered) {
                Some(Ok(ratio)) => summary.ratio_to_native = Some(ratio),
                Some(Err(why)) => summary.why_no_ratio = Some(why),
                None => {}
            }
            summary
        });
        let under_load: Vec<_> = load.iter().filter(|(_, load)| load.was_measured()).collect();
        let load = in_parallel(&under_load, |&(cell, load)| {
            compare_load(load::describe(cell, load), &cells, &judge, seed)
        });
        let (noise_floor, why_no_noise_floor) = match floor {
            Ok(floor) => (Some(floor), None),
            Err(why) => (None, Some(why)),
        };
        Summary {
            schema: SCHEMA,
            seed,
            margin: margin.fraction(),
            rows: self.rows,
            noise_floor,
            why_no_noise_floor,
            cells: summaries,
            load,
        }
    }
}

/// Adds what a cell under load is compared with.
fn compare_load(
    mut summary: LoadSummary,
    cells: &BTreeMap<Cell, Gathered>,
    judge: &compare::Judge,
    seed: u64,
) -> LoadSummary {
    let Some(own) = cells.get(&summary.cell) else { return summary };
    match judge.ratio_to_native(&summary.cell, own) {
        Some(Ok(ratio)) => summary.ratio_to_native = Some(ratio),
        Some(Err(why)) => summary.why_no_ratio = Some(why),
        None => {}
    }
    let direct = load::direct(&summary.cell).and_then(|direct| cells.get(&direct));
    summary.http_minus_direct =
        direct.and_then(|direct| load::difference(&own.total, &direct.total, seed));
    summary
}

/// What is kept of one cell's rows.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    /// `total_ns` of the counted samples, by block.
    pub total: Blocks,
    /// `total_ns` of the control's counted samples, by block.
    pub control: Blocks,
    /// Each phase's times in the samples where it occurred.
    pub phases: BTreeMap<Phase, Vec<f64>>,
    /// Cold-start times of the counted samples.
    pub cold_start: Vec<f64>,
    /// CPU times of the counted samples that have one.
    pub cpu: Vec<f64>,
    /// Peak memory of the counted samples that have it, in bytes.
    pub memory_peak: Vec<f64>,
    /// Linear memory of the counted samples that have it, in bytes.
    pub linear_memory: Vec<f64>,
    /// Rows with another start kind than the cell's.
    pub wrong_start: usize,
    /// Counted samples with any taint.
    pub tainted: usize,
    /// Counted samples with each taint.
    pub taints: BTreeMap<Taint, usize>,
    failures: BTreeMap<Outcome, Failures>,
}

/// Times in nanoseconds, by block.
pub(super) type Blocks = BTreeMap<u32, Vec<f64>>;

#[derive(Debug, Default)]
pub(super) struct Failures {
    count: usize,
    /// Block, position and message of the first.
    first: Option<(u32, u32, String)>,
}

impl Failures {
    pub fn add(&mut self, row: &Row) {
        self.count += 1;
        if let Some(message) = &row.sample.error {
            let this = (row.block, row.sample.seq, message);
            if self.first.as_ref().is_none_or(|(b, s, m)| this < (*b, *s, m)) {
                self.first = Some((this.0, this.1, message.clone()));
            }
        }
    }

    pub fn summary(&self) -> Failure {
        Failure {
            count: self.count,
            example: self.first.as_ref().map(|(_, _, message)| message.clone()),
        }
    }
}

impl Gathered {
    /// Totals alone, for a comparison.
    pub fn of_totals(total: Blocks, control: Blocks) -> Self {
        Self { total, control, ..Self::default() }
    }

    fn add(&mut self, row: &Row) {
        let sample = &row.sample;
        match counted(row) {
            Counted::Yes => {}
            Counted::WrongStart => return self.wrong_start += 1,
            Counted::Failed => return self.add_failure(row),
        }
        self.tainted += usize::from(!row.taints.is_empty());
        for taint in &row.taints {
            *self.taints.entry(*taint).or_default() += 1;
        }
        self.total.entry(row.block).or_default().push(sample.total_ns as f64);
        for (phase, ns) in sample.phases_ns.iter() {
            self.phases.entry(phase).or_default().push(ns as f64);
        }
        if row.cell.start().is_cold() {
            self.cold_start.push(sample.phases_ns.cold_start() as f64);
        }
        self.cpu.extend(sample.cpu_ns.map(|ns| ns as f64));
        self.memory_peak.extend(sample.memory_peak_bytes.map(|bytes| bytes as f64));
        self.linear_memory.extend(sample.linear_memory_bytes.map(|bytes| bytes as f64));
    }

    fn add_control(&mut self, row: &Row) {
        if let Counted::Yes = counted(row) {
            self.control.entry(row.block).or_default().push(row.sample.total_ns as f64);
        }
    }

    fn add_failure(&mut self, row: &Row) {
        self.failures.entry(row.sample.outcome).or_default().add(row);
    }

    /// Whether any row but the control's was seen.
    fn was_measured(&self) -> bool {
        !self.total.is_empty() || !self.failures.is_empty() || self.wrong_start > 0
    }

    /// The failures, by how they ended.
    pub fn failures(&self) -> BTreeMap<Outcome, Failure> {
        self.failures.iter().map(|(outcome, f)| (*outcome, f.summary())).collect()
    }
}

/// What a row is to its cell.
pub enum Counted {
    /// It counts.
    Yes,
    /// Served, with another start kind than the cell's.
    WrongStart,
    /// It failed.
    Failed,
}

/// Whether a row counts for its cell. The start kind is checked and not believed.
pub fn counted(row: &Row) -> Counted {
    match row.sample.outcome {
        // Under load the pool decides how a request starts.
        Outcome::Ok if row.cell.start() == Start::Mixed => Counted::Yes,
        Outcome::Ok if row.sample.start_kind == row.cell.start() => Counted::Yes,
        Outcome::Ok | Outcome::WrongStart => Counted::WrongStart,
        _ => Counted::Failed,
    }
}

/// Maps `items` in order, on all cores: the bootstrap of some hundred cells takes a
/// Raspberry Pi's single core half a minute.
fn in_parallel<T: Sync, U: Send>(items: &[T], map: impl Fn(&T) -> U + Sync) -> Vec<U> {
    let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get());
    let share = items.len().div_ceil(cores).max(1);
    std::thread::scope(|scope| {
        let map = &map;
        let workers: Vec<_> = items
            .chunks(share)
            .map(|chunk| scope.spawn(move || chunk.iter().map(map).collect::<Vec<U>>()))
            .collect();
        workers
            .into_iter()
            .flat_map(|worker| worker.join().expect("statistics do not panic"))
            .collect()
    })
}

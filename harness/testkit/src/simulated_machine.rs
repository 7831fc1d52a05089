//! Runs of a simulated machine.

use std::collections::BTreeMap;
use std::path::PathBuf;

use lumos_analysis::compare::Side;
use lumos_analysis::gather::Gather;
use lumos_model::cell::{Cell, Isolation, Start};
use lumos_model::row::{Outcome, Row};
use lumos_scenario::Scenario;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::run_fixtures::{SCENARIO, manifest};
use crate::samples;

/// Blocks of a cell.
const BLOCKS: u32 = 10;
/// Samples of a block.
const SAMPLES: u32 = 5;
/// Noise of a whole block and of a sample, as the sigma of a logarithm.
const NOISE: [f64; 2] = [0.01, 0.02];

/// 24 cells: 6 functions, 2 targets, 2 isolations.
pub fn cells() -> Vec<Cell> {
    let mut cells = Vec::new();
    for function in 0..6 {
        for target in ["native", "wasmtime-aot"] {
            for isolation in [Isolation::Process, Isolation::Thread] {
                let cell = samples::cell(&format!("function-{function}"), target, Start::Warm);
                cells.push(Cell { isolation, ..cell });
            }
        }
    }
    cells
}

/// A machine whose noise is log-normal.
pub struct Machine {
    rng: ChaCha8Rng,
    /// Cells that take longer, with the factor.
    pub slower: BTreeMap<Cell, f64>,
    /// A cell of which every invocation ends with this outcome.
    pub broken: Option<(Cell, Outcome)>,
    /// Whether native is measured against itself.
    pub has_control: bool,
}

impl Machine {
    /// A machine whose noise follows from `seed`.
    pub fn new(seed: u64) -> Self {
        let rng = ChaCha8Rng::seed_from_u64(seed);
        Self { rng, slower: BTreeMap::new(), broken: None, has_control: true }
    }

    /// Roughly standard normal: the sum of twelve uniform numbers.
    fn normal(&mut self) -> f64 {
        (0..12).map(|_| f64::from(self.rng.next_u32()) / f64::from(u32::MAX)).sum::<f64>() - 6.0
    }

    /// The rows of a cell that takes `ns` without noise.
    fn rows(&mut self, cell: &Cell, ns: f64) -> Vec<Row> {
        let [of_block, of_sample] = NOISE;
        let broken = self.broken.as_ref().filter(|(broken, _)| broken == cell);
        let outcome = broken.map_or(Outcome::Ok, |(_, outcome)| *outcome);
        let mut rows = Vec::new();
        for block in 0..BLOCKS {
            let level = of_block * self.normal();
            for seq in 0..SAMPLES {
                let total = ns * (level + of_sample * self.normal()).exp();
                let mut row = samples::row(cell, block, seq, total as u64);
                row.sample.outcome = outcome;
                rows.push(row);
            }
        }
        rows
    }

    /// Measures all cells once.
    pub fn run(&mut self) -> Side {
        let mut gather = Gather::default();
        for (index, cell) in cells().iter().enumerate() {
            let factor = self.slower.get(cell).copied().unwrap_or(1.0);
            let ns = 1e6 * (index + 1) as f64 * factor;
            self.rows(cell, ns).iter().for_each(|row| gather.add(row));
            if self.has_control && index == 0 {
                let control = self.rows(cell, ns).into_iter().map(samples::control);
                control.for_each(|row| gather.add(&row));
            }
        }
        let manifest = serde_json::from_value(manifest()).unwrap();
        let scenario = Scenario::parse(SCENARIO, "scenario.toml".as_ref(), &["fibonacci"]).unwrap();
        Side {
            dir: PathBuf::from("results/simulated"),
            manifest,
            scenario,
            gathered: gather.finish(),
        }
    }
}

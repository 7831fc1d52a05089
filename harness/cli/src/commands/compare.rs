//! `lumos compare`: what changed from one run to another.

use std::io::Write;
use std::path::PathBuf;

use anyhow::bail;
use lumos_analysis::compare::obstacles::obstacles;
use lumos_analysis::compare::{Comparison, Options, Side};
use lumos_analysis::metric::Metric;
use lumos_model::phase::Phase;
use lumos_report::comparison;
use lumos_stats::{Level, Margin};

use super::Exit;
use super::shared::Format;
use crate::terminal::width;

/// Say what became slower or faster from one run to another.
///
/// Exit code: 0 no regression, 1 a cell is confirmed to be slower or does not work any
/// more, 2 the runs cannot be compared.
#[derive(Debug, clap::Args)]
pub struct Compare {
    /// The run directory to compare with.
    base: PathBuf,
    /// The run directory that is judged.
    new: PathBuf,
    /// The smallest change that is called one, when the machine's noise is smaller.
    #[arg(long, value_name = "PERCENT", value_parser = fraction, default_value_t = Percent(Margin::default().fraction()))]
    margin: Percent,
    /// How sure the whole table is: at 95 %, one of twenty comparisons of equal runs may
    /// call any of its cells different.
    #[arg(long, value_name = "PERCENT", value_parser = fraction, default_value_t = Percent(0.95))]
    level: Percent,
    /// What is compared [default: total; also cold_start of cold cells, and per_response, one
    /// over the throughput, of cells under load].
    #[arg(long, value_enum)]
    metric: Option<MetricArgument>,
    /// In which form.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Compare what cannot be compared; the reasons against it are printed.
    #[arg(long)]
    force: bool,
}

/// [`Metric`] on the command line.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
#[value(rename_all = "snake_case")]
enum MetricArgument {
    /// From the intended arrival to the response
    Total,
    /// Provision, load, compile and instantiate together; of cold cells
    ColdStart,
    /// The function's own work
    Compute,
    /// CPU time of the instance
    Cpu,
    /// Time a good response, of cells under load: one over a block's throughput
    PerResponse,
}

impl From<MetricArgument> for Metric {
    fn from(argument: MetricArgument) -> Self {
        match argument {
            MetricArgument::Total => Metric::Total,
            MetricArgument::ColdStart => Metric::ColdStart,
            MetricArgument::Compute => Metric::Phase(Phase::Compute),
            MetricArgument::Cpu => Metric::Cpu,
            MetricArgument::PerResponse => Metric::PerResponse,
        }
    }
}

/// A fraction that people write in percent.
#[derive(Clone, Copy, Debug)]
struct Percent(f64);

impl std::fmt::Display for Percent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}%", self.0 * 100.0)
    }
}

/// `5%` or `5`.
fn fraction(text: &str) -> Result<Percent, String> {
    let number = text.trim().trim_end_matches('%').trim_end();
    match number.parse::<f64>() {
        Ok(percent) if percent.is_finite() => Ok(Percent(percent / 100.0)),
        _ => Err(format!("`{text}` is no percentage: write it as 5%")),
    }
}

impl Compare {
    /// Writes the comparison to `out`.
    ///
    /// # Errors
    /// When a run cannot be read, or both cannot be compared.
    pub fn run(&self, out: &mut dyn Write) -> anyhow::Result<Exit> {
        let options = Options {
            margin: Margin::new(self.margin.0)?,
            level: Level::new(self.level.0)?,
            metrics: match self.metric {
                Some(metric) => vec![metric.into()],
                None => vec![Metric::Total, Metric::ColdStart, Metric::PerResponse],
            },
        };
        let (base, new) = (Side::read(&self.base)?, Side::read(&self.new)?);
        let obstacles = obstacles(&base, &new);
        if !obstacles.is_empty() && !self.force {
            bail!(
                "these runs cannot be compared:\n  {}\nmake both runs alike, or compare them all the \
                 same with --force",
                comparison::obstacles(&obstacles).join("\n  ")
            );
        }
        let comparison = Comparison::new(&base, &new, &options, obstacles);
        match self.format {
            Format::Text => out.write_all(comparison::render(&comparison, width()).as_bytes())?,
            Format::Json => out.write_all(comparison::json(&comparison).as_bytes())?,
        }
        Ok(if comparison.is_regression() { Exit::MeasuredFailure } else { Exit::Done })
    }
}

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

use crate::arguments::Format;
use crate::exit::Exit;
use crate::terminal::width;

/// Show what became slower or faster from one run to another
///
/// Exit code: 0 without a regression, 1 when a cell is confirmed to be slower or no longer works,
/// 2 when the runs cannot be compared.
#[derive(Debug, clap::Args)]
pub(super) struct CompareCommand {
    /// The run directory to compare with
    base: PathBuf,
    /// The run directory to judge
    new: PathBuf,
    /// Ignore changes smaller than this, or smaller than the machine's noise if that is larger
    #[arg(long, value_name = "PERCENT", value_parser = fraction, default_value_t = Percent(Margin::default().fraction()))]
    margin: Percent,
    /// Confidence level of the whole table: at 95%, one in twenty comparisons of equal runs may
    /// report a difference in any cell
    #[arg(long, value_name = "PERCENT", value_parser = fraction, default_value_t = Percent(0.95))]
    level: Percent,
    /// Compare this metric [default: total, also cold_start for cold cells, and per_response for
    /// cells under load]
    #[arg(long, value_enum)]
    metric: Option<MetricArgument>,
    /// Output format
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Compare runs that are not comparable; the reasons are printed
    #[arg(long)]
    force: bool,
}

/// [`Metric`] on the command line.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
#[value(rename_all = "snake_case")]
enum MetricArgument {
    /// From the intended arrival to the response
    Total,
    /// Sum of provision, load, compile and instantiate, for cold cells
    ColdStart,
    /// The function's own work
    Compute,
    /// CPU time of the instance
    Cpu,
    /// Time per successful response (the inverse of the throughput), for cells under load
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

/// A fraction, written in percent.
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
        _ => Err(format!("`{text}` is not a percentage: write 5%")),
    }
}

impl CompareCommand {
    /// Writes the comparison to `out`.
    pub(super) fn run(&self, out: &mut dyn Write) -> anyhow::Result<Exit> {
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
                "these runs cannot be compared:\n  {}\nmake the runs comparable, or compare them anyway \
                 with --force",
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

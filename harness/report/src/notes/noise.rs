//! How far `native` differs from itself.

use lumos_analysis::summary::{ControlPairs, Summary};
use lumos_stats::Band;

use crate::names::point;
use crate::numbers::percent;

/// What the control pairs showed, in a sentence.
pub(crate) fn noise(summary: &Summary) -> String {
    let margin = percent(summary.margin.fraction());
    match (&summary.noise_floor, &summary.why_no_noise_floor) {
        (Some(pairs), _) => {
            let band = Band::new(summary.margin, pairs.widest.floor);
            let limit = match band.width() > pairs.widest.floor.fraction() {
                true => format!("differences below {margin} are not reported"),
                false => "smaller differences are not reported".to_owned(),
            };
            format!("{}; {limit}", of_pairs(pairs))
        }
        (None, why) => {
            let why = why.as_deref().unwrap_or("no control pair");
            format!("unknown: {why}; differences below {margin} are not reported")
        }
    }
}

fn of_pairs(ControlPairs { widest, pairs }: &ControlPairs) -> String {
    let most = percent(widest.floor.fraction());
    if pairs.len() == 1 {
        return format!("control pair: native differs from itself by up to {most}");
    }
    let floors = pairs.iter().map(|pair| pair.floor.fraction());
    let least = percent(floors.fold(f64::INFINITY, f64::min));
    format!(
        "{} control pairs: native differs from itself by up to {most} ({}; the quietest pair by up \
         to {least})",
        pairs.len(),
        point(&widest.cell)
    )
}

//! The comparison of two runs of a simulated machine.

use lumos_analysis::compare::obstacles::obstacles;
use lumos_analysis::compare::{Comparison, Options, Side};
use lumos_analysis::metric::Metric;
use lumos_model::row::Outcome;
use lumos_report::comparison;
use lumos_scenario::scenario::Pinning;
use lumos_stats::{Level, Margin};
use lumos_testkit::simulated_machine::{Machine, cells};

fn compare(base: &Side, new: &Side) -> Comparison {
    let options = Options {
        margin: Margin::default(),
        level: Level::P95,
        metrics: vec![Metric::Total, Metric::ColdStart],
    };
    Comparison::new(base, new, &options, obstacles(base, new))
}

/// Two cells are slower, one faster and one broken in the new run, which also has another
/// seed, another pinning and another `lumos`.
fn changed() -> Comparison {
    let mut machine = Machine::new(1);
    let base = machine.run();
    let [slower, much_slower, faster, broken] = [6, 10, 14, 17].map(|cell| cells()[cell].clone());
    machine.slower.extend([(slower, 1.1), (much_slower, 2.0), (faster, 0.8)]);
    machine.broken = Some((broken, Outcome::Trap));
    let mut new = machine.run();
    new.manifest.seed = 43;
    new.manifest.lumos = "0.2.0".to_owned();
    new.scenario.pinning = Pinning::None;
    compare(&base, &new)
}

#[test]
fn a_terminal_shows_changes_in_full_and_counts_the_rest() {
    insta::assert_snapshot!(comparison::render(&changed(), 120));
}

#[test]
fn equal_runs_have_counts_only() {
    let mut machine = Machine::new(2);
    insta::assert_snapshot!(comparison::render(&compare(&machine.run(), &machine.run()), 80));
}

#[test]
fn json_has_changes_and_obstacles_in_words() {
    let json: serde_json::Value = serde_json::from_str(&comparison::json(&changed())).unwrap();
    assert_eq!(json["changed"], serde_json::json!(["lumos: 0.1.0 -> 0.2.0"]));
    assert_eq!(
        json["warnings"][0],
        "different seed, so different inputs: 42 in the base run, 43 in the new run"
    );
    assert_eq!(json["cells"].as_array().unwrap().len(), 23);
    assert!(json["cells"][0]["base"]["median_ns"].is_u64());
}

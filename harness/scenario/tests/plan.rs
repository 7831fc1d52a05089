//! From scenarios and hosts to cells and blocks.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use lumos_model::cell::{Isolation, Size, Start, Storage};
use lumos_scenario::plan::{Estimate, Plan, disk_bytes};
use lumos_scenario::scenario::{Matrix, Sampling, Scenario, Targets};
use lumos_scenario::selector::Selector;
use lumos_testkit::plans::{FUNCTIONS, LOAD, SMALL, hosts, scenario};
use proptest::prelude::*;

#[test]
fn cells_that_cannot_run_are_listed_with_the_reason() {
    let scenario = scenario(&format!(
        "{SMALL}\n[[exclude]]\nfunction = \"fib*\"\ntarget = \"native\"\nreason = \"too dull\""
    ));
    let plan = Plan::new(&scenario, &hosts(), &Selector::default());
    assert_eq!(plan.cells.len(), 2 * 4 * 2 * 2);
    let reasons: BTreeSet<&str> = plan.refused().map(|(_, reason)| reason).collect();
    insta::assert_snapshot!(reasons.into_iter().collect::<Vec<_>>().join("\n"), @r"
    cold:process needs process isolation: a thread has no process of its own
    excluded by the scenario: too dull
    lumos-host-wasmedge is not in the folder of lumos: run ./scripts/setup.sh and ./scripts/build.sh
    native has no thread isolation
    no JIT here: install it
    ");
    // noop: native 2, wasmtime-aot 3; fibonacci: wasmtime-aot 3.
    assert_eq!(plan.runnable().count(), 8);
}

#[test]
fn a_native_warm_cell_is_the_control() {
    let plan = Plan::new(&scenario(SMALL), &hosts(), &Selector::default());
    let control = plan.control.as_ref().unwrap();
    assert_eq!(control.to_string(), "noop/tiny/native/process/warm/inline");
    let of = |control: bool| {
        let blocks = plan.blocks.iter().filter(|b| Some(&b.cell) == plan.control.as_ref());
        blocks.filter(|b| b.control == control).count()
    };
    assert_eq!((of(true), of(false)), (3, 3));

    let cold_only = "start=cold:*".parse().unwrap();
    let control = Plan::new(&scenario(SMALL), &hosts(), &cold_only).control.unwrap();
    assert_eq!(control.start(), Start::ColdProcess);

    let no_native = "target=wasm*".parse().unwrap();
    assert_eq!(Plan::new(&scenario(SMALL), &hosts(), &no_native).control, None);
}

#[test]
fn all_means_the_targets_of_the_hosts() {
    let scenario = scenario(
        "[matrix]\nfunctions = [\"all\"]\nsizes = [\"tiny\"]\ntargets = [\"all\"]\nstart = [\"warm\"]",
    );
    let plan = Plan::new(&scenario, &hosts(), &Selector::default());
    assert_eq!(plan.cells.len(), FUNCTIONS.len() * 3);
    assert_eq!(plan.runnable().count(), FUNCTIONS.len() * 2);
}

#[test]
fn a_budget_limits_gaps_and_blocks() {
    let text = SMALL.replace("block = 2", "block = 5\ngap = \"100ms\"\nbudget = \"300ms\"");
    let scenario = scenario(&text);
    let filter = "target=native".parse().unwrap();
    let plan = Plan::new(&scenario, &hosts(), &filter);
    // Two functions, cold and warm, and the control.
    assert_eq!(
        plan.estimate(&scenario),
        Estimate {
            blocks: 5,
            samples: 25,
            warmups: 3 * 3,
            gaps: Duration::from_millis(2 * 300),
            budget: Some(Duration::from_millis(5 * 300)),
            load: Duration::ZERO,
        }
    );
}

#[test]
fn a_load_multiplies_cells_and_each_block_is_a_period() {
    let scenario = scenario(&format!(
        "{LOAD}\n[[exclude]]\ntarget = \"wasm*\"\narrival = \"closed-32\"\nkeep_alive = \"0ms\"\n\
         reason = \"too many\""
    ));
    assert_eq!(scenario.load.as_ref().unwrap().pool.max_instances, 32);
    let plan = Plan::new(&scenario, &hosts(), &Selector::default());
    assert_eq!(plan.cells.len(), 2 * 2 * 8);
    assert!(plan.cells.iter().all(|planned| planned.cell.start() == Start::Mixed));
    // Native has no thread isolation: 8 of its 16 run; of the others 4 are excluded.
    assert_eq!(plan.runnable().count(), 8 + 16 - 4);
    let first = "noop/tiny/native/process/mixed/inline/direct/closed-4/keep-alive-0s";
    assert_eq!(plan.control.as_ref().unwrap().to_string(), first);
    assert_eq!(plan.blocks.len(), (20 + 1) * 3);
    assert!(plan.blocks.iter().all(|block| block.samples == 5000));
    let estimate = plan.estimate(&scenario);
    assert_eq!((estimate.blocks, estimate.samples, estimate.warmups), (63, 0, 0));
    assert_eq!(estimate.load, Duration::from_secs(63 * 2));

    let filter = "driver=http,arrival=closed-4,keep_alive=1000ms,isolation=process";
    let part = Plan::new(&scenario, &hosts(), &filter.parse().unwrap());
    assert_eq!(part.cells.len(), 2);
}

#[test]
fn requests_and_disk_space_are_estimated() {
    let toml = LOAD
        .replace("closed", "poisson")
        .replace("concurrency = [4, 32]", "rate = [5, 5000]")
        .replace("keep_alive = [\"0s\", \"1s\"]", "keep_alive = \"1s\"");
    let scenario = scenario(&toml);
    let filter = "target=native,driver=http".parse().unwrap();
    let plan = Plan::new(&scenario, &hosts(), &filter);
    let load = scenario.load.as_ref().unwrap();
    // Two cells and the control, which is the first: 10 requests expected, and 5000 of 10000.
    assert_eq!(plan.most_requests(load), 3 * (10 + 10 + 5000));
    assert_eq!(disk_bytes(3), 2400);
    let capped: Vec<_> =
        plan.capped(load).iter().map(|c| (c.traffic.to_string(), c.expected)).collect();
    assert_eq!(capped, [("poisson-5000".to_owned(), 10_000.0)]);
}

/// A non-empty part of `all`, in the same order.
fn some_of<T: Clone + std::fmt::Debug + 'static>(all: Vec<T>) -> impl Strategy<Value = Vec<T>> {
    let most = all.len();
    proptest::sample::subsequence(all, 1..=most)
}

prop_compose! {
    fn any_scenario()(
        functions in some_of(FUNCTIONS.map(str::to_owned).to_vec()),
        sizes in some_of(Size::ALL.to_vec()),
        targets in some_of(vec!["native", "wasmtime-aot", "wasmtime-jit", "wasmedge-aot"]),
        isolation in some_of(Isolation::ALL.to_vec()),
        start in some_of(Start::ALL[..5].to_vec()),
        storage in some_of(Storage::ALL.to_vec()),
        seed in any::<u64>(),
        repetitions in 1u32..12,
        block in 1u32..12,
        warm in 1u32..12,
    ) -> Scenario {
        let mut scenario = scenario(SMALL);
        scenario.seed = seed;
        scenario.repetitions = repetitions;
        scenario.block = block.min(repetitions);
        scenario.warm = Sampling { repetitions: warm, block: block.min(warm) };
        let targets = targets.iter().map(|t| t.parse().unwrap()).collect();
        let targets = Targets::Named(targets);
        scenario.matrix =
            Matrix { functions, sizes, targets, isolation, start, storage };
        scenario
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn every_cell_is_planned_exactly_once(scenario in any_scenario()) {
        let plan = Plan::new(&scenario, &hosts(), &Selector::default());
        let matrix = &scenario.matrix;
        let Targets::Named(targets) = &matrix.targets else { unreachable!() };
        let product = matrix.functions.len() * matrix.sizes.len() * targets.len()
            * matrix.isolation.len() * matrix.start.len() * matrix.storage.len();
        let distinct: BTreeSet<_> = plan.cells.iter().map(|planned| &planned.cell).collect();
        prop_assert_eq!((plan.cells.len(), distinct.len()), (product, product));

        let mut samples = BTreeMap::new();
        for block in &plan.blocks {
            let length = scenario.sampling(block.cell.start()).block;
            prop_assert!((1..=length).contains(&block.samples));
            let cell = samples.entry((&block.cell, block.control)).or_insert((0, BTreeSet::new()));
            cell.0 += block.samples;
            prop_assert!(cell.1.insert(block.block), "block {} twice", block.block);
        }
        for (cell, _) in plan.refused() {
            prop_assert!(!samples.contains_key(&(cell, false)), "{} is refused and measured", cell);
        }
        for cell in plan.runnable() {
            prop_assert_eq!(samples[&(cell, false)].0, scenario.sampling(cell.start()).repetitions);
        }
        let controls = samples.keys().filter(|(_, control)| *control).count();
        prop_assert_eq!(controls, usize::from(plan.control.is_some()));
        let orders: Vec<u32> = plan.blocks.iter().map(|block| block.order).collect();
        prop_assert_eq!(orders, (0..plan.blocks.len() as u32).collect::<Vec<_>>());
    }

    #[test]
    fn a_seed_determines_the_order(scenario in any_scenario()) {
        let plan = |scenario: &Scenario| Plan::new(scenario, &hosts(), &Selector::default());
        prop_assert_eq!(plan(&scenario), plan(&scenario));
    }

    #[test]
    fn a_filter_only_removes_cells(scenario in any_scenario()) {
        let filter: Selector = "target=*-aot,start=cold:*".parse().unwrap();
        let all = Plan::new(&scenario, &hosts(), &Selector::default());
        let some = Plan::new(&scenario, &hosts(), &filter);
        let kept: Vec<_> = all.cells.into_iter().filter(|c| filter.matches(&c.cell)).collect();
        prop_assert_eq!(some.cells, kept);
    }
}

#[test]
fn another_seed_gives_another_order() {
    let mut scenario = scenario(SMALL);
    let one = Plan::new(&scenario, &hosts(), &Selector::default());
    scenario.seed += 1;
    let two = Plan::new(&scenario, &hosts(), &Selector::default());
    assert_ne!(one.blocks, two.blocks);
    assert_eq!(one.cells, two.cells);
}

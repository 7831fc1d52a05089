//! Cells under load: numbers that were computed by hand, and their reports.

use lumos_analysis::gather::Gather;
use lumos_analysis::summary::{CellSummary, Difference, LoadNumbers, Quantiles, Spread, Summary};
use lumos_model::SCHEMA;
use lumos_model::arrival::{Arrival, Rate, Traffic};
use lumos_model::cell::{Cell, Demand, Driver, LoadPoint, Start};
use lumos_model::counters::{Counter, Counters};
use lumos_model::phase::{Phase, Phases};
use lumos_model::quantity::Unit;
use lumos_model::row::{Outcome, Row};
use lumos_model::telemetry::{Agreement, BlockTelemetry, PoolTelemetry};
use lumos_report::{RunInfo, json, markdown, text};
use lumos_stats::Verdict;
use lumos_testkit::samples::{cell, control, failed, row};

const MS: u64 = 1_000_000;

fn under_load(target: &str, driver: Driver, concurrency: u32, keep_alive: &str) -> Cell {
    let traffic = Traffic { arrival: Arrival::Closed { concurrency }, delayed: None };
    let keep_alive = keep_alive.parse().unwrap();
    let demand = Demand::Load(LoadPoint { driver, traffic, keep_alive });
    Cell { demand, ..cell("noop", target, Start::Warm) }
}

/// A request: when it was to arrive, how long it waited in the queue, how long it was served.
fn request(cell: &Cell, place: (u32, u32), times: [u64; 3], start: Start) -> Row {
    let [intended_ns, queue, service] = times;
    let mut row = row(cell, place.0, place.1, queue + service);
    let mut phases = Phases::default();
    phases.add(Phase::Queue, queue);
    phases.close(queue + service).unwrap();
    row.sample.intended_ns = intended_ns;
    row.sample.start_kind = start;
    row.sample.phases_ns = phases;
    row
}

fn telemetry(cell: &Cell, block: u32, pool: PoolTelemetry, peaks: &[u64]) -> BlockTelemetry {
    let instances =
        peaks.iter().map(|peak| Counters::from_iter([(Counter::MemoryPeak, *peak)])).collect();
    BlockTelemetry {
        schema: SCHEMA,
        cell: cell.clone(),
        block,
        order: 0,
        control: false,
        rows: 0,
        wall_ms: 0,
        lost: None,
        error: None,
        instances,
        host: Default::default(),
        host_cgroup: None,
        health: Default::default(),
        taints: Vec::new(),
        pool: Some(pool),
    }
}

fn only(summary: &Summary) -> &CellSummary {
    let [only] = &summary.cells[..] else { panic!("{summary:?}") };
    only
}

fn numbers(cell: &CellSummary) -> &LoadNumbers {
    cell.load().unwrap()
}

#[test]
fn the_numbers_are_those_of_the_rows() {
    let cell = under_load("wasmtime-aot", Driver::Direct, 2, "1s");
    let warm = |block, seq, times| request(&cell, (block, seq), times, Start::Warm);
    let mut rejected =
        failed(warm(0, 3, [1_000 * MS, 0, 5 * MS]), Outcome::Rejected, "the queue is full");
    rejected.sample.start_kind = Start::Mixed;
    let rows = [
        // One block of a second: three good responses, the last 60 ms after the last arrival.
        request(&cell, (0, 0), [0, 20 * MS, 40 * MS], Start::ColdInstance),
        warm(0, 1, [500 * MS, 0, 10 * MS]),
        warm(0, 2, [940 * MS, 0, 30 * MS]),
        rejected,
        // One of half a second: one good response.
        warm(1, 0, [100 * MS, 100 * MS, 400 * MS]),
        failed(warm(1, 1, [300 * MS, 0, 9_000 * MS]), Outcome::Timeout, "10s have passed"),
    ];
    let mut gather = Gather::default();
    rows.iter().for_each(|row| gather.add(row));
    let pool =
        |peak_instances, capped| PoolTelemetry { peak_instances, capped, ..Default::default() };
    gather.add_block(&telemetry(&cell, 0, pool(3, true), &[100, 300]));
    gather.add_block(&telemetry(&cell, 1, pool(2, false), &[200]));
    let summary = Summary::new(&gather.finish(), 42);
    let cell = only(&summary);
    let load = numbers(cell);
    assert_eq!((cell.blocks, load.requests, load.ok, load.cold), (2, 6, 4, 1));
    assert_eq!(load.cold_share(), Some(0.25));
    assert_eq!((cell.count(Outcome::Rejected), cell.count(Outcome::Timeout)), (1, 1));
    // The rejected request arrived 1 s after the first; the timeout ends no block.
    assert_eq!(load.throughput, Some(Spread { median: 2.5, least: 2.0, most: 3.0 }));
    // Latencies of 60, 10, 30 and 500 ms: percentiles between the sorted ones.
    let unit = Unit::Nanoseconds;
    let latency = Quantiles { unit, p50: 45 * MS, p95: 434 * MS, p99: 486_800_000 };
    assert_eq!(load.latency, Some(latency));
    // Queue: 20, 0, 0, 100; service: 40, 10, 30, 400.
    assert_eq!((load.queue.unwrap().p50, load.service.unwrap().p50), (10 * MS, 35 * MS));
    assert_eq!((load.late, load.platform, load.resources.cpu), (None, None, None));
    let memory = load.resources.memory_peak.unwrap();
    assert_eq!((load.peak_instances, memory.p50, memory.unit), (Some(3), 200, Unit::Bytes));
    assert_eq!((load.capped_blocks, load.disagreeing_blocks), (1, 0));
    assert!(!cell.is_broken(), "an overload is not a failure");
}

#[test]
fn files_have_medians_of_resources_under_keys_of_their_own() {
    let cell = under_load("native", Driver::Direct, 2, "1s");
    let mut row = request(&cell, (0, 0), [0, 0, MS], Start::Warm);
    row.sample.cpu_ns = Some(700);
    let mut gather = Gather::default();
    gather.add(&row);
    gather.add_block(&telemetry(&cell, 0, PoolTelemetry::default(), &[100, 300]));
    let json = serde_json::to_value(Summary::new(&gather.finish(), 42)).unwrap();
    assert_eq!(json["cells"], serde_json::json!([]));
    let load = &json["load"][0];
    assert_eq!((&load["cpu_median_ns"], &load["cpu"]["p50_ns"]), (&700.into(), &700.into()));
    assert_eq!(load["memory_peak_bytes"], 200);
    assert_eq!(load["memory_peak"]["p50_bytes"], 200);
}

#[test]
fn a_load_is_broken_when_a_function_fails_or_no_request_is_answered() {
    let cell = under_load("native", Driver::Direct, 2, "1s");
    let ok = request(&cell, (0, 0), [0, 0, MS], Start::Warm);
    let late = failed(ok.clone(), Outcome::Timeout, "10s have passed");
    let trap = failed(ok.clone(), Outcome::Trap, "unreachable");
    let of = |rows: Vec<Row>| only(&Summary::from_rows(rows.into_iter(), 1)).is_broken();
    assert!(!of(vec![ok.clone(), late.clone()]));
    assert!(of(vec![ok, trap]));
    assert!(of(vec![late]));
}

/// Blocks of three requests, of which the median has this latency.
fn blocks(cell: &Cell, medians: &[u64]) -> Vec<Row> {
    let mut rows = Vec::new();
    for (block, median) in (0..).zip(medians) {
        for (seq, latency) in (0..).zip([median / 2, *median, median * 2]) {
            let times = [u64::from(seq) * 1_000 * MS, 0, latency];
            rows.push(request(cell, (block, seq), times, Start::Warm));
        }
    }
    rows
}

#[test]
fn the_platforms_part_is_the_difference_of_paired_blocks() {
    let direct = under_load("native", Driver::Direct, 2, "1s");
    let http = under_load("native", Driver::Http, 2, "1s");
    let rows = |n: usize| {
        let direct = blocks(&direct, &[100, 110, 120, 130, 140, 150][..n]);
        direct.into_iter().chain(blocks(&http, &[107, 115, 129, 135, 150, 161][..n]))
    };
    let difference = |n| numbers(&Summary::from_rows(rows(n), 42).cells[1]).http_minus_direct;
    // 7, 5, 9, 5, 10, 11: the median of these, not the difference of the medians.
    let six = difference(6).unwrap();
    assert_eq!((six.ns, six.paired_blocks), (8, 6));
    let [lo, hi] = six.ci95_ns.unwrap();
    assert!((5..=8).contains(&lo) && (8..=11).contains(&hi), "{lo} {hi}");
    assert_eq!(difference(3), Some(Difference { ns: 7, ci95_ns: None, paired_blocks: 3 }));
    assert_eq!(numbers(&Summary::from_rows(rows(6), 42).cells[0]).http_minus_direct, None);
}

#[test]
fn a_ratio_counts_each_block_once_and_no_control() {
    let native = under_load("native", Driver::Direct, 2, "1s");
    let aot = under_load("wasmtime-aot", Driver::Direct, 2, "1s");
    let base: Vec<u64> = (0..10).map(|i| (1_000 + i) * MS).collect();
    let twice: Vec<u64> = base.iter().map(|ns| ns * 2).collect();
    let mut rows = blocks(&native, &base);
    rows.extend(blocks(&native, &base).into_iter().map(control));
    rows.extend(blocks(&aot, &twice));
    let summary = Summary::from_rows(rows.into_iter(), 42);
    let load = numbers(&summary.cells[0]);
    assert_eq!(load.requests, 30, "the control's requests are not the cell's");
    assert!(load.control_throughput.is_some());
    assert_eq!(summary.noise_floor.as_ref().unwrap().widest.floor.fraction(), 0.0);
    let ratio = summary.cells[1].ratio_to_native.unwrap();
    assert_eq!((ratio.ratio, ratio.verdict, ratio.paired_blocks), (2.0, Verdict::Slower, 10));

    // Two blocks are no evidence.
    let mut rows = blocks(&native, &base[..2]);
    rows.extend(blocks(&aot, &twice[..2]));
    let summary = Summary::from_rows(rows.into_iter(), 42);
    assert_eq!(summary.cells[1].ratio_to_native.unwrap().verdict, Verdict::Unsure);
}

/// Two targets with both drivers, two concurrencies and two keep-alives, and an overload.
fn run() -> Summary {
    let mut gather = Gather::default();
    for (target, factor) in [("native", 10), ("wasmtime-aot", 13)] {
        for driver in [Driver::Direct, Driver::Http] {
            for concurrency in [4, 32] {
                for keep_alive in ["0s", "1s"] {
                    let cell = under_load(target, driver, concurrency, keep_alive);
                    let rows = requests(&cell, factor, concurrency, keep_alive == "0s");
                    rows.iter().for_each(|row| gather.add(row));
                    let first = under_load("native", Driver::Direct, 4, "0s");
                    if cell == first {
                        rows.into_iter().map(control).for_each(|row| gather.add(&row));
                    }
                    let agreement = Agreement {
                        client: 40,
                        server: 40,
                        both: 40,
                        unknown_to_client: u64::from(target != "native" && concurrency == 32),
                        ..Agreement::default()
                    };
                    let pool = PoolTelemetry {
                        peak_instances: concurrency.min(16),
                        capped: concurrency == 32,
                        agreement: (driver == Driver::Http).then_some(agreement),
                        ..PoolTelemetry::default()
                    };
                    gather.add_block(&telemetry(&cell, 0, pool, &[3 << 20, 5 << 20]));
                }
            }
        }
    }
    Summary::new(&gather.finish(), 42)
}

fn requests(cell: &Cell, factor: u64, concurrency: u32, is_cold: bool) -> Vec<Row> {
    let point = cell.load().unwrap();
    let mut rows = Vec::new();
    for block in 0..5 {
        for seq in 0..40 {
            let noise = u64::from((block * 31 + seq * 17) % 11);
            let start = if is_cold || seq % 20 == 0 { Start::ColdInstance } else { Start::Warm };
            let cold = if start == Start::Warm { 0 } else { 2 * MS };
            let queue = u64::from(concurrency) * 10_000 * noise;
            let service = factor * MS / 10 + noise * 1_000 + cold;
            let times = [u64::from(seq) * MS, queue, service];
            let mut row = request(cell, (block, seq), times, start);
            row.sample.cpu_ns = Some(factor * 90_000);
            if point.driver == Driver::Http {
                row.sample.late_ns = Some(500 + noise);
                row.sample.platform_ns = Some(100_000 + noise);
                row.sample.total_ns += 100_000 + noise;
                row.sample.phases_ns.close(row.sample.total_ns).unwrap();
            }
            if concurrency == 32 && seq % 10 == 9 {
                row = failed(row, Outcome::Rejected, "the queue is full");
            }
            rows.push(row);
        }
    }
    rows
}

fn info() -> RunInfo {
    RunInfo { title: "loaded".into(), ..RunInfo::default() }
}

#[test]
fn a_terminal_shows_throughput_latency_and_the_platform() {
    insta::assert_snapshot!(text::render(&run(), &info(), 120));
}

#[test]
fn a_narrow_terminal_gets_more_tables_and_no_longer_lines() {
    for width in [80, 100, 120, 160] {
        let text = text::render(&run(), &info(), width);
        let widest = text.lines().map(|line| line.chars().count()).max().unwrap();
        assert!(widest <= width, "{widest} > {width}:\n{text}");
    }
}

#[test]
fn markdown_has_every_number_of_a_load() {
    insta::assert_snapshot!(markdown::render(&run(), &info()));
}

#[test]
fn a_summary_of_a_load_is_read_back_as_it_was_written() {
    let summary = run();
    let json = json::render(&summary);
    let read: Summary = serde_json::from_str(&json).unwrap();
    assert_eq!(read.load_cells().count(), 16);
    assert_eq!(numbers(&read.cells[3]), numbers(&summary.cells[3]));
}

#[test]
fn arrivals_are_ordered_from_light_to_heavy() {
    let rate = |rate: f64| Arrival::Poisson { rate: Rate::new(rate).unwrap() };
    let of = |arrival| {
        let mut cell = under_load("native", Driver::Direct, 1, "1s");
        let Demand::Load(point) = &mut cell.demand else { unreachable!("it is under load") };
        point.traffic.arrival = arrival;
        request(&cell, (0, 0), [0, 0, MS], Start::Warm)
    };
    let rows = [100.0, 9.0, 1000.0, 0.5].map(|r| of(rate(r)));
    let summary = Summary::from_rows(rows.into_iter(), 42);
    let text = text::render(&summary, &RunInfo::default(), 200);
    let found: Vec<&str> = text.split_whitespace().filter(|w| w.starts_with("poisson-")).collect();
    assert_eq!(found, ["poisson-0.5", "poisson-9", "poisson-100", "poisson-1000"]);
}

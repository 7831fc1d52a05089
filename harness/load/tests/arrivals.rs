//! Properties of intended arrivals.

use std::io::Write;
use std::time::Duration;

use lumos_load::arrivals::{ArrivalError, Arrivals};
use lumos_model::arrival::{Arrival, Delayed, Factor, Rate, Share, Traffic};
use lumos_model::units::Span;
use proptest::prelude::*;

const SECOND: u64 = 1_000_000_000;

fn rate(value: f64) -> Rate {
    Rate::new(value).unwrap()
}

fn share(value: f64) -> Share {
    Share::new(value).unwrap()
}

fn factor(value: f64) -> Factor {
    Factor::new(value).unwrap()
}

fn span(ms: u64) -> Span {
    Span(Duration::from_millis(ms))
}

fn try_times(traffic: &Traffic, seed: u64, duration: Duration) -> Result<Vec<u64>, ArrivalError> {
    match Arrivals::new(traffic, seed, duration)? {
        Arrivals::Open(times) => Ok(times.collect::<Result<_, _>>()?),
        Arrivals::Closed(_) => panic!("{traffic} has no times"),
    }
}

fn times(arrival: Arrival, seed: u64, seconds: u64) -> Vec<u64> {
    let traffic = Traffic { arrival, delayed: None };
    try_times(&traffic, seed, Duration::from_secs(seconds)).unwrap()
}

fn within(times: &[u64], from_s: f64, to_s: f64) -> f64 {
    let range = (from_s * SECOND as f64) as u64..(to_s * SECOND as f64) as u64;
    times.iter().filter(|at| range.contains(at)).count() as f64
}

/// Checks that a Poisson count is within five standard deviations of its mean. A correct count
/// fails once in a million times; the seeds are fixed.
#[track_caller]
fn assert_poisson(count: f64, mean: f64) {
    assert!((count - mean).abs() <= 5.0 * mean.sqrt(), "{count} arrivals, {mean} expected");
}

fn trace(text: &str) -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("trace.csv");
    std::fs::File::create(&file).unwrap().write_all(text.as_bytes()).unwrap();
    (folder, file)
}

fn recorded(file: &std::path::Path, function: Option<&str>, scale: f64, speed: f64) -> Arrival {
    Arrival::Trace {
        file: file.to_owned(),
        function: function.map(str::to_owned),
        scale: factor(scale),
        speed: factor(speed),
    }
}

fn any_arrival() -> impl Strategy<Value = Arrival> {
    let r = || (0.0..2000.0f64).prop_map(rate);
    prop_oneof![
        r().prop_map(|rate| Arrival::Constant { rate }),
        r().prop_map(|rate| Arrival::Poisson { rate }),
        (r(), r(), 1..500u64, 0..500u64).prop_map(|(rate, low, on, off)| Arrival::Burst {
            rate,
            low,
            on: span(on),
            off: span(off)
        }),
        (r(), r()).prop_map(|(from, to)| Arrival::Ramp { from, to }),
        (prop::collection::vec(r(), 1..6), 1..500u64)
            .prop_map(|(rates, each)| Arrival::Steps { rates, each: span(each) }),
    ]
}

fn any_delayed() -> impl Strategy<Value = Option<Delayed>> {
    prop::option::of(
        (0.0..=1.0f64, 0..300u64)
            .prop_map(|(share, gap)| Delayed { share: self::share(share), gap: span(gap) }),
    )
}

proptest! {
    #[test]
    fn times_are_sorted_within_the_duration_and_determined_by_the_seed(
        arrival in any_arrival(), delayed in any_delayed(), seed: u64, ms in 1..3000u64,
    ) {
        let traffic = Traffic { arrival, delayed };
        let duration = Duration::from_millis(ms);
        let first = try_times(&traffic, seed, duration).unwrap();
        prop_assert!(first.is_sorted());
        prop_assert!(first.iter().all(|at| *at < ms * 1_000_000));
        prop_assert_eq!(&first, &try_times(&traffic, seed, duration).unwrap());
    }

    #[test]
    fn gaps_only_delay_arrivals(arrival in any_arrival(), delayed in any_delayed(), seed: u64) {
        let duration = Duration::from_secs(1);
        let plain = Traffic { arrival: arrival.clone(), delayed: None };
        let plain = try_times(&plain, seed, duration).unwrap();
        let later = try_times(&Traffic { arrival, delayed }, seed, duration).unwrap();
        let gap = delayed.map_or(0, |delayed| delayed.gap.0.as_nanos() as u64);
        let mut gaps = 0;
        for (plain, later) in plain.iter().zip(&later) {
            // Each is delayed by a whole number of gaps. The number never falls and rises by at
            // most one.
            let moved = later - plain;
            prop_assert!(moved == gaps || moved == gaps + gap);
            gaps = moved;
        }
    }

    #[test]
    fn counts_by_minute_are_exact(
        counts in prop::collection::vec(0..50u64, 1..5), seed: u64,
    ) {
        let header: Vec<String> = (1..=counts.len()).map(|minute| minute.to_string()).collect();
        let row: Vec<String> = counts.iter().map(u64::to_string).collect();
        let text = format!(
            "HashOwner,HashApp,HashFunction,Trigger,{}\no,a,f,http,{}\n",
            header.join(","),
            row.join(",")
        );
        let (_folder, file) = trace(&text);
        let times = times(recorded(&file, None, 1.0, 1.0), seed, 600);
        prop_assert!(times.is_sorted());
        for (minute, count) in counts.iter().enumerate() {
            let from = minute as f64 * 60.0;
            prop_assert_eq!(within(&times, from, from + 60.0), *count as f64);
        }
    }
}

#[test]
fn a_seed_gives_the_same_times_on_every_machine() {
    let first = |arrival| times(arrival, 42, 10)[..3].to_vec();
    let poisson = first(Arrival::Poisson { rate: rate(10.0) });
    let ramp = first(Arrival::Ramp { from: rate(0.0), to: rate(50.0) });
    assert_eq!(poisson, POISSON_42, "the generator's numbers must not change");
    assert_eq!(ramp, RAMP_42, "the generator's numbers must not change");
    let other = times(Arrival::Poisson { rate: rate(10.0) }, 43, 10);
    assert_ne!(other[..3], poisson[..]);
}

const POISSON_42: [u64; 3] = [105_482_183, 230_763_980, 301_392_802];
const RAMP_42: [u64; 3] = [649_560_415, 960_757_993, 1_097_985_068];

#[test]
fn a_constant_rate_does_not_drift() {
    let times = times(Arrival::Constant { rate: rate(3.0) }, 0, 3600);
    assert_eq!(times.len(), 3 * 3600);
    assert_eq!(times[3 * 3599], 3599 * SECOND);
    assert!(self::times(Arrival::Constant { rate: rate(0.0) }, 0, 10).is_empty());
}

#[test]
fn poisson_gaps_are_exponential() {
    let times = times(Arrival::Poisson { rate: rate(100.0) }, 7, 100);
    assert_poisson(times.len() as f64, 10_000.0);
    // Kolmogorov-Smirnov against 1 - e^(-100 x); 1.95 is the 0.1 % point.
    let mut gaps: Vec<f64> =
        times.windows(2).map(|pair| (pair[1] - pair[0]) as f64 / SECOND as f64).collect();
    gaps.sort_by(f64::total_cmp);
    let n = gaps.len() as f64;
    let distance = gaps.iter().enumerate().fold(0.0f64, |most, (i, gap)| {
        let expected = 1.0 - (-100.0 * gap).exp();
        most.max((expected - i as f64 / n).abs()).max(((i + 1) as f64 / n - expected).abs())
    });
    assert!(distance * n.sqrt() < 1.95, "distance {distance}");
}

#[test]
fn bursts_ramps_and_steps_keep_their_rates() {
    let on_off =
        Arrival::Burst { rate: rate(500.0), low: rate(5.0), on: span(2000), off: span(3000) };
    let bursts = times(on_off, 1, 50);
    let on: f64 = (0..10).map(|i| within(&bursts, 5.0 * i as f64, 5.0 * i as f64 + 2.0)).sum();
    assert_poisson(on, 10_000.0);
    assert_poisson(bursts.len() as f64 - on, 150.0);

    let silent =
        Arrival::Burst { rate: rate(500.0), low: rate(0.0), on: span(1000), off: span(1000) };
    let silent = times(silent, 1, 10);
    assert_eq!(within(&silent, 1.0, 2.0), 0.0);
    assert_poisson(silent.len() as f64, 2_500.0);

    let ramp = times(Arrival::Ramp { from: rate(0.0), to: rate(1000.0) }, 2, 20);
    assert_poisson(ramp.len() as f64, 10_000.0);
    assert_poisson(within(&ramp, 0.0, 10.0), 2_500.0);
    let down = times(Arrival::Ramp { from: rate(1000.0), to: rate(0.0) }, 2, 20);
    assert_poisson(within(&down, 0.0, 10.0), 7_500.0);

    let steps = Arrival::Steps { rates: [100.0, 0.0, 900.0].map(rate).to_vec(), each: span(4000) };
    let steps = times(steps, 3, 60);
    assert_poisson(within(&steps, 0.0, 4.0), 400.0);
    assert_eq!(within(&steps, 4.0, 8.0), 0.0);
    assert_poisson(within(&steps, 8.0, 12.0), 3_600.0);
    assert_eq!(within(&steps, 12.0, 60.0), 0.0);
}

#[test]
fn the_share_of_delayed_requests_is_right() {
    let delayed = Some(Delayed { share: share(0.1), gap: span(500) });
    let traffic = Traffic { arrival: Arrival::Constant { rate: rate(100.0) }, delayed };
    let times = try_times(&traffic, 5, Duration::from_secs(1000)).unwrap();
    let gaps = times.windows(2).filter(|pair| pair[1] - pair[0] >= SECOND / 2).count() as f64;
    // 1,000 s hold n arrivals of 10 ms and n/10 gaps of 500 ms.
    assert_poisson(gaps, times.len() as f64 / 10.0);
    assert_poisson(gaps, 1000.0 / 0.6);
    let always = Some(Delayed { share: share(1.0), gap: span(1000) });
    let traffic = Traffic { arrival: Arrival::Constant { rate: rate(100.0) }, delayed: always };
    let times = try_times(&traffic, 5, Duration::from_secs(10)).unwrap();
    assert_eq!(times[..2], [SECOND, 2_010_000_000]);
}

#[test]
fn a_closed_loop_has_clients_instead_of_times() {
    let delayed = Some(Delayed { share: share(0.25), gap: span(3000) });
    let traffic = Traffic { arrival: Arrival::Closed { concurrency: 2 }, delayed };
    let Ok(Arrivals::Closed(clients)) = Arrivals::new(&traffic, 9, Duration::from_secs(1)) else {
        panic!("not closed");
    };
    assert_eq!(clients.concurrency(), 2);
    let gaps = |client| {
        let mut gaps = clients.gaps(client);
        (0..1000).map(|_| gaps.next_gap().as_secs()).collect::<Vec<u64>>()
    };
    let paused = gaps(0).iter().filter(|seconds| **seconds == 3).count() as f64;
    assert_poisson(paused, 250.0);
    assert_eq!(gaps(0), gaps(0));
    assert_ne!(gaps(0), gaps(1));
    let nobody = Traffic { arrival: Arrival::Closed { concurrency: 0 }, delayed: None };
    assert!(Arrivals::new(&nobody, 9, Duration::from_secs(1)).is_err());
}

#[test]
fn values_out_of_range_are_refused() {
    let wrong = [
        Arrival::Constant { rate: rate(2e9) },
        Arrival::Steps { rates: vec![], each: span(1) },
        Arrival::Steps { rates: vec![rate(1.0)], each: span(0) },
        Arrival::Burst { rate: rate(1.0), low: rate(0.0), on: span(0), off: span(0) },
    ];
    for arrival in wrong {
        let traffic = Traffic { arrival, delayed: None };
        let error = try_times(&traffic, 0, Duration::from_secs(1)).unwrap_err();
        assert!(matches!(error, ArrivalError::OutOfRange { .. }), "{error}");
    }
}

#[test]
fn a_trace_of_times_may_have_any_unit_and_other_columns() {
    for (text, expected) in [
        ("at_s\n0\n0.5\n1.25\n", vec![0, SECOND / 2, SECOND * 5 / 4]),
        ("# made by hand\nname,at_ms,more\na, 10 ,x\nb,20.5,\n", vec![10_000_000, 20_500_000]),
        ("at_us\n7\n", vec![7_000]),
        ("at_s,at_ns\n0,3\n0,3\n", vec![3, 3]),
        ("at_ns\n", vec![]),
    ] {
        let (_folder, file) = trace(text);
        assert_eq!(times(recorded(&file, None, 1.0, 1.0), 0, 10), expected, "{text}");
    }
    let (_folder, file) = trace("at_s\n1\n2\n3\n4\n");
    let fast = times(recorded(&file, None, 1.0, 2.0), 0, 10);
    assert_eq!(fast, [1, 2, 3, 4].map(|s| s * SECOND / 2));
    let more = times(recorded(&file, None, 2.0, 1.0), 0, 3);
    assert_eq!(more, [1, 1, 2, 2].map(|s| s * SECOND));
}

#[test]
fn a_fractional_scale_is_right_on_average() {
    let text: String = (0..10_000).map(|i| format!("{i}\n")).collect();
    let (_folder, file) = trace(&format!("at_us\n{text}"));
    assert_poisson(times(recorded(&file, None, 0.25, 1.0), 4, 10).len() as f64, 2_500.0);
    assert_poisson(times(recorded(&file, None, 2.5, 1.0), 4, 10).len() as f64, 25_000.0);
}

#[test]
fn mistakes_in_a_trace_are_found_before_the_first_time_and_have_a_line() {
    for (text, place, what) in [
        ("at_s\n1\nx\n", ":3:", "`x` is not a time"),
        ("at_s\n1\n-2\n", ":3:", "`-2` is not a time"),
        ("at_s\n2\n1\n", ":3:", "before the line above"),
        ("at_s,b\n1,2\n1\n", ":3:", "1 columns where the header has 2"),
        ("time\n1\n", ":1:", "neither a column at_ns"),
        ("", ":1:", "neither a column at_ns"),
        ("HashFunction,1,2\nf,1,\n", ":2:", "`` in column 2 is not a number"),
    ] {
        let (_folder, file) = trace(text);
        let traffic = Traffic { arrival: recorded(&file, None, 1.0, 1.0), delayed: None };
        let error = Arrivals::new(&traffic, 0, Duration::from_secs(9)).unwrap_err().to_string();
        assert!(error.contains(place) && error.contains(what), "{text:?}: {error}");
    }
    let missing = recorded(std::path::Path::new("/nowhere/trace.csv"), None, 1.0, 1.0);
    let traffic = Traffic { arrival: missing, delayed: None };
    let error = Arrivals::new(&traffic, 0, Duration::from_secs(9)).unwrap_err().to_string();
    assert!(error.contains("/nowhere/trace.csv"), "{error}");
}

const AZURE: &str = "HashOwner,HashApp,HashFunction,Trigger,1,2,3
o1,a1,abc1,http,10,0,20
o1,a1,abd2,queue,1,1,1
o2,a2,ffff,timer,0,100,0
";

#[test]
fn a_function_is_selected_by_the_beginning_of_its_hash() {
    let (_folder, file) = trace(AZURE);
    let picked = times(recorded(&file, Some("abc"), 1.0, 1.0), 0, 600);
    assert_eq!((picked.len(), within(&picked, 60.0, 120.0)), (30, 0.0));
    assert_eq!(times(recorded(&file, None, 1.0, 1.0), 0, 600).len(), 133);
    let scaled = times(recorded(&file, Some("ffff"), 2.0, 60.0), 0, 600);
    assert_eq!((scaled.len(), within(&scaled, 1.0, 2.0)), (200, 200.0));
    for (function, what) in [("ab", "abc1, abd2"), ("x", "no row has a HashFunction")] {
        let traffic = Traffic { arrival: recorded(&file, Some(function), 1.0, 1.0), delayed: None };
        let error = Arrivals::new(&traffic, 0, Duration::from_secs(9)).unwrap_err().to_string();
        assert!(error.contains(what), "{error}");
    }
}

#[test]
fn arrivals_are_uniform_within_a_minute() {
    let (_folder, file) = trace("HashFunction,1\nf,10000\n");
    let times = times(recorded(&file, None, 1.0, 1.0), 11, 60);
    // Kolmogorov-Smirnov against the uniform distribution.
    let n = times.len() as f64;
    let distance = times.iter().enumerate().fold(0.0f64, |most, (i, at)| {
        let expected = *at as f64 / (60 * SECOND) as f64;
        most.max((expected - i as f64 / n).abs()).max(((i + 1) as f64 / n - expected).abs())
    });
    assert!(distance * n.sqrt() < 1.95, "distance {distance}");
}

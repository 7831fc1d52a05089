use lumos_analysis::fairness::{Check, Fairness, Status};
use lumos_analysis::summary::Summary;
use lumos_model::cell::Start;
use lumos_model::manifest::Refused;
use lumos_model::row::{Outcome, Row, Taint};
use lumos_report::{RunInfo, markdown, text};
use lumos_testkit::samples::*;

fn info() -> RunInfo {
    let refused = |function: &&str| Refused {
        cell: cell(function, "container-crun", Start::Warm),
        reason: "crun was not found; install it with `sudo apt install crun`".into(),
    };
    RunInfo {
        title: "quick".into(),
        started: "2026-11-21 09:15".into(),
        machine: "Raspberry Pi 5 Model B Rev 1.0, 4 x Cortex-A76 at 2.4 GHz, 8 GiB, Linux 6.12.47"
            .into(),
        refused: FUNCTIONS.iter().map(refused).collect(),
        fairness: fairness(),
        settings: [("wasmtime-aot".to_owned(), "opt-level=speed".to_owned())].into(),
        files: vec!["results/quick/report.md".into()],
        ..RunInfo::default()
    }
}

fn fairness() -> Fairness {
    let check =
        |rule, status, evidence: &str| Check { rule, status, evidence: vec![evidence.into()] };
    Fairness {
        checks: vec![
            check(
                "one compiler for native and wasm",
                Status::Held,
                "rustc 1.95.0 built 9 artifacts",
            ),
            check(
                "one lock file",
                Status::Unknown,
                "the run does not record the hash of its lock file",
            ),
        ],
        ..Fairness::default()
    }
}

fn text(rows: Vec<Row>, width: usize) -> String {
    text::render(&Summary::from_rows(rows.into_iter(), 42), &info(), width)
}

#[test]
fn three_functions_on_seven_targets() {
    insta::assert_snapshot!(text(run(&FUNCTIONS, &TARGETS, 10), 120));
}

#[test]
fn a_narrow_terminal_gets_more_tables() {
    insta::assert_snapshot!(text(run(&FUNCTIONS, &TARGETS, 10), 80));
}

#[test]
fn failures_take_the_place_of_numbers() {
    let mut rows = run(&FUNCTIONS, &TARGETS, 10);
    for row in &mut rows {
        let (function, target) = (row.cell.function.as_str(), row.cell.target.as_str());
        let outcome = match (function, target, row.sample.seq) {
            ("fuzzy-search", "wasmedge-interp", _) => Outcome::Timeout,
            ("fibonacci", "wasmtime-jit", 0) => Outcome::Trap,
            _ => continue,
        };
        *row = failed(row.clone(), outcome, "stopped at the deadline of 5s");
    }
    // One cell of which only two samples are there.
    rows.retain(|row| {
        row.cell.target.as_str() != "container-runc"
            || row.cell.function != "fibonacci"
            || (row.block == 0 && row.sample.seq < 2)
    });
    insta::assert_snapshot!(text(rows, 120));
}

#[test]
fn tainted_samples_are_counted_in_a_note() {
    let mut rows = run(&FUNCTIONS, &TARGETS[..2], 4);
    for row in rows.iter_mut().filter(|row| !row.control && row.order == 1) {
        let taint = match row.cell.target.is_native() {
            true => Taint::Throttled,
            false => Taint::Steal,
        };
        *row = tainted(row.clone(), taint);
    }
    let text = text(rows, 120);
    let begin = text.find("Tainted").unwrap_or_else(|| panic!("{text}"));
    let lines: Vec<&str> = text[begin..].split("\nFairness").take(1).collect();
    insta::assert_snapshot!(lines[0], @r"
    Tainted   60 of 240 samples, in 12 of 12 cells, were taken while something disturbed the machine; they count like the
                others
              30 while the board was throttled or lacked power; most in native language-detection small cold:process: 5 of
                20
              30 with more than 2 % of CPU time stolen by the hypervisor; most in container-runc language-detection small
                cold:process: 5 of 20
    ");
}

#[test]
fn without_native_there_are_no_ratios() {
    insta::assert_snapshot!(text(run(&FUNCTIONS, &TARGETS[1..], 4), 120));
}

#[test]
fn a_single_sample_is_shown_as_a_hint() {
    insta::assert_snapshot!(text(run(&FUNCTIONS, &TARGETS, 0), 120));
}

#[test]
fn a_run_without_rows_says_so() {
    insta::assert_snapshot!(text(Vec::new(), 120));
}

#[test]
fn markdown_has_every_number() {
    let summary =
        Summary::from_rows(run(&FUNCTIONS[..2], &["native", "wasmtime-aot"], 4).into_iter(), 42);
    insta::assert_snapshot!(markdown::render(&summary, &info()));
}

#[test]
fn nine_functions_on_seven_targets_fit_a_terminal() {
    let functions = [
        "audio-generation",
        "decrypt-message",
        "encrypt-message",
        "fibonacci",
        "fuzzy-search",
        "language-detection",
        "mandelbrot-bitmap",
        "noop",
        "prime-numbers",
    ];
    let rows = run(&functions, &TARGETS, 2);
    for width in [80, 100, 120] {
        let text = text(rows.clone(), width);
        let widest = text.lines().map(|line| line.chars().count()).max().unwrap();
        assert!(widest <= width, "{widest} > {width}:\n{text}");
    }
    let tables = |width| text(rows.clone(), width).matches("prime-numbers").count();
    assert_eq!((tables(120), tables(80)), (2, 4));
}

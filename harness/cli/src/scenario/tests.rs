//! Mistakes as people see them, and a scenario without one.

use std::path::Path;
use std::time::Duration;

use lumos_model::cell::{Isolation, Size, Start, Storage};
use lumos_model::units::{ByteSize, Span};

use super::*;

const FUNCTIONS: [&str; 3] = ["noop", "fibonacci", "fuzzy-search"];

const GOOD: &str = r#"name = "quick"
repetitions = 5
[matrix]
functions = ["noop"]
sizes = ["tiny"]
targets = ["native", "wasmtime-aot"]
start = ["cold:process", "warm"]
"#;

fn read(text: &str) -> Result<Scenario, ScenarioError> {
    Scenario::parse(text, Path::new("scenarios/x.toml"), &FUNCTIONS)
}

/// What is printed when `from` stands for `to` in the good scenario.
fn mistake(from: &str, to: &str) -> String {
    assert!(GOOD.contains(from), "the good scenario has no {from}");
    refused(&GOOD.replace(from, to))
}

/// What is printed for a scenario with a mistake.
fn refused(text: &str) -> String {
    read(text).expect_err("the mistake was not seen").to_string()
}

/// What is printed when `text` follows the good scenario.
fn appended(text: &str) -> String {
    refused(&format!("{GOOD}{text}"))
}

/// Mistakes below each other, each as the terminal shows it.
fn shown(mistakes: &[(&str, String)]) -> String {
    let with_title = mistakes.iter().map(|(title, shown)| format!("# {title}\nerror: {shown}"));
    with_title.collect::<Vec<_>>().join("\n")
}

#[test]
fn what_is_left_out_has_its_default() {
    let scenario = read(GOOD).unwrap();
    assert_eq!(scenario.name, "quick");
    assert_eq!(
        (scenario.seed, scenario.repetitions, scenario.block, scenario.warmup),
        (42, 5, 5, 3)
    );
    assert_eq!(scenario.gap, Span(Duration::from_millis(100)));
    assert_eq!((scenario.budget, scenario.connection), (None, Connection::Request));
    assert_eq!(scenario.matrix.isolation, [Isolation::Process]);
    assert_eq!(scenario.matrix.storage, [Storage::Inline]);
    assert_eq!(scenario.arrival, Arrival::Closed { concurrency: 1 });
    assert_eq!(scenario.limits, Limits::default());
}

#[test]
fn everything_can_be_said() {
    let scenario = read(
        r#"
        name = "all"
        description = "Everything at once"
        seed = 7
        repetitions = 20
        block = 5
        warmup = 0
        gap = "0s"
        budget = "4s"
        connection = "instance"
        [matrix]
        functions = ["all"]
        sizes = ["tiny", "large"]
        targets = ["all"]
        isolation = ["process", "thread"]
        start = ["cold:instance"]
        storage = ["redis", "host"]
        [arrival]
        kind = "closed"
        concurrency = 1
        [limits]
        cpus = 1
        memory = "512MiB"
        timeout = "10s"
        [[exclude]]
        function = ["fuzzy-search", "fib*"]
        start = "cold:*"
        target = "wasmedge-*"
        reason = "takes minutes"
        "#,
    )
    .unwrap();
    assert_eq!(scenario.matrix.functions, FUNCTIONS);
    assert_eq!(scenario.matrix.targets, Targets::All);
    assert_eq!(scenario.matrix.sizes, [Size::Tiny, Size::Large]);
    assert_eq!(scenario.matrix.start, [Start::ColdInstance]);
    assert_eq!((scenario.seed, scenario.warmup, scenario.block), (7, 0, 5));
    assert_eq!(
        (scenario.limits.cpus, scenario.limits.memory),
        (Some(1.0), Some(ByteSize(512 << 20)))
    );
    assert_eq!(
        scenario.exclude[0].cells.to_string(),
        "function=fuzzy-search,function=fib*,target=wasmedge-*,start=cold:*"
    );
    let json = serde_json::to_string(&scenario).unwrap();
    assert_eq!(serde_json::from_str::<Scenario>(&json).unwrap(), scenario);
}

#[test]
fn fewer_repetitions_shorten_the_block() {
    let mut scenario = read(GOOD).unwrap();
    scenario.set_repetitions(2);
    assert_eq!((scenario.repetitions, scenario.block), (2, 2));
    scenario.set_repetitions(9);
    assert_eq!((scenario.repetitions, scenario.block), (9, 2));
}

#[test]
fn wrong_keys() {
    insta::assert_snapshot!(shown(&[
        ("unknown key", mistake("repetitions", "repetitons")),
        (
            "unknown keys all at once",
            refused(&GOOD.replace("functions", "function").replace("repetitions", "colour"))
        ),
        ("missing name", mistake("name = \"quick\"\n", "")),
        ("missing start", mistake("start = [\"cold:process\", \"warm\"]\n", "")),
        ("no matrix", refused("name = \"x\"\n")),
        ("key twice", mistake("repetitions = 5", "repetitions = 5\nrepetitions = 6")),
        ("no toml", mistake("repetitions = 5", "repetitions 5")),
    ]));
}

#[test]
fn wrong_values() {
    insta::assert_snapshot!(shown(&[
        ("zero repetitions", mistake("= 5", "= 0")),
        ("negative repetitions", mistake("= 5", "= -1")),
        ("text for number", mistake("= 5", "= \"5\"")),
        ("name as path", mistake("\"quick\"", "\"../quick\"")),
        ("gap without unit", mistake("= 5", "= 5\ngap = 100")),
        ("gap of no length", mistake("= 5", "= 5\ngap = \"soon\"")),
        ("connection", mistake("= 5", "= 5\nconnection = \"requests\"")),
        ("memory", appended("[limits]\nmemory = \"512M\"")),
        ("no memory", appended("[limits]\nmemory = \"0B\"")),
        ("no cpus", appended("[limits]\ncpus = 0.0")),
    ]));
}

#[test]
fn wrong_words() {
    insta::assert_snapshot!(shown(&[
        ("function", mistake("\"noop\"", "\"fibbonacci\"")),
        ("start", mistake("\"cold:process\"", "\"cold\"")),
        ("target", mistake("\"native\"", "\"Native\"")),
        ("all with others", mistake("\"native\"", "\"all\"")),
        ("empty list", mistake("[\"tiny\"]", "[]")),
        ("word for list", mistake("[\"tiny\"]", "\"tiny\"")),
        ("word twice", mistake("\"warm\"]", "\"warm\", \"warm\"]")),
    ]));
}

#[test]
fn what_this_version_cannot_do() {
    insta::assert_snapshot!(shown(&[
        ("open loop", appended("[arrival]\nkind = \"poisson\"\nrate = 100")),
        ("concurrency", appended("[arrival]\nkind = \"closed\"\nconcurrency = 8")),
        ("no such arrival", appended("[arrival]\nkind = \"open\"")),
    ]));
}

#[test]
fn impossible_combinations() {
    let thread = "start = [\"cold:process\"]\nisolation = [\"thread\"]";
    insta::assert_snapshot!(shown(&[
        ("block above repetitions", mistake("= 5", "= 5\nblock = 6")),
        ("thread without process", mistake("start = [\"cold:process\", \"warm\"]", thread)),
        ("native in a thread", mistake(", \"wasmtime-aot\"]", "]\nisolation = [\"thread\"]")),
    ]));
}

#[test]
fn wrong_excludes() {
    insta::assert_snapshot!(shown(&[
        (
            "exclude matches nothing",
            appended("[[exclude]]\ntarget = \"wasmtime_aot\"\nreason = \"slow\"")
        ),
        (
            "exclude start matches nothing",
            appended("[[exclude]]\nstart = [\"warm\", \"cold:i*\"]\nreason = \"slow\"")
        ),
        ("exclude without reason", appended("[[exclude]]\nsize = \"tiny\"")),
        ("exclude everything", appended("[[exclude]]\nreason = \"why not\"")),
        ("exclude as table", appended("[exclude]\nreason = \"x\"")),
    ]));
}

#[test]
fn a_missing_file_is_named() {
    let error = Scenario::load(Path::new("no/such.toml"), &FUNCTIONS).unwrap_err();
    assert_eq!(error.to_string(), "cannot read the scenario no/such.toml");
}

proptest::proptest! {
    /// Whatever stands in a file, reading it ends, and its mistakes can be shown.
    #[test]
    fn no_text_breaks_the_reader(at in 0..GOOD.len(), length in 0usize..20, text in "\\PC{0,12}") {
        let end = (at + length).min(GOOD.len());
        if let Err(error) = read(&format!("{}{text}{}", &GOOD[..at], &GOOD[end..])) {
            error.to_string();
        }
    }
}

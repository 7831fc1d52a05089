//! Mistakes as a user sees them, and scenarios without any.

use std::path::Path;
use std::time::Duration;

use lumos_model::cell::{Driver, Isolation, Size, Start, Storage};
use lumos_model::files;
use lumos_model::pool::{PoolConfig, Scaling};
use lumos_model::protocol::Limits;
use lumos_model::units::{ByteSize, Span};

use crate::scenario::{Connection, Pinning, Scenario, ScenarioError, Targets};

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

fn span(text: &str) -> Span {
    text.parse().unwrap()
}

/// The message when `to` replaces `from` in the good scenario.
fn mistake(from: &str, to: &str) -> String {
    assert!(GOOD.contains(from), "the good scenario has no {from}");
    refused(&GOOD.replace(from, to))
}

/// The message for a scenario with a mistake.
fn refused(text: &str) -> String {
    read(text).expect_err("the mistake was not seen").to_string()
}

/// The message when `text` follows the good scenario.
fn appended(text: &str) -> String {
    refused(&format!("{GOOD}{text}"))
}

/// Messages one below another, each as the terminal shows it.
fn shown(mistakes: &[(&str, String)]) -> String {
    let with_title = mistakes.iter().map(|(title, shown)| format!("# {title}\nerror: {shown}"));
    with_title.collect::<Vec<_>>().join("\n")
}

#[test]
fn keys_that_are_left_out_have_defaults() {
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
    assert_eq!((scenario.load, scenario.pinning), (None, Pinning::OneCore));
    assert_eq!(scenario.limits, Limits::default());
}

#[test]
fn every_key_is_read() {
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
        ("invalid TOML", mistake("repetitions = 5", "repetitions 5")),
    ]));
}

#[test]
fn every_table_refuses_unknown_keys() {
    let tables = [
        ("[matrix]", GOOD.replace("sizes", "nonsense = 1\nsizes")),
        ("[warm]", format!("{GOOD}[warm]\nnonsense = 1")),
        ("[limits]", format!("{GOOD}[limits]\nnonsense = 1")),
        (
            "[[exclude]]",
            format!("{GOOD}[[exclude]]\nsize = \"tiny\"\nreason = \"x\"\nnonsense = 1"),
        ),
        ("[load]", loaded("[load]\nnonsense = 1")),
        ("[pool]", loaded("[pool]\nnonsense = 1")),
        ("`scaling`", loaded("[pool]\nscaling = { nonsense = 1 }")),
        (
            "`delayed`",
            loaded(
                "[arrival]\nkind = \"closed\"\ndelayed = { share = 1, gap = \"1s\", nonsense = 1 }",
            ),
        ),
    ];
    for (name, text) in tables {
        let message = refused(&text);
        assert!(message.starts_with(&format!("{name} has no key `nonsense`")), "{message}");
    }
    let kinds = ["closed", "constant", "poisson", "burst", "ramp", "steps", "trace"];
    for kind in kinds {
        let message = refused(&loaded(&format!("[arrival]\nkind = \"{kind}\"\nnonsense = 1")));
        let unknown = format!("an arrival of kind \"{kind}\" has no key `nonsense`");
        assert!(message.contains(&unknown), "{message}");
    }
}

#[test]
fn a_mistyped_kind_of_arrival_is_the_only_mistake() {
    let message = refused(&loaded("[arrival]\nknd = \"poisson\"\nrate = 5"));
    assert!(message.starts_with("[arrival] has no key `knd`"), "{message}");
    assert!(message.contains("did you mean `kind`?") && !message.contains("rate\n"), "{message}");
    assert!(!message.contains("error:"), "{message}");
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

/// A scenario under load: the good one without its start, followed by `text`.
fn loaded(text: &str) -> String {
    let start = "start = [\"cold:process\", \"warm\"]\n";
    assert!(GOOD.contains(start));
    format!("{}{text}", GOOD.replace(start, ""))
}

#[test]
fn a_load_has_defaults() {
    let load = |text: &str| read(&loaded(text)).unwrap_or_else(|e| panic!("{e}")).load.unwrap();
    let scenario = read(&loaded("[load]")).unwrap();
    assert_eq!(scenario.matrix.start, [Start::Mixed]);
    assert_eq!((scenario.pinning, scenario.repetitions), (Pinning::None, 5));
    let settings = scenario.load.unwrap();
    assert_eq!(settings.drivers, [Driver::Direct]);
    assert_eq!(settings.traffic[0].to_string(), "closed-1");
    assert_eq!((settings.duration, settings.requests), (span("10s"), 100_000));
    assert_eq!(settings.keep_alive, [span("60s")]);
    assert_eq!(settings.pool, PoolConfig { max_instances: 1, ..PoolConfig::default() });

    let poisson = load("[arrival]\nkind = \"poisson\"\nrate = 5");
    assert_eq!(poisson.pool.max_instances, 16);
    let closed = load("[arrival]\nkind = \"closed\"\nconcurrency = [1, 64, 8]\n[pool]\nqueue = 9");
    assert_eq!((closed.pool.max_instances, closed.pool.queue), (64, 9));
    let pinned = loaded("[pool]").replace("repetitions", "pinning = \"one-core\"\nrepetitions");
    assert_eq!(read(&pinned).unwrap().pinning, Pinning::OneCore);
    let ordinary = "[arrival]\nkind = \"closed\"\nconcurrency = 1";
    assert_eq!(read(&format!("{GOOD}{ordinary}")).unwrap().load, None);
}

#[test]
fn every_key_of_a_load_is_read() {
    let scenario = read(&loaded(
        r#"
        [arrival]
        kind = "poisson"
        rate = [0.5, 20]
        delayed = { share = 0.25, gap = "3s" }
        [load]
        driver = ["http", "direct"]
        duration = "500ms"
        requests = 77
        [pool]
        keep_alive = ["0s", "2s"]
        min_instances = 1
        max_instances = 12
        prewarmed = 2
        queue = 0
        scaling = { window = "30s" }
        [[exclude]]
        driver = "http"
        arrival = "poisson-20-*"
        keep_alive = ["2000ms", "0*"]
        reason = "enough of it"
        "#,
    ))
    .unwrap_or_else(|e| panic!("{e}"));
    let json = serde_json::to_string(&scenario).unwrap();
    assert_eq!(serde_json::from_str::<Scenario>(&json).unwrap(), scenario);
    let load = scenario.load.unwrap();
    assert_eq!((load.duration, load.requests), (span("500ms"), 77));
    assert_eq!(load.points().len(), 2 * 2 * 2);
    let last = "direct/poisson-20-delayed-0.25-3s/keep-alive-2s";
    assert_eq!(load.points()[7].to_string(), last);
    let pool = load.pool_of(&load.points()[7]);
    assert_eq!((pool.min_instances, pool.max_instances, pool.prewarmed, pool.queue), (1, 12, 2, 0));
    assert_eq!(pool.keep_alive, span("2s"));
    assert_eq!(pool.scaling, Scaling::Window { window: span("30s"), utilization: 70 });
}

#[test]
fn every_kind_of_arrival_is_read() {
    for (text, label) in [
        ("kind = \"closed\"\nconcurrency = 3", "closed-3"),
        ("kind = \"constant\"\nrate = 2.5", "constant-2.5"),
        ("kind = \"burst\"\nrate = 50\non = \"2s\"\noff = \"4s\"", "burst-50-0-2s-4s"),
        ("kind = \"ramp\"\nfrom = 0\nto = 9", "ramp-0-9"),
        ("kind = \"steps\"\nrates = [1, 0, 1]\neach = \"1s\"", "steps-1-0-1-1s"),
        ("kind = \"trace\"\nfile = \"a/b.csv\"\nspeed = 60", "trace-b-1-60"),
        (
            "kind = \"trace\"\nfile = \"b.csv\"\nfunction = \"0af\"\nscale = 0.5",
            "trace-b-0af-0.5-1",
        ),
    ] {
        let text = loaded(&format!("[arrival]\n{text}"));
        let load = read(&text).unwrap_or_else(|e| panic!("{e}")).load.unwrap();
        assert_eq!(load.traffic[0].to_string(), label);
    }
}

#[test]
fn wrong_arrivals() {
    let of = |text: &str| refused(&loaded(&format!("[arrival]\n{text}\n")));
    insta::assert_snapshot!(shown(&[
        ("no such arrival", of("kind = \"open\"")),
        ("no kind", of("rate = 5")),
        ("key of another kind", of("kind = \"poisson\"\nrate = 5\nconcurrency = 8")),
        ("no rate", of("kind = \"constant\"")),
        ("rate of zero", of("kind = \"constant\"\nrate = [5, 0]")),
        ("rate twice", of("kind = \"constant\"\nrate = [5, 5.0]")),
        ("no client", of("kind = \"closed\"\nconcurrency = 0")),
        ("burst of no length", of("kind = \"burst\"\nrate = 5\non = \"0s\"\noff = \"1s\"")),
        ("steps without arrivals", of("kind = \"steps\"\nrates = [0, 0]\neach = \"1s\"")),
        ("ramp without arrivals", of("kind = \"ramp\"\nfrom = 0\nto = 0")),
        (
            "share above 1",
            of("kind = \"poisson\"\nrate = 5\ndelayed = { share = 1.5, gap = \"3s\" }")
        ),
        ("delayed without gap", of("kind = \"poisson\"\nrate = 5\ndelayed = { share = 0.5 }")),
    ]));
}

#[test]
fn wrong_loads_and_pools() {
    let of = |text: &str| refused(&loaded(&format!("{text}\n")));
    insta::assert_snapshot!(shown(&[
        ("driver", of("[load]\ndriver = \"https\"")),
        ("duration of zero", of("[load]\nduration = \"0s\"")),
        ("no requests", of("[load]\nrequests = 0")),
        ("key of the pool", of("[load]\nkeep_alive = \"5s\"")),
        ("keep-alive twice", of("[pool]\nkeep_alive = [\"60s\", \"1m\"]")),
        ("no instances", of("[pool]\nmax_instances = 0")),
        ("minimum above maximum", of("[pool]\nmax_instances = 2\nmin_instances = 3")),
        ("scaling", of("[pool]\nscaling = \"window\"")),
        ("window", of("[pool]\nscaling = { window = \"0s\", utilization = 70 }")),
        ("utilization", of("[pool]\nscaling = { utilization = 170 }")),
        (
            "closed loop larger than the pool",
            of(
                "[arrival]\nkind = \"closed\"\nconcurrency = 9\n[pool]\nmax_instances = 4\nqueue = 4"
            )
        ),
    ]));
}

#[test]
fn keys_without_meaning_under_load() {
    let with = |text: &str| {
        refused(&loaded("[load]\n").replace("repetitions = 5", &format!("repetitions = 5\n{text}")))
    };
    insta::assert_snapshot!(shown(&[
        ("start", appended("[load]\n")),
        ("start and concurrency", appended("[arrival]\nkind = \"closed\"\nconcurrency = 8")),
        ("mixed without load", mistake("\"warm\"]", "\"mixed\"]")),
        ("block", with("block = 2")),
        ("warmup and gap", with("warmup = 2\ngap = \"1s\"")),
        ("budget", with("budget = \"1s\"")),
        ("warm", refused(&loaded("[load]\n[warm]\nrepetitions = 3\n"))),
        (
            "exclude a driver without load",
            appended("[[exclude]]\ndriver = \"http\"\nreason = \"x\"")
        ),
        (
            "exclude an absent arrival",
            refused(&loaded("[load]\n[[exclude]]\narrival = \"closed-2\"\nreason = \"x\""))
        ),
    ]));
}

#[test]
fn recorded_arrivals_are_next_to_the_scenario_or_copied_to_the_run() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.toml");
    std::fs::write(&path, loaded("[arrival]\nkind = \"trace\"\nfile = \"day.csv\"\n")).unwrap();
    let error = Scenario::load(&path, &FUNCTIONS).unwrap_err().to_string();
    assert!(error.contains("there is no file") && error.contains("x.toml:9:8"), "{error}");

    std::fs::write(folder.path().join("day.csv"), "at_s\n0.5\n").unwrap();
    let (scenario, _) = Scenario::load(&path, &FUNCTIONS).unwrap();
    assert_eq!(scenario.trace(), Some(folder.path().join("day.csv")));

    // A run directory has its own copy.
    std::fs::rename(folder.path().join("day.csv"), folder.path().join(files::TRACE)).unwrap();
    std::fs::write(folder.path().join("manifest.json"), "{}").unwrap();
    let (scenario, _) = Scenario::load(&path, &FUNCTIONS).unwrap();
    assert_eq!(scenario.trace(), Some(folder.path().join(files::TRACE)));
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
fn a_missing_file_is_reported_with_its_name() {
    let error = Scenario::load(Path::new("no/such.toml"), &FUNCTIONS).unwrap_err();
    assert_eq!(error.to_string(), "cannot read the scenario no/such.toml");
}

proptest::proptest! {
    /// Any text can be read, and its mistakes can be shown.
    #[test]
    fn arbitrary_text_is_read_or_refused(at in 0..GOOD.len(), length in 0usize..20, text in "\\PC{0,12}") {
        let end = (at + length).min(GOOD.len());
        if let Err(error) = read(&format!("{}{text}{}", &GOOD[..at], &GOOD[end..])) {
            error.to_string();
        }
    }
}

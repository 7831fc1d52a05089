//! One soak: rounds of load, and checks between them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::{Duration, Instant};

use lumos_testkit::leftovers::assert_nothing_left;
use lumos_testkit::openmetrics::Metrics;
use lumos_testkit::scratch::wait_until;
use lumos_testkit::server::Server;
use nix::sys::signal::Signal;
use serde_json::Value;

use crate::account::{Account, FUNCTIONS, Fate, LEAVER_CAUSES, key};
use crate::mix::{self, MAX_BODY};
use crate::resources::{self, Resources};
use crate::silent_peer::SilentPeer;

/// The default duration of a soak, in seconds.
const DEFAULT_SECONDS: u64 = 5;
/// The longest load between two checks.
const LONGEST_ROUND: Duration = Duration::from_secs(20);
/// How long the load lasts during which the server is drained.
const DRAIN_LOAD: Duration = Duration::from_millis(1500);
/// Descriptors, threads and memory of a loaded server differ from those of a new one. After the
/// warm-up they must not grow.
const WARM_UP: Duration = Duration::from_secs(2);

const MAX_INSTANCES: u64 = 4;
/// How long closing may take on a busy machine.
const TIMEOUT: Duration = Duration::from_secs(30);
/// Descriptors of the event loops that Wasmtime's host keeps for further instances. Each loop
/// has three, and there are as many loops as there ever were instances at one time: twice the
/// maximum, because as many may be ending.
const MAX_LOOP_DESCRIPTORS: usize = 3 * 2 * MAX_INSTANCES as usize * FUNCTIONS.len();

/// Causes that must occur in every soak, and causes that must occur within a minute.
const CERTAIN: [&str; 9] = [
    "answered",
    "bad-request",
    "body-too-long",
    "client-left",
    "deadline-passed",
    "function-failed",
    "method-not-allowed",
    "queue-full",
    "trapped",
];
const RARE: [&str; 2] = ["out-of-memory", "slow-body"];
const LONG: Duration = Duration::from_secs(60);

/// The most threads of a host: its own (main, the reader of its input, the watchdogs of the
/// gateway and of each function's engine, one to spare); for each event loop its two and one
/// that its runtime may start; and the pools' threads with that of their runtime, which start on
/// demand and stay (`Threads::start`).
fn max_threads() -> u64 {
    let cores = std::thread::available_parallelism().map_or(1, usize::from) as u64;
    let functions = FUNCTIONS.len() as u64;
    let (own, event_loops) = (4 + functions, 3 * cores.min(4));
    own + event_loops + 1 + MAX_INSTANCES * functions + 64
}

/// How much the anonymous memory of the host and of `lumos` may grow after the warm-up, within
/// ten minutes and 87,000 requests. Measured: 5 to 8 MiB, of which two thirds occur in the first
/// minute, while the allocator's arenas of new threads fill.
const MAX_GROWTH_KIB: u64 = 16 << 10;
/// How much of that may occur in the second half of a long soak, because a leak does not slow
/// down. Measured: below 1 MiB. A leak of two kilobytes per instance would be 12 MiB.
const MAX_LATE_GROWTH_KIB: u64 = 4 << 10;
/// The most touched pages of an instance that Wasmtime keeps for the next one in its slot
/// (`reservation` in runtimes/wasmtime/src/engine.rs). A slot fills when a function first
/// touches much memory in it, at any time: 30 MiB were measured after ten minutes, of which
/// 0.7 MiB were added in the last four.
const KEPT_KIB: u64 = 4 << 10;

struct Soak {
    name: String,
    server: Server,
    peer: SilentPeer,
    host: i32,
    begin: Instant,
    /// The resources of the host and of `lumos` before the first request.
    fresh: [Resources; 2],
    groups: usize,
    account: Account,
    table: String,
}

/// Whether `conformance` is built in `form`.
pub fn is_built(form: &str) -> bool {
    manifest()["artifacts"].as_array().expect("a list").iter().any(|artifact| {
        artifact["function"] == "conformance" && artifact["form"].as_str() == Some(form)
    })
}

fn folder() -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_BIN_EXE_lumos")).with_file_name("../artifacts")
}

fn manifest() -> Value {
    let text = std::fs::read(folder().join("artifacts.json")).expect("run scripts/build.sh");
    serde_json::from_slice(&text).unwrap()
}

/// The functions as built, and `conformance` under a second name.
fn artifacts() -> tempfile::TempDir {
    let mut manifest = manifest();
    let built = manifest["artifacts"].as_array_mut().unwrap();
    let mut more = Vec::new();
    for artifact in built.iter_mut() {
        let path = folder().canonicalize().unwrap().join(artifact["path"].as_str().unwrap());
        artifact["path"] = path.to_str().unwrap().into();
        if artifact["function"] == "conformance" {
            let mut again = artifact.clone();
            again["function"] = "leavers".into();
            more.push(again);
        }
    }
    built.extend(more);
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("artifacts.json"), manifest.to_string()).unwrap();
    folder
}

/// Soaks a target in an isolation, without reserved memory.
pub fn soak(subject: (&str, &str)) {
    soak_with(subject, false, [MAX_GROWTH_KIB, MAX_LATE_GROWTH_KIB]);
}

/// Soaks a target in threads, where the engine keeps pages of the slots that it has reserved.
pub fn soak_reserved(target: &str) {
    let max_kib = MAX_GROWTH_KIB + KEPT_KIB * MAX_INSTANCES * FUNCTIONS.len() as u64;
    soak_with((target, "thread"), true, [max_kib, max_kib]);
}

/// `max_kib`: how much memory may grow in all, and in the second half of a long soak.
fn soak_with(subject: (&str, &str), reserves: bool, max_kib: [u64; 2]) {
    let seconds = std::env::var("LUMOS_SOAK_SECONDS").map_or(DEFAULT_SECONDS, |text| {
        text.parse().expect("LUMOS_SOAK_SECONDS is a number of seconds")
    });
    let whole = Duration::from_secs(seconds);
    let artifacts = artifacts();
    let mut soak = Soak::start(subject, artifacts.path().to_str().unwrap(), reserves);
    soak.round(0, WARM_UP);
    let warm = soak.measure();
    let round = LONGEST_ROUND.min(whole / 2);
    let mut rounds = 0;
    let mut halfway = warm.clone();
    while soak.begin.elapsed() < whole || rounds < 2 {
        rounds += 1;
        soak.round(rounds, round);
        let held = soak.measure();
        if soak.begin.elapsed() <= whole / 2 {
            halfway = held;
        }
    }
    soak.check_service();
    let end = soak.measure();
    soak.check_coverage(&CERTAIN);
    if whole >= LONG {
        soak.check_coverage(&RARE);
    }
    soak.check_growth(&warm, &end, max_kib[0]);
    if whole >= LONG {
        soak.check_growth(&halfway, &end, max_kib[1]);
    }
    let growth = [0, 1].map(|of| end[of].anonymous_kib as i64 - warm[of].anonymous_kib as i64);
    let (name, seconds) = (soak.name.clone(), soak.begin.elapsed().as_secs());
    let requests = soak.drain_under_load();
    println!(
        "summary  {name:<22}  {seconds:>5} s  {requests:>8} requests, no leak; memory of the host \
         {:+} KiB, of lumos {:+} KiB; {} threads",
        growth[0], growth[1], end[0].threads
    );
}

impl Soak {
    fn start(subject: (&str, &str), artifacts: &str, reserves: bool) -> Self {
        let (instances, max_body) = (MAX_INSTANCES.to_string(), format!("{MAX_BODY}B"));
        let options = [
            ["--artifacts", artifacts],
            ["--max-instances", &instances],
            ["--queue", "8"],
            ["--keep-alive", "100ms"],
            ["--timeout", "300ms"],
            ["--memory", "128MiB"],
            ["--max-body", &max_body],
            ["--max-connections", "96"],
            ["--idle", "1s"],
            ["--reserve", if reserves { "true" } else { "false" }],
        ];
        let server = Server::start(&FUNCTIONS, subject, options.as_flattened());
        let host = server.host().as_raw();
        let fresh = [Resources::of(host), Resources::of(server.pid() as i32)];
        let table = "  time s    requests  fds host/lumos  threads  anonymous KiB host/lumos  \
                     instances made/failed\n";
        Self {
            name: format!("{}/{}{}", subject.0, subject.1, if reserves { "/kept" } else { "" }),
            groups: resources::groups(server.pid()),
            peer: SilentPeer::new(),
            host,
            fresh,
            begin: Instant::now(),
            account: Account::default(),
            table: table.to_owned(),
            server,
        }
    }

    /// Loads the server, then checks that nothing of the load is left and that counts agree.
    fn round(&mut self, number: u64, duration: Duration) {
        let account = mix::send(self.server.address, self.peer.address, number, duration);
        self.account.merge(account);
        self.settle();
        self.check_counts();
    }

    /// Waits until the pools are scaled to zero and all resources are released. Fails on a
    /// leak.
    fn settle(&self) {
        let name = &self.name;
        let mut metrics = self.server.metrics();
        wait_until(&format!("{name}: the pools to scale to zero"), || {
            metrics = self.server.metrics();
            metrics.sum("lumos_instances") + metrics.sum("lumos_queued_requests") == 0.0
        });
        wait_until(&format!("{name}: all connections to end but the one that asks"), || {
            self.server.metrics().sum("lumos_connections") == 1.0
        });
        wait_until(&format!("{name}: the processes of instances to end"), || {
            resources::children(self.host) == 0
        });
        wait_until(&format!("{name}: the cgroups of instances to be removed"), || {
            resources::groups(self.server.pid()) == self.groups
        });
        wait_until(&format!("{name}: guests' sockets to close"), || {
            self.peer.open_connections() == 0
        });
        for (pid, fresh) in [self.host, self.server.pid() as i32].into_iter().zip(&self.fresh) {
            self.wait_for_descriptors(pid, fresh);
        }
    }

    /// A process must close all descriptors that it opened. Only a host of instances in threads
    /// may keep some: event loops, one for each instance that it ever had at one time.
    fn wait_for_descriptors(&self, pid: i32, fresh: &Resources) {
        let spare = if self.name.contains("/thread") && pid == self.host {
            MAX_LOOP_DESCRIPTORS
        } else {
            0
        };
        let (before, loops_before) = fresh.without_event_loops();
        let begin = Instant::now();
        loop {
            let held = Resources::of(pid);
            let (now, loops) = held.without_event_loops();
            if now == before && loops <= loops_before + spare {
                return;
            }
            assert!(
                begin.elapsed() < TIMEOUT,
                "{}: process {pid} held {:?} and holds {:?}",
                self.name,
                fresh.descriptors,
                held.descriptors
            );
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Checks that both sides have counted the same: see the head of `main.rs`.
    fn check_counts(&self) {
        let metrics = self.server.metrics();
        for function in FUNCTIONS {
            let mut server = by_cause(&metrics, function);
            let mut clients = self.account.counted(function);
            if function == "leavers" {
                let closed = self.account.sum(|fate| *fate == Fate::Closed);
                assert!(clients.is_empty(), "no leaver waits for a response: {clients:?}");
                clients.insert("client closed".to_owned(), closed);
                let sum = LEAVER_CAUSES.iter().filter_map(|cause| server.remove(*cause)).sum();
                server.insert("client closed".to_owned(), sum);
            }
            assert_eq!(server, clients, "{}: {function}, server and clients", self.name);
        }
        let unknown = self.account.sum(|fate| *fate == Fate::UnknownPath) as f64;
        assert_eq!(metrics.value("lumos_unknown_paths_total", &[]), Some(unknown));
        let totals = ["made", "reclaimed", "failed"]
            .map(|what| metrics.sum(&format!("lumos_instances_{what}_total")));
        // The failed instances include some that could not be made.
        let [made, reclaimed, failed] = totals;
        let gone = reclaimed..=reclaimed + failed;
        assert!(gone.contains(&made), "{}: {totals:?} instances", self.name);
    }

    /// Measures the resources and adds a row to the table.
    fn measure(&mut self) -> [Resources; 2] {
        let held = [Resources::of(self.host), Resources::of(self.server.pid() as i32)];
        let metrics = self.server.metrics();
        let [host, lumos] = &held;
        let row = format!(
            "  {:>6.0}  {:>10}  {:>8}/{:<5}  {:>7}  {:>14}/{:<11}  {:>7}/{}",
            self.begin.elapsed().as_secs_f64(),
            self.account.begun(),
            host.descriptors.len(),
            lumos.descriptors.len(),
            host.threads,
            host.anonymous_kib,
            lumos.anonymous_kib,
            metrics.sum("lumos_instances_made_total"),
            metrics.sum("lumos_instances_failed_total"),
        );
        println!("{:<22}{row}", self.name);
        let _ = writeln!(self.table, "{row}");
        held
    }

    /// Plain requests are still served.
    fn check_service(&mut self) {
        let reply = self.server.client().post("/conformance", r#"{"op":"echo","data":"still"}"#);
        assert_eq!((reply.status, reply.body.as_str()), (200, r#"{"data":"still"}"#));
        assert!(reply.start().starts_with("cold:"), "the pool had scaled to zero: {reply:?}");
        assert_eq!(self.server.client().post("/noop", "{}").status, 200);
        self.account.add("conformance", Fate::Counted("answered".to_owned()));
        self.account.add("noop", Fate::Counted("answered".to_owned()));
        self.settle();
        self.check_counts();
    }

    /// Checks that each of `causes` has occurred.
    fn check_coverage(&self, causes: &[&str]) {
        for cause in causes {
            assert_ne!(self.account.cause(cause), 0, "{}: no {cause}", self.name);
        }
        let metrics = self.server.metrics();
        for count in ["cold_starts", "instances_reclaimed", "instances_failed"] {
            let name = format!("lumos_{count}_total");
            assert_ne!(metrics.sum(&name), 0.0, "{}: {name}", self.name);
        }
    }

    fn check_growth(&self, earlier: &[Resources; 2], end: &[Resources; 2], max_kib: u64) {
        for (before, now) in earlier.iter().zip(end) {
            let growth = now.anonymous_kib.saturating_sub(before.anonymous_kib);
            assert!(growth <= max_kib, "{}: memory grew by {growth} KiB", self.name);
        }
        assert_eq!(end[1].threads, self.fresh[1].threads, "{}: threads of lumos", self.name);
        assert!(end[0].threads <= max_threads(), "{}: {} threads", self.name, end[0].threads);
    }

    /// Ends the server under load. The counts that it prints agree with those of the clients.
    /// Returns the number of requests of the whole soak.
    fn drain_under_load(mut self) -> u64 {
        let (to, silent) = (self.server.address, self.peer.address);
        let leavers = by_cause(&self.server.metrics(), "leavers");
        let load = std::thread::spawn(move || mix::send_to_the_end(to, silent, DRAIN_LOAD));
        let busy = || self.server.busy("conformance") > 0.0;
        wait_until(&format!("{}: the last load to run", self.name), busy);
        self.server.signal(Signal::SIGTERM);
        let ended = self.server.ended().expect(0);
        self.account.merge(load.join().unwrap());
        let mut expected = leavers;
        for function in FUNCTIONS {
            for (cause, count) in self.account.counted(function) {
                *expected.entry(cause).or_default() += count;
            }
        }
        let (_, printed) =
            ended.stdout.split_once("\ndrained: ").expect("the server prints its counts");
        let lines = printed.lines().skip(1).map(|line| line.trim().split_once("  ").unwrap());
        let printed = by_key(lines.map(|(count, cause)| (cause, count.parse().unwrap())));
        assert_eq!(printed, expected, "{}: printed counts and clients", self.name);
        assert_nothing_left(&self.server.scratch, self.server.pid());
        println!("\n{}\n{}\n{}\n", self.name, self.table, self.account.lines().join("\n"));
        self.account.begun()
    }
}

/// The server's counts for `function` by cause, without zeros.
fn by_cause(metrics: &Metrics, function: &str) -> BTreeMap<String, u64> {
    let causes = lumos_platform::gateway::ResponseCause::OF_FUNCTIONS.map(|ending| ending.as_str());
    let count = |cause: &str| {
        let labels = [("function", function), ("cause", cause)];
        metrics.value("lumos_requests_total", &labels).unwrap_or(0.0) as u64
    };
    by_key(causes.into_iter().map(|cause| (cause, count(cause))))
}

fn by_key<'c>(causes: impl Iterator<Item = (&'c str, u64)>) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for (cause, count) in causes.filter(|(_, count)| *count > 0) {
        *counts.entry(key(cause).to_owned()).or_default() += count;
    }
    counts
}

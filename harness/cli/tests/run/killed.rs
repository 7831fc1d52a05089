//! Processes that are killed.

use std::collections::HashSet;
use std::path::PathBuf;

use lumos_model::row::Outcome;
use lumos_testkit::leftovers::{
    Process, assert_no_process_left, assert_nothing_left, groups_of, processes,
};
use lumos_testkit::run_dir::{assert_no_doubles, complete_lines, counts, rows, telemetry};
use lumos_testkit::scratch::{Ended, Scratch, wait_until};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

const KILLS: usize = 24;

const MATRIX: &str = r#"
    functions = ["noop", "mandelbrot-bitmap"]
    sizes = ["tiny"]
    targets = ["native", "wasmtime-aot"]
    isolation = ["process", "thread"]
    start = ["warm", "cold:process"]
    storage = ["redis"]
"#;

#[test]
fn a_run_that_is_killed_at_any_moment_can_be_resumed() {
    let scratch = Scratch::new();
    let scenario = scratch.scenario("repetitions = 4\nblock = 2", MATRIX);
    scratch.run(&scenario, "undisturbed", &[]).expect(0);
    let expected = counts(&scratch.path("undisturbed"));
    let total = rows(&scratch.path("undisturbed")).len() as u64;

    let mut random = ChaCha8Rng::seed_from_u64(20);
    let mut killed = 0;
    for attempt in 0..KILLS {
        let out = format!("out-{attempt}");
        let mut run = scratch.start(&scenario, &out);
        let pid = run.pid();
        // One in four runs is killed in the gate, the others anywhere among the rows.
        let at_work = match random.next_u64() % 4 {
            0 => run.wait_for_begin(),
            _ => run.wait_for_rows((1 + random.next_u64() % (total - 1)) as usize),
        };
        std::thread::sleep(std::time::Duration::from_micros(random.next_u64() % 20_000));
        run.kill();
        killed += usize::from(at_work);
        assert_no_process_left(&scratch, pid);

        let dir = scratch.path(&out);
        let kept = complete_rows(&dir);
        scratch.call(&["run", "--resume", &out]).expect(0);
        assert_eq!(
            groups_of(pid),
            Vec::<PathBuf>::new(),
            "groups of a dead run are left after the next run"
        );
        let lines = complete_lines(&dir);
        assert!(kept.iter().all(|line| lines.contains(line)), "a row was lost");
        assert_no_doubles(&dir);
        assert_eq!(counts(&dir), expected);
    }
    assert!(killed >= 20, "only {killed} runs were killed before their end");
}

/// The rows of blocks that were complete.
fn complete_rows(dir: &std::path::Path) -> Vec<String> {
    let blocks = telemetry(dir);
    let of_block = |row: &lumos_model::row::Row| {
        let mut blocks = blocks.iter();
        blocks.any(|b| b.cell == row.cell && b.block == row.block && b.control == row.control)
    };
    let lines = complete_lines(dir).into_iter();
    lines.filter(|line| of_block(&serde_json::from_str(line).unwrap())).collect()
}

/// One cell and its control, in blocks of about a second.
const SLOW: &str = r#"
    functions = ["mandelbrot-bitmap"]
    sizes = ["small"]
    targets = ["native"]
    start = ["warm"]
"#;

/// Runs slow blocks, and kills this number of hosts, from that of the second block on.
fn run_and_kill_hosts(scratch: &Scratch, hosts: usize) -> Ended {
    let scenario = scratch.scenario("repetitions = 300\nblock = 100\nwarmup = 1", SLOW);
    let mut run = scratch.start(&scenario, "out");
    let pid = run.pid();
    assert!(run.wait_for_rows(1));
    let mut killed = HashSet::new();
    for _ in 0..hosts {
        wait_until("a host at work", || {
            let mut hosts = at_work(pid, 3).filter_map(|instance| instance.host());
            let host = hosts.find(|host| !killed.contains(&host.pid));
            host.inspect(|host| host.kill()).is_some_and(|host| killed.insert(host.pid))
        });
    }
    let ended = run.ended();
    assert_nothing_left(scratch, pid);
    assert_no_doubles(&scratch.path("out"));
    ended
}

/// Instances of `lumos` process `pid` that have used this many ticks of 10 ms of CPU time, so that
/// they have finished their warm-up.
fn at_work(pid: u32, ticks: u64) -> impl Iterator<Item = Process> {
    processes().filter(move |process| process.is_instance(pid) && process.ticks() >= ticks)
}

#[test]
fn a_block_whose_host_dies_is_measured_again() {
    let scratch = Scratch::new();
    let ended = run_and_kill_hosts(&scratch, 1).expect(0);
    ended.says(&["lumos-host-native: it ended; its block is measured again"]);
    let dir = scratch.path("out");
    assert!(rows(&dir).iter().all(|row| row.sample.outcome == Outcome::Ok));
    assert_eq!(rows(&dir).len(), 2 * 300);
    let lost = telemetry(&dir).into_iter().filter_map(|block| block.lost);
    assert_eq!(lost.collect::<Vec<_>>(), ["lumos-host-native: it ended"]);
}

#[test]
fn a_block_whose_host_dies_twice_has_failed() {
    let scratch = Scratch::new();
    let ended = run_and_kill_hosts(&scratch, 2).expect(1);
    assert!(ended.stdout.contains("lumos-host-native: it ended"), "{}", ended.stdout);
    let dir = scratch.path("out");
    let rows = rows(&dir);
    let failed: Vec<_> = rows.iter().filter(|row| row.sample.outcome != Outcome::Ok).collect();
    assert_eq!((rows.len(), failed.len()), (2 * 300 - 100 + 1, 1));
    assert_eq!(failed[0].sample.error.as_deref(), Some("lumos-host-native: it ended"));
    assert_eq!(telemetry(&dir).iter().filter(|block| block.error.is_some()).count(), 1);
}

#[test]
fn an_instance_that_is_killed_is_a_failed_row() {
    let scratch = Scratch::new();
    let scenario = scratch.scenario("repetitions = 400\nblock = 400\nwarmup = 1", SLOW);
    let mut run = scratch.start(&scenario, "out");
    let pid = run.pid();
    assert!(run.wait_for_rows(1));
    wait_until("an instance at work", || {
        at_work(pid, 10).next().inspect(|instance| instance.kill()).is_some()
    });
    let ended = run.ended().expect(1);
    assert!(ended.stdout.contains("ended by SIGKILL"), "{}", ended.stdout);
    let rows = rows(&scratch.path("out"));
    assert_eq!(rows.len(), 2 * 400);
    let failed: Vec<_> = rows.iter().filter(|row| row.sample.outcome != Outcome::Ok).collect();
    assert_eq!(failed.len(), 1, "{failed:?}");
    assert_eq!(failed[0].sample.outcome, Outcome::Trap);
    assert_eq!(failed[0].sample.error.as_deref(), Some("the process was ended by SIGKILL"));
}

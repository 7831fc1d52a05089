//! What keeps two runs from being compared, in words.

use std::fmt::Display;

use lumos_analysis::compare::Differing;
use lumos_analysis::compare::obstacles::{
    Build, LoadBounds, MachineFact, Obstacle, OutputOf, Setting, Work,
};
use lumos_model::fingerprint::Fingerprint;
use lumos_model::manifest::RedisFacts;
use lumos_model::pool::{PoolConfig, Scaling};
use lumos_model::protocol::Limits;
use lumos_scenario::scenario::{Connection, Pinning};

use crate::info::redis_words;
use crate::lists::joined;

/// Names that a line has.
const MOST_NAMES: usize = 3;

/// A line for each obstacle.
pub fn obstacles(obstacles: &[Obstacle]) -> Vec<String> {
    obstacles.iter().map(obstacle).collect()
}

fn obstacle(obstacle: &Obstacle) -> String {
    match obstacle {
        Obstacle::Schema(schema) => differ("different schema", schema, u32::to_string),
        Obstacle::Setting(setting) => of_setting(setting),
        Obstacle::Machine(fact) => of_machine(fact),
        Obstacle::Work(work) => of_work(work),
        Obstacle::Build(build) => of_build(build),
        Obstacle::NothingInCommon => {
            "no cell in common: the scenarios or filters differ".to_owned()
        }
    }
}

/// `what: A in the base run, B in the new run`.
fn differ<T>(what: &str, fact: &Differing<T>, words: impl Fn(&T) -> String) -> String {
    format!("{what}: {} in the base run, {} in the new run", words(&fact.base), words(&fact.new))
}

fn known<T: Display>(value: &Option<T>) -> String {
    value.as_ref().map_or("unknown".to_owned(), ToString::to_string)
}

fn or_none<T: Display>(value: &Option<T>) -> String {
    value.as_ref().map_or("none".to_owned(), ToString::to_string)
}

fn of_setting(setting: &Setting) -> String {
    match setting {
        Setting::Limits(of) => differ("different limits", of, limits),
        Setting::Pinning(of) => differ("different pinning", of, pinning),
        Setting::Load(of) => differ("different load", of, load),
        Setting::Gap(of) => differ("different gap", of, ToString::to_string),
        Setting::Warmup(of) => differ("different warm-up", of, ToString::to_string),
        Setting::Connection(of) => differ("different connection", of, connection),
        Setting::Redis(of) => differ("different Redis server", of, redis),
        Setting::ControlGroups(of) => differ("different control groups", of, or_none),
    }
}

fn limits(Limits { cpus, memory, timeout }: &Limits) -> String {
    format!("cpus {}, memory {}, timeout {timeout}", or_none(cpus), or_none(memory))
}

fn pinning(pinning: &Pinning) -> String {
    match pinning {
        Pinning::OneCore => "one-core",
        Pinning::None => "none",
    }
    .to_owned()
}

fn connection(connection: &Connection) -> String {
    match connection {
        Connection::Request => "one per request",
        Connection::Instance => "one per instance",
    }
    .to_owned()
}

fn load(load: &Option<LoadBounds>) -> String {
    let Some(LoadBounds { duration, requests, pool }) = load else { return "none".to_owned() };
    format!("up to {duration} and {requests} requests per block, {}", pool_words(pool))
}

/// The keep-alive is left out: it is an axis.
fn pool_words(pool: &PoolConfig) -> String {
    let PoolConfig { keep_alive: _, min_instances, max_instances, prewarmed, queue, scaling } =
        pool;
    let scaling = match scaling {
        Scaling::Immediate => "immediate scaling".to_owned(),
        Scaling::Window { window, utilization } => {
            format!("scaling by a window of {window} at {utilization} % utilisation")
        }
    };
    format!(
        "{min_instances} to {max_instances} instances, {prewarmed} pre-warmed, a queue of {queue}, \
         {scaling}"
    )
}

fn redis(redis: &Option<RedisFacts>) -> String {
    redis.as_ref().map_or("none".to_owned(), redis_words)
}

fn of_machine(fact: &MachineFact) -> String {
    let quoted = |text: &String| text.clone();
    let differ_in = |what: &str| format!("different machine, its {what}");
    match fact {
        MachineFact::Description(of) => {
            let line = |print: &Option<Box<Fingerprint>>| known(&print.as_ref().map(|p| p.line()));
            differ(&differ_in("description"), of, line)
        }
        MachineFact::Architecture(of) => differ(&differ_in("architecture"), of, quoted),
        MachineFact::Cpu(of) => differ(&differ_in("CPU"), of, known),
        MachineFact::Board(of) => differ(&differ_in("board"), of, known),
        MachineFact::Cores(of) => differ(&differ_in("number of cores"), of, known),
        MachineFact::Kernel(of) => differ(&differ_in("kernel"), of, known),
        MachineFact::Governors(of) => {
            let list = |governors: &Vec<String>| match governors.is_empty() {
                true => "unknown".to_owned(),
                false => governors.join(", "),
            };
            differ(&differ_in("governors"), of, list)
        }
        MachineFact::Memory(of) => differ(&differ_in("memory"), of, |size| format!("{size} bytes")),
    }
}

fn of_work(work: &Work) -> String {
    match work {
        Work::Seed(of) => differ("different seed, so different inputs", of, u64::to_string),
        Work::Trace { file } => {
            format!("different recorded arrivals: {} has changed", file.display())
        }
        Work::Inputs { keys } => {
            format!("different inputs under the same key: {}", joined(keys, MOST_NAMES, ", "))
        }
        Work::Outputs { of } => {
            let name = |OutputOf { function, size, storage }: &OutputOf| {
                format!("{function} {size} {storage}")
            };
            let names: Vec<String> = of.iter().map(name).collect();
            let names = joined(&names, MOST_NAMES, ", ");
            format!("different outputs, so different work: {names}")
        }
    }
}

fn of_build(build: &Build) -> String {
    match build {
        Build::Compiler { compilers, artifacts } => {
            let [base, new] = [&compilers.base, &compilers.new]
                .map(|version| version.lines().next().unwrap_or_default());
            let names = joined(artifacts, MOST_NAMES, ", ");
            format!("different compiler ({base} and {new}): {names}")
        }
        Build::Flags { flags: Differing { base, new }, artifacts } => {
            let names = joined(artifacts, MOST_NAMES, ", ");
            format!("different compiler flags (`{base}` and `{new}`): {names}")
        }
        Build::Forms { functions } => {
            let names = joined(functions, MOST_NAMES, ", ");
            format!("different forms of artifacts on the same targets: {names}")
        }
    }
}

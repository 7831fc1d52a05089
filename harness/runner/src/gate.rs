//! Nothing is measured before it is shown that all targets do the same work in the mode
//! that their names say.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;
use std::sync::Mutex;
use std::thread;

use lumos_model::cell::{Cell, Demand, Isolation, Size, Start, Storage, Target};
use lumos_model::hex::hex;
use lumos_model::manifest::{GateFailure, Output, Proof};
use lumos_model::protocol::ModeProof;
use lumos_model::row::Outcome;
use sha2::{Digest, Sha256};

use crate::host_client::{ClientError, HostClient};
use crate::interrupt;
use crate::session::Session;

/// How often a mode may be shown until it counts as not proven.
const PROOFS: usize = 3;

/// What the gate found.
#[derive(Debug, Default)]
pub struct Verdict {
    /// How each target's mode was shown.
    pub proofs: Vec<Proof>,
    /// Outputs that all targets agreed on.
    pub outputs: Vec<Output>,
    /// What is wrong.
    pub failures: Vec<GateFailure>,
    /// What must not be measured.
    refused: HashSet<(String, Size, Storage, Target)>,
}

impl Verdict {
    /// Whether `cell` may be measured.
    pub fn admits(&self, cell: &Cell) -> bool {
        let Cell { function, size, storage, target, .. } = cell;
        !self.refused.contains(&(function.clone(), *size, *storage, target.clone()))
    }

    /// The output that `cell` must have.
    pub fn expected(&self, cell: &Cell) -> Option<&Output> {
        self.outputs.iter().find(|output| {
            output.function == cell.function
                && output.size == cell.size
                && output.storage == cell.storage
        })
    }
}

/// One invocation of the gate.
struct Answer {
    cell: Cell,
    result: Result<Work, String>,
}

/// What an invocation produced.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Work {
    sha256: String,
    bytes: u64,
    stored_sha256: Option<String>,
}

/// Invokes every (function, size, storage, target) of `cells` once, and has every
/// artifact prove its mode.
///
/// The limits are a part of the experiment and not of the work, so they do not hold here:
/// what runs into them is measured as a failure.
/// Nothing is timed here, so two hosts run at once; those that write to the storage
/// take turns, since they write to the same key.
///
/// # Errors
/// When the user interrupts.
pub fn run(
    session: &Mutex<Session>,
    cells: &[Cell],
    progress: &(dyn Fn(&str) + Sync),
) -> anyhow::Result<Verdict> {
    let jobs = Mutex::new(jobs(cells).into_iter());
    let (proofs, answers, failures) = (Mutex::default(), Mutex::default(), Mutex::default());
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(job) = next(&jobs) {
                    progress(&format!("{} {}", job.function, job.target));
                    let (proof, done) = examine(session, &job);
                    match proof {
                        Ok(proof) => push(&proofs, proof),
                        Err(reason) => {
                            let (function, target) = (job.function.clone(), job.target.clone());
                            push(&failures, GateFailure { function, input: None, target, reason });
                        }
                    }
                    done.into_iter().for_each(|answer| push(&answers, answer));
                }
            });
        }
    });
    interrupt::check()?;
    let mut verdict = Verdict {
        proofs: into_inner(proofs),
        failures: into_inner(failures),
        ..Verdict::default()
    };
    verdict
        .proofs
        .sort_by(|a, b| (&a.function, &a.proof.target).cmp(&(&b.function, &b.proof.target)));
    judge(&mut verdict, cells, into_inner(answers));
    Ok(verdict)
}

/// All that one host examines: an artifact with the cells that run it.
struct Job {
    function: String,
    target: Target,
    cells: Vec<Cell>,
}

fn jobs(cells: &[Cell]) -> Vec<Job> {
    let mut jobs: BTreeMap<(String, Target), BTreeMap<(Size, Storage), Cell>> = BTreeMap::new();
    for cell in cells {
        let job = jobs.entry((cell.function.clone(), cell.target.clone())).or_default();
        job.entry((cell.size, cell.storage)).or_insert_with(|| cell.clone());
    }
    // The slow ones first: two workers then end at about the same time.
    let mut jobs: Vec<Job> = jobs
        .into_iter()
        .map(|((function, target), cells)| Job {
            function,
            target,
            cells: cells.into_values().collect(),
        })
        .collect();
    jobs.sort_by_key(|job| job.target.mode() != Some("jit"));
    jobs
}

fn examine(session: &Mutex<Session>, job: &Job) -> (Result<Proof, String>, Vec<Answer>) {
    let started = {
        let session = lock(session);
        session.artifact(&job.function, &job.target).map_err(|e| format!("{e:#}")).and_then(
            |(path, _)| {
                Ok((path, session.start_unbound_host(&job.target).map_err(|e| e.to_string())?))
            },
        )
    };
    let (path, mut host) = match started {
        Ok(started) => started,
        Err(reason) => return (Err(reason), Vec::new()),
    };
    let mut proof = None;
    let mut answers = Vec::new();
    for cell in &job.cells {
        // The first cell makes the module resident that is then proven and invoked.
        let result = invoke(session, &mut host, cell, |host| {
            if proof.is_none() {
                proof = Some(prove(host, &job.target, &path));
            }
        });
        answers.push(Answer { cell: cell.clone(), result });
    }
    match proof {
        Some(Ok(proof)) => (Ok(Proof { function: job.function.clone(), proof }), answers),
        // No proof, no measurement: what it answered does not matter.
        Some(Err(error)) => (Err(error.to_string()), Vec::new()),
        None => {
            (Err("its mode was not proven, since it could not be prepared".to_owned()), answers)
        }
    }
}

/// Has `host` show that the artifact at `path` runs in the mode of `target`.
///
/// Other work on the machine can spoil the canary's time, but does not make one mode look
/// like another again and again: a refusal counts when it is repeated.
///
/// # Errors
/// When the host does not show it, or is gone.
pub fn prove(
    host: &mut HostClient,
    target: &Target,
    path: &Path,
) -> Result<ModeProof, ClientError> {
    let mut proof = host.prove(target, path);
    for _ in 1..PROOFS {
        if let Err(ClientError::Refused(_)) = proof {
            proof = host.prove(target, path);
        }
    }
    proof
}

/// One invocation in the lightest way that the target has, and what it left behind.
fn invoke(
    session: &Mutex<Session>,
    host: &mut HostClient,
    cell: &Cell,
    prepared: impl FnOnce(&mut HostClient),
) -> Result<Work, String> {
    let key = match cell.storage {
        Storage::Inline => None,
        Storage::Local | Storage::Redis | Storage::Host => {
            lumos_inputs::output_key(&cell.function, lumos_scenario::inputs::size(cell.size))
        }
    };
    // A function that writes keeps the session to itself until its object was read.
    let mut guard = key.as_ref().map(|_| lock(session));
    let message = |e: anyhow::Error| format!("{e:#}");
    if let (Some(session), Some(key)) = (&mut guard, &key) {
        session.forget(cell.storage, key).map_err(message)?;
    }
    let start = if cell.target.is_native() { Start::ColdProcess } else { Start::ColdInstance };
    let light =
        Cell { demand: Demand::Each(start), isolation: light_isolation(cell), ..cell.clone() };
    let (prepare, bound) = {
        let own;
        let session: &Session = match &guard {
            Some(guard) => guard,
            None => {
                own = lock(session);
                &own
            }
        };
        (session.prepare_unbound(&light).map_err(message)?, session.sample_bound())
    };
    let mut prepare = prepare;
    prepare.gap = lumos_model::units::Span(std::time::Duration::ZERO);
    let answer = |e: ClientError| e.to_string();
    host.prepare(prepare).map_err(answer)?;
    prepared(host);
    let block = host.block(1, false, None, bound).map_err(answer)?;
    let sample = block.samples.into_iter().next().ok_or("the host returned no sample")?;
    if sample.outcome != Outcome::Ok {
        return Err(format!("{}: {}", sample.outcome, sample.error.unwrap_or_default()));
    }
    let mut work = Work {
        sha256: sample.output_sha256.unwrap_or_default(),
        bytes: sample.output_bytes.unwrap_or_default(),
        stored_sha256: None,
    };
    if let (Some(session), Some(key)) = (&mut guard, &key) {
        let stored = session.stored(cell.storage, key).map_err(message)?;
        let stored = stored.ok_or_else(|| format!("it stored nothing under {key}"))?;
        work.stored_sha256 = Some(hex(&Sha256::digest(&stored)));
    }
    Ok(work)
}

/// Inside the host where the target can, since that is the quickest.
fn light_isolation(cell: &Cell) -> Isolation {
    if cell.target.is_native() { Isolation::Process } else { Isolation::Thread }
}

/// Compares the outputs of all targets; the native one is right, or else the most
/// frequent.
fn judge(verdict: &mut Verdict, cells: &[Cell], answers: Vec<Answer>) {
    let mut works: BTreeMap<(String, Size, Storage), Vec<(Target, Work)>> = BTreeMap::new();
    for Answer { cell, result } in answers {
        match result {
            Ok(work) => works
                .entry((cell.function, cell.size, cell.storage))
                .or_default()
                .push((cell.target, work)),
            Err(reason) => verdict.failures.push(GateFailure {
                function: cell.function,
                input: Some((cell.size, cell.storage)),
                target: cell.target,
                reason,
            }),
        }
    }
    let mut admitted = HashSet::new();
    for ((function, size, storage), works) in works {
        let right = reference(&works);
        let (same, other): (Vec<_>, Vec<_>) = works.iter().partition(|(_, work)| *work == right);
        for (target, work) in &other {
            let reason = format!(
                "its output ({} bytes, sha256 {:.12}) differs from that of {} ({} bytes, sha256 \
                 {:.12})",
                work.bytes, work.sha256, same[0].0, right.bytes, right.sha256
            );
            let (function, target) = (function.clone(), target.clone());
            verdict.failures.push(GateFailure {
                function,
                input: Some((size, storage)),
                target,
                reason,
            });
        }
        let agreeing = same.iter().map(|(target, _)| target.clone());
        admitted.extend(agreeing.map(|target| (function.clone(), size, storage, target)));
        verdict.outputs.push(Output {
            function,
            size,
            storage,
            sha256: right.sha256,
            bytes: right.bytes,
            stored_sha256: right.stored_sha256,
            targets: same.len(),
        });
    }
    let keys = cells.iter().map(|c| (c.function.clone(), c.size, c.storage, c.target.clone()));
    verdict.refused = keys.filter(|key| !admitted.contains(key)).collect();
    verdict.failures.sort_by_cached_key(GateFailure::to_string);
}

fn reference(works: &[(Target, Work)]) -> Work {
    let native = works.iter().find(|(target, _)| target.is_native());
    let mut counts: BTreeMap<&Work, usize> = BTreeMap::new();
    for (_, work) in works {
        *counts.entry(work).or_default() += 1;
    }
    let frequent = counts.into_iter().max_by_key(|(_, count)| *count).map(|(work, _)| work);
    native.map(|(_, work)| work).or(frequent).expect("an entry has at least one work").clone()
}

fn next(jobs: &Mutex<std::vec::IntoIter<Job>>) -> Option<Job> {
    if interrupt::is_interrupted() { None } else { lock(jobs).next() }
}

fn push<T>(list: &Mutex<Vec<T>>, item: T) {
    lock(list).push(item);
}

fn into_inner<T>(list: Mutex<Vec<T>>) -> Vec<T> {
    list.into_inner().unwrap_or_else(|e| e.into_inner())
}

fn lock<T: ?Sized>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|e| e.into_inner())
}

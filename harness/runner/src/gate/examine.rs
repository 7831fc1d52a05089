//! Examines one artifact: its mode is proven, and it is invoked with each of its inputs.

use std::path::PathBuf;
use std::sync::Mutex;

use lumos_model::cell::{Cell, Demand, Isolation, Start, Storage};
use lumos_model::hex::hex;
use lumos_model::manifest::Proof;
use lumos_model::row::{Outcome, Sample};
use lumos_scenario::inputs;
use sha2::{Digest, Sha256};

use super::job::Job;
use crate::hosts::{BlockRequest, HostClient, Outputs};
use crate::proof::{Attempts, prove};
use crate::session::{Preparation, Purpose, RequestSource, Session};
use crate::sync::lock;

/// What one job showed.
pub(super) struct Examined {
    pub(super) job: Job,
    /// How the mode was proven, or why it was not.
    pub(super) proof: Result<Proof, String>,
    /// What came of each of the job's cells. Empty when the artifact cannot be used or its mode
    /// was refuted: then the outputs do not matter.
    pub(super) answers: Vec<Answer>,
}

impl Examined {
    fn refused(job: Job, reason: String) -> Self {
        Self { job, proof: Err(reason), answers: Vec::new() }
    }
}

/// What came of the invocation of one cell.
pub(super) struct Answer {
    pub(super) cell: Cell,
    pub(super) result: Result<Work, String>,
}

/// What an invocation produced.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Work {
    /// Hash of the response.
    pub(super) sha256: String,
    /// Size of the response.
    pub(super) bytes: u64,
    /// Hash of the object that the function stored, if it stores one.
    pub(super) stored_sha256: Option<String>,
}

/// Examines artifacts. Functions that store an object store it under the same key on every
/// target, so their invocations take turns.
pub(super) struct Examiner<'a> {
    session: &'a Session,
    storing: Mutex<()>,
}

impl<'a> Examiner<'a> {
    pub(super) fn new(session: &'a Session) -> Self {
        Self { session, storing: Mutex::default() }
    }

    pub(super) fn examine(&self, job: Job) -> Examined {
        let (path, mut host) = match self.start(&job) {
            Ok(started) => started,
            Err(reason) => return Examined::refused(job, reason),
        };
        let mut proof = None;
        let mut answers = Vec::new();
        for cell in &job.cells {
            let prepared = self.prepare(&mut host, cell);
            // The first preparation loads the module that is then proven and invoked.
            if prepared.is_ok() && proof.is_none() {
                match prove(&mut host, &job.target, &path, Attempts::GATE) {
                    Ok(proven) => proof = Some(proven),
                    Err(error) => return Examined::refused(job, error.to_string()),
                }
            }
            let result = prepared.and_then(|()| self.invoke(&mut host, cell));
            answers.push(Answer { cell: cell.clone(), result });
        }
        let proof = proof.map(|proof| Proof { function: job.function.clone(), proof });
        let proof = proof.ok_or("its mode was not proven, because it could not be prepared");
        Examined { proof: proof.map_err(str::to_owned), job, answers }
    }

    fn start(&self, job: &Job) -> Result<(PathBuf, HostClient), String> {
        let artifact = self.session.artifact(&job.function, &job.target);
        let (path, _) = artifact.map_err(|error| format!("{error:#}"))?;
        let host = self.session.start_unbound_host(&job.target);
        Ok((path, host.map_err(|error| error.to_string())?))
    }

    /// Prepares `host` to invoke `cell` in the quickest way that its target has: inside the
    /// host, or for a native function in a new process.
    fn prepare(&self, host: &mut HostClient, cell: &Cell) -> Result<(), String> {
        let (isolation, start) = match cell.target.is_native() {
            true => (Isolation::Process, Start::ColdProcess),
            false => (Isolation::Thread, Start::ColdInstance),
        };
        let quick = Cell { demand: Demand::Each(start), isolation, ..cell.clone() };
        let (request, purpose) = (RequestSource::Generated, Purpose::Check);
        let prepare = self.session.prepare(Preparation { cell: &quick, request, purpose });
        let prepare = prepare.map_err(|error| format!("{error:#}"))?;
        host.prepare(prepare).map(drop).map_err(|error| error.to_string())
    }

    /// Invokes `cell` once; returns its response and the object that it stored.
    fn invoke(&self, host: &mut HostClient, cell: &Cell) -> Result<Work, String> {
        let message = |error: anyhow::Error| format!("{error:#}");
        let storages = &self.session.storages;
        let key = output_key(cell);
        let _turn = key.as_ref().map(|_| lock(&self.storing));
        if let Some(key) = &key {
            storages.delete(cell.storage, key).map_err(message)?;
        }
        let mut work = self.invoke_once(host)?;
        if let Some(key) = &key {
            let stored = storages.get(cell.storage, key).map_err(message)?;
            let stored = stored.ok_or_else(|| format!("it stored nothing under {key}"))?;
            work.stored_sha256 = Some(hex(&Sha256::digest(&stored)));
        }
        Ok(work)
    }

    fn invoke_once(&self, host: &mut HostClient) -> Result<Work, String> {
        let request = BlockRequest {
            samples: 1,
            outputs: Outputs::Hashed,
            budget: None,
            sample_bound: self.session.sample_bound(),
        };
        let block = host.block(request).map_err(|error| error.to_string())?;
        let sample = block.samples.into_iter().next().ok_or("the host returned no sample")?;
        let Sample { outcome, error, output_sha256, output_bytes, .. } = sample;
        match outcome {
            Outcome::Ok => Ok(Work {
                sha256: output_sha256.unwrap_or_default(),
                bytes: output_bytes.unwrap_or_default(),
                stored_sha256: None,
            }),
            _ => Err(format!("{outcome}: {}", error.unwrap_or_default())),
        }
    }
}

/// Under which key `cell` stores an object, if it stores one outside of its response.
fn output_key(cell: &Cell) -> Option<String> {
    match cell.storage {
        Storage::Inline => None,
        Storage::Local | Storage::Redis | Storage::Host => {
            lumos_inputs::output_key(&cell.function, inputs::size(cell.size))
        }
    }
}

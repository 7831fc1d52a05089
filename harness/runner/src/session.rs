//! What every command that invokes functions needs: hosts, artifacts, cgroups, storage.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Duration;

use anyhow::Context;
use lumos_inputs::Placement;
use lumos_model::artifact::{Artifact, Form};
use lumos_model::cell::{Cell, Isolation, Size, Storage, Target};
use lumos_model::protocol::{Limits, Prepare};
use lumos_model::units::Span;
use lumos_model::warning::Warning;
use lumos_model::wire::{CONNECTION, IO_TIMEOUT_MS, REDIS_URL};
use lumos_scenario::hosts::{self, Host};
use lumos_scenario::inputs;
use lumos_scenario::scenario::{Connection, Scenario};

use crate::artifacts::Artifacts;
use crate::data_folder::DataFolder;
use crate::host_client::{ClientError, Groups, HostClient};
use crate::redis_server::RedisServer;

/// What is done to every instance of a session.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Seed of the inputs.
    pub seed: u64,
    /// Bounds on an instance.
    pub limits: Limits,
    /// How long a connection to the storage lives.
    pub connection: Connection,
    /// Invocations before the first warm sample.
    pub warmup: u32,
    /// Pause before each cold sample.
    pub gap: Span,
    /// Core that hosts, instances and a Redis server of our own share.
    pub core: Option<usize>,
}

impl From<&Scenario> for Settings {
    fn from(scenario: &Scenario) -> Self {
        Self {
            seed: scenario.seed,
            limits: scenario.limits.clone(),
            connection: scenario.connection,
            warmup: scenario.warmup,
            gap: scenario.gap,
            core: scenario.pinning.core(),
        }
    }
}

/// Hosts, artifacts, cgroups and storage, ready to use.
pub struct Session {
    /// The hosts beside this executable.
    pub hosts: Vec<Host>,
    /// The functions as built.
    pub artifacts: Artifacts,
    /// The control groups of this process.
    pub groups: Groups,
    /// What cannot be measured or bounded here.
    pub losses: Vec<Warning>,
    /// The Redis server, once something needs it.
    pub redis: Option<RedisServer>,
    /// The functions' files, once something needs them.
    folder: Option<DataFolder>,
    /// Hashes of the inputs that were stored, by key.
    pub inputs_sha256: BTreeMap<String, String>,
    settings: Settings,
    requests: HashMap<(String, Size, Storage), String>,
    /// Files whose hash was checked, by hash: once a session is enough.
    verified: Mutex<HashMap<String, PathBuf>>,
}

impl Session {
    /// Makes the control groups of this process.
    pub fn new(hosts: Vec<Host>, artifacts: Artifacts, mut settings: Settings) -> Self {
        let (groups, loss) = Groups::create();
        if loss.is_some() {
            // Without groups only what the engines themselves bound is bounded.
            settings.limits.cpus = None;
        }
        Self {
            hosts,
            artifacts,
            groups,
            losses: loss.into_iter().collect(),
            redis: None,
            folder: None,
            inputs_sha256: BTreeMap::new(),
            settings,
            requests: HashMap::new(),
            verified: Mutex::default(),
        }
    }

    /// Makes inputs and requests for `cells`, and stores the inputs where their cells
    /// look for them.
    ///
    /// # Errors
    /// When a cell's storage cannot be had.
    pub fn provide<'c>(
        &mut self,
        cells: impl Iterator<Item = &'c Cell>,
        redis_url: Option<&str>,
    ) -> anyhow::Result<()> {
        for cell in cells {
            let key = (cell.function.clone(), cell.size, cell.storage);
            if self.requests.contains_key(&key) {
                continue;
            }
            let (size, seed) = (inputs::size(cell.size), self.settings.seed);
            self.provide_storage(cell.storage, redis_url)?;
            if let Some(input) = lumos_inputs::input(&cell.function, size, seed)? {
                match (cell.storage, &mut self.redis, &self.folder) {
                    (Storage::Redis | Storage::Host, Some(redis), _) => redis.seed(&input)?,
                    (Storage::Local, _, Some(folder)) => folder.seed(&input)?,
                    _ => {}
                }
                self.inputs_sha256.insert(input.key, input.sha256);
            }
            let placement = match cell.storage {
                Storage::Inline => Placement::Inline,
                Storage::Redis => Placement::Redis,
                Storage::Host => Placement::Host,
                // Names alone: where the folder is, each target's environment says.
                Storage::Local => Placement::Local(PathBuf::new()),
            };
            let request = lumos_inputs::request(&cell.function, size, seed, &placement)?;
            let request = String::from_utf8(request).context("a request is JSON")?;
            self.requests.insert(key, request);
        }
        Ok(())
    }

    /// Makes a storage ready to use.
    ///
    /// # Errors
    /// When it cannot be had.
    pub fn provide_storage(
        &mut self,
        storage: Storage,
        redis_url: Option<&str>,
    ) -> anyhow::Result<()> {
        match storage {
            Storage::Redis | Storage::Host if self.redis.is_none() => {
                self.redis = Some(RedisServer::open(redis_url, self.settings.core)?);
            }
            Storage::Local if self.folder.is_none() => self.folder = Some(DataFolder::make()?),
            _ => {}
        }
        Ok(())
    }

    /// Forgets what a function stored under `key`.
    ///
    /// # Errors
    /// When the storage does not let go of it.
    pub fn forget(&mut self, storage: Storage, key: &str) -> anyhow::Result<()> {
        match (storage, &mut self.redis, &self.folder) {
            (Storage::Redis | Storage::Host, Some(redis), _) => redis.forget(key),
            (Storage::Local, _, Some(folder)) => folder.forget(key),
            _ => Ok(()),
        }
    }

    /// What a function stored under `key`.
    ///
    /// # Errors
    /// When the storage does not answer.
    pub fn stored(&mut self, storage: Storage, key: &str) -> anyhow::Result<Option<Vec<u8>>> {
        match (storage, &mut self.redis, &self.folder) {
            (Storage::Redis | Storage::Host, Some(redis), _) => redis.get(key),
            (Storage::Local, _, Some(folder)) => folder.get(key),
            _ => Ok(None),
        }
    }

    /// The artifact of `function` for `target`, checked against the manifest.
    ///
    /// # Errors
    /// When it was not built or is not what was built.
    pub fn artifact(&self, function: &str, target: &Target) -> anyhow::Result<(PathBuf, Artifact)> {
        let function = lumos_inputs::crate_of(function);
        let artifact = self.artifacts.find(function, &self.form(target)?)?.clone();
        let mut verified = self.verified.lock().unwrap_or_else(|e| e.into_inner());
        if let Some(path) = verified.get(&artifact.sha256) {
            return Ok((path.clone(), artifact));
        }
        let path = self.artifacts.verify(&artifact)?;
        verified.insert(artifact.sha256.clone(), path.clone());
        Ok((path, artifact))
    }

    fn form(&self, target: &Target) -> anyhow::Result<Form> {
        let capability = hosts::capability(&self.hosts, target);
        Ok(capability.map_err(anyhow::Error::msg)?.form.clone())
    }

    /// Starts the host of `cell`. The limits bound it where its instances live inside.
    ///
    /// # Errors
    /// When there is none or it cannot be started.
    pub fn start_host(&self, cell: &Cell) -> Result<HostClient, ClientError> {
        match cell.isolation {
            Isolation::Thread => {
                self.start(&cell.target, &self.settings.limits, self.settings.core)
            }
            Isolation::Process => self.start(&cell.target, &Limits::default(), self.settings.core),
        }
    }

    /// Starts the host of `target` without limits and on any core: for what is not timed.
    ///
    /// # Errors
    /// When there is none or it cannot be started.
    pub fn start_unbound_host(&self, target: &Target) -> Result<HostClient, ClientError> {
        self.start(target, &Limits::default(), None)
    }

    fn start(
        &self,
        target: &Target,
        limits: &Limits,
        core: Option<usize>,
    ) -> Result<HostClient, ClientError> {
        let host = hosts::host_of(&self.hosts, target).ok_or_else(|| {
            ClientError::Refused(format!("no host for {target}: see `lumos list targets`"))
        })?;
        HostClient::start(&host.path, &self.groups, limits, core)
    }

    /// What a host must know to run `cell`.
    ///
    /// # Errors
    /// When the cell's artifact cannot be used.
    pub fn prepare(&self, cell: &Cell) -> anyhow::Result<Prepare> {
        self.prepare_within(cell, self.settings.limits.clone())
    }

    /// Like [`prepare`](Self::prepare), without limits but a minute or more of time.
    ///
    /// # Errors
    /// When the cell's artifact cannot be used.
    pub fn prepare_unbound(&self, cell: &Cell) -> anyhow::Result<Prepare> {
        let timeout = self.settings.limits.timeout.max(Limits::default_timeout());
        self.prepare_within(cell, Limits { timeout, ..Limits::default() })
    }

    fn prepare_within(&self, cell: &Cell, limits: Limits) -> anyhow::Result<Prepare> {
        let (artifact, _) = self.artifact(&cell.function, &cell.target)?;
        let key = (cell.function.clone(), cell.size, cell.storage);
        let request = self.requests.get(&key).context("the cell was not provided for")?;
        self.assemble(cell, artifact, request.clone(), limits)
    }

    /// Like [`prepare`](Self::prepare), with an artifact and a request of one's own.
    ///
    /// # Errors
    /// When the cell's storage was not provided.
    pub fn prepare_with(
        &self,
        cell: &Cell,
        artifact: PathBuf,
        request: String,
    ) -> anyhow::Result<Prepare> {
        self.assemble(cell, artifact, request, self.settings.limits.clone())
    }

    fn assemble(
        &self,
        cell: &Cell,
        artifact: PathBuf,
        request: String,
        limits: Limits,
    ) -> anyhow::Result<Prepare> {
        let Settings { connection, warmup, gap, .. } = self.settings.clone();
        let mut env = BTreeMap::new();
        let folder = match (cell.storage, &self.folder) {
            (Storage::Local, folder) => {
                let folder = folder.as_ref().context("the cell was not provided for")?;
                Some(folder.path().to_owned())
            }
            _ => None,
        };
        if matches!(cell.storage, Storage::Redis | Storage::Host) {
            let redis = self.redis.as_ref().context("the cell was not provided for")?;
            let connection = match connection {
                Connection::Request => "request",
                Connection::Instance => "instance",
            };
            let timeout_ms = limits.timeout.0.as_millis().max(1);
            env.insert(REDIS_URL.to_owned(), redis.url().to_owned());
            env.insert(CONNECTION.to_owned(), connection.to_owned());
            env.insert(IO_TIMEOUT_MS.to_owned(), timeout_ms.to_string());
        }
        Ok(Prepare {
            target: cell.target.clone(),
            artifact,
            isolation: cell.isolation,
            start: cell.start(),
            limits,
            env,
            folder,
            request,
            warmup,
            gap,
            cgroup: None,
        })
    }

    /// The longest that one sample may take, pause and start included.
    pub fn sample_bound(&self) -> Duration {
        self.settings.limits.timeout.0 + self.settings.gap.0 + Duration::from_secs(2)
    }
}

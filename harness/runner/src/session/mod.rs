//! What every command that invokes functions needs: hosts, artifacts, control groups and
//! storages, ready to use.
//!
//! | module | content |
//! |---|---|
//! | `settings` | [`Settings`]: what applies to every instance |
//! | `preparation` | [`Preparation`]: what to prepare a host for |

mod preparation;
mod settings;

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
use lumos_scenario::hosts::{self, Host};
use lumos_scenario::inputs;

pub use self::preparation::{Preparation, Purpose, RequestSource};
pub use self::settings::Settings;
use crate::artifacts::Artifacts;
use crate::hosts::{ClientError, ControlGroups, HostClient};
use crate::storages::{StorageAccess, Storages};
use crate::sync::lock;

/// What starting an instance may add to the timeout and the gap of a sample.
const START_ALLOWANCE: Duration = Duration::from_secs(2);

/// Hosts, artifacts, control groups and storages, ready to use.
pub struct Session {
    /// The hosts next to this executable.
    pub(crate) hosts: Vec<Host>,
    /// The functions as built.
    pub(crate) artifacts: Artifacts,
    /// The control groups of this process.
    pub(crate) groups: ControlGroups,
    /// What cannot be measured or bounded on this machine.
    pub warnings: Vec<Warning>,
    /// The storages of the cells that were provided for.
    pub(crate) storages: Storages,
    /// Hashes of the inputs that were stored, by key.
    pub(crate) inputs_sha256: BTreeMap<String, String>,
    settings: Settings,
    requests: HashMap<(String, Size, Storage), String>,
    /// Artifacts whose files were checked, by hash: once per session is enough.
    verified: Mutex<HashMap<String, PathBuf>>,
}

impl Session {
    /// Creates the control groups of this process.
    pub fn new(hosts: Vec<Host>, artifacts: Artifacts, mut settings: Settings) -> Self {
        let (groups, loss) = ControlGroups::create();
        if loss.is_some() {
            // Without groups only the bounds that engines apply themselves are left.
            settings.limits.cpus = None;
        }
        Self {
            hosts,
            artifacts,
            groups,
            warnings: loss.into_iter().collect(),
            storages: Storages::default(),
            inputs_sha256: BTreeMap::new(),
            settings,
            requests: HashMap::new(),
            verified: Mutex::default(),
        }
    }

    /// Opens the storages of `cells`, stores their inputs, and generates their requests.
    ///
    /// # Errors
    /// When a storage is not available, or a function has no inputs.
    pub fn provide<'c>(&mut self, cells: impl IntoIterator<Item = &'c Cell>) -> anyhow::Result<()> {
        for cell in cells {
            let key = (cell.function.clone(), cell.size, cell.storage);
            if !self.requests.contains_key(&key) {
                self.open_storage(cell.storage)?;
                self.store_input(cell)?;
                let request = self.generate_request(cell)?;
                self.requests.insert(key, request);
            }
        }
        Ok(())
    }

    /// Opens a storage, for functions whose requests are not generated.
    ///
    /// # Errors
    /// When the storage is not available.
    pub fn open_storage(&mut self, storage: Storage) -> anyhow::Result<()> {
        let Settings { redis_url, core, .. } = &self.settings;
        self.storages.open(storage, redis_url.as_deref(), *core)
    }

    fn store_input(&mut self, cell: &Cell) -> anyhow::Result<()> {
        let (size, seed) = (inputs::size(cell.size), self.settings.seed);
        if let Some(input) = lumos_inputs::input(&cell.function, size, seed)? {
            self.storages.put(cell.storage, &input.key, &input.bytes)?;
            self.inputs_sha256.insert(input.key, input.sha256);
        }
        Ok(())
    }

    fn generate_request(&self, cell: &Cell) -> anyhow::Result<String> {
        let placement = match cell.storage {
            Storage::Inline => Placement::Inline,
            Storage::Redis => Placement::Redis,
            Storage::Host => Placement::Host,
            // Only the names: each target's environment says where the folder is.
            Storage::Local => Placement::Local(PathBuf::new()),
        };
        let (size, seed) = (inputs::size(cell.size), self.settings.seed);
        let request = lumos_inputs::request(&cell.function, size, seed, &placement)?;
        String::from_utf8(request).context("a request is JSON")
    }

    /// The artifact of `function` for `target` and its file, checked against the manifest.
    ///
    /// # Errors
    /// When it was not built, or its file changed after the build.
    pub(crate) fn artifact(
        &self,
        function: &str,
        target: &Target,
    ) -> anyhow::Result<(PathBuf, Artifact)> {
        let function = lumos_inputs::crate_of(function);
        let artifact = self.artifacts.find(function, &self.form(target)?)?.clone();
        let mut verified = lock(&self.verified);
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

    /// Starts the host of `cell`. The session's limits apply to the host when its instances
    /// live inside it.
    ///
    /// # Errors
    /// When there is none, or it cannot be started.
    pub(crate) fn start_host(&self, cell: &Cell) -> Result<HostClient, ClientError> {
        let Settings { limits, core, .. } = &self.settings;
        match cell.isolation {
            Isolation::Thread => self.start(&cell.target, limits, *core),
            Isolation::Process => self.start(&cell.target, &Limits::default(), *core),
        }
    }

    /// Starts the host of `target` without limits and on any core, for work that is not timed.
    ///
    /// # Errors
    /// When there is none, or it cannot be started.
    pub(crate) fn start_unbound_host(&self, target: &Target) -> Result<HostClient, ClientError> {
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

    /// All that a host must know for `preparation`.
    ///
    /// # Errors
    /// When the cell's artifact cannot be used, or the cell was not provided for.
    pub fn prepare(&self, preparation: Preparation) -> anyhow::Result<Prepare> {
        let Preparation { cell, request, purpose } = preparation;
        let (artifact, _) = self.artifact(&cell.function, &cell.target)?;
        let (limits, gap) = self.bounds(purpose);
        let connection = self.settings.connection;
        let StorageAccess { env, folder } =
            self.storages.access(cell.storage, connection, limits.timeout.0)?;
        let request = match request {
            RequestSource::Generated => self.request(cell)?.to_owned(),
            RequestSource::Payload(payload) => payload.to_owned(),
        };
        Ok(Prepare {
            target: cell.target.clone(),
            artifact,
            isolation: cell.isolation,
            start: cell.start(),
            limits,
            env,
            folder,
            request,
            warmup: self.settings.warmup,
            gap,
            cgroup: None,
        })
    }

    fn bounds(&self, purpose: Purpose) -> (Limits, Span) {
        let Settings { limits, gap, .. } = &self.settings;
        match purpose {
            Purpose::Measure => (limits.clone(), *gap),
            Purpose::Check => {
                let timeout = limits.timeout.max(Limits::default_timeout());
                (Limits { timeout, ..Limits::default() }, Span(Duration::ZERO))
            }
        }
    }

    fn request(&self, cell: &Cell) -> anyhow::Result<&str> {
        let key = (cell.function.clone(), cell.size, cell.storage);
        let request = self.requests.get(&key).map(String::as_str);
        request.with_context(|| format!("no request was generated for {cell}"))
    }

    /// The longest that one sample can take, gap and start included.
    pub(crate) fn sample_bound(&self) -> Duration {
        self.settings.limits.timeout.0 + self.settings.gap.0 + START_ALLOWANCE
    }
}

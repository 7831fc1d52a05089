//! The two kinds of runtime, as the rest of a host sees them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use lumos_model::capability::Capabilities;
use lumos_model::cell::{Isolation, Target};
use lumos_model::protocol::{Load, LoadResult, ModeProof, Pooled, Prepare};
use lumos_model::row::Sample;
use lumos_os::cgroup::Base;
use lumos_platform::drive::drive;
use lumos_platform::service::{Executor, InProcess, PooledService, Sandboxed};
use lumos_runtime::engine::Engine;
use lumos_runtime::error::HostError;
use lumos_runtime::host_process::HostProcesses;
use lumos_runtime::launcher::Launcher;
use tokio::runtime::Handle;

use crate::prepared_cell::PreparedCell;
use crate::sampler::{ProcessSampler, Sampler, ThreadSampler};

/// What a host does with its runtime. Control groups of instances are created in `groups`;
/// `None`: they get none.
pub trait Backend {
    /// What the runtime offers.
    fn capabilities(&self) -> Capabilities;

    /// Proves that `artifact` runs in the target's mode.
    ///
    /// # Errors
    /// When the evidence contradicts the mode.
    fn prove_mode(&self, target: &Target, artifact: &Path) -> Result<ModeProof, HostError>;

    /// A sampler of the cell that `prepare` describes.
    ///
    /// # Errors
    /// When the artifact cannot be loaded, or the isolation is not offered.
    fn sampler(
        &self,
        prepare: &Prepare,
        groups: Option<Arc<Base>>,
    ) -> Result<Box<dyn Sampler>, HostError>;

    /// Starts to serve a function. Its instances are created on `threads`, as
    /// [`Executor::start`] requires.
    ///
    /// # Errors
    /// As [`sampler`](Self::sampler).
    fn service(
        &self,
        function: &Pooled,
        groups: Option<Arc<Base>>,
        threads: Handle,
    ) -> Result<Arc<dyn PooledService>, HostError>;

    /// Loads a function from inside the host.
    ///
    /// # Errors
    /// As [`sampler`](Self::sampler), and when the arrivals make no sense.
    fn drive(&self, load: &Load, groups: Option<Arc<Base>>) -> Result<LoadResult, HostError>;

    /// Prepares a cell. Returns it with the samples of its warm-up.
    ///
    /// # Errors
    /// As [`sampler`](Self::sampler).
    fn prepare(
        &self,
        prepare: Prepare,
        groups: Option<Arc<Base>>,
    ) -> Result<(PreparedCell, Vec<Sample>), HostError> {
        let sampler = self.sampler(&prepare, groups)?;
        Ok(PreparedCell::new(sampler, prepare))
    }
}

/// A runtime whose instances are all processes of their own.
pub struct LauncherBackend {
    launcher: Box<dyn Launcher>,
}

impl LauncherBackend {
    /// A backend of `launcher`.
    pub fn new(launcher: impl Launcher) -> Self {
        Self { launcher: Box::new(launcher) }
    }

    fn check(&self, prepare: &Prepare) -> Result<(), HostError> {
        match prepare.isolation {
            Isolation::Process => Ok(()),
            Isolation::Thread => Err(HostError::unsupported(format!(
                "{} has process isolation only: each instance is a process of its own",
                prepare.target
            ))),
        }
    }
}

impl Backend for LauncherBackend {
    fn capabilities(&self) -> Capabilities {
        self.launcher.capabilities()
    }

    fn prove_mode(&self, target: &Target, artifact: &Path) -> Result<ModeProof, HostError> {
        self.launcher.prove_mode(target, artifact)
    }

    fn sampler(
        &self,
        prepare: &Prepare,
        groups: Option<Arc<Base>>,
    ) -> Result<Box<dyn Sampler>, HostError> {
        self.check(prepare)?;
        Ok(Box::new(ProcessSampler::new(self.launcher.as_ref(), prepare, groups)?))
    }

    fn service(
        &self,
        function: &Pooled,
        groups: Option<Arc<Base>>,
        threads: Handle,
    ) -> Result<Arc<dyn PooledService>, HostError> {
        self.check(&function.prepare)?;
        let provider = Sandboxed::new(self.launcher.as_ref(), function, groups)?;
        Ok(Executor::start(provider, function, threads))
    }

    fn drive(&self, load: &Load, groups: Option<Arc<Base>>) -> Result<LoadResult, HostError> {
        self.check(&load.function.prepare)?;
        drive(Sandboxed::new(self.launcher.as_ref(), &load.function, groups)?, load)
    }
}

/// A runtime whose instances live inside the host, or in processes of the host executable.
pub struct EngineBackend<E> {
    engine: Arc<E>,
    processes: LauncherBackend,
}

impl<E: Engine> EngineBackend<E> {
    /// A backend of `engine`, whose host executable is `host`.
    pub fn new(engine: E, host: PathBuf) -> Self {
        let engine = Arc::new(engine);
        let processes = LauncherBackend::new(HostProcesses::new(Arc::clone(&engine), host));
        Self { engine, processes }
    }
}

impl<E: Engine> Backend for EngineBackend<E> {
    fn capabilities(&self) -> Capabilities {
        self.engine.capabilities()
    }

    fn prove_mode(&self, target: &Target, artifact: &Path) -> Result<ModeProof, HostError> {
        self.engine.prove_mode(target, artifact, None)
    }

    fn sampler(
        &self,
        prepare: &Prepare,
        groups: Option<Arc<Base>>,
    ) -> Result<Box<dyn Sampler>, HostError> {
        match prepare.isolation {
            Isolation::Process => self.processes.sampler(prepare, groups),
            Isolation::Thread => {
                Ok(Box::new(ThreadSampler::new(Arc::clone(&self.engine), prepare)?))
            }
        }
    }

    fn service(
        &self,
        function: &Pooled,
        groups: Option<Arc<Base>>,
        threads: Handle,
    ) -> Result<Arc<dyn PooledService>, HostError> {
        match function.prepare.isolation {
            Isolation::Process => self.processes.service(function, groups, threads),
            Isolation::Thread => {
                let provider = InProcess::new(Arc::clone(&self.engine), function)?;
                Ok(Executor::start(provider, function, threads))
            }
        }
    }

    fn drive(&self, load: &Load, groups: Option<Arc<Base>>) -> Result<LoadResult, HostError> {
        match load.function.prepare.isolation {
            Isolation::Process => self.processes.drive(load, groups),
            Isolation::Thread => {
                drive(InProcess::new(Arc::clone(&self.engine), &load.function)?, load)
            }
        }
    }
}

//! One function on an engine: its module and its instance, each created when it is first
//! needed.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use lumos_model::cell::Target;
use lumos_model::protocol::{ModeProof, Prepare};
use lumos_os::clock::monotonic_ns;

use crate::engine::{Engine, Instance, Resident};
use crate::error::{HostError, InvokeError};
use crate::instance_config::InstanceConfig;
use crate::marks::Marks;

/// The place of one function's module on an engine.
pub struct ModuleSlot<E: Engine> {
    engine: Arc<E>,
    target: Target,
    artifact: PathBuf,
    config: InstanceConfig,
    module: Option<E::Module>,
}

impl<E: Engine> ModuleSlot<E> {
    /// An empty slot for the module `artifact`, whose instances get `config`.
    pub fn new(engine: Arc<E>, target: Target, artifact: PathBuf, config: InstanceConfig) -> Self {
        Self { engine, target, artifact, config, module: None }
    }

    /// An empty slot for the function that `prepare` describes.
    pub fn of(engine: Arc<E>, prepare: &Prepare) -> Self {
        let config = InstanceConfig::from(prepare);
        Self::new(engine, prepare.target.clone(), prepare.artifact.clone(), config)
    }

    /// Whether the module is loaded.
    pub fn is_loaded(&self) -> bool {
        self.module.is_some()
    }

    /// Loads the module unless it is loaded.
    ///
    /// # Errors
    /// As [`Engine::load`].
    pub fn load(&mut self, marks: &mut Marks) -> Result<(), HostError> {
        if self.module.is_none() {
            self.module = Some(self.engine.load(&self.target, &self.artifact, marks)?);
        }
        Ok(())
    }

    /// Loads the module for up to `instances` instances at a time.
    ///
    /// # Errors
    /// As [`Engine::load_for`].
    pub fn load_for(&mut self, instances: u32, marks: &mut Marks) -> Result<(), HostError> {
        let loaded = self.engine.load_for(instances, &self.target, &self.artifact, marks)?;
        self.module = Some(loaded);
        Ok(())
    }

    /// Drops the module.
    pub fn unload(&mut self) {
        self.module = None;
    }

    /// A new instance of the loaded module.
    ///
    /// # Errors
    /// As [`Engine::instantiate`], and when the module is not loaded.
    pub fn instantiate(&self, marks: &mut Marks) -> Result<E::Instance, HostError> {
        let module = self.module.as_ref().ok_or_else(|| {
            HostError::artifact(&self.artifact, "its module is not loaded: load it first")
        })?;
        self.engine.instantiate(module, &self.config, marks)
    }

    /// Creates and drops an instance. Some engines compile in the first instantiation of a
    /// module; later instances then find the code.
    ///
    /// # Errors
    /// As [`ModuleSlot::instantiate`].
    pub fn compile_fully(&self) -> Result<(), HostError> {
        self.instantiate(&mut Marks::default()).map(drop)
    }

    /// Proves the mode of the loaded module; `None` if `artifact` is not loaded here for
    /// `target`.
    pub fn prove_mode(
        &self,
        target: &Target,
        artifact: &Path,
    ) -> Option<Result<ModeProof, HostError>> {
        let holds = self.target == *target && self.artifact == artifact;
        let module = self.module.as_ref().filter(|_| holds)?;
        let resident = Resident { module, config: &self.config };
        Some(self.engine.prove_mode(target, artifact, Some(resident)))
    }
}

/// The place of one instance, with the place of its module.
pub struct InstanceSlot<E: Engine> {
    // Declared before the module, so that it is dropped first.
    instance: Option<E::Instance>,
    module: ModuleSlot<E>,
}

impl<E: Engine> InstanceSlot<E> {
    /// An empty slot for an instance of `module`.
    pub fn new(module: ModuleSlot<E>) -> Self {
        Self { instance: None, module }
    }

    /// The instance, if there is one.
    pub fn instance(&self) -> Option<&E::Instance> {
        self.instance.as_ref()
    }

    /// The place of its module.
    pub fn module(&self) -> &ModuleSlot<E> {
        &self.module
    }

    /// Drops the instance; the module stays.
    pub fn drop_instance(&mut self) {
        self.instance = None;
    }

    /// Drops the instance, then its module.
    pub fn drop_module(&mut self) {
        self.instance = None;
        self.module.unload();
    }

    /// The instance, which is created if there is none. The module is loaded first if needed.
    ///
    /// # Errors
    /// When the module cannot be loaded or instantiated.
    pub fn provision(&mut self, marks: &mut Marks) -> Result<&mut E::Instance, HostError> {
        if self.instance.is_none() {
            self.module.load(marks)?;
            self.instance = Some(self.module.instantiate(marks)?);
        }
        Ok(self.instance.as_mut().expect("created above"))
    }

    /// Serves one invocation. The time that provisioning takes counts towards the
    /// `timeout`. A dead instance stays until it is dropped.
    ///
    /// # Errors
    /// As [`provision`](Self::provision) and [`Instance::invoke`].
    #[inline]
    pub fn invoke(
        &mut self,
        request: &[u8],
        timeout: Duration,
        answer: &mut Vec<u8>,
        marks: &mut Marks,
    ) -> Result<(), InvokeError> {
        match &mut self.instance {
            Some(instance) => instance.invoke(request, timeout, answer, marks),
            None => self.provision_and_invoke(request, timeout, answer, marks),
        }
    }

    /// Not inlined, so that a warm invocation is a direct call of the instance.
    #[inline(never)]
    fn provision_and_invoke(
        &mut self,
        request: &[u8],
        timeout: Duration,
        answer: &mut Vec<u8>,
        marks: &mut Marks,
    ) -> Result<(), InvokeError> {
        let begin_ns = monotonic_ns();
        let instance = self.provision(marks)?;
        let spent = Duration::from_nanos(monotonic_ns() - begin_ns);
        instance.invoke(request, timeout.saturating_sub(spent), answer, marks)
    }
}

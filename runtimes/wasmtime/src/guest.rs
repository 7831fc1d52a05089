//! What the host keeps for a guest: its WASI context, memory limiter and storage.

use lumos_model::wire::DATA_FOLDER;
use lumos_runtime::{GUEST_FOLDER, HostError, HostStorage, InstanceConfig};
use wasmtime::component::ResourceTable;
use wasmtime_wasi::{FsPerms, WasiCtx, WasiCtxView, WasiView};

use crate::limiter::Limiter;
use crate::stderr::StderrTail;

/// The data of a guest's store.
pub struct Guest {
    wasi: WasiCtx,
    table: ResourceTable,
    pub limiter: Limiter,
    pub storage: HostStorage,
}

impl Guest {
    pub fn new(config: &InstanceConfig, stderr: &StderrTail) -> Result<Self, HostError> {
        Ok(Self {
            wasi: wasi(config, stderr)?,
            table: ResourceTable::new(),
            limiter: Limiter::new(config.memory_bytes),
            storage: HostStorage::new(&config.env),
        })
    }
}

impl WasiView for Guest {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

/// Grants a guest its environment, clocks, randomness, TCP, and its folder. Its standard output
/// is discarded, because the host's carries the protocol.
fn wasi(config: &InstanceConfig, stderr: &StderrTail) -> Result<WasiCtx, HostError> {
    let mut wasi = WasiCtx::builder();
    wasi.envs(&config.env).stderr(stderr.clone()).inherit_network().allow_tcp(true);
    if let Some(folder) = &config.folder {
        // Files are read and written on the guest's thread, as on every other target. By
        // default the engine hands each operation to a thread of tokio, whose CPU time is not
        // the instance's.
        wasi.allow_blocking_current_thread(true)
            .env(DATA_FOLDER, GUEST_FOLDER)
            .preopened_dir(folder, GUEST_FOLDER, FsPerms::ReadWrite)
            .map_err(|error| {
                HostError::engine(format!("open the folder {}: {error:#}", folder.display()))
            })?;
    }
    Ok(wasi.build())
}

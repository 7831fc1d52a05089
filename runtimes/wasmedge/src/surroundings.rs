//! What a guest gets from its host: environment, streams and folder.

use std::ffi::CString;
use std::path::Path;
use std::ptr::null;

use lumos_model::wire::DATA_FOLDER;
use lumos_runtime::GUEST_FOLDER;
use wasmedge_sys::ffi;

use crate::failure::Failure;

/// What a guest gets from its host.
pub struct Surroundings<'a> {
    /// The environment, without the variable of the folder.
    pub env: &'a [(String, String)],
    /// The folder that the guest sees as [`GUEST_FOLDER`].
    pub folder: Option<&'a Path>,
    /// The file descriptor of its standard input.
    pub stdin: i32,
    /// The file descriptor of its standard output and error.
    pub output: i32,
}

impl Surroundings<'_> {
    /// Initialises a WASI module with the environment and the folder, without arguments.
    ///
    /// # Safety
    /// `wasi` is a live WASI module instance.
    pub(crate) unsafe fn give_to(
        &self,
        wasi: *mut ffi::WasmEdge_ModuleInstanceContext,
    ) -> Result<(), Failure> {
        let env = self
            .env
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str()))
            .chain(self.folder.map(|_| (DATA_FOLDER, GUEST_FOLDER)))
            .map(|(key, value)| CString::new(format!("{key}={value}")))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|_| Failure::new("an environment variable contains a zero byte"))?;
        let env: Vec<_> = env.iter().map(|entry| entry.as_ptr()).collect();
        let folder = self.folder.map(preopen).transpose()?;
        let folder: Vec<_> = folder.iter().map(|folder| folder.as_ptr()).collect();
        // SAFETY: the lists have the given lengths and are copied.
        unsafe {
            ffi::WasmEdge_ModuleInstanceInitWASIWithFds(
                wasi,
                null(),
                0,
                env.as_ptr(),
                env.len() as u32,
                folder.as_ptr(),
                folder.len() as u32,
                self.stdin,
                self.output,
                self.output,
            );
        }
        Ok(())
    }
}

/// A folder in WasmEdge's notation: the guest's path and the host's, separated by a colon.
fn preopen(folder: &Path) -> Result<CString, Failure> {
    let refuse = |why| Failure::new(format!("the folder {}: {why}", folder.display()));
    let path = folder.to_str().ok_or_else(|| refuse("WasmEdge needs a path in UTF-8"))?;
    if path.contains(':') {
        return Err(refuse("WasmEdge cannot open a folder with a colon in its path"));
    }
    // WasmEdge would silently continue without a folder that it cannot open.
    if !folder.is_dir() {
        return Err(refuse("no such folder"));
    }
    CString::new(format!("{GUEST_FOLDER}:{path}"))
        .map_err(|_| refuse("its path contains a zero byte"))
}

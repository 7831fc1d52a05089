//! What a guest sees of its host: environment, streams, folder.

use std::ffi::CString;
use std::path::Path;
use std::ptr::null;

use lumos_model::wire::DATA_FOLDER;
use lumos_runtime::GUEST_FOLDER;
use wasmedge_sys::ffi;

use crate::failure::Failure;

/// What a guest sees of its host.
pub struct Surroundings<'a> {
    /// Its environment, but for its folder.
    pub env: &'a [(String, String)],
    /// The folder that it sees as [`GUEST_FOLDER`].
    pub folder: Option<&'a Path>,
    /// The file descriptor that it reads as its standard input.
    pub stdin: i32,
    /// The one that its standard output and error go to.
    pub output: i32,
}

impl Surroundings<'_> {
    /// Initialises a WASI module: environment, no arguments, its folder.
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
            .map_err(|_| Failure::new("an environment variable holds a zero byte"))?;
        let env: Vec<_> = env.iter().map(|entry| entry.as_ptr()).collect();
        let folder = self.folder.map(preopen).transpose()?;
        let folder: Vec<_> = folder.iter().map(|folder| folder.as_ptr()).collect();
        // SAFETY: the lists are as long as they say and are copied.
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

/// A folder in WasmEdge's words: the guest's path and the host's, a colon between them.
fn preopen(folder: &Path) -> Result<CString, Failure> {
    let refuse = |why| Failure::new(format!("the folder {}: {why}", folder.display()));
    let path = folder.to_str().ok_or_else(|| refuse("WasmEdge takes UTF-8 only"))?;
    if path.contains(':') {
        return Err(refuse("WasmEdge cannot open a folder with a colon in its path"));
    }
    // WasmEdge goes on without a folder that it cannot open.
    if !folder.is_dir() {
        return Err(refuse("there is none"));
    }
    CString::new(format!("{GUEST_FOLDER}:{path}")).map_err(|_| refuse("it holds a zero byte"))
}

//! Modules: artifacts that were read and validated.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use lumos_model::phase::Phase;
use lumos_runtime::{HostError, Marks};

use crate::ast::Ast;
use crate::config;
use crate::failure::Failure;
use crate::maps::CodeHome;
use crate::mode::Mode;
use crate::vm::JitVm;

/// The exports that every artifact must have. `_initialize`, `canary` and `oom` are optional.
const REQUIRED: [&str; 3] = ["memory", "alloc", "invoke"];

/// An artifact, read and validated. Cheap to clone.
#[derive(Clone)]
pub struct Module(Arc<Loaded>);

struct Loaded {
    mode: Mode,
    path: PathBuf,
    code: CodeHome,
    ast: Ast,
    /// For the JIT: VMs that are compiled and have no living instance, by their memory bound
    /// in pages.
    vms: Mutex<Vec<(Option<u32>, JitVm)>>,
}

impl Module {
    /// Reads an artifact, or maps AoT code, and validates it: [`Phase::Load`].
    ///
    /// # Errors
    /// When the file is not an artifact of the mode.
    pub fn load(mode: Mode, path: &Path, marks: &mut Marks) -> Result<Self, HostError> {
        let config = config::engine(mode, None)?;
        marks.span(Phase::Load, || {
            check_form(mode, path)?;
            let code = match mode {
                Mode::Interp => CodeHome::Nowhere,
                Mode::Jit => CodeHome::Anonymous,
                Mode::Aot => CodeHome::Library(
                    path.canonicalize().map_err(|error| HostError::artifact(path, error))?,
                ),
            };
            let refuse = |failure: Failure| HostError::artifact(path, failure);
            let ast = Ast::parse(&config, path).map_err(refuse)?;
            ast.validate(&config).map_err(refuse)?;
            check_exports(&ast, path)?;
            let vms = Mutex::default();
            Ok(Self(Arc::new(Loaded { mode, path: path.to_owned(), code, ast, vms })))
        })
    }

    /// How its code is executed.
    pub fn mode(&self) -> Mode {
        self.0.mode
    }

    /// Its file.
    pub fn path(&self) -> &Path {
        &self.0.path
    }

    /// Where its compiled code lies.
    pub fn code(&self) -> &CodeHome {
        &self.0.code
    }

    pub(crate) fn ast(&self) -> &Ast {
        &self.0.ast
    }

    /// A VM with the compiled module and no living instance, for a bound on its memory.
    ///
    /// WasmEdge fixes the bound when a VM is created, compiles in the VM's first instantiation,
    /// and holds one instance in a VM. Therefore the first instance of each bound compiles
    /// ([`Phase::Compile`], which includes that instantiation), and so does each further one
    /// that lives at the same time. All others reuse a VM.
    pub(crate) fn jit_vm(
        &self,
        memory_bytes: Option<u64>,
        marks: &mut Marks,
    ) -> Result<JitVm, HostError> {
        let pages = config::memory_pages(memory_bytes);
        let mut vms = self.0.vms.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = vms.iter().position(|(of, _)| *of == pages) {
            return Ok(vms.swap_remove(found).1);
        }
        drop(vms);
        let config = config::engine(self.0.mode, memory_bytes)?;
        marks
            .span(Phase::Compile, || JitVm::compile(&config, &self.0.ast))
            .map_err(|failure| HostError::artifact(&self.0.path, failure))
    }

    /// Takes back a VM whose instance has ended.
    pub(crate) fn give_back(&self, pages: Option<u32>, vm: JitVm) {
        self.0.vms.lock().unwrap_or_else(PoisonError::into_inner).push((pages, vm));
    }
}

const ELF: &[u8] = b"\x7fELF";
const WASM: &[u8] = b"\0asm";
const CORE: &[u8] = b"\0asm\x01\0\0\0";

/// Checks the first bytes, so that the error says what a wrong file is.
fn check_form(mode: Mode, path: &Path) -> Result<(), HostError> {
    let mut head = Vec::with_capacity(CORE.len());
    std::fs::File::open(path)
        .and_then(|file| file.take(CORE.len() as u64).read_to_end(&mut head))
        .map_err(|error| HostError::artifact(path, error))?;
    let target = mode.target();
    let truncated = || elf_is_truncated(path).map_err(|error| HostError::artifact(path, error));
    let reason = match (mode, &*head) {
        (Mode::Aot, head) if head.starts_with(ELF) => match truncated()? {
            false => return Ok(()),
            true => format!("the library is truncated: compile it again for {target}"),
        },
        (Mode::Aot, head) if head.starts_with(WASM) => format!(
            "this is WebAssembly, and {target} runs code compiled from it: compile it for {target}"
        ),
        (Mode::Aot, _) => {
            format!("this is not a shared library, which the compiler of {target} writes")
        }
        (_, CORE) => return Ok(()),
        (_, head) if head.starts_with(WASM) && head.len() == CORE.len() => format!(
            "this is a component, and {target} runs core modules: build the function for \
             wasm32-wasip1"
        ),
        (_, head) if head.starts_with(ELF) => {
            format!("this is machine code, and {target} runs core modules: give it the .wasm file")
        }
        _ => "this is not a WebAssembly module, or it is truncated: build the function again for \
              wasm32-wasip1"
            .to_owned(),
    };
    Err(HostError::artifact(path, reason))
}

/// Whether an ELF file ends before its section table, which linkers write last (elf(5)).
/// The system's loader would map such a file and crash.
fn elf_is_truncated(path: &Path) -> std::io::Result<bool> {
    let mut file = std::fs::File::open(path)?;
    let mut header = [0; 64];
    if file.read_exact(&mut header).is_err() {
        return Ok(true);
    }
    let field = |at: usize, bytes: usize| {
        header[at..at + bytes].iter().rev().fold(0_u64, |value, byte| value << 8 | u64::from(*byte))
    };
    let (table, entry_bytes, entries) = (field(0x28, 8), field(0x3a, 2), field(0x3c, 2));
    Ok(file.metadata()?.len() < table.saturating_add(entry_bytes * entries))
}

fn check_exports(ast: &Ast, path: &Path) -> Result<(), HostError> {
    let exports = ast.exports();
    let missing: Vec<_> = REQUIRED
        .into_iter()
        .filter(|name| !exports.iter().any(|export| export == name))
        .map(|name| format!("`{name}`"))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let command = if exports.iter().any(|export| export == "_start") {
        " (it is a command, with `_start`)"
    } else {
        ""
    };
    Err(HostError::artifact(
        path,
        format!(
            "the module does not export {}{command}: build it as a reactor with the lumos \
             function SDK",
            missing.join(", ")
        ),
    ))
}

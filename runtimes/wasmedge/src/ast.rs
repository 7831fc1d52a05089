//! Parsed modules of WasmEdge's C interface.

use std::ffi::CString;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::ptr::{NonNull, null, null_mut};

use wasmedge_sys::{Config, ffi};

use crate::failure::{FALLS_BACK, Failure, check};
use crate::strings::text;
use crate::{log, storage};

/// A parsed and validated module.
pub struct Ast {
    module: NonNull<ffi::WasmEdge_ASTModuleContext>,
    imports_storage: bool,
}

// SAFETY: WasmEdge only reads a validated module: its C interface takes it as const and
// documents its functions as thread-safe.
unsafe impl Send for Ast {}
// SAFETY: as above.
unsafe impl Sync for Ast {}

impl Ast {
    pub(crate) fn as_ptr(&self) -> *const ffi::WasmEdge_ASTModuleContext {
        self.module.as_ptr()
    }

    /// Reads a module, or maps its AoT code, which is a shared library.
    ///
    /// # Errors
    /// When WasmEdge cannot read or parse it.
    pub fn parse(config: &Config, path: &Path) -> Result<Self, Failure> {
        let path = CString::new(path.as_os_str().as_bytes())
            .map_err(|_| Failure::new("its path contains a zero byte"))?;
        log::take();
        let mut module = null_mut();
        // SAFETY: the loader is created, used and deleted here. `module` is an out pointer that is
        // set on success and then owned.
        let parsed = unsafe {
            let loader = ffi::WasmEdge_LoaderCreate(config.as_ptr());
            let result = ffi::WasmEdge_LoaderParseFromFile(loader, &mut module, path.as_ptr());
            ffi::WasmEdge_LoaderDelete(loader);
            result
        };
        check(parsed)?;
        let module = NonNull::new(module).map(|module| {
            let mut ast = Self { module, imports_storage: false };
            ast.imports_storage = ast.import_modules().iter().any(|of| of == storage::MODULE);
            ast
        });
        match log::find(FALLS_BACK) {
            Some(line) => Err(Failure::new(line)),
            None => module.ok_or_else(|| Failure::new("it is not a core module")),
        }
    }

    /// Validates the module. Only a validated module can be instantiated.
    ///
    /// # Errors
    /// When the module is invalid.
    pub fn validate(&self, config: &Config) -> Result<(), Failure> {
        // SAFETY: the validator is created, used and deleted here. The module is valid, and no
        // other thread has it yet.
        check(unsafe {
            let validator = ffi::WasmEdge_ValidatorCreate(config.as_ptr());
            let result = ffi::WasmEdge_ValidatorValidate(validator, self.module.as_ptr());
            ffi::WasmEdge_ValidatorDelete(validator);
            result
        })
    }

    /// Whether the module asks its host to store values.
    pub(crate) fn imports_storage(&self) -> bool {
        self.imports_storage
    }

    /// The module name of each import.
    fn import_modules(&self) -> Vec<String> {
        // SAFETY: as in `exports`, for imports.
        unsafe {
            let count = ffi::WasmEdge_ASTModuleListImportsLength(self.module.as_ptr());
            let mut list = vec![null(); count as usize];
            ffi::WasmEdge_ASTModuleListImports(self.module.as_ptr(), list.as_mut_ptr(), count);
            list.into_iter()
                .map(|import| text(ffi::WasmEdge_ImportTypeGetModuleName(import)))
                .collect()
        }
    }

    /// The names of the exports.
    pub fn exports(&self) -> Vec<String> {
        // SAFETY: the list is filled up to its length with pointers into the module, and the
        // names are copied while the module lives.
        unsafe {
            let count = ffi::WasmEdge_ASTModuleListExportsLength(self.module.as_ptr());
            let mut list = vec![null(); count as usize];
            ffi::WasmEdge_ASTModuleListExports(self.module.as_ptr(), list.as_mut_ptr(), count);
            list.into_iter()
                .map(|export| text(ffi::WasmEdge_ExportTypeGetExternalName(export)))
                .collect()
        }
    }
}

impl Drop for Ast {
    fn drop(&mut self) {
        // SAFETY: it is owned, and no instance needs it any more: instances hold the module that
        // owns it.
        unsafe { ffi::WasmEdge_ASTModuleDelete(self.module.as_ptr()) }
    }
}

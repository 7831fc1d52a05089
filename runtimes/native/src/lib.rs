//! Native functions: executables that speak the instance protocol themselves.
//!
//! There is no engine. Each instance is a process of the function's own executable, so the only
//! isolation is `process`, and the only cold starts are `cold:process` and `cold:image`.
//!
//! [`NativeLauncher`] is the whole runtime: it receives an artifact (an ELF file, with the
//! environment, folder and limits of its instances) and returns sandboxes. `lumos-host` makes
//! a host process of it.
//!
//! | module | subject |
//! |---|---|
//! | `launcher` | what the runtime offers, and how its sandboxes start |
//! | `elf` | the proof that an artifact is machine code of this machine |

mod elf;
mod launcher;

pub use launcher::NativeLauncher;

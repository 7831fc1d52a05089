//! What the hosts of this machine can do, as a plan needs it. `runner` asks them.

use std::ffi::OsStr;
use std::path::PathBuf;

use lumos_model::capability::{Capabilities, TargetCapability};
use lumos_model::cell::Target;

/// How executables of hosts are called, before the runtime's name.
pub const PREFIX: &str = "lumos-host-";

/// The runtimes that this repository ships, so that a missing one can be named. No other
/// part of `lumos` depends on this list.
pub const SHIPPED: [&str; 3] = ["native", "wasmtime", "wasmedge"];

/// A host's executable and its answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Host {
    /// The executable.
    pub path: PathBuf,
    /// What it can do, or why it did not say so.
    pub result: Result<Capabilities, String>,
}

impl Host {
    /// The runtime, as the executable's name says.
    pub fn runtime(&self) -> &str {
        let name = self.path.file_name().and_then(OsStr::to_str).unwrap_or_default();
        name.strip_prefix(PREFIX).unwrap_or(name)
    }

    /// What the host says of `target`.
    pub fn target(&self, target: &Target) -> Option<&TargetCapability> {
        self.result.as_ref().ok()?.targets.iter().find(|known| known.target == *target)
    }
}

/// The host of `target`'s runtime.
pub fn host_of<'h>(hosts: &'h [Host], target: &Target) -> Option<&'h Host> {
    hosts.iter().find(|host| host.runtime() == target.runtime())
}

/// What `target` can do.
///
/// # Errors
/// Why it can do nothing here, and what to do about that.
pub fn capability<'h>(hosts: &'h [Host], target: &Target) -> Result<&'h TargetCapability, String> {
    let host = host_of(hosts, target).ok_or_else(|| absent(target.runtime()))?;
    if let Err(reason) = &host.result {
        return Err(reason.clone());
    }
    host.target(target).ok_or_else(|| {
        format!("{PREFIX}{} knows no target {target}: see `lumos list targets`", host.runtime())
    })
}

/// The shipped runtimes that have no host here, with what to do about that.
pub fn absent_runtimes(hosts: &[Host]) -> Vec<(&'static str, String)> {
    SHIPPED
        .into_iter()
        .filter(|runtime| hosts.iter().all(|host| host.runtime() != *runtime))
        .map(|runtime| (runtime, absent(runtime)))
        .collect()
}

fn absent(runtime: &str) -> String {
    let start = format!("no host process {PREFIX}{runtime} beside lumos");
    match SHIPPED.contains(&runtime) {
        true => format!("{start}: run ./scripts/setup.sh and ./scripts/build.sh"),
        false => format!("{start}: lumos ships {}", SHIPPED.join(", ")),
    }
}

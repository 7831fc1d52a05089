//! What the hosts of this machine can do. `lumos-runner` finds and asks them.

use std::ffi::OsStr;
use std::path::PathBuf;

use lumos_model::capability::{Capabilities, TargetCapability};
use lumos_model::cell::Target;

/// The beginning of a host executable's name; the runtime's name follows.
pub const PREFIX: &str = "lumos-host-";

/// The runtimes in this repository, to report a missing one. No other part of `lumos` depends
/// on this list.
pub const SHIPPED: [&str; 3] = ["native", "wasmtime", "wasmedge"];

/// A host executable and its answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Host {
    /// The executable.
    pub path: PathBuf,
    /// Its capabilities, or why it did not answer.
    pub result: Result<Capabilities, String>,
}

impl Host {
    /// The runtime, from the name of the executable.
    pub fn runtime(&self) -> &str {
        let name = self.path.file_name().and_then(OsStr::to_str).unwrap_or_default();
        name.strip_prefix(PREFIX).unwrap_or(name)
    }

    /// What the host can do with `target`; `None` if it does not know the target.
    pub fn target(&self, target: &Target) -> Option<&TargetCapability> {
        self.result.as_ref().ok()?.targets.iter().find(|known| known.target == *target)
    }
}

/// The host of `target`'s runtime.
pub fn host_of<'h>(hosts: &'h [Host], target: &Target) -> Option<&'h Host> {
    hosts.iter().find(|host| host.runtime() == target.runtime())
}

/// What the hosts can do with `target`.
///
/// # Errors
/// Why they can do nothing, and how to change that.
pub fn capability<'h>(hosts: &'h [Host], target: &Target) -> Result<&'h TargetCapability, String> {
    let host = host_of(hosts, target).ok_or_else(|| absent(target.runtime()))?;
    if let Err(reason) = &host.result {
        return Err(reason.clone());
    }
    host.target(target).ok_or_else(|| {
        format!("{PREFIX}{} has no target {target}: see `lumos list targets`", host.runtime())
    })
}

/// The shipped runtimes without a host on this machine, and how to install each.
pub fn absent_runtimes(hosts: &[Host]) -> Vec<(&'static str, String)> {
    SHIPPED
        .into_iter()
        .filter(|runtime| hosts.iter().all(|host| host.runtime() != *runtime))
        .map(|runtime| (runtime, absent(runtime)))
        .collect()
}

fn absent(runtime: &str) -> String {
    let missing = format!("{PREFIX}{runtime} is not in the folder of lumos");
    match SHIPPED.contains(&runtime) {
        true => format!("{missing}: run ./scripts/setup.sh and ./scripts/build.sh"),
        false => format!("{missing}: the runtimes of lumos are {}", SHIPPED.join(", ")),
    }
}

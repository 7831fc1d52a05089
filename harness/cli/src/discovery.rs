//! Which hosts stand beside `lumos`, and what each says that it can do.
//!
//! A host is an executable `lumos-host-RUNTIME` in the folder of `lumos` itself. Nothing
//! else has to be known to add a runtime.

use std::ffi::OsStr;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use lumos_model::capability::{Capabilities, TargetCapability};
use lumos_model::cell::Target;
use lumos_model::protocol::PROTOCOL;

/// How executables of hosts are called, before the runtime's name.
const PREFIX: &str = "lumos-host-";

/// How long a host may think about what it can do.
const PATIENCE: Duration = Duration::from_secs(10);

/// The runtimes that this repository ships, so that a missing one can be named. No other
/// part of `lumos` depends on this list.
const SHIPPED: [&str; 3] = ["native", "wasmtime", "wasmedge"];

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

/// Asks the hosts beside this executable.
///
/// # Errors
/// When the folder of this executable cannot be read.
pub fn discover() -> std::io::Result<Vec<Host>> {
    let lumos = std::env::current_exe()?;
    discover_in(lumos.parent().unwrap_or(Path::new(".")))
}

/// Asks the hosts in `folder`, all at once; in the order of their names, `native` first.
///
/// # Errors
/// When the folder cannot be read.
pub fn discover_in(folder: &Path) -> std::io::Result<Vec<Host>> {
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if is_host(&path) {
            paths.push(path);
        }
    }
    let mut hosts: Vec<Host> = thread::scope(|scope| {
        let asked: Vec<_> =
            paths.iter().map(|path| scope.spawn(|| capabilities(path, PATIENCE))).collect();
        let answers = asked.into_iter().map(|thread| {
            thread.join().unwrap_or_else(|_| Err("asking the host panicked".to_owned()))
        });
        let with_answers = paths.iter().zip(answers);
        with_answers.map(|(path, result)| Host { path: path.clone(), result }).collect()
    });
    hosts.sort_by_key(|host| {
        let place = SHIPPED.iter().position(|runtime| *runtime == host.runtime());
        (place.unwrap_or(SHIPPED.len()), host.path.clone())
    });
    Ok(hosts)
}

/// Whether this is an executable called like a host (and no `lumos-host-native.d`).
fn is_host(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
    let runtime = name.strip_prefix(PREFIX).unwrap_or_default();
    let is_word = !runtime.is_empty() && runtime.bytes().all(|b| b.is_ascii_alphanumeric());
    is_word
        && path
            .metadata()
            .is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
}

/// Runs `path capabilities` and reads its answer.
fn capabilities(path: &Path, patience: Duration) -> Result<Capabilities, String> {
    let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
    let answer = answer_within(Command::new(path).arg("capabilities"), patience)
        .map_err(|reason| format!("{name} capabilities: {reason}"))?;
    let value: serde_json::Value = serde_json::from_slice(&answer)
        .map_err(|error| format!("{name} capabilities: no JSON: {error}; {REBUILD}"))?;
    // Another version may have other fields, so its number is looked at first.
    match value.get("protocol").and_then(serde_json::Value::as_u64) {
        Some(version) if version != u64::from(PROTOCOL) => Err(format!(
            "{name} speaks version {version} of the host protocol and lumos version {PROTOCOL}; {REBUILD}"
        )),
        _ => serde_json::from_value(value)
            .map_err(|error| format!("{name} capabilities: {error}; {REBUILD}")),
    }
}

const REBUILD: &str = "build all of it again with ./scripts/build.sh";

/// Standard output of `command`, when it ends well within `patience`.
pub(crate) fn answer_within(command: &mut Command, patience: Duration) -> Result<Vec<u8>, String> {
    let command = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| format!("cannot be started: {error}"))?;
    let deadline = Instant::now() + patience;
    let answer = read_aside(child.stdout.take());
    let complaint = read_aside(child.stderr.take());
    // The output ends when the process does, or when it says no more.
    let answer = answer.recv_timeout(patience);
    loop {
        match child.try_wait() {
            Ok(Some(status)) if status.success() => {
                return answer.map_err(|_| "ended, but something keeps its output open".to_owned());
            }
            Ok(Some(status)) => {
                let complaint = complaint.recv_timeout(Duration::from_secs(1)).unwrap_or_default();
                let complaint = String::from_utf8_lossy(&complaint);
                let last = complaint.trim().lines().last().unwrap_or("no message").to_owned();
                return Err(format!("{status}: {last}"));
            }
            Ok(None) if Instant::now() < deadline => thread::sleep(Duration::from_millis(1)),
            Ok(None) => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(format!("no answer within {} s", patience.as_secs_f32()));
            }
            Err(error) => return Err(format!("cannot be waited for: {error}")),
        }
    }
}

/// Reads all of a pipe in a thread of its own.
fn read_aside(pipe: Option<impl Read + Send + 'static>) -> mpsc::Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            // What could be read is enough: the exit status says whether it is whole.
            let _ = pipe.read_to_end(&mut bytes);
        }
        let _ = sender.send(bytes);
    });
    receiver
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn script(folder: &Path, name: &str, body: &str) -> PathBuf {
        let path = folder.join(name);
        std::fs::write(&path, format!("#!/bin/sh\n{body}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    #[test]
    fn hosts_are_found_and_asked() {
        let folder = tempfile::tempdir().unwrap();
        let good = format!(
            r#"[ "$1" = capabilities ] && echo '{{"protocol":{PROTOCOL},"runtime":"wasmtime","versions":{{}},"targets":[]}}'"#
        );
        script(folder.path(), "lumos-host-wasmtime", &good);
        script(folder.path(), "lumos-host-native", "echo '{\"protocol\":99,\"new\":1}'");
        script(folder.path(), "lumos-host-aaa", "echo nonsense");
        script(folder.path(), "lumos-host-bbb", "echo 'no libfoo.so' >&2; exit 3");
        script(folder.path(), "lumos-host-native.d", "exit 1");
        std::fs::write(folder.path().join("lumos-host-ccc"), "not executable").unwrap();

        let hosts = discover_in(folder.path()).unwrap();
        let names: Vec<_> = hosts.iter().map(Host::runtime).collect();
        assert_eq!(names, ["native", "wasmtime", "aaa", "bbb"]);
        let reason = |i: usize| hosts[i].result.clone().unwrap_err();
        assert!(reason(0).contains("speaks version 99"), "{}", reason(0));
        assert_eq!(hosts[1].result.as_ref().unwrap().runtime, "wasmtime");
        assert!(reason(2).contains("no JSON"), "{}", reason(2));
        assert!(reason(3).contains("no libfoo.so"), "{}", reason(3));

        let absent = absent_runtimes(&hosts);
        let absent: Vec<_> = absent.iter().map(|(runtime, _)| *runtime).collect();
        assert_eq!(absent, ["wasmedge"]);
        let reason = capability(&hosts, &"wasmedge-aot".parse().unwrap()).unwrap_err();
        assert_eq!(
            reason,
            "no host process lumos-host-wasmedge beside lumos: \
             run ./scripts/setup.sh and ./scripts/build.sh"
        );
        let reason = capability(&hosts, &"wasmtime-turbo".parse().unwrap()).unwrap_err();
        assert!(reason.contains("knows no target wasmtime-turbo"), "{reason}");
    }

    #[test]
    fn a_silent_host_is_given_up() {
        let folder = tempfile::tempdir().unwrap();
        let path = script(folder.path(), "lumos-host-mute", "exec sleep 60");
        let reason = capabilities(&path, Duration::from_millis(50)).unwrap_err();
        assert!(reason.contains("no answer within"), "{reason}");
    }
}

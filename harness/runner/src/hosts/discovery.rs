//! Which hosts are installed, and what each of them can do.
//!
//! A host is an executable `lumos-host-RUNTIME` in the directory of `lumos` itself. Adding a
//! runtime takes nothing else.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;

use lumos_model::capability::Capabilities;
use lumos_model::protocol::PROTOCOL;
use lumos_os::command::answer_within;
use lumos_scenario::hosts::{Host, PREFIX, SHIPPED};

/// How long a host may take to state its capabilities.
const CAPABILITIES_TIMEOUT: Duration = Duration::from_secs(10);

/// What to do when `lumos` and a host do not fit together.
const REBUILD: &str = "rebuild everything with ./scripts/build.sh";

/// Asks the hosts in the directory of this executable for their capabilities.
///
/// # Errors
/// When the directory cannot be read.
pub fn discover() -> std::io::Result<Vec<Host>> {
    let lumos = std::env::current_exe()?;
    discover_in(lumos.parent().unwrap_or(Path::new(".")))
}

/// Asks all hosts in `dir` at once. Returns them in the order of [`SHIPPED`], then by name.
fn discover_in(dir: &Path) -> std::io::Result<Vec<Host>> {
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(dir)? {
        let path = entry?.path();
        if is_host(&path) {
            paths.push(path);
        }
    }
    let mut hosts = ask_all(&paths);
    hosts.sort_by_key(|host| {
        let position = SHIPPED.iter().position(|runtime| *runtime == host.runtime());
        (position.unwrap_or(SHIPPED.len()), host.path.clone())
    });
    Ok(hosts)
}

fn ask_all(paths: &[PathBuf]) -> Vec<Host> {
    thread::scope(|scope| {
        let ask = |path: &PathBuf| capabilities(path, CAPABILITIES_TIMEOUT);
        let threads: Vec<_> = paths.iter().map(|path| scope.spawn(move || ask(path))).collect();
        let answers = threads.into_iter().map(|thread| {
            thread.join().unwrap_or_else(|_| Err("asking the host panicked".to_owned()))
        });
        let with_answers = paths.iter().zip(answers);
        with_answers.map(|(path, result)| Host { path: path.clone(), result }).collect()
    })
}

/// Whether this is an executable with the name of a host; `lumos-host-native.d` is not.
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

/// Runs `path capabilities` and reads the answer; the error says why there is none.
fn capabilities(path: &Path, timeout: Duration) -> Result<Capabilities, String> {
    let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
    let answer = answer_within(Command::new(path).arg("capabilities"), timeout)
        .map_err(|reason| format!("{name} capabilities: {reason}"))?;
    let value: serde_json::Value = serde_json::from_slice(&answer)
        .map_err(|error| format!("{name} capabilities: not JSON: {error}; {REBUILD}"))?;
    // Another version may have other fields, so its number is read before them.
    match value.get("protocol").and_then(serde_json::Value::as_u64) {
        Some(version) if version != u64::from(PROTOCOL) => Err(format!(
            "{name} speaks version {version} of the host protocol, but lumos speaks version \
             {PROTOCOL}; {REBUILD}"
        )),
        _ => serde_json::from_value(value)
            .map_err(|error| format!("{name} capabilities: {error}; {REBUILD}")),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use lumos_scenario::hosts;

    use super::*;

    fn script(dir: &Path, name: &str, body: &str) -> PathBuf {
        let path = dir.join(name);
        std::fs::write(&path, format!("#!/bin/sh\n{body}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    #[test]
    fn discovery_finds_hosts_and_keeps_what_they_answer() {
        let dir = tempfile::tempdir().unwrap();
        let good = format!(
            r#"[ "$1" = capabilities ] && echo '{{"protocol":{PROTOCOL},"runtime":"wasmtime","versions":{{}},"targets":[]}}'"#
        );
        script(dir.path(), "lumos-host-wasmtime", &good);
        script(dir.path(), "lumos-host-native", "echo '{\"protocol\":99,\"new\":1}'");
        script(dir.path(), "lumos-host-aaa", "echo nonsense");
        script(dir.path(), "lumos-host-bbb", "echo 'no libfoo.so' >&2; exit 3");
        script(dir.path(), "lumos-host-native.d", "exit 1");
        std::fs::write(dir.path().join("lumos-host-ccc"), "not executable").unwrap();

        let hosts = discover_in(dir.path()).unwrap();
        let names: Vec<_> = hosts.iter().map(Host::runtime).collect();
        assert_eq!(names, ["native", "wasmtime", "aaa", "bbb"]);
        let reason = |i: usize| hosts[i].result.clone().unwrap_err();
        assert!(reason(0).contains("speaks version 99"), "{}", reason(0));
        assert_eq!(hosts[1].result.as_ref().unwrap().runtime, "wasmtime");
        assert!(reason(2).contains("not JSON"), "{}", reason(2));
        assert!(reason(3).contains("no libfoo.so"), "{}", reason(3));

        let absent = hosts::absent_runtimes(&hosts);
        let absent: Vec<_> = absent.iter().map(|(runtime, _)| *runtime).collect();
        assert_eq!(absent, ["wasmedge"]);
        let reason = hosts::capability(&hosts, &"wasmedge-aot".parse().unwrap()).unwrap_err();
        assert_eq!(
            reason,
            "lumos-host-wasmedge is not in the folder of lumos: \
             run ./scripts/setup.sh and ./scripts/build.sh"
        );
        let reason = hosts::capability(&hosts, &"wasmtime-turbo".parse().unwrap()).unwrap_err();
        assert!(reason.contains("has no target wasmtime-turbo"), "{reason}");
    }

    #[test]
    fn a_silent_host_times_out() {
        let dir = tempfile::tempdir().unwrap();
        let path = script(dir.path(), "lumos-host-mute", "exec sleep 60");
        let reason = capabilities(&path, Duration::from_millis(50)).unwrap_err();
        assert!(reason.contains("no answer within"), "{reason}");
    }
}

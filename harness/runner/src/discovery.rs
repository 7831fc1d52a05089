//! Which hosts stand beside `lumos`, and what each says that it can do.
//!
//! A host is an executable `lumos-host-RUNTIME` in the folder of `lumos` itself. Nothing
//! else has to be known to add a runtime.

use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Duration;

use lumos_model::capability::Capabilities;
use lumos_model::protocol::PROTOCOL;
use lumos_os::command::answer_within;
use lumos_scenario::hosts::{Host, PREFIX, SHIPPED};

/// How long a host may think about what it can do.
const PATIENCE: Duration = Duration::from_secs(10);

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

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::path::PathBuf;

    use lumos_scenario::hosts;

    use super::*;

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
    fn a_silent_host_is_given_up() {
        let folder = tempfile::tempdir().unwrap();
        let path = script(folder.path(), "lumos-host-mute", "exec sleep 60");
        let reason = capabilities(&path, Duration::from_millis(50)).unwrap_err();
        assert!(reason.contains("no answer within"), "{reason}");
    }
}

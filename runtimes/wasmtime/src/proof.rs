//! The evidence of a mode: where the engine keeps a module's code, and whether the kernel lets
//! the processor execute it.

use std::path::Path;

use lumos_runtime::HostError;
use wasmtime::component::Component;

use crate::mode::Mode;

/// Describes the component's code. The inner error says why it contradicts the mode.
pub fn describe_code(
    mode: Mode,
    component: &Component,
    artifact: &Path,
) -> Result<Result<String, String>, HostError> {
    let text = component.text();
    let maps = std::fs::read_to_string("/proc/self/maps")
        .map_err(|error| HostError::system("read /proc/self/maps", error))?;
    let Some(mapping) = Mapping::find(&maps, text.as_ptr() as u64) else {
        return Ok(Err("its code is in no mapping of this process".into()));
    };
    Ok(judge(mode, text.len(), &mapping, artifact))
}

fn judge(
    mode: Mode,
    bytes: usize,
    mapping: &Mapping<'_>,
    artifact: &Path,
) -> Result<String, String> {
    let Mapping { permissions, executable, file } = mapping;
    match (mode, executable) {
        (Mode::Interp, false) => {
            Ok(format!("{bytes} bytes of Pulley bytecode, mapped {permissions}: not executable"))
        }
        (Mode::Interp, true) => Err(format!("its code is mapped {permissions}: machine code")),
        (Mode::Jit, true) => Ok(format!(
            "{bytes} bytes of {} code made in memory, mapped {permissions}",
            std::env::consts::ARCH
        )),
        (Mode::Aot, true) => {
            let name = artifact.file_name().unwrap_or_default().to_string_lossy();
            match file {
                Some(file) if Path::new(file).file_name() == artifact.file_name() => Ok(format!(
                    "{bytes} bytes of {} code, mapped {permissions} from {name}",
                    std::env::consts::ARCH
                )),
                _ => Err(format!("its code is not mapped from {name} but made at load time")),
            }
        }
        (Mode::Jit | Mode::Aot, false) => {
            Err(format!("its code is mapped {permissions}: the processor cannot execute it"))
        }
    }
}

/// One line of proc_pid_maps(5).
struct Mapping<'a> {
    permissions: &'a str,
    executable: bool,
    file: Option<&'a str>,
}

impl<'a> Mapping<'a> {
    /// The mapping that contains `address`.
    fn find(maps: &'a str, address: u64) -> Option<Self> {
        maps.lines().find_map(|line| {
            let (range, rest) = line.split_once(' ')?;
            let (start, end) = range.split_once('-')?;
            let bound = |hex| u64::from_str_radix(hex, 16).ok();
            if !(bound(start)?..bound(end)?).contains(&address) {
                return None;
            }
            let permissions = rest.split(' ').next()?;
            let file = rest.find('/').map(|at| &rest[at..]);
            Some(Self { permissions, executable: permissions.contains('x'), file })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAPS: &str = "\
1000-3000 r-xp 00002000 08:01 42                                 /a b/noop.cwasm
3000-4000 r--p 00000000 00:00 0
7000-9000 r-xp 00000000 00:00 0
";

    #[test]
    fn each_mode_requires_its_kind_of_mapping() {
        let at = |address| Mapping::find(MAPS, address).unwrap();
        let artifact = Path::new("/a b/noop.cwasm");
        let judge = |mode, address| judge(mode, 9, &at(address), artifact);
        assert_eq!(
            judge(Mode::Aot, 0x2fff),
            Ok(format!("9 bytes of {} code, mapped r-xp from noop.cwasm", std::env::consts::ARCH))
        );
        assert!(judge(Mode::Aot, 0x7000).is_err());
        assert!(judge(Mode::Aot, 0x3000).is_err());
        assert!(judge(Mode::Jit, 0x7000).is_ok());
        assert!(judge(Mode::Jit, 0x3000).is_err());
        assert!(judge(Mode::Interp, 0x3000).is_ok());
        assert!(judge(Mode::Interp, 0x7000).is_err());
        assert!(Mapping::find(MAPS, 0x9000).is_none());
    }
}

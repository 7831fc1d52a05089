//! The header of an executable.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use lumos_runtime::HostError;

/// `e_machine` of a 64-bit little-endian ELF header (elf(5)) on this architecture.
const ELF_MACHINE: u16 = if cfg!(target_arch = "aarch64") { 183 } else { 62 };

/// Describes the code of an artifact.
///
/// # Errors
/// When the file cannot be read or is not an executable of this architecture.
pub(crate) fn describe_code(artifact: &Path) -> Result<String, HostError> {
    let mut head = [0; 20];
    File::open(artifact)
        .and_then(|mut file| file.read_exact(&mut head))
        .map_err(|e| HostError::artifact(artifact, format!("{e}; run scripts/build.sh")))?;
    let machine = u16::from_le_bytes([head[18], head[19]]);
    let arch = std::env::consts::ARCH;
    if &head[..5] != b"\x7fELF\x02" || machine != ELF_MACHINE {
        let reason = format!("no executable of this machine ({arch}); run scripts/build.sh");
        return Err(HostError::artifact(artifact, reason));
    }
    Ok(format!("ELF executable for {arch}"))
}

//! Records the compiler's version in the binary, for the manifest of a run.

use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=RUSTC");
    // Cargo names the compiler that it uses. If the compiler does not answer, the version is
    // absent.
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let version = Command::new(rustc).arg("--version").output().ok();
    let version = version.and_then(|output| String::from_utf8(output.stdout).ok());
    if let Some(version) = version.filter(|text| !text.trim().is_empty()) {
        println!("cargo:rustc-env=LUMOS_RUSTC={}", version.trim());
    }
}

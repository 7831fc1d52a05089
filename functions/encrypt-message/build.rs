//! Warns if the native build would use the processor's AES instructions, which wasm lacks.

fn main() {
    // decrypt-message shares this script, so the path must be valid for both.
    println!("cargo::rerun-if-changed=../encrypt-message/build.rs");
    let is_set = |name: &str| std::env::var_os(format!("CARGO_CFG_{name}")).is_some();
    let wasm = std::env::var("CARGO_CFG_TARGET_FAMILY").is_ok_and(|family| family == "wasm");
    let soft = is_set("AES_FORCE_SOFT") && is_set("POLYVAL_FORCE_SOFT");
    if !soft && !wasm {
        println!(
            "cargo::warning=native AES may use instructions that wasm lacks: build inside \
             functions/, or set RUSTFLAGS=\"--cfg aes_force_soft --cfg polyval_force_soft\""
        );
    }
}

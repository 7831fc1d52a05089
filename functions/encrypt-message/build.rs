//! Says so when the native build would use the processor's AES instructions, which
//! wasm does not have.

fn main() {
    // The path holds for decrypt-message too, which shares this script.
    println!("cargo::rerun-if-changed=../encrypt-message/build.rs");
    let is_set = |name: &str| std::env::var_os(format!("CARGO_CFG_{name}")).is_some();
    let wasm = std::env::var("CARGO_CFG_TARGET_FAMILY").is_ok_and(|family| family == "wasm");
    let soft = is_set("AES_FORCE_SOFT") && is_set("POLYVAL_FORCE_SOFT");
    if !soft && !wasm {
        println!(
            "cargo::warning=native AES may use instructions that wasm does not have: build inside \
             functions/, or set RUSTFLAGS=\"--cfg aes_force_soft --cfg polyval_force_soft\""
        );
    }
}

//! Links this crate's executable, tests and benches with the WasmEdge library that
//! `scripts/setup.sh` downloaded. Other crates are not affected.

use std::path::Path;

const LIBRARY: &str = "WASMEDGE_LIB_DIR";
const HEADERS: &str = "WASMEDGE_INCLUDE_DIR";
/// The loader of a private libc, if the library needs a newer one than the system's. The
/// libraries of the private libc are in the loader's folder.
const LOADER: &str = "LUMOS_WASMEDGE_LOADER";

fn main() {
    for variable in [LIBRARY, HEADERS, LOADER] {
        println!("cargo::rerun-if-env-changed={variable}");
    }
    let set = |variable: &str| std::env::var(variable).ok().filter(|value| !value.is_empty());
    let (Some(library), Some(_)) = (set(LIBRARY), set(HEADERS)) else {
        println!(
            "cargo::error={LIBRARY} and {HEADERS}, which say where WasmEdge is, are not set: \
             run scripts/setup.sh, then `source .deps/env.sh`"
        );
        return;
    };
    let link = |argument: String| println!("cargo::rustc-link-arg=-Wl,{argument}");
    match set(LOADER) {
        Some(loader) => {
            let Some(private) = Path::new(&loader).parent() else {
                println!("cargo::error={LOADER}={loader} is not the path of a loader");
                return;
            };
            // The library needs versions of libc symbols that only the private libc has, which
            // the linker does not see.
            link("--allow-shlib-undefined".to_owned());
            link(format!("--dynamic-linker={loader}"));
            link(format!("-rpath,{}", private.display()));
        }
        None => link(format!("-rpath,{library}")),
    }
}

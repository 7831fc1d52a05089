//! Links this crate's executable, tests and benches against the WasmEdge library that
//! `scripts/setup.sh` fetched, and no other crate's.

use std::path::Path;

const LIBRARY: &str = "WASMEDGE_LIB_DIR";
const HEADERS: &str = "WASMEDGE_INCLUDE_DIR";
/// The loader of a private libc, where the fetched library needs a newer one than the
/// system's. The libraries it goes with lie beside it.
const LOADER: &str = "LUMOS_WASMEDGE_LOADER";

fn main() {
    for variable in [LIBRARY, HEADERS, LOADER] {
        println!("cargo::rerun-if-env-changed={variable}");
    }
    let set = |variable: &str| std::env::var(variable).ok().filter(|value| !value.is_empty());
    let (Some(library), Some(_)) = (set(LIBRARY), set(HEADERS)) else {
        println!(
            "cargo::error={LIBRARY} and {HEADERS} say where WasmEdge is and are not set: \
             run scripts/setup.sh, then `source .deps/env.sh`"
        );
        return;
    };
    let link = |argument: String| println!("cargo::rustc-link-arg=-Wl,{argument}");
    match set(LOADER) {
        Some(loader) => {
            let Some(private) = Path::new(&loader).parent() else {
                println!("cargo::error={LOADER}={loader} is no path of a loader");
                return;
            };
            // The private library needs versions of libc symbols that the linker's libc
            // has not; the private loader has them.
            link("--allow-shlib-undefined".to_owned());
            link(format!("--dynamic-linker={loader}"));
            link(format!("-rpath,{}", private.display()));
        }
        None => link(format!("-rpath,{library}")),
    }
}

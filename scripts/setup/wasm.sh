# One compiler for functions/ on all targets: native, wasm32-wasip1 and wasm32-wasip2.
# shellcheck shell=bash disable=SC2016,SC2034,SC2154

wasm_targets=(wasm32-wasip1 wasm32-wasip2)
component_ld_version=0.5.22 # matches rustc 1.96; rustup's toolchains bundle theirs

setup_wasm() {
    functions_cargo='' functions_rustc='' build_std=0 wasi_p1='' wasi_p2='' wasm_ld='' component_ld=''
    if [[ -z $only_debian ]] && rustup_has_targets; then
        take_rustup
    elif debian_has_all; then
        take_debian
    elif add_rustup_targets; then
        take_rustup
    elif install_debian && debian_has_all; then
        take_debian
    else
        functions_cargo=$(command -v cargo || true) functions_rustc=$(command -v rustc || true)
        lacks wasm "neither rustup's targets nor Debian's packages are available (see above)" \
            "all targets of wasmtime and wasmedge; native still works" \
            "connect to the network and run this again (rustup: rustup target add ${wasm_targets[*]})"
    fi
}

# --- rustup ---

rustup_has_targets() {
    local sysroot target
    have rustup && have rustc || return 1
    sysroot=$(rustc --print sysroot 2>/dev/null) || return 1
    for target in "${wasm_targets[@]}"; do [[ -d $sysroot/lib/rustlib/$target/lib ]] || return 1; done
}

add_rustup_targets() {
    have rustup && may_fetch https://static.rust-lang.org/rustup/release-stable.toml || return 1
    logged timeout 300 rustup target add "${wasm_targets[@]}" && rustup_has_targets
}

take_rustup() {
    functions_cargo=$(rustup which cargo) functions_rustc=$(rustup which rustc)
    say wasm "rustup's targets ${wasm_targets[*]}, rustc $(rust_version "$functions_rustc")"
}

# --- Debian: rustc-web with its std built from source, sid's wasi-libc, lld ---

install_debian() {
    apt_install rustc-web cargo-web rust-web-src "$(lld_package)" || return 1
    if [[ ! -e $deps/wasi-libc/lib/wasm32-wasip2/libc.a ]]; then
        # Always sid's: a wasi-libc older than 2024 makes interpreted I/O up to 20 times slower. The package holds only wasm code.
        rm -rf "$deps/wasi-libc.new" "$deps/wasi-libc"
        unpack_sid "$deps/wasi-libc.new" wasi-libc || return 1
        mv "$deps/wasi-libc.new/usr" "$deps/wasi-libc" && rm -rf "$deps/wasi-libc.new"
    fi
    if [[ ! -x $deps/bin/wasm-component-ld ]]; then
        echo "cargo install wasm-component-ld (a few minutes)"
        RUSTC=/usr/bin/rustc CARGO_TARGET_DIR=$deps/build logged /usr/bin/cargo install --quiet --locked \
            --root "$deps" "wasm-component-ld@$component_ld_version" || return 1
        rm -rf "$deps/build"
    fi
}

lld_package() { if apt-cache show lld-19 >/dev/null 2>&1; then echo lld-19; else echo lld; fi; }

find_wasm_ld() { command -v wasm-ld-19 || command -v wasm-ld; }

debian_has_all() {
    at_least "$(rust_version /usr/bin/rustc)" "$rust_wanted" && [[ -x /usr/bin/cargo ]] &&
        [[ -e /usr/lib/rustlib/src/rust/library/std/Cargo.toml ]] && find_wasm_ld >/dev/null &&
        [[ -e $deps/wasi-libc/lib/wasm32-wasip2/libc.a && -x $deps/bin/wasm-component-ld ]]
}

take_debian() {
    functions_cargo=/usr/bin/cargo functions_rustc=/usr/bin/rustc build_std=1
    wasi_p1=$deps/wasi-libc/lib/wasm32-wasi wasi_p2=$deps/wasi-libc/lib/wasm32-wasip2
    wasm_ld=$(find_wasm_ld) component_ld=$deps/bin/wasm-component-ld
    say wasm "std built from source with Debian's rustc-web $(rust_version /usr/bin/rustc) ($(why_not_rustup))"
}

why_not_rustup() {
    if [[ -n $only_debian ]]; then echo "requested with --debian"
    elif have rustup; then echo "rustup could not download its targets here"
    else echo "no rustup here"; fi
}

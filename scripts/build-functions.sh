#!/usr/bin/env bash
# Builds functions/ for each target with one compiler, lock file and profile: native executables, wasm32-wasip1 reactors (for
# WasmEdge) and wasm32-wasip2 components (for Wasmtime). Records compiler and flags in target/functions/build.json.
# Skips the wasm builds if the compiler lacks the targets; scripts/setup.sh says why.
#
# LUMOS_VARIANT="FOLDER FUNCTION FEATURE" builds only FUNCTION with FEATURE into FOLDER; scripts/check-sensitivity.sh uses it.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
[[ -e $root/.deps/env.sh ]] || { echo "call scripts/setup.sh first" >&2; exit 1; }
# shellcheck source=/dev/null
source "$root/.deps/env.sh"
[[ -n $LUMOS_FUNCTIONS_CARGO ]] || { echo "no Rust compiler for functions/: scripts/setup.sh says how to get one" >&2; exit 1; }

read -r variant_folder variant_function variant_feature <<<"${LUMOS_VARIANT:-}" || true
export RUSTC=$LUMOS_FUNCTIONS_RUSTC CARGO_TARGET_DIR=${variant_folder:-$root/target/functions}
# -Zbuild-std needs it. It is set for native builds too, because build scripts read it: crates would be rebuilt at each call.
[[ $LUMOS_FUNCTIONS_BUILD_STD != 1 ]] || export RUSTC_BOOTSTRAP=1
compiler=$("$RUSTC" -vV)
native=$(sed -n 's/^host: //p' <<<"$compiler")
functions=() # crates that build a wasm library; the others are their dependencies
for manifest in "$root"/functions/${variant_function:-*}/Cargo.toml; do
    if grep -q cdylib "$manifest"; then functions+=("$(dirname "$manifest")"); fi
done
locked=()
features=()
[[ -z $variant_feature ]] || features=(--features "$variant_feature")
[[ ! -e $root/functions/Cargo.lock ]] || locked=(--locked)

# The flags of functions/.cargo/config.toml, for every target. They are passed explicitly, because cargo ignores its
# configuration's flags as soon as a target has flags of its own.
config=$root/functions/.cargo/config.toml
mapfile -t common < <([[ ! -e $config ]] || awk '/^rustflags *=/ { on = 1 } on; on && /\]/ { exit }' "$config" | grep -o '"[^"]*"' | tr -d '"')
[[ ! -e $config || ${#common[@]} != 0 ]] || { echo "$config: no rustflags found" >&2; exit 1; }

# flags_for TRIPLE: sets `flags`. A wasm library is linked with the reactor's start file, so that its constructors run once, in
# `_initialize`. Without it every call of an export runs them.
flags_for() {
    flags=("${common[@]}")
    [[ $1 != "$native" ]] || return 0
    flags+=(-C link-arg=-l:crt1-reactor.o)
    [[ $1 != wasm32-wasip1 ]] || flags+=(-C link-arg=--export=_initialize)
    [[ $LUMOS_FUNCTIONS_BUILD_STD == 1 ]] || return 0
    flags+=(-C link-self-contained=no)
    case $1 in
        wasm32-wasip1) flags+=(-C "linker=$LUMOS_WASM_LD" -L "$LUMOS_WASI_P1_SYSROOT") ;;
        wasm32-wasip2) flags+=(-C "linker=$LUMOS_WASM_COMPONENT_LD" -L "$LUMOS_WASI_P2_SYSROOT"
            -C link-arg=--wasm-ld-path -C "link-arg=$LUMOS_WASM_LD") ;;
    esac
}

can_build() {
    [[ $1 == "$native" || $LUMOS_FUNCTIONS_BUILD_STD == 1 || -d $("$RUSTC" --print sysroot)/lib/rustlib/$1/lib ]]
}

# build TRIPLE COMMAND..: one cargo call per function, so that features are not unified across functions. The flags replace
# those of the environment and of cargo's configuration; with an explicit --target they do not apply to build scripts.
build() {
    local triple=$1 started=$SECONDS std=() flags function
    shift
    if ! can_build "$triple"; then
        echo "functions $triple: left out, no wasm toolchain (scripts/setup.sh)"
        return
    fi
    flags_for "$triple"
    if [[ $triple != "$native" && $LUMOS_FUNCTIONS_BUILD_STD == 1 ]]; then
        std=("-Zbuild-std=std,panic_abort")
    fi
    for function in "${functions[@]}"; do
        (
            cd "$function"
            CARGO_ENCODED_RUSTFLAGS=$(IFS=$'\x1f' && echo -n "${flags[*]}") \
                "$LUMOS_FUNCTIONS_CARGO" "$@" --quiet --release --target "$triple" "${locked[@]}" "${std[@]}" "${features[@]}"
        )
    done
    echo "functions $triple: $((SECONDS - started)) s"
}

# --- build.json ---

json_string() { awk 'BEGIN { printf "\"" } { gsub(/[\\"]/, "\\\\&"); printf "%s%s", (NR > 1 ? "\\n" : ""), $0 } END { printf "\"" }' <<<"$1"; }

# json_target TRIPLE: triple and flags, without absolute paths.
json_target() {
    local flags text
    can_build "$1" || { echo -n null; return; }
    flags_for "$1"
    text=${flags[*]}
    [[ -z $LUMOS_WASM_LD ]] || text=${text//$LUMOS_WASM_LD/$(basename "$LUMOS_WASM_LD")}
    printf '{"triple":%s,"flags":%s}' "$(json_string "$1")" "$(json_string "${text//$root/.}")"
}

write_record() {
    local kind=debian
    [[ $LUMOS_FUNCTIONS_BUILD_STD == 1 || $RUSTC == /usr/* ]] || kind=rustup
    {
        printf '{"schema":1,\n"compiler":%s,\n' "$(json_string "$compiler")"
        printf '"compiler_path_kind":"%s",\n"profile":"release",\n' "$kind"
        printf '"native":%s,\n' "$(json_target "$native")"
        printf '"wasip1":%s,\n' "$(json_target wasm32-wasip1)"
        printf '"wasip2":%s}\n' "$(json_target wasm32-wasip2)"
    } >"$CARGO_TARGET_DIR/build.json.new"
    mv "$CARGO_TARGET_DIR/build.json.new" "$CARGO_TARGET_DIR/build.json"
}

mkdir -p "$CARGO_TARGET_DIR"
build "$native" build --bins
# Cargo applies the profile's LTO to a cdylib only when it is the library's one crate type.
build wasm32-wasip1 rustc --lib --crate-type cdylib
build wasm32-wasip2 rustc --lib --crate-type cdylib
write_record

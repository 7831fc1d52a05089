#!/usr/bin/env bash
# Sets up, builds, checks the form, and runs every test.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
scripts/setup.sh
scripts/build.sh
# shellcheck source=/dev/null
source .deps/env.sh

packages=(--workspace)
if [[ -z ${LUMOS_WASMEDGE_ROOT:-} ]]; then
    echo "warning: WasmEdge could not be had (see above), so its host is not tested"
    packages+=(--exclude lumos-host-wasmedge)
fi

echo "form: cargo fmt, clippy"
cargo fmt --all --check
(cd functions && cargo fmt --all --check)
cargo clippy --release --locked --quiet "${packages[@]}" --all-targets -- -D warnings

echo "tests of the functions"
(cd functions && RUSTC=$LUMOS_FUNCTIONS_RUSTC CARGO_TARGET_DIR=../target/functions \
    "$LUMOS_FUNCTIONS_CARGO" test --locked --quiet --workspace)

echo "tests of the harness"
# Binaries and tests share one profile, so that Wasmtime is compiled once.
cargo test --release --locked --quiet "${packages[@]}"

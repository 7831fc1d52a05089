#!/usr/bin/env bash
# Sets up, checks the form, builds, and runs every test. Arguments go to `cargo test` and replace the
# selection of packages: scripts/test.sh -p lumos-cli --test serve
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
scripts/setup.sh
# shellcheck source=/dev/null
source .deps/env.sh
checked=(cargo --config scripts/checked.toml test --release --locked --quiet)

# Tests build the executables with checks. Whatever becomes of the tests, those that measure come back.
trap scripts/build.sh EXIT

if (($# > 0)); then
    scripts/build.sh
    "${checked[@]}" "$@"
    exit
fi

scripts/check.sh
scripts/build.sh

packages=(--workspace)
if [[ -z ${LUMOS_WASMEDGE_ROOT:-} ]]; then
    echo "warning: WasmEdge could not be had (see above), so its host is not tested"
    packages+=(--exclude lumos-host-wasmedge)
fi

echo "tests of the functions"
(cd functions && RUSTC=$LUMOS_FUNCTIONS_RUSTC CARGO_TARGET_DIR=../target/functions \
    "$LUMOS_FUNCTIONS_CARGO" test --locked --quiet --workspace)

echo "tests of the harness"
"${checked[@]}" "${packages[@]}"

#!/usr/bin/env bash
# Builds the harness and the functions, and compiles the functions ahead of time. Idempotent.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
[[ -e .deps/env.sh ]] || { echo "call scripts/setup.sh first" >&2; exit 1; }
# shellcheck source=/dev/null
source .deps/env.sh

# In parallel with the harness and in a process group of its own: linking a function keeps one core busy.
set -m
scripts/build-functions.sh < /dev/null &
functions=$!
set +m
trap 'kill -- "-$functions" 2> /dev/null || true' EXIT

# Only the WasmEdge host needs its C library.
# lumos-testkit enables the simulated clock in lumos-os, so it is built for tests only.
packages=(--workspace --exclude lumos-testkit)
[[ -n ${LUMOS_WASMEDGE_ROOT:-} ]] || packages+=(--exclude lumos-host-wasmedge)
started=$SECONDS
cargo build --release --locked --quiet "${packages[@]}"
echo "harness: built in $((SECONDS - started)) s"
wait "$functions"
trap - EXIT

target/release/lumos artifacts

#!/usr/bin/env bash
# Builds the harness, the functions, and what the engines compile ahead of time. Idempotent; nothing to do takes seconds.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
[[ -e .deps/env.sh ]] || { echo "call scripts/setup.sh first" >&2; exit 1; }
# shellcheck source=/dev/null
source .deps/env.sh

# Beside the harness, in a process group of its own: each function is linked as a whole, which keeps one core busy.
set -m
scripts/build-functions.sh < /dev/null &
functions=$!
set +m
trap 'kill -- "-$functions" 2> /dev/null || true' EXIT

# The WasmEdge host needs its C library; everything else is built without it.
# lumos-testkit puts a simulated clock into lumos-os, so it is built for tests alone.
packages=(--workspace --exclude lumos-testkit)
[[ -n ${LUMOS_WASMEDGE_ROOT:-} ]] || packages+=(--exclude lumos-host-wasmedge)
started=$SECONDS
cargo build --release --locked --quiet "${packages[@]}"
echo "harness: built in $((SECONDS - started)) s"
wait "$functions"
trap - EXIT

target/release/lumos artifacts

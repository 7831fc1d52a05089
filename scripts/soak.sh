#!/usr/bin/env bash
# Ten minutes of mixed load on `lumos serve` with all runtimes at once: traps, timeouts, bursts, clients that disconnect. Nothing may
# leak, and clients and server must agree on the counts. harness/cli/tests/soak/main.rs describes the checks.
# Usage: soak.sh [SECONDS] [TEST..]; 600 seconds and all tests by default. A test is native_in_processes, wasmtime_in_threads, ...
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
[[ -e .deps/env.sh ]] || { echo "call scripts/setup.sh first" >&2; exit 1; }
seconds=${1:-600}
[[ $seconds =~ ^[1-9][0-9]*$ ]] || { echo "usage: soak.sh [SECONDS] [TEST..]" >&2; exit 2; }
scripts/build.sh
# shellcheck source=/dev/null
source .deps/env.sh

log=$(mktemp)
trap 'rm -f "$log"' EXIT
echo "soaking for $seconds s; each line is a check: nothing runs and all counts agree"
status=0
LUMOS_SOAK_SECONDS=$seconds cargo test --release --locked --quiet -p lumos-cli --test soak -- \
    --nocapture --test-threads 8 "${@:2}" | tee "$log" || status=$?
echo "summary"
sed -n 's/^summary//p' "$log" | grep . || echo "  no soak completed"
exit "$status"

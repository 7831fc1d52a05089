#!/usr/bin/env bash
# From a clean clone to a comparison: sets up, builds, and runs scenarios/quick.toml. Arguments are passed to `lumos run` instead of
# that scenario: scripts/run.sh scenarios/execution-time.toml --filter function=noop
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
scripts/setup.sh
scripts/build.sh
[[ $# != 0 ]] || set -- scenarios/quick.toml
exec target/release/lumos run "$@"

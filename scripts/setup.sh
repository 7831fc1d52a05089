#!/usr/bin/env bash
# Fetches what lumos needs to build and run: a Rust compiler, the wasm toolchain for functions/, WasmEdge, Redis.
#
#   scripts/setup.sh             the official way first (rustup, WasmEdge's release archive), Debian's packages otherwise
#   scripts/setup.sh --debian    only Debian's packages and crates.io
#
# Works on Debian 12 and 13 and Raspberry Pi OS, x86-64 and arm64. Idempotent. Downloads go to .deps/ in the checkout; packages of
# the installed Debian release are installed with apt-get.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
deps=$root/.deps
# shellcheck disable=SC2034 # read by the parts
case ${1-} in
    '') only_debian= ;;
    --debian) only_debian=1 ;;
    *) sed -n '2,/^set/s/^# \?//p' "$0"; [[ $1 == --help || $1 == -h ]] && exit 0 || exit 2 ;;
esac

for part in common rust wasm wasmedge redis env; do
    # shellcheck source=/dev/null
    source "$root/scripts/setup/$part.sh"
done

mkdir -p "$deps"
setup_rust
setup_wasm
setup_wasmedge
setup_redis
write_env
summary

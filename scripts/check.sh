#!/usr/bin/env bash
# The fast lane: formatting, lints of both workspaces and of the scripts, documentation, and the
# unit tests of the crates that do no I/O. scripts/test.sh calls it first.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
[[ -e .deps/env.sh ]] || { echo "call scripts/setup.sh first" >&2; exit 1; }
# shellcheck source=/dev/null
source .deps/env.sh

# stage NAME COMMAND..: runs the command and says how long it took.
stage() {
    local started=$SECONDS name=$1
    shift
    "$@"
    echo "check: $name ($((SECONDS - started)) s)"
}

# in_functions COMMAND..: runs the command in the workspace of the functions, with their compiler.
in_functions() {
    (cd functions && RUSTC=$LUMOS_FUNCTIONS_RUSTC CARGO_TARGET_DIR=../target/functions "$@")
}

# has TOOL: whether cargo has the tool; says how to get it otherwise.
has() {
    cargo "$1" --version >/dev/null 2>&1 && return
    echo "check: $1 left out: $2"
    return 1
}

packages=(--workspace)
[[ -n ${LUMOS_WASMEDGE_ROOT:-} ]] || packages+=(--exclude lumos-host-wasmedge)
pure=(model stats scenario record analysis report)

if has fmt "rustup component add rustfmt"; then
    stage "format" cargo fmt --all --check
    stage "format of functions" in_functions cargo fmt --all --check
fi
if command -v shellcheck >/dev/null; then
    mapfile -t scripts < <(git ls-files '*.sh' .ci/run)
    stage "shellcheck" shellcheck -x "${scripts[@]}"
else
    echo "check: shellcheck left out: apt-get install shellcheck"
fi
if has deny "cargo install --locked cargo-deny"; then
    # Advisories need the network, and change without a change here.
    stage "licences and sources" cargo deny --log-level error check bans licenses sources
fi
if has clippy "rustup component add clippy"; then
    stage "clippy" cargo clippy --release --locked --quiet "${packages[@]}" --all-targets -- -D warnings
    stage "clippy of functions" in_functions cargo clippy --locked --quiet --workspace --all-targets -- -D warnings
fi
stage "documentation" env RUSTDOCFLAGS="-D warnings" cargo doc --release --locked --quiet --no-deps "${packages[@]}"
stage "unit tests of ${pure[*]}" cargo --config scripts/checked.toml test --release --locked --quiet --lib "${pure[@]/#/-plumos-}"

#!/usr/bin/env bash
# Checks that `lumos compare` detects a function that became 5 % slower, and reports no change where there is none. Builds
# mandelbrot-bitmap with and without its feature five-percent-slower and runs scenarios/sensitivity.toml alternately with the
# normal build (twice: A/A) and the slower one.
# Usage: check-sensitivity.sh [PAIRS] [METRIC]. Ten pairs take about five minutes. Use METRIC cpu on a busy machine.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
[[ -e .deps/env.sh ]] || { echo "call scripts/setup.sh first" >&2; exit 1; }
# shellcheck source=/dev/null
source .deps/env.sh
pairs=${1:-10} metric=${2:-total}
lumos=${LUMOS:-target/release/lumos}
work=target/sensitivity

mkdir -p "$work"
# build NAME [FEATURE]: into $work/NAME.
build() {
    LUMOS_VARIANT="$PWD/$work/$1/functions mandelbrot-bitmap ${2:-}" scripts/build-functions.sh
    mkdir -p "$work/$1/artifacts"
    "$lumos" artifacts --artifacts "$work/$1/artifacts" --built "$work/$1/functions" >/dev/null
}
build usual
build slower five-percent-slower

runs=$(mktemp -d "$work/runs.XXXXXX")
# measure NAME ARTIFACTS: one run of the scenario.
measure() {
    "$lumos" run scenarios/sensitivity.toml --out "$runs/$1" --artifacts "$2" >"$runs/$1.log" 2>&1 ||
        { cat "$runs/$1.log" >&2; exit 1; }
}
# judged BASE NEW VERDICT: the number of cells with that verdict.
judged() {
    { "$lumos" compare "$runs/$1" "$runs/$2" --metric "$metric" --format json || [[ $? == 1 ]]; } >"$runs/$2.json"
    grep -c "\"verdict\": \"$3\"" "$runs/$2.json" || true
}

found=0 false_alarms=0 cells=0
for ((pair = 1; pair <= pairs; pair++)); do
    measure "$pair-base" "$work/usual/artifacts"
    measure "$pair-same" "$work/usual/artifacts"
    measure "$pair-slower" "$work/slower/artifacts"
    slower=$(judged "$pair-base" "$pair-slower" slower)
    alarms=$(($(judged "$pair-base" "$pair-same" slower) + $(judged "$pair-base" "$pair-same" faster)))
    cells=$(grep -c '"verdict"' "$runs/$pair-same.json")
    echo "pair $pair: $slower of $cells slower cells detected; $alarms of $cells unchanged cells reported as changed"
    found=$((found + slower)) false_alarms=$((false_alarms + alarms))
done
all=$((pairs * cells))
echo "metric $metric: the 5 % slowdown was detected in $found of $all cells; $false_alarms of $all unchanged cells were reported as changed"

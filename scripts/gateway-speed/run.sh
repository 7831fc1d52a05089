#!/usr/bin/env bash
# Compares the speed of the gateway with `wasmtime serve` and with a bare hyper server, side by side: each round measures
# all of them, one after the other, and the table has the medians of the rounds.
#   scripts/gateway-speed/run.sh [ROUNDS] [SECONDS]
# Needs wrk (`apt-get install wrk`); installs wasmtime-cli below .deps/ if it is not there (some minutes).
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
rounds=${1:-5} seconds=${2:-3}
version=48.0.8
command -v wrk > /dev/null || { echo "install wrk first: apt-get install wrk" >&2; exit 2; }
[[ -e target/artifacts/artifacts.json ]] || { echo "call scripts/build.sh first" >&2; exit 2; }
wasmtime=.deps/tools/bin/wasmtime
if [[ $("$wasmtime" --version 2> /dev/null || true) != *" $version"* ]]; then
  cargo install --quiet --locked --root .deps/tools --target-dir target/wasmtime-cli wasmtime-cli --version "$version"
fi
cargo build --release --quiet -p lumos-platform --example bare_hyper
CARGO_TARGET_DIR=target/gateway-speed \
  cargo build --release --quiet --locked --target wasm32-wasip2 --manifest-path scripts/gateway-speed/hello/Cargo.toml
hello=target/gateway-speed/wasm32-wasip2/release/hello_http.wasm

work=$(mktemp -d)
pids=()
trap 'kill "${pids[@]}" 2> /dev/null || true; wait; rm -rf "$work"' EXIT

# name=url
declare -A urls
names=()
start() { # NAME PORT PATH COMMAND..
  local name=$1 port=$2 path=$3
  shift 3
  "$@" > "$work/$name.log" 2>&1 &
  pids+=($!)
  names+=("$name")
  urls[$name]=http://127.0.0.1:$port$path
  for _ in $(seq 100); do
    curl -sf -o /dev/null -X POST -d '{}' "${urls[$name]}" && return
    sleep 0.1
  done
  echo "$name does not answer:" >&2
  cat "$work/$name.log" >&2
  exit 1
}
lumos=(target/release/lumos serve noop --target wasmtime-aot --isolation thread --max-instances 64)
# The client and the server share the cores: what is measured is how they take turns too, so expect other ratios elsewhere.
start lumos 28080 /noop "${lumos[@]}" --listen 127.0.0.1:28080
start lumos-halting 28081 /noop "${lumos[@]}" --listen 127.0.0.1:28081 --stay-awake 0s
start lumos-new 28082 /noop "${lumos[@]}" --listen 127.0.0.1:28082 --keep-alive 0s

start wasmtime-reuse 28084 / "$wasmtime" serve -S cli --addr 127.0.0.1:28084 --max-instance-reuse-count 128 "$hello"
start wasmtime-new 28085 / "$wasmtime" serve -S cli --addr 127.0.0.1:28085 "$hello"
start hyper 28086 / target/release/examples/bare_hyper current 127.0.0.1:28086
start hyper-multi 28087 / target/release/examples/bare_hyper multi 127.0.0.1:28087

for connections in 1 16 64; do
  threads=$((connections > 1 ? 2 : 1))
  for ((round = 0; round < rounds; round++)); do
    for name in "${names[@]}"; do
      out=$(wrk -t "$threads" -c "$connections" -d "${seconds}s" -s scripts/gateway-speed/post.lua "${urls[$name]}")
      if grep -qE 'Non-2xx|Socket errors' <<< "$out"; then
        echo "$name at $connections connections: $(grep -E 'Non-2xx|Socket errors' <<< "$out")" >&2
      fi
      awk '/Requests\/sec/ { print $2 }' <<< "$out" >> "$work/$name.$connections"
    done
  done
done

median() { sort -n "$work/$1.$2" | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
printf '%-20s %12s %12s %12s\n' "requests a second" "1" "16" "64"
for name in "${names[@]}"; do
  printf '%-20s %12.0f %12.0f %12.0f\n' "$name" "$(median "$name" 1)" "$(median "$name" 16)" "$(median "$name" 64)"
done
ratio() { # WHAT A B
  printf '%-46s' "$1"
  for connections in 1 16 64; do
    awk -v a="$(median "$2" $connections)" -v b="$(median "$3" $connections)" 'BEGIN { printf " %7.2f", a / b }'
  done
  echo
}
printf '\n%-46s %7s %7s %7s\n' ratio 1 16 64
ratio "lumos / wasmtime serve with reuse (1.5)" lumos wasmtime-reuse
ratio "lumos, cores may halt / wasmtime with reuse" lumos-halting wasmtime-reuse
ratio "lumos / bare hyper (0.5)" lumos hyper
ratio "lumos / bare hyper, two threads (0.5)" lumos hyper-multi
ratio "lumos, new instances / wasmtime serve (1.2)" lumos-new wasmtime-new

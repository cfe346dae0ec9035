#!/usr/bin/env bash
# Runs the benchmark programs of a release build: tools/bench.sh build/release
set -euo pipefail
dir=${1:?usage: tools/bench.sh BUILD_DIR}
found=false
for program in "$dir"/bench/*_bench; do
  [ -x "$program" ] || continue
  found=true
  printf '\n==> %s\n' "$(basename "$program")"
  "$program"
done
$found || { echo "no benchmark programs in $dir/bench; run ./dev bench" >&2; exit 1; }
for program in agent failover fleet; do
  printf '\n==> %s\n' "${program}_bench.py"
  python3 "bench/${program}_bench.py" --bin "$dir/drover"
done

#!/bin/bash
# A million random graphs through every pass and the pipeline: 200 times as many as the tests run.
#
# Usage: tests/long/random_graphs.sh BUILD_DIR [COUNT[@FIRST]]
# COUNT graphs (default 1000000) from seed FIRST on (default 5000, where the tests end).
set -euo pipefail
program=$(realpath "$1")/tests/unit/passes/random_graphs_test
shards=$(nproc)
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT
export FOVEA_RANDOM_GRAPHS=${2:-1000000@5000}

pids=()
for ((shard = 0; shard < shards; ++shard)); do
  GTEST_TOTAL_SHARDS=$shards GTEST_SHARD_INDEX=$shard "$program" --gtest_brief=1 >"$logs/$shard" 2>&1 &
  pids+=($!)
done
failed=0
for ((shard = 0; shard < shards; ++shard)); do
  wait "${pids[shard]}" || { failed=1; cat "$logs/$shard"; }
done
[ "$failed" -eq 0 ] && echo "$FOVEA_RANDOM_GRAPHS: every pass keeps the meaning"

#!/bin/bash
# Writes the table of docs/compiler.md anew that a build with the CUDA backend makes, without a GPU.
#
# Usage: docs/update_cuda_table.sh [BUILD_DIR]     (default build/cuda; needs its target fovea)
set -euo pipefail
cd "$(dirname "$0")/.."
table=$(tests/bench/dry_run_table.py "${1:-build/cuda}/bin/fovea")
{
  sed '/^<!-- cuda table -->$/q' docs/compiler.md
  printf '\n%s\n\n' "$table"
  sed -n '/^<!-- end of cuda table -->$/,$p' docs/compiler.md
} >docs/compiler.md.new
mv docs/compiler.md.new docs/compiler.md

#!/bin/bash
# Writes the tables of docs/compiler.md anew.
#
# Usage: docs/update_compiler_tables.sh [BUILD_DIR]     (default build/release; needs its target plan_table)
set -euo pipefail
cd "$(dirname "$0")/.."
tables=$("${1:-build/release}/tests/bench/plan_table" 1)
{
  sed '/^<!-- tables -->$/q' docs/compiler.md
  printf '%s\n\n' "$tables"
  sed -n '/^<!-- end of tables -->$/,$p' docs/compiler.md
} >docs/compiler.md.new
mv docs/compiler.md.new docs/compiler.md

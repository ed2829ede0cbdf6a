#!/bin/bash
# Usage: format.sh ROOT. Fails for every C++ or CUDA file that clang-format 19 would change.
set -euo pipefail
. "$(dirname "$0")/sources.sh"
cd "$1"

# Other versions format the same style differently.
clang_format=${CLANG_FORMAT:-clang-format-19}
command -v "$clang_format" >/dev/null || tool_missing "$clang_format"
files=$(list_files . | grep -E '\.(h|hpp|cc|cpp|cu|cuh)$' || true)
count=$(printf '%s' "$files" | grep -c . || true)
require_files "$count"
if ! printf '%s\n' "$files" | xargs -d '\n' -P 2 -n 32 "$clang_format" --dry-run --Werror; then
  echo "format: run clang-format-19 -i on the files above"
  exit 1
fi
echo "format: $count files"

#!/bin/bash
# Usage: file_length.sh ROOT. Fails for every source file over 500 lines.
set -euo pipefail
. "$(dirname "$0")/sources.sh"
limit=500
cd "$1"

count=0
long=0
while IFS= read -r file; do
  count=$((count + 1))
  lines=$(wc -l <"$file")
  if [ "$lines" -gt "$limit" ]; then
    echo "$file: $lines lines, the limit is $limit: split it"
    long=$((long + 1))
  fi
done < <(list_files . | grep -E '\.(h|hpp|cc|cpp|cu|cuh|cmake|sh|py|in)$|(^|/)CMakeLists\.txt$')
require_files "$count"
echo "file length: $count files, $long too long"
[ "$long" -eq 0 ]

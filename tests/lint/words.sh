#!/bin/bash
# Usage: words.sh ROOT. Fails for every line of a text file that matches a pattern of words.txt.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/sources.sh"
cd "$1"

files=$(list_files . | grep -vxE 'tests/lint/(words.txt|scripts_test.sh)' || true)
count=$(printf '%s' "$files" | grep -c . || true)
require_files "$count"
found=0
while IFS=$'\t' read -r pattern reason; do
  case "$pattern" in '#'* | '') continue ;; esac
  if printf '%s\n' "$files" | xargs -d '\n' grep -InE -e "$pattern" /dev/null; then
    echo "^ $reason ($pattern)"
    found=$((found + 1))
  fi
done <"$here/words.txt"
echo "words: $count files, $found patterns found"
[ "$found" -eq 0 ]

#!/bin/bash
# Usage: shell.sh ROOT. shellcheck over every shell script.
set -euo pipefail
. "$(dirname "$0")/sources.sh"
cd "$1"

command -v shellcheck >/dev/null || tool_missing shellcheck
files=$(list_files . | grep -E '\.sh$|^\.ci/run$' || true)
count=$(printf '%s' "$files" | grep -c . || true)
require_files "$count"
printf '%s\n' "$files" | xargs -d '\n' shellcheck --severity=warning --shell=bash
echo "shell: $count files"

#!/bin/bash
# Fails where a patch of tests/long/mutations no longer applies: whoever changes the code it breaks brings it up to date.
#
# Usage: tests/lint/mutations.sh ROOT
set -euo pipefail
cd "$1"
failed=0
for patch in tests/long/mutations/*.patch; do
  if ! git apply --check "$patch" 2>/dev/null; then
    echo "$patch does not apply: make it anew from the code as it is"
    failed=1
  fi
done
exit "$failed"

#!/bin/bash
# Campaigns too long for check.sh, started by hand: the tests labelled slow, then every other script in
# this folder.
#
# Usage: tests/long/run.sh [BUILD_DIR]     (default build/release, built first)
#
# The log goes to docs/measurements/<date>-long.txt. A campaign is an executable tests/long/<name>.sh: it
# gets the build folder as its argument, prints its figures and exits with 0, or 77 if it cannot run here.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1

build=${1:-build/release}
if [ $# -eq 0 ]; then
  cmake --preset release && cmake --build --preset release || exit 1
fi
if [ ! -f "$build/CMakeCache.txt" ]; then
  echo "run.sh: '$build' is not the folder of a build; usage: tests/long/run.sh [BUILD_DIR]" >&2
  exit 2
fi
log=docs/measurements/$(date +%Y-%m-%d)-long.txt
passed=0
failed=0
skipped=0

# campaign NAME COMMAND...
campaign() {
  local name=$1 start=$SECONDS code=0
  shift
  echo "== $name: $*"
  "$@" || code=$?
  case $code in
    0) passed=$((passed + 1)) ;;
    77) skipped=$((skipped + 1)) ;;
    *) failed=$((failed + 1)) ;;
  esac
  echo "== $name: exit code $code after $((SECONDS - start)) s"
}

all() {
  echo "commit $(git describe --always --dirty 2>/dev/null || echo unknown)"
  uname -srm
  grep -m 1 'model name' /proc/cpuinfo
  campaign slow ctest --test-dir "$build" -L slow --no-tests=error --output-on-failure
  for script in tests/long/*.sh; do
    [ "$script" = tests/long/run.sh ] || campaign "$(basename "$script" .sh)" "$script" "$build"
  done
  echo "$passed passed, $failed failed, $skipped skipped"
  [ "$failed" -eq 0 ]
}

all 2>&1 | tee "$log"

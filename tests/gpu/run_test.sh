#!/bin/bash
# What run.sh says without building anything.
set -uo pipefail
run=$(dirname "$0")/run.sh
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export BUILD=$folder/build
wrong=0

# expect CODE TEXT OPTION...
expect() {
  local code=$1 text=$2 output got
  shift 2
  output=$(bash "$run" "$@" 2>&1)
  got=$?
  if [ "$got" -ne "$code" ] || [[ "$output" != *"$text"* ]] || [ -e "$BUILD" ]; then
    echo "run_test.sh: run.sh $*: exit code $got, not $code, no '$text', or something was made:"
    printf '%s\n' "$output"
    rm -rf "$BUILD"
    wrong=1
  fi
}

expect 0 'Usage: tests/gpu/run.sh [--build-only]' --help
expect 0 'SANITIZERS' --build-only -h
if ! compgen -G '/dev/nvidia[0-9]*' >/dev/null && ! nvidia-smi -L >/dev/null 2>&1; then
  expect 4 'no NVIDIA GPU'
  expect 4 '--build-only' --only kernels
fi
exit "$wrong"

#!/bin/sh
# What the self-test does not get to is a failure, but for times. Usage: left_out_test.sh PROGRAM
set -u
program=$1
json=$(mktemp)
trap 'rm -f "$json"' EXIT
wrong=0

# expect CODE TEXT-OF-JSON OPTION...
expect() {
  code=$1
  text=$2
  shift 2
  "$program" "$@" --json "$json"
  got=$?
  if [ "$got" -ne "$code" ] || ! grep -q "$text" "$json"; then
    echo "left_out_test.sh: $*: exit code $got, not $code, or no '$text' in:" >&2
    cat "$json" >&2
    wrong=1
  fi
}

late="--budget-seconds 0.000001"
lenet5="--networks lenet5 --precisions fp16"
# shellcheck disable=SC2086 # options
{
  expect 1 '"part": "kernels"' --only kernels,tactics --filter nosuchtest
  expect 1 '"part": "tactics"' --only tactics --filter nosuchtest
  expect 0 '"left_out": \[\]' --only kernels --filter Transpose --shard 99/100
  expect 0 '"left_out": \[\]' --only kernels,tactics --filter Transpose --shard 0/100
  expect 1 '"part": "kernels"' --only kernels --filter Transpose $late
  expect 1 '"part": "tactics"' --only tactics $late
  expect 1 '"what": "lenet5 fp16"' --only networks $lenet5 $late
  expect 1 '"part": "tuner"' --only tuner $lenet5 $late
  expect 0 '"what": "lenet5 fp16 8"' --only bench $lenet5 $late
}
exit "$wrong"

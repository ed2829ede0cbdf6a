#!/bin/bash
# Breaks the code on purpose, one patch of tests/long/mutations at a time, and expects tests to fail.
#
# Usage: tests/long/mutations.sh [NAME...]      (names of patches without .patch; default: all)
#
# A patch says in its first lines what is broken, which targets show it (Build: TARGET...) and which of their tests
# are run (Tests: REGEX|REGEX... for ctest -R). It counts as caught where the broken code compiles and at least one of
# the tests fails. The first target is built and the first REGEX run alone: mostly that is enough. Works on a clone of
# HEAD in a temporary folder; $FOVEA_MUTATIONS_DIR names a folder that is kept instead, with its build. Exit code 1 if
# a mutation is not caught, does not apply or does not compile, or if a test fails without any.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1
root=$PWD

if [ -f "${1:-}/CMakeCache.txt" ]; then shift; fi # the build folder that run.sh names is not used
names=("$@")
if [ ${#names[@]} -eq 0 ]; then
  for patch in tests/long/mutations/*.patch; do
    name=${patch##*/}
    names+=("${name%.patch}")
  done
fi
for name in "${names[@]}"; do
  if [ ! -f "tests/long/mutations/$name.patch" ]; then
    echo "mutations.sh: there is no tests/long/mutations/$name.patch" >&2
    exit 2
  fi
done

if [ -n "${FOVEA_MUTATIONS_DIR:-}" ]; then
  scratch=$FOVEA_MUTATIONS_DIR
  mkdir -p "$scratch" || exit 1
else
  scratch=$(mktemp -d) || exit 1
  trap 'rm -rf "$scratch"' EXIT
fi
tree=$scratch/tree
log=$scratch/log
if [ -d "$tree" ]; then
  git -C "$tree" fetch -q "$root" HEAD && git -C "$tree" checkout -qf FETCH_HEAD || exit 1
else
  git clone -q "$root" "$tree" || exit 1
fi
# Patches of the working tree, committed or not, against code that is committed.
cmake -S "$tree" -B "$tree/build/dev" --preset dev >"$log" 2>&1 || { tail -n 20 "$log"; exit 1; }

field() { sed -n "s/^$1: //p" "$root/tests/long/mutations/$2.patch" | head -n 1; }

build() { cmake --build "$tree/build/dev" -j "$(nproc)" --target "$@" >"$log" 2>&1; }

# run_tests REGEX [OPTION...]: what fails by chance, on a machine that is busy, does not count.
run_tests() {
  local regex=$1
  shift
  ctest --test-dir "$tree/build/dev" -j "$(nproc)" --no-tests=error --repeat until-pass:2 -R "$regex" "$@" >"$log" 2>&1
}

failed=0
say() {
  printf '%-38s %s\n' "$1" "$2"
  [ "$2" = caught ] || { failed=$((failed + 1)); tail -n 20 "$log" | sed 's/^/    /'; }
}

# try NAME: applies the patch and says what came of it.
try() {
  local targets tests
  read -r -a targets <<<"$(field Build "$1")"
  tests=$(field Tests "$1")
  if ! git -C "$tree" apply "$root/tests/long/mutations/$1.patch" >"$log" 2>&1; then
    say "$1" 'DOES NOT APPLY'
    return
  fi
  if ! build "${targets[0]}"; then
    say "$1" 'DOES NOT COMPILE'
  elif ! run_tests "${tests%%|*}"; then
    say "$1" caught
  elif ! build "${targets[@]}"; then
    say "$1" 'DOES NOT COMPILE'
  elif ! run_tests "$tests" --stop-on-failure; then
    say "$1" caught
  else
    say "$1" 'NOT CAUGHT'
  fi
  git -C "$tree" apply -R "$root/tests/long/mutations/$1.patch" || exit 1
}

targets=()
regex=
for name in "${names[@]}"; do
  read -r -a more <<<"$(field Build "$name")"
  targets+=("${more[@]}")
  regex+=${regex:+|}$(field Tests "$name")
done
if ! build "${targets[@]}" || ! run_tests "$regex"; then
  say 'unbroken code' 'FAILS'
  exit 1
fi
# A pattern that no test has any more would fail, and so count as caught.
for name in "${names[@]}"; do
  IFS='|' read -r -a patterns <<<"$(field Tests "$name")"
  for pattern in "${patterns[@]}"; do
    if ctest --test-dir "$tree/build/dev" -N -R "$pattern" 2>"$log" | grep -q '^Total Tests: 0$'; then
      say "$name" "HAS NO TEST CALLED $pattern"
      exit 1
    fi
  done
done
for name in "${names[@]}"; do try "$name"; done
echo "mutations: ${#names[@]}, not caught: $failed"
[ "$failed" -eq 0 ]

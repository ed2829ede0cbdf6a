#!/bin/bash
# Breaks the code on purpose, one patch of tests/long/mutations at a time, and expects tests to fail.
#
# Usage: tests/long/mutations.sh [NAME...]      (names of patches without .patch; default: all)
#
# A patch says in its first lines what is broken, which targets show it (Build: TARGET...) and which of their tests
# are run (Tests: a regular expression for ctest -R). It counts as caught where the broken code compiles and at least
# one of the tests fails. Works on a clone of HEAD in a temporary folder; $FOVEA_MUTATIONS_DIR names a folder that is
# kept instead, with its build. Exit code 1 if a mutation is not caught, does not apply or does not compile, or if the
# tests fail without any.
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

# build NAME: the targets that the patch names.
build() {
  local targets
  read -r -a targets <<<"$(field Build "$1")"
  cmake --build "$tree/build/dev" -j "$(nproc)" --target "${targets[@]}" >"$log" 2>&1
}

# run_tests NAME [OPTION...]: the tests that the patch names.
run_tests() {
  local tests
  tests=$(field Tests "$1")
  shift
  ctest --test-dir "$tree/build/dev" -j "$(nproc)" --no-tests=error -R "$tests" "$@" >"$log" 2>&1
}

# passes_without NAME: whether the code as it is passes the tests; each set of tests is run once for that.
declare -A passed
passes_without() {
  local key
  key="$(field Build "$1")/$(field Tests "$1")"
  if [ -z "${passed[$key]:-}" ]; then
    passed[$key]=no
    build "$1" && run_tests "$1" && passed[$key]=yes
  fi
  [ "${passed[$key]}" = yes ]
}

failed=0
say() {
  printf '%-34s %s\n' "$1" "$2"
  [ "$2" = caught ] || { failed=$((failed + 1)); tail -n 20 "$log" | sed 's/^/    /'; }
}

for name in "${names[@]}"; do
  patch=$root/tests/long/mutations/$name.patch
  if ! passes_without "$name"; then
    say "$name" 'NOT MEANINGFUL: the tests fail without it'
    continue
  fi
  if ! git -C "$tree" apply "$patch" >"$log" 2>&1; then
    say "$name" 'DOES NOT APPLY'
    continue
  fi
  if ! build "$name"; then
    say "$name" 'DOES NOT COMPILE'
  elif run_tests "$name" --stop-on-failure; then
    say "$name" 'NOT CAUGHT'
  else
    say "$name" caught
  fi
  git -C "$tree" apply -R "$patch" || exit 1
done
echo "mutations: ${#names[@]}, not caught: $failed"
[ "$failed" -eq 0 ]

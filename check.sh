#!/bin/bash
# Sets a fresh machine up and passes the tests.
#
# Usage: ./check.sh [--full]
#   (no option)  install what is missing, build (Debug), run every test but the slow ones
#   --full       the same in Debug under the sanitizers, and as a release build, with CUDA where nvcc is; clang-tidy
#
# The last line counts: tests, plus one for every other stage. Exit code 1 if anything failed.
# Logs are in build/check/.
set -uo pipefail
cd "$(dirname "$0")" || exit 1

full=0
case "${1:-}" in
  '') ;;
  --full) full=1 ;;
  -h | --help)
    sed -n '2,9s/^# \{0,1\}//p' "${0##*/}"
    exit 0
    ;;
  *)
    echo "check.sh: unknown option $1; see --help" >&2
    exit 2
    ;;
esac

logs=build/check
mkdir -p "$logs"
passed=0
failed=0
skipped=0
failures=()
jobs=$(nproc)

# stage NAME COMMAND: runs the shell command into a log, shows the log if it fails, and counts it.
# $FOVEA_CHECK_SKIP lists stages to leave out, by name with dashes: "clang-tidy build-cuda".
stage() {
  local name=$1 log="$logs/${1// /-}.log" start=$SECONDS code=0
  printf '%-22s ' "$name"
  case " ${FOVEA_CHECK_SKIP:-} " in *" ${name// /-} "*)
    skip_with 0 "left out by FOVEA_CHECK_SKIP"
    return 1
    ;;
  esac
  bash -c "$2" >"$log" 2>&1 || code=$?
  local seconds=$((SECONDS - start))
  if [ "$code" -eq 0 ]; then
    passed=$((passed + 1))
    printf 'passed   %5d s\n' "$seconds"
  elif [ "$code" -eq 77 ]; then
    skip_with "$seconds" "$(tail -n 1 "$log")"
  else
    fail_with "$seconds" "$name" "$log" "$2"
  fi
  [ "$code" -eq 0 ]
}

skip_with() {
  skipped=$((skipped + 1))
  printf 'skipped  %5d s  %s\n' "$1" "$2"
}

fail_with() {
  failed=$((failed + 1))
  printf 'FAILED   %5d s\n' "$1"
  failures+=("$2: $4")
  grep -vE '^ +Start +[0-9]+: | Passed +[0-9.]+ sec$' "$3" | tail -n 200 | sed 's/^/    /'
}

# tests NAME PRESET CTEST_OPTION...: runs ctest and counts its tests. A run without tests fails.
tests() {
  local name=$1 preset=$2 start=$SECONDS code=0
  local log="$logs/${1// /-}.log" report="$PWD/$logs/${1// /-}.xml"
  shift 2
  printf '%-22s ' "$name"
  rm -f "$report"
  local command=(ctest --preset "$preset" -j "$jobs" "$@")
  # The thread sanitizer of GCC 12 and 13 cannot map its shadow where addresses are more random than this.
  if [ "$preset" = tsan ] && [ "$(cat /proc/sys/vm/mmap_rnd_bits 2>/dev/null || echo 0)" -gt 28 ] &&
    setarch -R true 2>/dev/null; then
    command=(setarch -R "${command[@]}")
  fi
  "${command[@]}" --output-junit "$report" >"$log" 2>&1 || code=$?
  local seconds=$((SECONDS - start))
  local total=0 bad=0 skips=0
  if [ -e "$report" ]; then
    total=$(suite_attribute tests "$report")
    bad=$(suite_attribute failures "$report")
    skips=$(($(suite_attribute skipped "$report") + $(suite_attribute disabled "$report")))
  fi
  if [ "$code" -eq 0 ] && [ "$bad" -eq 0 ] && [ "$total" -gt "$skips" ]; then
    printf 'passed   %5d s  %d tests, %d skipped\n' "$seconds" "$total" "$skips"
  else
    # Counts at least one failure, also when ctest itself could not run.
    [ "$bad" -gt 0 ] || bad=1 total=$((total + 1))
    fail_with "$seconds" "$name" "$log" "${command[*]}"
    failed=$((failed - 1))
  fi
  passed=$((passed + total - bad - skips))
  failed=$((failed + bad))
  skipped=$((skipped + skips))
}

# The number in an attribute of a JUnit file's <testsuite>.
suite_attribute() {
  local number
  number=$(grep -oE -m 1 "[[:space:]]$1=\"[0-9]+\"" "$2" | grep -oE '[0-9]+')
  echo "${number:-0}"
}

# build_and_test PRESET CTEST_OPTION...
build_and_test() {
  local preset=$1
  shift
  stage "build $preset" "cmake --preset $preset && cmake --build --preset $preset -j $jobs" &&
    tests "test $preset" "$preset" "$@"
}

# Ubuntu 22.04's default compiler is too old for C++20 as we use it.
if [ -z "${CXX:-}" ] && command -v g++-12 >/dev/null && [ "$(g++ -dumpversion 2>/dev/null || echo 0)" -lt 12 ]; then
  export CXX=g++-12
fi

# With nvcc the release is the one with the CUDA backend: it has everything that the other one has.
release=release
command -v nvcc >/dev/null && release=cuda
if [ "$full" -eq 0 ]; then
  echo "plan: packages; build and test dev (Debug)"
else
  echo "plan: packages; build and test asan (Debug with address, undefined), tsan (tests labelled threads), $release (Release)"
  echo "      clang-tidy"
  [ "$release" = cuda ] && echo "      cuda: with nvcc; GPU tests skip where there is no GPU"
  [ "$release" = cuda ] || echo "      without the CUDA build: nvcc is not on the PATH"
fi
echo "      $jobs jobs, logs in $logs/"

packages=cmake/install-deps.sh
[ "$full" -eq 0 ] || packages+=' --with-lint'
if stage packages "$packages"; then
  if [ "$full" -eq 0 ]; then
    build_and_test dev -LE slow
  else
    # asan is dev with the sanitizers on: dev beside it would be a quarter of the time for nothing new.
    build_and_test asan
    stage clang-tidy "tests/lint/clang_tidy.sh build/asan"
    build_and_test tsan
    build_and_test "$release" -LE slow
  fi
fi

printf '%d min %d s\n' $((SECONDS / 60)) $((SECONDS % 60))
if [ "${#failures[@]}" -gt 0 ]; then
  echo "failed; to repeat:"
  printf '  %s\n' "${failures[@]}"
fi
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]

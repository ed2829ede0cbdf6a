#!/bin/bash
# check.sh: what it runs, what it counts, and that nothing can fail or be absent unnoticed. cmake, ctest,
# nvcc, the installer and clang-tidy are replaced by recorders; nothing is built.
set -uo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
failures=0
# What the caller leaves out is not left out here.
unset FOVEA_CHECK_SKIP

mkdir -p "$tree/bin" "$tree/cmake" "$tree/tests/lint"
cp "$root/check.sh" "$tree/"
recorder='#!/bin/bash
echo "${0##*/} $*" >>"$RECORDS/calls"
if grep -qsxF -e "${0##*/} $*" "$RECORDS/failing"; then echo "broken: $*"; exit 1; fi
'
for tool in bin/cmake bin/nvcc cmake/install-deps.sh tests/lint/clang_tidy.sh; do echo "$recorder" >"$tree/$tool"; done
cat >"$tree/bin/ctest" <<'RECORDER'
#!/bin/bash
# Reports the suite in $RECORDS/<preset>.suite, by default 10 tests of which one skipped.
echo "ctest $*" | sed 's/ -j [0-9]*//; s/ --output-junit.*//' >>"$RECORDS/calls"
suite='tests="10" failures="0" disabled="0" skipped="1"'
[ ! -e "$RECORDS/$2.suite" ] || suite=$(<"$RECORDS/$2.suite")
[ "$suite" = none ] || printf '<testsuite name="x"\n\t%s\n>' "$suite" >"${*: -1}"
[[ "$suite" == *'failures="0"'* ]]
RECORDER
chmod +x "$tree"/bin/* "$tree/cmake/install-deps.sh" "$tree/tests/lint/clang_tidy.sh"

# run_check CODE LAST_LINE OPTION...: runs check.sh, then compares; output is in $tree/output.
run_check() {
  local want_code=$1 want_line=$2 code=0 line
  shift 2
  : >"$tree/calls"
  RECORDS=$tree PATH="$tree/bin:$PATH" CXX=c++ "$tree/check.sh" "$@" >"$tree/output" 2>&1 || code=$?
  line=$(tail -n 1 "$tree/output")
  if [ "$code" -ne "$want_code" ] || [ "$line" != "$want_line" ]; then
    echo "check.sh $*: expected $want_code '$want_line', got $code '$line'"
    failures=$((failures + 1))
  fi
}
called() { grep -qxF -e "$1" "$tree/calls" || { echo "not called: $1"; failures=$((failures + 1)); }; }
says() { grep -qF -e "$1" "$tree/output" || { echo "not in the output: $1"; failures=$((failures + 1)); }; }

run_check 0 '11 passed, 0 failed, 1 skipped'
called 'install-deps.sh '
called 'cmake --preset dev'
called 'ctest --preset dev -LE slow'
[ "$(wc -l <"$tree/calls")" -eq 4 ] || { echo 'more was called than the plan says'; failures=$((failures + 1)); }

# Packages, clang-tidy and three builds, and three times nine tests.
run_check 0 '32 passed, 0 failed, 3 skipped' --full
called 'install-deps.sh --with-lint'
called 'clang_tidy.sh build/asan'
called 'ctest --preset cuda -LE slow'
for preset in asan tsan cuda; do called "cmake --preset $preset"; done
called 'ctest --preset tsan'

echo 'tests="0" failures="0" disabled="0" skipped="0"' >"$tree/tsan.suite"
run_check 1 '23 passed, 1 failed, 2 skipped' --full
says 'test tsan: ctest --preset tsan'
echo 'tests="3" failures="0" disabled="0" skipped="3"' >"$tree/tsan.suite"
run_check 1 '23 passed, 1 failed, 5 skipped' --full
echo none >"$tree/tsan.suite"
run_check 1 '23 passed, 1 failed, 2 skipped' --full
rm "$tree/tsan.suite"

echo 'tests="10" failures="2" disabled="1" skipped="1"' >"$tree/dev.suite"
run_check 1 '8 passed, 2 failed, 2 skipped'
rm "$tree/dev.suite"

# Without nvcc, the plain release.
mv "$tree/bin/nvcc" "$tree/"
if ! PATH="$tree/bin:/usr/bin:/bin" command -v nvcc >/dev/null; then
  PATH=/usr/bin:/bin run_check 0 '32 passed, 0 failed, 3 skipped' --full
  called 'ctest --preset release -LE slow'
  says 'without the CUDA build'
fi
mv "$tree/nvcc" "$tree/bin/"

# A broken build: its tests do not run, the other stages do.
echo 'cmake --preset asan' >"$tree/failing"
run_check 1 '22 passed, 1 failed, 2 skipped' --full
says 'broken: --preset asan'
says 'build asan: cmake --preset asan && cmake --build --preset asan'
echo 'install-deps.sh ' >"$tree/failing"
run_check 1 '0 passed, 1 failed, 0 skipped'
rm "$tree/failing"

# Left out by name: counted as skipped, and not called.
FOVEA_CHECK_SKIP='clang-tidy build-cuda' run_check 0 '21 passed, 0 failed, 4 skipped' --full
says 'left out by FOVEA_CHECK_SKIP'
grep -qE 'clang_tidy|preset cuda' "$tree/calls" && { echo 'called what was left out'; failures=$((failures + 1)); }

run_check 2 'check.sh: unknown option --fast; see --help' --fast
(cd "$tree/.." && "${tree##*/}/check.sh" --help) >"$tree/output" 2>&1
says 'Usage: ./check.sh [--full]'
echo "check.sh: $failures failed"
[ "$failures" -eq 0 ]

#!/bin/bash
# Which lines of the kernels their tests execute on the emulated device, in all its schedules.
#
# Usage: tests/long/kernel_coverage.sh [BUILD_DIR] [MISSED]
# BUILD_DIR (of run.sh) is not used: the kernels are built with counters in a folder of their own,
# $FOVEA_COVERAGE_DIR or a temporary one. With the word MISSED every line that is not executed is
# printed. Exit code 1 if a file of kernels/ has fewer than 90 % of its lines executed.
set -euo pipefail
cd "$(dirname "$0")/../.."

least=90
missed=$([[ " $* " == *" MISSED "* ]] && echo 1 || echo 0)
build=${FOVEA_COVERAGE_DIR:-}
if [ -z "$build" ]; then
  build=$(mktemp -d)
  trap 'rm -rf "$build"' EXIT
fi

tests=$(sed -n '/set(FOVEA_KERNEL_TESTS/,/)/p' tests/kernels/device_tests.cmake |
  tr -d '()' | sed 's/set//; s/FOVEA_KERNEL_TESTS//' | xargs -n 1 printf '%s_test ')
cmake -S . -B "$build" --preset dev -DCMAKE_CXX_FLAGS=--coverage >"$build.log"
# shellcheck disable=SC2086  # one target a word
cmake --build "$build" -j "$(nproc)" --target $tests >>"$build.log"
find "$build" -name '*.gcda' -delete
for test in $tests; do
  "$build/tests/kernels/$test" --gtest_brief=1 >>"$build.log"
done

# What no test has run has no counters and is there all the same. Those of a header are summed over the files that include it, those of a template over its instances.
objects=$build/kernels/simt/CMakeFiles/fovea_kernels_emulated.dir
find "$objects" -name '*.gcno' -print0 | xargs -0 gcov --json-format --stdout | python3 -c '
import collections, json, sys
least, missed = int(sys.argv[1]), sys.argv[2] == "1"
counts = collections.defaultdict(dict)
for report in sys.stdin:
    for file in json.loads(report)["files"]:
        name = file["file"].rpartition("/kernels/")[2]
        if "/kernels/" not in file["file"] or name.startswith("simt/"):
            continue
        for line in file["lines"]:
            number = line["line_number"]
            counts[name][number] = counts[name].get(number, 0) + line["count"]
bad = []
for name, lines in sorted(counts.items()):
    run = sum(count > 0 for count in lines.values())
    share = 100 * run / len(lines)
    print(f"{name:32} {run:4} of {len(lines):4} lines  {share:6.1f} %")
    if missed:
        print("".join(f"    {number}\n" for number, count in sorted(lines.items()) if count == 0), end="")
    if share < least:
        bad.append(name)
total = sum(len(lines) for lines in counts.values())
run = sum(count > 0 for lines in counts.values() for count in lines.values())
print(f"all                              {run:4} of {total:4} lines  {100 * run / total:6.1f} %")
sys.exit(f"fewer than {least} % executed: " + ", ".join(bad) if bad else 0)
' "$least" "$missed"

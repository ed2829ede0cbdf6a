#!/bin/bash
# Builds gpu_selftest on a machine with a GPU and runs it, and the kernels' part under
# compute-sanitizer. Needs nvcc, CMake 3.22, Ninja, a C++20 compiler and the headers of nlohmann-json
# and xxHash (FOVEA_HEADERS: their folder, where they are not installed); uses no network.
#
# Usage: tests/gpu/run.sh [--build-only] [OPTION OF gpu_selftest...]
#   OUT     where the answers go: selftest.json, device.txt, sanitizer_*.txt (default: build/gpu/answers)
#   BUILD   where it is built (default: build/gpu)
#   SANITIZERS   "memcheck racecheck initcheck synccheck" by default; "" for none
# cuDNN and cuBLASLt are found in the toolkit or in Python's site-packages. Exit code: 0 all held.
set -euo pipefail
for option in "$@"; do
  case $option in
    --help | -h)
      sed -n '2,/^set /s/^# \{0,1\}//p' "$0"
      exit 0
      ;;
  esac
done
cd "$(dirname "$0")/../.."

build_only=0
if [ "${1:-}" = --build-only ]; then
  build_only=1
  shift
fi
if [ "$build_only" -eq 0 ] && ! compgen -G '/dev/nvidia[0-9]*' >/dev/null && ! nvidia-smi -L >/dev/null 2>&1; then
  echo "run.sh: there is no NVIDIA GPU here; --build-only builds what runs where there is one" >&2
  exit 4
fi
build=${BUILD:-$PWD/build/gpu}
out=${OUT:-$build/answers}
mkdir -p "$out"

for program in nvcc cmake ninja; do
  command -v "$program" >/dev/null || {
    echo "run.sh: $program is not on the PATH" >&2
    exit 2
  }
done

# "9.0" of the first GPU as 90; 90 where there is none, which is enough to build.
capability=$(nvidia-smi --query-gpu=compute_cap --format=csv,noheader 2>/dev/null | head -n 1 | tr -d . || true)
cmake -S . -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DFOVEA_SELFTEST_ONLY=ON \
  -DCMAKE_CUDA_ARCHITECTURES="${capability:-90}" ${FOVEA_HEADERS:+-DFOVEA_HEADERS="$FOVEA_HEADERS"}
cmake --build "$build" --target gpu_selftest
[ "$build_only" -eq 0 ] || exit 0
selftest=$build/tests/gpu/gpu_selftest

# Folders of the libraries that are loaded at run time.
site=$(python3 -c 'import nvidia; print(list(nvidia.__path__)[0])' 2>/dev/null || true)
toolkit=$(dirname "$(dirname "$(readlink -f "$(command -v nvcc)")")")
for library in libcudnn.so.9 libcublasLt.so.13 libcublasLt.so.12 libnvrtc.so.13 libnvrtc.so.12; do
  found=$(find "$toolkit"/lib* "$toolkit"/targets ${site:+"$site"} -name "$library" -print -quit 2>/dev/null || true)
  [ -z "$found" ] || LD_LIBRARY_PATH=$(dirname "$found")${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
done
export LD_LIBRARY_PATH FOVEA_REQUIRE_GPU=1

nvidia-smi --query-gpu=name,driver_version,memory.total,clocks.max.sm,clocks.max.mem,power.limit \
  --format=csv >"$out/device.txt" || true
nvcc --version | tail -n 2 >>"$out/device.txt"

# What the budget leaves out is a failure: it is larger than all takes. Of two options the last holds.
failed=0
"$selftest" --budget-seconds 7200 --json "$out/selftest.json" "$@" 2>&1 | tee "$out/selftest.txt" || failed=1
for tool in ${SANITIZERS-memcheck racecheck initcheck synccheck}; do
  command -v compute-sanitizer >/dev/null || {
    echo "run.sh: compute-sanitizer is not on the PATH; $tool was not run" >&2
    failed=1
    break
  }
  # Mostly the oracles on the host take the time: as many parts as there are processors.
  log=$out/sanitizer_$tool.txt
  parts=$(nproc)
  rm -rf "$build/sanitizer"
  mkdir -p "$build/sanitizer"
  if seq 0 $((parts - 1)) | xargs -P "$parts" -I '{}' sh -c \
    "compute-sanitizer --tool $tool --error-exitcode 9 '$selftest' --only kernels --budget-seconds 36000 --shard {}/$parts >'$build/sanitizer/$tool.{}' 2>&1"; then
    echo "$tool: no finding"
  else
    echo "$tool: see $log"
    grep -hE "=========|FAILED|left out" "$build/sanitizer/$tool".* | head -n 20 || true
    failed=1
  fi
  cat "$build/sanitizer/$tool".* >"$log"
done
exit "$failed"

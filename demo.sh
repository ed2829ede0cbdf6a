#!/bin/bash
# Sets a fresh machine up, builds Fovea and classifies pictures.
#
# Usage: ./demo.sh [PICTURE or FOLDER...]
#
# First LeNet-5 on the digits that are in the repository, then your pictures with ResNet50. The second
# part needs weights, which do not come with this version: FOVEA_DEMO_WEIGHTS names a safetensors file with
# tensors named like ResNet50's parameters.
set -euo pipefail
start=$PWD
cd "$(dirname "$0")"

# Paths are relative to where the user stands, not to the repository.
pictures=()
for picture in "$@"; do
  case $picture in
    -h | --help)
      sed -n '2,8s/^# \{0,1\}//p' "${0##*/}"
      exit 0
      ;;
    /*) pictures+=("$picture") ;;
    *) pictures+=("$start/$picture") ;;
  esac
done

echo "== packages and release build (minutes the first time, log in build/demo.log)"
cmake/install-deps.sh
if [ -z "${CXX:-}" ] && command -v g++-12 >/dev/null && [ "$(g++ -dumpversion 2>/dev/null || echo 0)" -lt 12 ]; then
  export CXX=g++-12
fi
mkdir -p build
if ! { cmake --preset release && cmake --build --preset release --target fovea_program; } >build/demo.log 2>&1; then
  tail -n 40 build/demo.log
  echo "demo.sh: the build failed; the whole log is in build/demo.log" >&2
  exit 1
fi
fovea=build/release/bin/fovea

echo "== LeNet-5 on the bundled digits"
"$fovea" classify lenet5 models/lenet5/digits

weights=${FOVEA_DEMO_WEIGHTS:-}
case $weights in
  '' | /*) ;;
  *) weights=$start/$weights ;;
esac
if [ "${#pictures[@]}" -eq 0 ]; then
  echo "== skipped: no pictures given; try ./demo.sh photo.jpg"
elif [ -z "$weights" ]; then
  echo "== skipped: your pictures, because no ImageNet weights are at hand. Set FOVEA_DEMO_WEIGHTS to a safetensors"
  echo "   file with ResNet50's weights (names and shapes: models/resnet50/README.md) and run ./demo.sh again."
else
  echo "== ResNet50 on your pictures"
  "$fovea" classify resnet50 "${pictures[@]}" --weights "$weights"
fi

#!/bin/bash
# Sets a fresh machine up, builds Fovea and classifies pictures.
#
# Usage: ./demo.sh [PICTURE or FOLDER...]
#
# First LeNet-5 on the digits that are in the repository, then your pictures with an ImageNet network.
# The second part needs a network with weights: FOVEA_DEMO_MODEL names an ONNX file or a model package,
# and FOVEA_DEMO_OPTIONS how an ONNX file wants its pictures, for example "--mode torch --labels imagenet"
# (default "--mode tf --labels imagenet"; a package knows both itself).
set -euo pipefail
start=$PWD
cd "$(dirname "$0")"

# Paths are relative to where the user stands, not to the repository.
pictures=()
for picture in "$@"; do
  case $picture in
    -h | --help)
      sed -n '2,9s/^# \{0,1\}//p' "$0"
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

model=${FOVEA_DEMO_MODEL:-}
case $model in
  '') if [ -e ../shared/data/models/mobilenet_v2.onnx ]; then model=../shared/data/models/mobilenet_v2.onnx; fi ;;
  /*) ;;
  *) model=$start/$model ;;
esac
if [ "${#pictures[@]}" -eq 0 ]; then
  echo "== skipped: no pictures given; try ./demo.sh photo.jpg"
elif [ -z "$model" ]; then
  echo "== skipped: your pictures, because no ImageNet network is at hand. Set FOVEA_DEMO_MODEL to an ONNX image"
  echo "   classifier with weights, for example MobileNetV2 from the ONNX model zoo (there with"
  echo "   FOVEA_DEMO_OPTIONS='--mode torch --labels imagenet'), and run ./demo.sh again."
else
  echo "== $(basename "$model") on your pictures"
  options=()
  if [ -f "$model" ]; then read -ra options <<<"${FOVEA_DEMO_OPTIONS:---mode tf --labels imagenet}"; fi
  "$fovea" classify "$model" "${pictures[@]}" "${options[@]}"
fi

#!/bin/bash
# Sets a fresh machine up, builds Fovea and classifies pictures.
#
# Usage: ./demo.sh [PICTURE or FOLDER...]
#
# First LeNet-5 on the digits that are in the repository, then your pictures with
# a network that knows photographs. Its weights do not come with this version:
# FOVEA_DEMO_MODEL names a model package (fovea import makes one of an ONNX
# file), or FOVEA_DEMO_WEIGHTS a safetensors file for ResNet50.
set -euo pipefail
start=$PWD
cd "$(dirname "$0")"

# Paths are relative to where the user stands, not to the repository.
pictures=()
for picture in "$@"; do
  case $picture in
    -h | --help)
      sed -n '2,9s/^# \{0,1\}//p' "${0##*/}"
      exit 0
      ;;
    -*)
      echo "demo.sh: unknown option $picture; see ./demo.sh --help" >&2
      exit 2
      ;;
    /*) pictures+=("$picture") ;;
    *) pictures+=("$start/$picture") ;;
  esac
done

# named VARIABLE: what it names, from where the user stands; nothing where it is not set.
named() {
  case ${!1:-} in
    '') return ;;
    /*) path=${!1} ;;
    *) path=$start/${!1} ;;
  esac
  if [ ! -e "$path" ]; then
    echo "demo.sh: $1 names what is not there: $path" >&2
    exit 2
  fi
  echo "$path"
}
model=$(named FOVEA_DEMO_MODEL)
weights=$(named FOVEA_DEMO_WEIGHTS)

echo "== packages and release build (minutes the first time; build/demo.log)"
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

if [ "${#pictures[@]}" -eq 0 ]; then
  echo "== skipped: no pictures given; try ./demo.sh photo.jpg"
elif [ -n "$model" ]; then
  echo "== $FOVEA_DEMO_MODEL on your pictures"
  "$fovea" classify "$model" "${pictures[@]}"
elif [ -n "$weights" ]; then
  echo "== ResNet50 on your pictures"
  "$fovea" classify resnet50 "${pictures[@]}" --weights "$weights"
else
  echo "== skipped: your pictures, because there are no ImageNet weights."
  echo "   Set FOVEA_DEMO_MODEL to a model package, such as"
  echo "     $fovea import mobilenet_v2.onnx --output mobilenet_v2 \\"
  echo "       --mode tf --labels imagenet"
  echo "   makes of an ONNX file, or FOVEA_DEMO_WEIGHTS to a safetensors file with"
  echo "   ResNet50's weights (models/resnet50/README.md); run ./demo.sh again."
fi

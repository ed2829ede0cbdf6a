#!/bin/bash
# Sets a fresh machine up, builds Fovea and classifies pictures.
#
# Usage: ./demo.sh [PICTURE or FOLDER...]
#
# First LeNet-5 on the digits that are in the repository, then, where the network
# allows it, ResNet50 with Keras's weights (103 MB, kept in the cache) on Keras's
# picture of an elephant and on your pictures. For these, FOVEA_DEMO_MODEL names
# another model (a package or an ONNX file with its contract), or
# FOVEA_DEMO_WEIGHTS a file of weights for ResNet50. FOVEA_OFFLINE=1 downloads
# nothing.
set -euo pipefail
start=$PWD
cd "$(dirname "$0")"

# Paths are relative to where the user stands, not to the repository.
pictures=()
for picture in "$@"; do
  case $picture in
    -h | --help)
      sed -n '2,11s/^# \{0,1\}//p' "${0##*/}"
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

# fetch URL FILE: with what is installed; no wait of more than 5 s for a connection.
fetch() {
  if command -v curl >/dev/null; then
    curl -fsSL --connect-timeout 5 --max-time 60 -o "$2" "$1"
  elif command -v wget >/dev/null; then
    wget -q --tries=1 --timeout=5 -O "$2" "$1"
  else
    echo "demo.sh: neither curl nor wget is installed" >&2
    return 1
  fi
}

offline() { [ "${FOVEA_OFFLINE:-0}" != 0 ]; }

# The picture that Keras tests its networks with.
elephant=build/demo/elephant.jpg
elephant_url=https://storage.googleapis.com/tensorflow/keras-applications/tests/elephant.jpg
elephant_is_here() {
  echo "9d282e480e20ccbea47d1bf5537bc4703d07c7d392316518455864f4b99bcce9  $elephant" | sha256sum --check --status
}
# get_elephant: as a whole or not at all.
get_elephant() {
  mkdir -p build/demo
  if [ -f "$elephant" ] && elephant_is_here; then return; fi
  if offline; then return 1; fi
  if fetch "$elephant_url" "$elephant" && elephant_is_here; then return; fi
  rm -f "$elephant"
  return 1
}

if ! get_elephant; then
  why="$elephant_url could not be downloaded"
  if offline; then why='FOVEA_OFFLINE forbids to download the picture'; fi
  echo "== skipped: ResNet50, because $why"
elif ! "$fovea" models pull resnet50; then
  echo "== skipped: ResNet50, because its weights could not be downloaded (see above)"
else
  echo "== ResNet50 with Keras's weights on Keras's elephant"
  "$fovea" classify resnet50 "$elephant"
fi

if [ "${#pictures[@]}" -eq 0 ]; then
  echo "== skipped: no pictures given; try ./demo.sh photo.jpg"
elif [ -n "$model" ]; then
  echo "== $FOVEA_DEMO_MODEL on your pictures"
  "$fovea" classify "$model" "${pictures[@]}"
elif [ -n "$weights" ]; then
  echo "== ResNet50 on your pictures"
  "$fovea" classify resnet50 "${pictures[@]}" --weights "$weights"
elif "$fovea" models path resnet50 >/dev/null 2>&1; then
  echo "== ResNet50 on your pictures"
  "$fovea" classify resnet50 "${pictures[@]}"
else
  echo "== skipped: your pictures, because there are no ImageNet weights."
  echo "   Set FOVEA_DEMO_WEIGHTS to a file of ResNet50's weights (Keras .h5 or"
  echo "   safetensors), or FOVEA_DEMO_MODEL to a model package, such as"
  echo "     $fovea import mobilenet_v2.onnx --output mobilenet_v2 \\"
  echo "       --mode tf --labels imagenet"
  echo "   makes of an ONNX file; run ./demo.sh again."
fi

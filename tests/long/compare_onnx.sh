#!/bin/bash
# Random networks from ONNX files beside ONNX Runtime, on every backend.
#
# Usage: tests/long/compare_onnx.sh BUILD_DIR
# $FOVEA_PYTHON (default python3) needs numpy, onnx, onnxruntime and safetensors from PyPI; without: exit code 77.
set -euo pipefail
fovea=$(realpath "$1")/bin/fovea
cd "$(dirname "$0")"
python=${FOVEA_PYTHON:-python3}
if ! "$python" -c 'import numpy, onnx, onnxruntime, safetensors.numpy' 2>/dev/null; then
  echo "$python has not all of numpy, onnx, onnxruntime, safetensors: set FOVEA_PYTHON to one that has"
  exit 77
fi
"$python" -c 'import onnx, onnxruntime; print("onnx", onnx.__version__, "onnxruntime", onnxruntime.__version__)'
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
export FOVEA_HOME=$home
for backend in cpu reference; do
  echo "backend $backend"
  "$python" compare_onnx.py --fovea "$fovea" --backend "$backend" --count "${FOVEA_LONG_NETWORKS:-1000}"
done

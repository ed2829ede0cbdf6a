#!/bin/bash
# Weight files of the five Keras networks, 90 to 575 MB each, beside the outputs of Keras.
#
# Usage: tests/long/compare_keras.sh BUILD_DIR
# $FOVEA_PYTHON (default python3) needs h5py, numpy and safetensors from PyPI, and the goldens have to be at
# $FOVEA_SHARED or ../shared; without: exit code 77.
set -euo pipefail
fovea=$(realpath "$1")/bin/fovea
cd "$(dirname "$0")"
python=${FOVEA_PYTHON:-python3}
shared=${FOVEA_SHARED:-../../../shared}
if ! "$python" -c 'import h5py, numpy, safetensors.numpy' 2>/dev/null; then
  echo "$python has not all of h5py, numpy, safetensors: set FOVEA_PYTHON to one that has"
  exit 77
fi
if [ ! -f "$shared/tools/make_keras_h5.py" ] || [ ! -d "$shared/goldens/keras" ]; then
  echo "no goldens/keras and tools/make_keras_h5.py at $shared: set FOVEA_SHARED"
  exit 77
fi
"$python" -c 'import h5py; print("h5py", h5py.__version__, "HDF5", h5py.version.hdf5_version)'
"$python" compare_keras.py --fovea "$fovea" --shared "$shared"

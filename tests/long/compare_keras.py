#!/usr/bin/env python3
"""Legacy Keras weight files of the zoo's networks with random weights, beside the outputs of Keras.

Usage: compare_keras.py --fovea BUILD/bin/fovea --shared FOLDER [--model ResNet50] [--backend cpu]
Needs (PyPI): h5py numpy safetensors. FOLDER has goldens/keras and tools/make_keras_h5.py, which writes the files:
with names as in the published ones, and with --plain-names. Exit code 1 where an output is off by more than 5e-6
(probabilities) or 1e-4 (logits), the limits of goldens/README.md for float32 against float32.
"""

import argparse
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import numpy as np
from safetensors.numpy import load_file, save_file

MODELS = {
    "VGG16": ("vgg16", 224, "caffe"),
    "VGG19": ("vgg19", 224, "caffe"),
    "ResNet50": ("resnet50", 224, "caffe"),
    "InceptionV3": ("inception_v3", 299, "tf"),
    "Xception": ("xception", 299, "tf"),
}
PICTURE = "data/imagenet/keras_elephant.jpg"
LIMITS = {"probabilities": 5e-6, "logits": 1e-4}


def run(arguments):
    done = subprocess.run(list(map(str, arguments)), capture_output=True, text=True, check=False)
    if done.returncode != 0 or "warning" in done.stderr:
        sys.exit(f"{' '.join(map(str, arguments))}\nended with {done.returncode}: {done.stderr}")


def outputs(fovea, network, size, mode, picture, weights, backend, folder):
    """Probabilities and logits of the picture, and the seconds of the second run, which finds the cache filled."""
    image = folder / "image.safetensors"
    run([fovea, "preprocess", picture, "--size", f"{size}x{size}", "--interpolation", "nearest", "--mode", mode,
         "--output", image])
    save_file({"input_layer": load_file(image)["image"][None]}, image)
    result = folder / "result.safetensors"
    command = [fovea, "run", network, "--weights", weights, "--input", image, "--output", result, "--backend", backend,
               "--tap", "predictions/pre_activation"]
    run(command)
    start = time.monotonic()
    run(command)
    seconds = time.monotonic() - start
    found = load_file(result)
    return {"probabilities": found["predictions"][0], "logits": found["predictions/pre_activation"][0]}, seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--fovea", required=True)
    parser.add_argument("--shared", required=True, type=pathlib.Path)
    parser.add_argument("--model", choices=MODELS, action="append")
    parser.add_argument("--backend", default="cpu")
    arguments = parser.parse_args()
    failures = 0
    for model in arguments.model or MODELS:
        network, size, mode = MODELS[model]
        golden = load_file(arguments.shared / "goldens" / "keras" / f"{model}.safetensors")
        for habit in ([], ["--plain-names"]):
            with tempfile.TemporaryDirectory() as folder:
                folder = pathlib.Path(folder)
                os.environ["FOVEA_HOME"] = str(folder / "home")
                weights = folder / "weights.h5"
                run([sys.executable, arguments.shared / "tools" / "make_keras_h5.py", model, 1, weights, *habit])
                found, seconds = outputs(arguments.fovea, network, size, mode, arguments.shared / PICTURE, weights,
                                         arguments.backend, folder)
                line = f"{model} {' '.join(habit) or 'published names'}:"
                for kind, limit in LIMITS.items():
                    off = float(np.abs(found[kind].astype(np.float64) - golden[f"seed1/elephant/{kind}"]).max())
                    line += f" {kind} off by {off:.1e}"
                    if not off <= limit:
                        line += f", more than {limit}"
                        failures += 1
                print(f"{line}; {weights.stat().st_size >> 20} MiB, second run {seconds:.2f} s", flush=True)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())

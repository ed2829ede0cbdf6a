"""Trains LeNet-5 on MNIST digits and writes weights.safetensors.

    KERAS_BACKEND=jax python train.py MNIST_FOLDER [--out weights.safetensors]
    KERAS_BACKEND=jax python train.py MNIST_FOLDER --validate

MNIST_FOLDER holds t10k-images-idx3-ubyte(.gz) and t10k-labels-idx1-ubyte(.gz): the MNIST test set. Only its
first 8,000 digits are read; the other 2,000 are for measuring the result. With --validate the network learns
from the first 7,000 and is measured on the next 1,000: that is how the recipe below was chosen. Without it,
it learns from all 8,000 by the same recipe.

Every epoch sees every digit once, under a new random affine map (shift, rotation, scale, shear) with a smooth
random displacement on top. One thread and fixed seeds: the same machine writes the same bytes again.
"""
import argparse
import gzip
import os
from pathlib import Path

# Before jax is loaded: one thread, so that no sum depends on how work was shared out.
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"

import keras
import numpy as np
from safetensors.numpy import save_file

SIDE = 28
LEARN, VALIDATE_FROM = 8000, 7000
EPOCHS, BATCH, PEAK_RATE, SEED = 60, 50, 2e-3, 1998


def read_idx(folder: Path, name: str) -> bytes:
    plain = folder / name
    return plain.read_bytes() if plain.exists() else gzip.decompress(plain.with_name(name + ".gz").read_bytes())


def read_digits(folder: Path, first: int, last: int):
    """(float32[n, 28, 28] in 0..1, int labels[n]) of digits first..last-1 of the MNIST test set."""
    images = read_idx(folder, "t10k-images-idx3-ubyte")
    labels = read_idx(folder, "t10k-labels-idx1-ubyte")
    pixels = np.frombuffer(images, np.uint8, (last - first) * SIDE * SIDE, offset=16 + first * SIDE * SIDE)
    digits = pixels.reshape(-1, SIDE, SIDE).astype(np.float32) / np.float32(255)
    return digits, np.frombuffer(labels, np.uint8, last - first, offset=8 + first).astype(np.int64)


def smooth_noise(rng, count: int) -> np.ndarray:
    """float32[count, 28, 28]: independent normal noise blurred by a Gaussian of 5 pixels, scaled back to 1."""
    offsets = np.arange(SIDE)[:, None] - np.arange(SIDE)[None, :]
    blur = np.exp(-0.5 * (offsets / 5.0) ** 2)
    blur = (blur / np.sqrt((blur**2).sum(1, keepdims=True))).astype(np.float32)
    return blur @ rng.standard_normal((count, SIDE, SIDE), np.float32) @ blur.T


def distort(digits: np.ndarray, rng) -> np.ndarray:
    """Every digit under a random map of its own, sampled bilinearly; black outside."""
    count = len(digits)
    angle = rng.uniform(-0.22, 0.22, count)  # radians
    scale_x, scale_y = rng.uniform(0.86, 1.14, (2, count))
    shear = rng.uniform(-0.2, 0.2, count)
    shift_x, shift_y = rng.uniform(-2.0, 2.0, (2, count))  # pixels

    def column(values):
        return values.astype(np.float32)[:, None, None]

    y, x = np.mgrid[0:SIDE, 0:SIDE].astype(np.float32) - (SIDE - 1) / 2
    cos, sin = column(np.cos(angle)), column(np.sin(angle))
    bend = np.float32(1.2)  # pixels, standard deviation of the displacement
    source_x = (cos * x - sin * y + column(shear) * y) * column(scale_x) + column(shift_x)
    source_y = (sin * x + cos * y) * column(scale_y) + column(shift_y)
    source_x = source_x + bend * smooth_noise(rng, count) + (SIDE - 1) / 2
    source_y = source_y + bend * smooth_noise(rng, count) + (SIDE - 1) / 2

    padded = np.pad(digits, ((0, 0), (1, 1), (1, 1))).reshape(count, -1)
    source_x = np.clip(source_x + 1, 0, SIDE + 0.999).astype(np.float32)
    source_y = np.clip(source_y + 1, 0, SIDE + 0.999).astype(np.float32)
    left, top = source_x.astype(np.int32), source_y.astype(np.int32)
    right_part, lower_part = source_x - left, source_y - top
    corner = (top * (SIDE + 2) + left).reshape(count, -1)

    def pixel(offset):
        return np.take_along_axis(padded, corner + offset, axis=1).reshape(count, SIDE, SIDE)

    upper = pixel(0) * (1 - right_part) + pixel(1) * right_part
    lower = pixel(SIDE + 2) * (1 - right_part) + pixel(SIDE + 3) * right_part
    return upper * (1 - lower_part) + lower * lower_part


def build() -> keras.Model:
    layers = keras.layers
    return keras.Sequential([
        layers.Input((SIDE, SIDE, 1)),
        layers.Conv2D(6, 5, padding="same", activation="tanh", name="c1"),
        layers.AveragePooling2D(2, name="s2"),
        layers.Conv2D(16, 5, padding="valid", activation="tanh", name="c3"),
        layers.AveragePooling2D(2, name="s4"),
        layers.Flatten(name="flatten"),
        layers.Dense(120, activation="tanh", name="c5"),
        layers.Dense(84, activation="tanh", name="f6"),
        layers.Dense(10, activation="softmax", name="output"),
    ], name="lenet5")


def train(digits: np.ndarray, labels: np.ndarray, epochs: int, report=None) -> keras.Model:
    keras.utils.set_random_seed(SEED)
    rng = np.random.default_rng(SEED)
    model = build()
    steps = epochs * (len(digits) // BATCH)
    rate = keras.optimizers.schedules.CosineDecay(PEAK_RATE, steps)
    model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
    for epoch in range(epochs):
        order = rng.permutation(len(digits))
        history = model.fit(distort(digits[order], rng)[..., None], labels[order],
                            batch_size=BATCH, shuffle=False, verbose=0)
        if epoch % 10 == 9:
            loss = history.history["loss"][0]
            print(f"epoch {epoch + 1}: loss {loss:.4f}{report(model) if report else ''}", flush=True)
    return model


def accuracy(model: keras.Model, digits: np.ndarray, labels: np.ndarray) -> float:
    return float((model.predict(digits[..., None], verbose=0).argmax(1) == labels).mean())


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("mnist", type=Path, help="folder with the MNIST test set")
    parser.add_argument("--validate", action="store_true", help="measure the recipe; writes nothing")
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("weights.safetensors"))
    arguments = parser.parse_args()
    if keras.backend.backend() != "jax":
        parser.error("set KERAS_BACKEND=jax: the committed weights were made with it")

    if arguments.validate:
        held = read_digits(arguments.mnist, VALIDATE_FROM, LEARN)
        train(*read_digits(arguments.mnist, 0, VALIDATE_FROM), arguments.epochs,
              lambda model: f", validation accuracy {accuracy(model, *held):.4f}")
        return
    model = train(*read_digits(arguments.mnist, 0, LEARN), arguments.epochs)
    tensors = {f"{layer.name}/{weight.name}": np.asarray(weight.value)
               for layer in model.layers for weight in layer.weights}
    save_file(dict(sorted(tensors.items())), arguments.out)
    print(f"wrote {arguments.out}")


if __name__ == "__main__":
    main()

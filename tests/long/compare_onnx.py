#!/usr/bin/env python3
"""Random networks of the operators that fovea imports from ONNX, beside ONNX Runtime.

Usage: compare_onnx.py --fovea BUILD/bin/fovea [--count 200] [--seed 1] [--backend cpu]
Needs (PyPI): numpy onnx onnxruntime safetensors. Exit code 1 where an output differs by more than 1e-4 of
its range, or where one side refuses what the other one runs.
"""

import argparse
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import load_file, save_file

OPERATOR_SET = 17


class Network:
    """A chain of random operators with a residual sum now and then; its input is x, its output y."""

    def __init__(self, random):
        self.random = random
        self.nodes = []
        self.tensors = []
        self.shape = [int(random.integers(1, 9)), int(random.integers(5, 20)), int(random.integers(5, 20))]
        self.input = list(self.shape)
        self.value = "x"

    def tensor(self, array):
        name = f"t{len(self.tensors)}"
        self.tensors.append(numpy_helper.from_array(array, name))
        return name

    def floats(self, *shape):
        return self.random.standard_normal(shape).astype(np.float32)

    def add(self, op, inputs, **attributes):
        output = f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, inputs, [output], name=output, **attributes))
        return output

    def weights(self, array):
        """The array as it is, or as 8-bit integers with one scale per output channel."""
        if self.random.random() < 0.5:
            return self.tensor(array)
        scale = np.abs(array).reshape(len(array), -1).max(axis=1).astype(np.float32) / 127 + np.float32(1e-6)
        grid = np.round(array / scale.reshape(-1, *[1] * (array.ndim - 1))).astype(np.int8)
        return self.add("DequantizeLinear", [self.tensor(grid), self.tensor(scale)], axis=0)

    def conv(self):
        channels, height, width = self.shape
        groups = channels if self.random.random() < 0.3 else 1
        out = channels if groups > 1 else int(self.random.integers(1, 9))
        kernel = [int(k) for k in self.random.integers(1, 4, 2)]
        strides = [int(s) for s in self.random.integers(1, 3, 2)]
        dilations = [int(d) for d in self.random.integers(1, 3, 2)]
        attributes = {"kernel_shape": kernel, "strides": strides, "group": groups}
        mode = self.random.choice(["NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID"])
        if mode == "NOTSET":
            attributes["pads"] = [int(p) for p in self.random.integers(0, 3, 4)]
            attributes["dilations"] = dilations
        else:
            attributes["auto_pad"] = mode
        spread = 1 / np.sqrt(channels / groups * kernel[0] * kernel[1])
        inputs = [self.value, self.weights(self.floats(out, channels // groups, *kernel) * np.float32(spread))]
        if self.random.random() < 0.5:
            inputs.append(self.tensor(self.floats(out)))
        self.value = self.add("Conv", inputs, **attributes)
        self.reshape()

    def reshape(self):
        """Asks the format's own shape inference what the last value's shape is."""
        inferred = onnx.shape_inference.infer_shapes(self.model("v"), strict_mode=True)
        shapes = {v.name: v.type.tensor_type.shape for v in list(inferred.graph.value_info) + list(inferred.graph.output)}
        self.shape = [d.dim_value for d in shapes[self.value].dim][1:]

    def clip(self):
        low, high = sorted(float(v) for v in self.random.standard_normal(2) * 2)
        inputs = [self.value, self.tensor(np.float32(low)), self.tensor(np.float32(high))]
        self.value = self.add("Clip", inputs[: int(self.random.integers(1, 4))])

    def add_constant(self):
        channels = self.shape[0]
        shape = [(1,), (), (channels, 1, 1), (1, channels, 1, 1), (self.shape[2],)][self.random.integers(0, 5)]
        pair = [self.value, self.tensor(self.floats(*shape))]
        self.value = self.add("Add", pair if self.random.random() < 0.5 else pair[::-1])

    def residual(self):
        before, shape = self.value, list(self.shape)
        channels = shape[0]
        weights = self.weights(self.floats(channels, channels, 1, 1) / np.float32(np.sqrt(channels)))
        branch = self.add("Conv", [self.value, weights])
        self.value = self.add("Add", [before, branch] if self.random.random() < 0.5 else [branch, before])

    def quantise(self):
        # Steps far from where sums of different order could land on two sides of one.
        dtype = np.uint8 if self.random.random() < 0.5 else np.int8
        if self.random.random() < 0.5:
            scale, zero, axis = np.float32(2.0), dtype(3), 1
        else:
            scale = (1 + self.random.random(self.shape[0])).astype(np.float32)
            zero, axis = self.random.integers(0, 100, self.shape[0]).astype(dtype), int(self.random.choice([1, -3]))
        grid = [self.tensor(scale), self.tensor(zero)]
        q = self.add("QuantizeLinear", [self.value, *grid], axis=axis)
        self.value = self.add("DequantizeLinear", [q, *grid], axis=axis)

    def tail(self):
        channels, height, width = self.shape
        if self.random.random() < 0.5:
            self.value = self.add("GlobalAveragePool", [self.value])
            height = width = 1
        self.value = self.add("Flatten", [self.value])
        count = channels * height * width
        out = int(self.random.integers(2, 12))
        turned = bool(self.random.random() < 0.5)
        weights = self.floats(out, count) / np.float32(np.sqrt(count))
        inputs = [self.value, self.weights(weights) if turned else self.tensor(np.ascontiguousarray(weights.T))]
        if self.random.random() < 0.7:
            inputs.append(self.tensor(self.floats(*[(out,), (1, out)][self.random.integers(0, 2)])))
        self.value = self.add("Gemm", inputs, transB=int(turned))
        if self.random.random() < 0.7:
            self.value = self.add("Softmax", [self.value], axis=int(self.random.choice([1, -1])))

    def build(self):
        steps = [self.conv, self.clip, self.add_constant, self.residual]
        for _ in range(int(self.random.integers(1, 8))):
            self.random.choice(steps)()
        if self.random.random() < 0.2:
            # At the end only: what differs by one rounding before may differ by a whole step behind.
            self.quantise()
        elif self.random.random() < 0.7:
            self.tail()
        return self.model("y")

    def model(self, output):
        nodes = list(self.nodes)
        name = self.value
        if output == "y":
            nodes.append(helper.make_node("Clip", [self.value], ["y"], name="last"))
            name = "y"
        batch = ["N", *self.input]
        graph = helper.make_graph(
            nodes,
            "random",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, batch)],
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, None)],
            self.tensors,
        )
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPERATOR_SET)], ir_version=8)


def difference(fovea, backend, network, folder):
    """The largest difference as a part of the output's range, None where both sides refuse the network, or a text.

    Where an output is quantised, one in a thousand may lie a step off: its value lay between two steps."""
    model = network.build()
    path = folder / "model.onnx"
    onnx.save(model, path)
    x = network.random.standard_normal([3, *network.input]).astype(np.float32)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    try:
        want = session.run(None, {"x": x})[0]
    except onnxruntime.capi.onnxruntime_pybind11_state.InvalidArgument:
        want = None  # a window that is larger than what the ones before left of the picture
    save_file({"x": x}, folder / "x.safetensors")
    command = [fovea, "run", path, "--input", folder / "x.safetensors", "--output", folder / "y.safetensors"]
    done = subprocess.run([*command, "--backend", backend], capture_output=True, text=True, check=False)
    if want is None:
        return "fovea runs what ONNX Runtime refuses" if done.returncode == 0 else None
    if done.returncode != 0:
        return f"fovea: {done.stderr.strip()}"
    got = load_file(folder / "y.safetensors")["y"]
    if got.shape != want.shape:
        return f"shapes {got.shape} and {want.shape}"
    quantised = any(node.op_type == "QuantizeLinear" for node in network.nodes)
    off = np.abs(got.astype(np.float64) - want) / max(np.ptp(want), 1e-3)
    if quantised and np.mean(off > 1e-4) < 1e-3:
        return 0.0
    return float(off.max())


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--fovea", required=True)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--backend", default="cpu")
    arguments = parser.parse_args()
    onnxruntime.set_default_logger_severity(4)
    worst, failures, refused = 0.0, 0, 0
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        for seed in range(arguments.seed, arguments.seed + arguments.count):
            network = Network(np.random.default_rng(seed))
            result = difference(arguments.fovea, arguments.backend, network, folder)
            if result is None:
                refused += 1
            elif isinstance(result, str) or not result <= 1e-4:
                failures += 1
                print(f"seed {seed}: {result}; {[node.op_type for node in network.nodes]}")
            else:
                worst = max(worst, result)
    print(f"{arguments.count} networks: {failures} differ, {refused} are refused by both sides, the others differ by")
    print(f"{worst:.2g} of the output's range at most")
    return 1 if failures or refused == arguments.count else 0


if __name__ == "__main__":
    sys.exit(main())

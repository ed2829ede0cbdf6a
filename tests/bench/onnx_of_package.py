"""A network of the zoo as an ONNX file for its peers, made from a package that Fovea wrote.

Channels come first, padding goes into the operators, BatchNormalization and Relu stay operators of their own: what an
exporter of another framework would write, and what the peer's own optimiser takes from there.
"""
import json
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import load_file

TO_CHANNELS_LAST = [0, 2, 3, 1]


class Writer:
    def __init__(self, package: Path):
        self.nodes = {node["name"]: node for node in json.loads((package / "graph.json").read_text())["nodes"]}
        self.tensors = load_file(package / "weights.safetensors")
        self.made, self.initializers = [], []
        self.users = {}
        for node in self.nodes.values():
            for name in node["inputs"]:
                self.users.setdefault(name, []).append(node)
        self.rank = {}  # of what was written, 4 for pictures

    def values(self, name: str) -> np.ndarray:
        """A parameter, in the order in which its operator reads it."""
        node = self.nodes[name]
        if node["op"] == "Transpose":
            return self.values(node["inputs"][0]).transpose(node["attributes"]["perm"])
        return self.tensors[name]

    def constant(self, name: str, values: np.ndarray) -> str:
        self.initializers.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def add(self, op: str, inputs: list[str], output: str, rank: int, **attributes) -> str:
        self.made.append(helper.make_node(op, inputs, [output], name=output, **attributes))
        self.rank[output] = rank
        return output

    def is_weight(self, node: dict) -> bool:
        return node["op"] == "Constant" or (
            node["op"] == "Transpose" and self.nodes[node["inputs"][0]]["op"] == "Constant")

    def pads_of(self, node: dict) -> tuple[str, list[int]]:
        """The input behind a Pad that the operator can take in, and top, left, bottom, right."""
        pads, x = node["attributes"]["pads"], node["inputs"][0]
        before = self.nodes[x]
        if before["op"] == "Pad" and self.fits(before):
            return before["inputs"][0], [a + b for a, b in zip(pads, before["attributes"]["pads"])]
        return x, pads

    def fits(self, pad: dict) -> bool:
        """Zeros count for nothing in a convolution, nor in the largest of what a Relu let through."""
        behind_relu = self.nodes[pad["inputs"][0]]["op"] == "Relu"
        return all(user["op"] == "Conv2d" or (user["op"] == "MaxPool" and behind_relu)
                   for user in self.users[pad["name"]])

    def write(self, node: dict):
        name, op, inputs, attributes = (node[key] for key in ("name", "op", "inputs", "attributes"))
        rank = self.rank.get(inputs[0], 0)
        if op == "Conv2d":
            x, pads = self.pads_of(node)
            kernel = self.values(inputs[1]).transpose(0, 3, 1, 2)  # OHWI to OIHW
            weights = [self.constant(f"{name}/weights", kernel)]
            if attributes["bias"]:
                weights.append(self.constant(f"{name}/bias_values", self.values(inputs[2])))
            self.add("Conv", [x, *weights], name, 4, kernel_shape=list(kernel.shape[2:]), pads=pads,
                     strides=attributes["strides"], dilations=attributes["dilations"], group=attributes["groups"])
        elif op == "Dense":
            weights = [self.constant(f"{name}/weights", self.values(inputs[1]))]
            if attributes["bias"]:
                weights.append(self.constant(f"{name}/bias_values", self.values(inputs[2])))
            self.add("Gemm", [inputs[0], *weights], name, 2, transB=1)
        elif op == "BatchNorm":
            vectors = [self.constant(f"{name}/{i}", self.values(inputs[i])) for i in range(1, 5)]
            self.add("BatchNormalization", [inputs[0], *vectors], name, rank, epsilon=attributes["epsilon"])
        elif op in ("MaxPool", "AveragePool"):
            x, pads = self.pads_of(node) if op == "MaxPool" else (inputs[0], attributes["pads"])
            more = {} if op == "MaxPool" else {"count_include_pad": int(attributes["count_padding"])}
            self.add(op, [x], name, 4, kernel_shape=attributes["kernel"], strides=attributes["strides"], pads=pads, **more)
        elif op == "GlobalPool":
            self.add("GlobalAveragePool", [inputs[0]], f"{name}/picture", 4)
            self.add("Flatten", [f"{name}/picture"], name, 2, axis=1)
        elif op == "Pad":
            if not self.fits(node):
                top, left, bottom, right = attributes["pads"]
                pads = self.constant(f"{name}/pads", np.array([0, 0, top, left, 0, 0, bottom, right], dtype=np.int64))
                self.add("Pad", [inputs[0], pads], name, 4)
        elif op == "Reshape":
            x = inputs[0]
            if rank == 4:  # the next layer counts row by row, channels innermost
                x = self.add("Transpose", [x], f"{name}/channels_last", 4, perm=TO_CHANNELS_LAST)
            self.add("Flatten", [x], name, 2, axis=1)
        elif op == "Concat":
            self.add("Concat", inputs, name, rank, axis=1)
        elif op == "Lrn":
            self.add("LRN", inputs, name, 4, size=attributes["size"], alpha=attributes["alpha"],
                     beta=attributes["beta"], bias=attributes["bias"])
        elif op == "Softmax":
            self.add("Softmax", inputs, name, rank, axis=1)
        elif op in ("Relu", "Tanh", "Add", "Identity"):
            self.add(op, inputs, name, rank)
        else:
            raise SystemExit(f"{name}: no ONNX form of a {op} is known here")


def write_onnx(package: Path, path: Path):
    """The package's network, with one input `pictures` {batch, channels, height, width}."""
    writer = Writer(package)
    *_, last = writer.nodes
    for name, node in writer.nodes.items():
        if writer.is_weight(node):
            continue
        if node["op"] == "Input":
            height, width, channels = node["attributes"]["desc"]["shape"][1:]
            writer.rank[name] = 4
            picture = name
            continue
        writer.write(node)
    graph = helper.make_graph(
        writer.made, package.name,
        [helper.make_tensor_value_info(picture, TensorProto.FLOAT, ["batch", channels, height, width])],
        [helper.make_tensor_value_info(last, TensorProto.FLOAT, ["batch", None])], writer.initializers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    onnx.save(model, path)


def picture_shape(package: Path) -> tuple[int, int, int]:
    """Height, width, channels."""
    nodes = json.loads((package / "graph.json").read_text())["nodes"]
    return tuple(next(node for node in nodes if node["op"] == "Input")["attributes"]["desc"]["shape"][1:])


def random_pictures(package: Path, count: int, seed: int) -> np.ndarray:
    """Smooth noise of bytes, preprocessed as the package's manifest says: what the network is fed."""
    height, width, channels = picture_shape(package)
    random = np.random.default_rng(seed)
    coarse = random.uniform(0, 255, (count, -(-height // 8), -(-width // 8), channels))
    smooth = coarse.repeat(8, axis=1).repeat(8, axis=2)[:, :height, :width]
    pixels = np.clip(smooth + random.normal(0, 20, smooth.shape), 0, 255).round()
    mode = json.loads((package / "manifest.json").read_text())["preprocess"]["mode"]
    if mode == "caffe":
        pixels = pixels - np.array([103.939, 116.779, 123.68])
    elif mode == "tf":
        pixels = pixels / 127.5 - 1
    elif mode == "unit":
        pixels = pixels / 255
    else:
        raise SystemExit(f"no pictures in mode {mode} are known here")
    return pixels.astype(np.float32)

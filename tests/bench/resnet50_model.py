"""ResNet50 (v1, as in keras.applications) with random weights, once for Fovea and once for ONNX Runtime.

The weights are drawn so that activations and logits keep the size that a trained network's have: no layer computes
with zeros, infinities or denormal numbers, which would change the time it takes.
"""
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import save_file

EPSILON = 1.001e-5
STAGES = [("conv2", 64, 3, 1), ("conv3", 128, 4, 2), ("conv4", 256, 6, 2), ("conv5", 512, 3, 2)]


def random_weights(seed: int) -> dict[str, np.ndarray]:
    """By Keras's names and in Keras's layout: kernels rows x columns x inputs x outputs."""
    random = np.random.default_rng(seed)
    weights = {}

    def conv(name: str, rows: int, inputs: int, outputs: int, scale: float = 1.0):
        deviation = np.sqrt(2 / (rows * rows * inputs))
        weights[f"{name}_conv/kernel"] = random.normal(0, deviation, (rows, rows, inputs, outputs))
        weights[f"{name}_conv/bias"] = random.normal(0, 0.01, outputs)
        weights[f"{name}_bn/gamma"] = random.uniform(0.8, 1.2, outputs) * scale
        weights[f"{name}_bn/beta"] = random.normal(0, 0.1, outputs)
        weights[f"{name}_bn/moving_mean"] = random.normal(0, 0.1, outputs)
        weights[f"{name}_bn/moving_variance"] = random.uniform(0.5, 1.5, outputs)

    # Pixels are in -128..151; the first layer brings them to about 1.
    conv("conv1", 7, 3, 64, scale=1 / 64)
    channels = 64
    for stage, filters, blocks, _ in STAGES:
        for block in range(1, blocks + 1):
            name = f"{stage}_block{block}"
            if block == 1:
                conv(f"{name}_0", 1, channels, 4 * filters, scale=0.5)
            conv(f"{name}_1", 1, channels, filters)
            conv(f"{name}_2", 3, filters, filters)
            # A small last layer keeps the sum over all blocks from growing.
            conv(f"{name}_3", 1, filters, 4 * filters, scale=0.3)
            channels = 4 * filters
    weights["predictions/kernel"] = random.normal(0, 2 / np.sqrt(channels), (channels, 1000))
    weights["predictions/bias"] = random.normal(0, 0.1, 1000)
    return {name: np.ascontiguousarray(values, dtype=np.float32) for name, values in weights.items()}


def write_safetensors(weights: dict[str, np.ndarray], path):
    save_file(weights, path)


def write_onnx(weights: dict[str, np.ndarray], path):
    """Channels first, padding inside the operators, BatchNormalization left for the runtime to fold."""
    nodes, initializers = [], []

    def constant(name: str, values: np.ndarray) -> str:
        initializers.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def add(op: str, inputs: list[str], output: str, **attributes) -> str:
        nodes.append(helper.make_node(op, inputs, [output], name=output, **attributes))
        return output

    def conv(x: str, name: str, stride: int = 1, pad: int = 0) -> str:
        kernel = weights[f"{name}_conv/kernel"]
        x = add("Conv",
                [x, constant(f"{name}_conv/kernel", kernel.transpose(3, 2, 0, 1)),
                 constant(f"{name}_conv/bias", weights[f"{name}_conv/bias"])],
                f"{name}_conv", kernel_shape=list(kernel.shape[:2]), strides=[stride, stride], pads=[pad] * 4)
        vectors = [constant(f"{name}_bn/{what}", weights[f"{name}_bn/{what}"])
                   for what in ("gamma", "beta", "moving_mean", "moving_variance")]
        return add("BatchNormalization", [x, *vectors], f"{name}_bn", epsilon=EPSILON)

    x = add("Relu", [conv("pictures", "conv1", stride=2, pad=3)], "conv1_relu")
    # Keras pads with zeros first: the same, because nothing behind a Relu is below zero.
    x = add("MaxPool", [x], "pool1_pool", kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4)
    for stage, _, blocks, first_stride in STAGES:
        for block in range(1, blocks + 1):
            name = f"{stage}_block{block}"
            stride = first_stride if block == 1 else 1
            shortcut = conv(x, f"{name}_0", stride) if block == 1 else x
            y = add("Relu", [conv(x, f"{name}_1", stride)], f"{name}_1_relu")
            y = add("Relu", [conv(y, f"{name}_2", pad=1)], f"{name}_2_relu")
            y = add("Add", [shortcut, conv(y, f"{name}_3")], f"{name}_add")
            x = add("Relu", [y], f"{name}_out")
    x = add("GlobalAveragePool", [x], "avg_pool")
    x = add("Flatten", [x], "flatten", axis=1)
    x = add("Gemm", [x, constant("predictions/kernel", weights["predictions/kernel"]),
                     constant("predictions/bias", weights["predictions/bias"])], "predictions")
    x = add("Softmax", [x], "probabilities", axis=1)

    graph = helper.make_graph(
        nodes, "resnet50",
        [helper.make_tensor_value_info("pictures", TensorProto.FLOAT, ["batch", 3, 224, 224])],
        [helper.make_tensor_value_info(x, TensorProto.FLOAT, ["batch", 1000])], initializers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    onnx.save(model, path)


def random_pictures(count: int, seed: int) -> np.ndarray:
    """Smooth noise of bytes minus Caffe's means, rows x columns x blue-green-red: what the network is fed."""
    random = np.random.default_rng(seed)
    coarse = random.uniform(0, 255, (count, 28, 28, 3)).repeat(8, axis=1).repeat(8, axis=2)
    noisy = np.clip(coarse + random.normal(0, 20, coarse.shape), 0, 255).round()
    return (noisy - np.array([103.939, 116.779, 123.68])).astype(np.float32)

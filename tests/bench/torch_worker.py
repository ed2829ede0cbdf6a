"""torch.compile on a GPU behind the commands of peer_worker.py. Run: torch_worker.py

open NAME BATCH THREADS CONTEXTS NETWORK MODE: one of the five Keras networks with random weights in fp16, channels last,
eval mode; MODE is eager or a mode of torch.compile (reduce-overhead and max-autotune capture CUDA graphs;
max-autotune+cudnn leaves convolutions to cuDNN's own benchmark and tunes the rest: Inductor's search among its own
convolutions takes minutes for a network). What is compiled takes the bytes of the pictures, which lie on the device, normalises them and gives logits.
`time` answers with seconds of so many runs by events on the device.
"""
import json
import sys
import time

import timm
import torch
import torchvision

from peer_worker import serve

SIDES = {"vgg16": 224, "vgg19": 224, "resnet50": 224, "inception_v3": 299, "xception": 299}


def resnet50() -> torch.nn.Module:
    """As Keras has it: the stride is in a block's first convolution, not in its second."""
    network = torchvision.models.resnet50(weights=None)
    for block in network.modules():
        if isinstance(block, torchvision.models.resnet.Bottleneck):
            block.conv1.stride, block.conv2.stride = block.conv2.stride, block.conv1.stride
    return network


def make_network(name: str) -> torch.nn.Module:
    if name == "resnet50":
        return resnet50()
    if name == "xception":
        return timm.create_model("legacy_xception", pretrained=False)
    if name == "inception_v3":
        return torchvision.models.inception_v3(weights=None, aux_logits=False, init_weights=False)
    return getattr(torchvision.models, name)(weights=None)


class FromBytes(torch.nn.Module):
    """Logits of pictures [N, H, W, 3] of bytes."""

    def __init__(self, network: torch.nn.Module):
        super().__init__()
        self.network = network

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        pixels = pictures.permute(0, 3, 1, 2).to(torch.float16) * (1 / 127.5) - 1
        return self.network(pixels)


class Runner:
    def __init__(self, batch: int, _threads: int, _contexts: int, name: str, mode: str):
        torch.manual_seed(1)
        torch.backends.cudnn.benchmark = True
        torch._inductor.config.freezing = True
        network = FromBytes(make_network(name).eval()).half().cuda().to(memory_format=torch.channels_last)
        side = SIDES[name]
        self.pictures = torch.randint(0, 256, (batch, side, side, 3), dtype=torch.uint8, device="cuda")
        mode, _, convolutions = mode.partition("+")
        if convolutions == "cudnn":
            torch._inductor.config.max_autotune_conv_backends = "ATEN"
        self.run = network if mode == "eager" else torch.compile(network, mode=mode, fullgraph=True, dynamic=False)
        start = time.perf_counter()
        self.seconds(3)
        print(json.dumps({"network": name, "mode": mode, "batch": batch, "compile_s": time.perf_counter() - start}),
              file=sys.stderr, flush=True)

    @torch.no_grad()
    def seconds(self, times: int) -> float:
        start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        start.record()
        for _ in range(times):
            self.run(self.pictures)
        end.record()
        torch.cuda.synchronize()
        return start.elapsed_time(end) / 1000


if __name__ == "__main__":
    serve(Runner)

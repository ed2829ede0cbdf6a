"""OpenVINO behind the commands of plan_bench.cc. Run: openvino_worker.py MODEL.onnx INPUT.safetensors

INPUT holds pictures with channels last; the model takes them with channels first. `open NAME BATCH THREADS CONTEXTS
PRECISION`: the latency hint where there is one context, else the throughput hint with so many streams; PRECISION, fp32
or bf16, is the hint for the type that it computes in. Everything else as it comes.
"""
import sys
import threading
import time

import numpy as np
import openvino
import openvino.properties.hint as hints
from safetensors.numpy import load_file

from peer_worker import serve

TYPES = {"fp32": openvino.Type.f32, "bf16": openvino.Type.bf16}


class Runner:
    def __init__(self, core: openvino.Core, path: str, pictures: np.ndarray, batch: int, threads: int, contexts: int,
                 precision: str = "fp32"):
        rows = pictures[np.arange(batch) % len(pictures)]
        feed = np.ascontiguousarray(rows.transpose(0, 3, 1, 2))
        model = core.read_model(path)
        model.reshape({model.input(0): list(feed.shape)})
        mode = hints.PerformanceMode.LATENCY if contexts == 1 else hints.PerformanceMode.THROUGHPUT
        compiled = core.compile_model(model, "CPU", {
            hints.performance_mode: mode,
            hints.inference_precision: TYPES[precision],
            "INFERENCE_NUM_THREADS": threads * contexts,
            "NUM_STREAMS": contexts,
        })
        self.requests = [compiled.create_infer_request() for _ in range(contexts)]
        for request in self.requests:
            request.set_input_tensor(openvino.Tensor(feed.copy()))

    def seconds(self, times: int) -> float:
        def run(request):
            for _ in range(times):
                request.infer()

        start = time.perf_counter()
        others = [threading.Thread(target=run, args=(request,)) for request in self.requests[1:]]
        for other in others:
            other.start()
        run(self.requests[0])
        for other in others:
            other.join()
        return time.perf_counter() - start

    def outputs(self) -> np.ndarray:
        return self.requests[0].get_output_tensor(0).data.copy()


def main():
    path, input_path = sys.argv[1:]
    pictures = next(iter(load_file(input_path).values()))
    core = openvino.Core()
    serve(lambda batch, *rest: Runner(core, path, pictures, batch, *rest))


if __name__ == "__main__":
    main()

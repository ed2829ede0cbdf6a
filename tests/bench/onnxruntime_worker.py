"""ONNX Runtime behind the commands of plan_bench.cc. Run: onnxruntime_worker.py MODEL.onnx INPUT.safetensors

INPUT holds pictures with channels last; the model takes them with channels first. All graph optimisations, the
session's number of threads, everything else as it comes. Several contexts are calls from several threads to one
session with a single thread each, as its documentation recommends over several sessions.
"""
import sys
import threading
import time

import numpy as np
import onnxruntime
from safetensors.numpy import load_file

from peer_worker import serve


class Runner:
    def __init__(self, path: str, pictures: np.ndarray, batch: int, threads: int, contexts: int):
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
        options.intra_op_num_threads = threads
        self.session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        rows = pictures[np.arange(batch) % len(pictures)]
        self.feed = {self.session.get_inputs()[0].name: np.ascontiguousarray(rows.transpose(0, 3, 1, 2))}
        self.contexts = contexts
        self.results = []

    def run(self, times: int):
        for _ in range(times):
            self.results = self.session.run(None, self.feed)

    def seconds(self, times: int) -> float:
        start = time.perf_counter()
        others = [threading.Thread(target=self.run, args=(times,)) for _ in range(self.contexts - 1)]
        for other in others:
            other.start()
        self.run(times)
        for other in others:
            other.join()
        return time.perf_counter() - start

    def outputs(self) -> np.ndarray:
        return self.results[0]


def main():
    path, input_path = sys.argv[1:]
    pictures = next(iter(load_file(input_path).values()))
    serve(lambda batch, *rest: Runner(path, pictures, batch, *rest))


if __name__ == "__main__":
    main()

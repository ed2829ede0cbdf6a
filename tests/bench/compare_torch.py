#!/usr/bin/env python3
"""Pictures per second of the Keras networks on a GPU beside torch.compile, in turns.

    python compare_torch.py GPU_SELFTEST RESULTS.json [--networks resnet50,...] [--batches 256] [--mode max-autotune]
                            [--rounds 3] [--seconds 1] [--commit NAME]

fp16, random weights, pictures of bytes on the device to logits. GPU_SELFTEST measures in a process of its own for every
round, with the times that tuning took in the first one: the median of single runs, each behind its upload. torch's
workers (torch_worker.py) are all opened first, side by side since compiling takes most of that, and then asked in
turns: the mean of runs one behind the other. RESULTS.json gets every round of both.
"""
import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from rounds import Worker, output_of

NETWORKS = ["resnet50", "xception", "inception_v3", "vgg16", "vgg19"]


def open_runners(worker: Worker, network: str, arguments: argparse.Namespace):
    """A runner for every batch, called by its number."""
    for batch in arguments.batches:
        worker.ask("open", batch, batch, 1, 1, network, arguments.mode)


def microseconds(worker: Worker, batch: int, seconds: float) -> float:
    """Of one run of the batch: the mean of as many as take about so many seconds."""
    once = worker.seconds("time", batch, 3) / 3
    runs = max(3, round(seconds / once))
    return 1e6 * worker.seconds("time", batch, runs) / runs


def ours(program: str, network: str, batch: int, seconds: float, timings: str) -> dict:
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        subprocess.run([program, "--only", "bench", "--networks", network, "--precisions", "fp16", "--batches", str(batch),
                        "--bench-seconds", str(seconds), "--tuning-seconds", "60", "--timings", timings, "--json",
                        file.name], check=True, stdout=sys.stderr)
        report = json.loads(Path(file.name).read_text())
    return {"device": report["device"], "copy_bytes_per_s": report["copy_bytes_per_s"], **report["bench"][0]}


def compare(arguments: argparse.Namespace, workers: dict[str, Worker], opened_s: float) -> list[dict]:
    """Rounds of both in turns; the results so far are written behind each."""
    rows = [{"network": network, "batch": batch, "ours_us": [], "torch_us": []}
            for network in arguments.networks for batch in arguments.batches]
    with tempfile.TemporaryDirectory() as timings:
        for _ in range(arguments.rounds):
            for row in rows:
                network, batch = row["network"], row["batch"]
                row["torch_us"].append(microseconds(workers[network], batch, arguments.seconds))
                row["ours"] = ours(arguments.program, network, batch, arguments.seconds, timings)
                row["ours_us"].append(row["ours"]["median_us"])
                Path(arguments.results).write_text(json.dumps(
                    {"commit": arguments.commit, "mode": arguments.mode, "torch_opened_s": opened_s, "rows": rows},
                    indent=1))
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("results")
    parser.add_argument("--networks", type=lambda text: text.split(","), default=NETWORKS)
    parser.add_argument("--batches", type=lambda text: [int(word) for word in text.split(",")], default=[256])
    parser.add_argument("--mode", default="max-autotune")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=1)
    parser.add_argument("--commit", default=output_of("git", "describe", "--always", "--dirty", "--abbrev=12"),
                        help="what GPU_SELFTEST was built from, for the results (default: this checkout)")
    arguments = parser.parse_args()

    start = time.perf_counter()
    workers = {network: Worker(sys.executable, Path(__file__).with_name("torch_worker.py"))
               for network in arguments.networks}
    try:
        with ThreadPoolExecutor() as threads:
            list(threads.map(lambda item: open_runners(item[1], item[0], arguments), workers.items()))
        opened_s = time.perf_counter() - start
        print(f"torch compiled {len(workers)} networks side by side in {opened_s:.0f} s", file=sys.stderr)
        rows = compare(arguments, workers, opened_s)
    finally:
        for worker in workers.values():
            worker.kill()
    for row in rows:
        mine, theirs = (statistics.median(row[key]) for key in ("ours_us", "torch_us"))
        print(f"{row['network']:12} batch {row['batch']}: {1e6 * row['batch'] / mine:9.0f} images/s, torch.compile "
              f"{1e6 * row['batch'] / theirs:9.0f}, ratio {theirs / mine:.3f}, share of the floor "
              f"{row['ours'].get('share_of_floor', 0):.3f}")


if __name__ == "__main__":
    main()

"""ResNet50's pictures per second beside ONNX Runtime: the same weights, threads and pictures, in turns.

    python compare_onnxruntime.py [--build build/release] [--rounds 12] [--seconds 2] [--write]

Rows: one run over two threads (latency) and two single-threaded runs at once (throughput), batch 1 and 8. A round
times both peers on one row, one behind the other and in changing order; the ratio is taken within the round, so that
what the machine does to both cancels out. Fails where the two networks do not give the same probabilities.
"""
import argparse
import hashlib
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnxruntime
from safetensors.numpy import load_file, save_file

import resnet50_model
from rounds import ROOT, Worker, machine, machine_lines, quartiles, spread, write_results

SEED = 1
THREADS = 2
# Largest difference of two probabilities that is rounding: sums of up to 4,608 float32 products in another order,
# over 50 layers, and probabilities up to 1.
TOLERANCE = 1e-4

CASES = [  # name, batch, threads of a run, runs at once
    ("latency-1", 1, THREADS, 1),
    ("latency-8", 8, THREADS, 1),
    ("throughput-1", 1, 1, THREADS),
    ("throughput-8", 8, 1, THREADS),
]


def largest_difference(fovea: Worker, peer: Worker, name: str, folder: Path) -> float:
    for worker in (fovea, peer):
        worker.ask("time", name, 1)
    fovea.ask("outputs", name, folder / "fovea.safetensors")
    peer.ask("outputs", name, folder / "peer.safetensors")
    ours, theirs = (next(iter(load_file(folder / f"{who}.safetensors").values())) for who in ("fovea", "peer"))
    if ours.shape != theirs.shape or not np.isclose(theirs.sum(axis=1), 1, atol=1e-4).all():
        raise SystemExit(f"{name}: outputs {ours.shape} and {theirs.shape}, sums {theirs.sum(axis=1)}")
    return float(np.abs(ours - theirs).max())


def runs_for(worker: Worker, name: str, seconds: float) -> int:
    worker.ask("time", name, 2)
    return max(2, round(seconds / (worker.seconds("time", name, 2) / 2)))


def measure(fovea: Worker, peer: Worker, rounds: int, seconds: float, folder: Path) -> list[dict]:
    results = []
    for name, batch, threads, contexts in CASES:
        for worker in (fovea, peer):
            worker.ask("open", name, batch, threads, contexts)
        difference = largest_difference(fovea, peer, name, folder)
        if not difference < TOLERANCE:
            raise SystemExit(f"{name}: probabilities differ by {difference}")
        runs = runs_for(peer, name, seconds)
        runs_for(fovea, name, seconds)  # the same warm-up
        results.append({"name": name, "batch": batch, "threads": threads, "runs_at_once": contexts,
                        "runs": runs, "largest_difference": difference, "fovea": [], "onnxruntime": []})
    for turn in range(rounds):
        for result in results:
            order = [("fovea", fovea), ("onnxruntime", peer)]
            for key, worker in order if turn % 2 == 0 else reversed(order):
                taken = worker.seconds("time", result["name"], result["runs"])
                result[key].append(result["batch"] * result["runs_at_once"] * result["runs"] / taken)
        print(f"round {turn + 1} of {rounds}", file=sys.stderr)
    for result in results:
        result["ratio"] = [a / b for a, b in zip(result["fovea"], result["onnxruntime"])]
    return results


def report(results: list[dict], facts: dict, arguments, weights_hash: str) -> list[str]:
    worst = min(quartiles(result["ratio"])[1] for result in results)
    lines = [
        "# ResNet50 in float32 on two CPU threads, beside ONNX Runtime",
        "",
        f"How does Fovea's CPU backend compare with ONNX Runtime {onnxruntime.__version__}? "
        f"The smallest of the median ratios below is {worst:.2f}.",
        "",
        "| mode | batch | threads of a run | runs at once | Fovea, pictures/s | ONNX Runtime, pictures/s | ratio |",
        "|---|---|---|---|---|---|---|",
    ]
    for result in results:
        lines.append(f"| {result['name'].split('-')[0]} | {result['batch']} | {result['threads']} | "
                     f"{result['runs_at_once']} | {spread(result['fovea'], 1)} | "
                     f"{spread(result['onnxruntime'], 1)} | {spread(result['ratio'], 3)} |")
    difference = max(result["largest_difference"] for result in results)
    lines += [
        "",
        "Medians with lower and upper quartile; the ratio is the median of the ratios within a round.",
        "",
        "## How",
        "",
        "`python tests/bench/compare_onnxruntime.py --write`, with `tests/bench/requirements.txt` installed.",
        "",
        f"* ResNet50 of the zoo with random weights (seed {SEED}, sha256 {weights_hash[:16]}...), written once as "
        "safetensors for Fovea and once as ONNX with BatchNormalization left to ONNX Runtime; eight pictures of noise.",
        f"* Before timing, the probabilities of all rows were compared: they differ by at most {difference:.1e}.",
        f"* {len(results[0]['ratio'])} rounds, about {arguments.seconds:g} s for each peer and row; the peers take turns "
        "within a round, and who begins alternates. At least four runs of warm-up.",
        "* ONNX Runtime: all graph optimisations, `intra_op_num_threads` as in the table, everything else as it comes; "
        "two runs at once are two calls to one session. Its input has channels first, so that it has nothing to "
        "transpose.",
        "* Preprocessing and labels are not included; Fovea's copies into and out of its arena are.",
        "* Each peer has its own process, which is stopped by SIGSTOP while the other one computes, so that no idle "
        "thread spins beside it.",
        "",
        "## Where",
        "",
        *machine_lines(facts),
        f"* onnxruntime {onnxruntime.__version__} from PyPI.",
        "",
        "What others on the machine did meanwhile is not known; the quartiles show it.",
    ]
    return lines


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default=ROOT / "build" / "release", type=Path)
    parser.add_argument("--rounds", default=12, type=int)
    parser.add_argument("--seconds", default=2.0, type=float, help="for each peer in a round")
    parser.add_argument("--write", action="store_true", help="a file under docs/measurements")
    arguments = parser.parse_args()

    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        weights = resnet50_model.random_weights(SEED)
        resnet50_model.write_safetensors(weights, folder / "weights.safetensors")
        resnet50_model.write_onnx(weights, folder / "model.onnx")
        save_file({"pictures": resnet50_model.random_pictures(8, SEED)}, folder / "input.safetensors")
        weights_hash = hashlib.sha256((folder / "weights.safetensors").read_bytes()).hexdigest()

        fovea = Worker(arguments.build.resolve() / "tests" / "bench" / "plan_bench", "resnet50",
                       folder / "weights.safetensors", folder / "input.safetensors")
        peer = Worker(sys.executable, Path(__file__).with_name("onnxruntime_worker.py"), folder / "model.onnx",
                      folder / "input.safetensors")
        results = measure(fovea, peer, arguments.rounds, arguments.seconds, folder)
        fovea.close()
        peer.close()

    facts = machine()
    lines = report(results, facts, arguments, weights_hash)
    if arguments.write:
        write_results(f"{facts['date']}-resnet50-onnxruntime", lines,
                      {"machine": facts, "onnxruntime": onnxruntime.__version__, "cases": results})
    else:
        print("\n".join(lines))


if __name__ == "__main__":
    main()

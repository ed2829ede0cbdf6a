"""Pictures per second of the zoo's networks beside ONNX Runtime: the same weights, threads and pictures, in turns.

    python compare_onnxruntime.py [MODEL ...] [--build build/release] [--rounds 12] [--seconds 2] [--write]

Rows: one run over two threads (latency) and two single-threaded runs at once (throughput), batch 1 and 8. A round
times both peers on one row, one behind the other and in changing order; the ratio is taken within the round, so that
what the machine does to both cancels out. Fails where the two networks do not give the same probabilities.
"""
import argparse
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnxruntime
from safetensors.numpy import load_file, save_file

from onnx_of_package import random_pictures, write_onnx
from rounds import ROOT, Worker, machine, machine_lines, quartiles, spread, write_results

SEED = 1
THREADS = 2
# Largest difference of two probabilities that is rounding: sums of up to 25,088 float32 products in another order, over
# up to 94 layers, some of them by Winograd's algorithm, and probabilities up to 1.
TOLERANCE = 2e-4

MODELS = ["alexnet", "googlenet", "inception_v3", "lenet5", "resnet50", "vgg16", "vgg19", "xception"]

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


def measure(model: str, fovea: Worker, peer: Worker, arguments, folder: Path) -> list[dict]:
    results = []
    for name, batch, threads, contexts in CASES:
        for worker in (fovea, peer):
            worker.ask("open", name, batch, threads, contexts)
        difference = largest_difference(fovea, peer, name, folder)
        if not difference < TOLERANCE:
            raise SystemExit(f"{model} {name}: probabilities differ by {difference}")
        runs = runs_for(peer, name, arguments.seconds)
        runs_for(fovea, name, arguments.seconds)  # the same warm-up
        results.append({"model": model, "name": name, "batch": batch, "threads": threads, "runs_at_once": contexts,
                        "runs": runs, "largest_difference": difference, "fovea": [], "onnxruntime": []})
    for turn in range(arguments.rounds):
        for result in results:
            order = [("fovea", fovea), ("onnxruntime", peer)]
            for key, worker in order if turn % 2 == 0 else reversed(order):
                taken = worker.seconds("time", result["name"], result["runs"])
                result[key].append(result["batch"] * result["runs_at_once"] * result["runs"] / taken)
        print(f"{model}: round {turn + 1} of {arguments.rounds}", file=sys.stderr)
    for result in results:
        result["ratio"] = [a / b for a, b in zip(result["fovea"], result["onnxruntime"])]
    return results


def compare(model: str, arguments) -> list[dict]:
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        fovea = Worker(arguments.build.resolve() / "tests" / "bench" / "plan_bench", model, f"random:{SEED}",
                       folder / "input.safetensors")
        fovea.ask("package", folder / "package")
        write_onnx(folder / "package", folder / "model.onnx")
        save_file({"pictures": random_pictures(folder / "package", 8, SEED)}, folder / "input.safetensors")
        peer = Worker(sys.executable, Path(__file__).with_name("onnxruntime_worker.py"), folder / "model.onnx",
                      folder / "input.safetensors")
        results = measure(model, fovea, peer, arguments, folder)
        fovea.close()
        peer.close()
    return results


def report(results: list[dict], facts: dict, arguments) -> list[str]:
    worst = min(results, key=lambda result: quartiles(result["ratio"])[1])
    lines = [
        "# The zoo in float32 on two CPU threads, beside ONNX Runtime",
        "",
        f"How does Fovea's CPU backend compare with ONNX Runtime {onnxruntime.__version__}? The smallest of the median "
        f"ratios below is {quartiles(worst['ratio'])[1]:.2f} ({worst['model']}, {worst['name']}).",
        "",
        "| network | mode | batch | threads of a run | runs at once | Fovea, pictures/s | ONNX Runtime, pictures/s | "
        "ratio | largest difference |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for result in results:
        lines.append(f"| {result['model']} | {result['name'].split('-')[0]} | {result['batch']} | {result['threads']} "
                     f"| {result['runs_at_once']} | {spread(result['fovea'], 1)} | {spread(result['onnxruntime'], 1)} "
                     f"| {spread(result['ratio'], 3)} | {result['largest_difference']:.1e} |")
    lines += [
        "",
        "Medians with lower and upper quartile; the ratio is the median of the ratios within a round. The largest "
        "difference is that of any probability of eight pictures, compared before timing.",
        "",
        "## How",
        "",
        f"`python tests/bench/compare_onnxruntime.py {' '.join(arguments.models)} --rounds {arguments.rounds} "
        f"--seconds {arguments.seconds:g} --write`, with `tests/bench/requirements.txt` installed.",
        "",
        f"* Random weights (`random:{SEED}`), written by Fovea as a package and from there as ONNX with padding inside "
        "the operators and BatchNormalization left to ONNX Runtime; eight pictures of noise, preprocessed.",
        f"* {arguments.rounds} rounds, about {arguments.seconds:g} s for each peer and row; the peers take turns within "
        "a round, and who begins alternates. At least four runs of warm-up.",
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
    parser.add_argument("models", nargs="*", metavar="MODEL", help=f"any of {', '.join(MODELS)}; none: all of them")
    parser.add_argument("--build", default=ROOT / "build" / "release", type=Path)
    parser.add_argument("--rounds", default=12, type=int)
    parser.add_argument("--seconds", default=2.0, type=float, help="for each peer in a round")
    parser.add_argument("--write", action="store_true", help="a file under docs/measurements")
    arguments = parser.parse_args()
    arguments.models = arguments.models or MODELS
    for model in arguments.models:
        if model not in MODELS:
            parser.error(f"no network is called {model}")

    results = [result for model in arguments.models for result in compare(model, arguments)]
    facts = machine()
    lines = report(results, facts, arguments)
    if arguments.write:
        name = arguments.models[0] if len(arguments.models) == 1 else "zoo"
        write_results(f"{facts['date']}-{name}-onnxruntime", lines,
                      {"machine": facts, "onnxruntime": onnxruntime.__version__, "cases": results})
    else:
        print("\n".join(lines))


if __name__ == "__main__":
    main()

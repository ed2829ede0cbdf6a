"""Pictures per second of the zoo's networks beside ONNX Runtime and OpenVINO: the same weights, threads and pictures,
in turns.

    python compare_peers.py [MODEL ...] [--precisions fp32,bf16] [--batches 1,8,32] [--threads 1,2]
                            [--at-once N] [--tuning fast] [--build build/release] [--rounds 5] [--seconds 1] [--write]

A row is so many runs at once over so many threads each. A round times all peers on one row, one behind the other and in
changing order. Which peer is the better one is taken from the medians, the ratio to it within the round, so that what
the machine does to both cancels out. In bf16 OpenVINO is the only peer: ONNX Runtime's operators for CPUs
have no such type. Fails where two networks do not give the same probabilities.
"""
import argparse
import statistics
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnxruntime
import openvino
from safetensors.numpy import load_file, save_file

from onnx_of_package import random_pictures, write_onnx
from rounds import ROOT, SEED, Worker, limits, machine, machine_lines, quartiles, spread, write_results

MODELS = ["alexnet", "googlenet", "inception_v3", "lenet5", "resnet50", "vgg16", "vgg19", "xception"]
# Largest difference of two probabilities that is rounding. fp32: sums of up to 25,088 products in another order, over
# up to 94 layers, some of them by Winograd's algorithm, and probabilities up to 1. bf16: probabilities of networks with
# random weights are small and close together; a type with 8 bits of fraction moves each by some hundredths of its size.
TOLERANCES = {"fp32": 2e-4, "bf16": 2e-2}
PICTURES = 8
GOALS = {  # against the better peer, fp32
    "vgg16": 1.7, "vgg19": 1.7, "alexnet": 1.5, "googlenet": 1.5, "resnet50": 1.25, "inception_v3": 1.25,
    "xception": 1.05,
}


def bound(facts: dict, batch: int) -> float:
    """Pictures per second that neither the multiply-adds of the network's definition nor reading its weights allows
    to pass. Winograd's algorithm multiplies less and can."""
    rates = []
    if facts["peak_multiply_adds_per_s"]:
        rates.append(facts["peak_multiply_adds_per_s"] / facts["multiply_adds_per_image"])
    if facts["memory_bytes_per_s"]:
        rates.append(facts["memory_bytes_per_s"] / facts["weight_bytes"] * batch)
    return min(rates, default=0.0)


def set_bounds(results: list[dict]):
    """Of every result, from the largest rates that were measured for its threads and type: somebody else on the machine
    may have disturbed one of the measurements."""
    for result in results:
        like = [other["limits"] for other in results
                if all(other[key] == result[key] for key in ("threads", "precision"))]
        facts = dict(result["limits"])
        for key in ("peak_multiply_adds_per_s", "memory_bytes_per_s"):
            if facts[key]:  # without one for the memory, the weights stay in a cache
                facts[key] = max(other[key] or 0 for other in like)
        result["bound"] = bound(facts, result["batch"])


def probabilities(worker: Worker, name: str, file: Path) -> np.ndarray:
    worker.ask("time", name, 1)
    worker.ask("outputs", name, file)
    return next(iter(load_file(file).values()))


def runs_for(worker: Worker, name: str, seconds: float) -> int:
    worker.ask("time", name, 2)
    return max(1, round(seconds / (worker.seconds("time", name, 2) / 2)))


def open_all(workers: dict, name: str, batch: int, threads: int, precision: str, arguments, folder: Path) -> float:
    """Opens a row everywhere; the largest difference of any probability to Fovea's."""
    outputs = {}
    words = {"fovea": [precision, arguments.tuning], "onnxruntime": [], "openvino": [precision]}
    for key, worker in workers.items():
        worker.ask("open", name, batch, threads, arguments.at_once, *words[key])
        outputs[key] = probabilities(worker, name, folder / f"{key}.safetensors")
    ours = outputs.pop("fovea")
    difference = 0.0
    for key, theirs in outputs.items():
        if ours.shape != theirs.shape or not np.isclose(theirs.sum(axis=1), 1, atol=2e-2).all():
            raise SystemExit(f"{name}, {key}: outputs {ours.shape} and {theirs.shape}, sums {theirs.sum(axis=1)}")
        difference = max(difference, float(np.abs(ours - theirs).max()))
    if not difference < TOLERANCES[precision]:
        raise SystemExit(f"{name}: probabilities differ by {difference}")
    return difference


def measure(model: str, all_workers: dict, arguments, folder: Path) -> list[dict]:
    results = []
    for precision in arguments.precisions:
        workers = {key: worker for key, worker in all_workers.items()
                   if precision == "fp32" or key != "onnxruntime"}
        for threads in arguments.threads:
            facts = limits(arguments.build, model, threads * arguments.at_once, precision)
            for batch in arguments.batches:
                name = f"{precision}-{threads}-{batch}"
                difference = open_all(workers, name, batch, threads, precision, arguments, folder)
                runs = runs_for(all_workers["fovea"], name, arguments.seconds)
                rates = {key: [] for key in workers}
                for turn in range(arguments.rounds):
                    order = list(workers.items())
                    for key, worker in order if turn % 2 == 0 else reversed(order):
                        taken = worker.seconds("time", name, runs)
                        rates[key].append(batch * runs * arguments.at_once / taken)
                for worker in workers.values():
                    worker.ask("close", name)
                peers = {key: statistics.median(values) for key, values in rates.items() if key != "fovea"}
                better = max(peers, key=peers.get)
                ratios = [ours / theirs for ours, theirs in zip(rates["fovea"], rates[better])]
                results.append({"model": model, "precision": precision, "threads": threads, "batch": batch,
                                "runs": runs, "rates": rates, "better": better, "ratios": ratios,
                                "limits": facts, "largest_difference": difference})
                print(f"{model} {name}: {spread(ratios, 3)} of {better}", file=sys.stderr)
    return results


def compare(model: str, arguments) -> list[dict]:
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        pictures = folder / "input.safetensors"
        fovea = Worker(arguments.build.resolve() / "tests" / "bench" / "plan_bench", model, f"random:{SEED}", pictures)
        fovea.ask("package", folder / "package")
        write_onnx(folder / "package", folder / "model.onnx")
        save_file({"pictures": random_pictures(folder / "package", PICTURES, SEED)}, pictures)
        workers = {"fovea": fovea}
        for key in ("onnxruntime", "openvino"):
            workers[key] = Worker(sys.executable, Path(__file__).with_name(f"{key}_worker.py"), folder / "model.onnx",
                                  pictures)
        results = measure(model, workers, arguments, folder)
        for worker in workers.values():
            worker.close()
    return results


def middle(values: list[float]) -> float:
    return quartiles(values)[1]


def goal_of(result: dict) -> float:
    return GOALS.get(result["model"], 1.0) if result["precision"] == "fp32" else 1.0


def row(result: dict) -> str:
    rates = result["rates"]
    onnx = spread(rates["onnxruntime"], 1) if "onnxruntime" in rates else "-"
    share = f"{100 * middle(rates['fovea']) / result['bound']:.0f} %" if result["bound"] else "-"
    return (f"| {result['model']} | {result['precision']} | {result['threads']} | {result['batch']} "
            f"| {spread(rates['fovea'], 1)} | {onnx} | {spread(rates['openvino'], 1)} "
            f"| {spread(result['ratios'], 2)} | {goal_of(result):g} | {share} | {result['largest_difference']:.1e} |")


def report(results: list[dict], facts: dict, arguments) -> list[str]:
    missed = [result for result in results if middle(result["ratios"]) < goal_of(result)]
    return [
        "# The zoo on CPU threads, beside ONNX Runtime and OpenVINO",
        "",
        f"How does Fovea's CPU backend compare with the better of ONNX Runtime {onnxruntime.__version__} and OpenVINO "
        f"{openvino.__version__.split('-')[0]}? {len(missed)} of the {len(results)} rows below miss their goal"
        + (": " + ", ".join(f"{r['model']} {r['precision']} x {r['batch']}" for r in missed) if missed else "") + ".",
        "",
        "| network | type | threads | batch | Fovea, pictures/s | ONNX Runtime | OpenVINO | ratio to the better | goal "
        "| share of the machine's limit | largest difference |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
        *map(row, results),
        "",
        "Medians with lower and upper quartile; the ratio is the median of the ratios within a round. The limit is "
        "what `fovea bench` measures, the largest of this run: multiply-adds of the network's definition at the "
        "processor's rate, or its weights at the memory's; Winograd's algorithm multiplies less, so that a share can "
        "be above 100 %. The largest difference is that of any probability between Fovea and a peer, compared before "
        "timing.",
        "",
        "## How",
        "",
        f"`python tests/bench/compare_peers.py {' '.join(arguments.models)} --precisions "
        f"{','.join(arguments.precisions)} --batches {','.join(map(str, arguments.batches))} --threads "
        f"{','.join(map(str, arguments.threads))} --at-once {arguments.at_once} --tuning {arguments.tuning} --rounds "
        f"{arguments.rounds} --seconds {arguments.seconds:g} --write`, with `tests/bench/requirements.txt` installed.",
        "",
        f"* Random weights (`random:{SEED}`), written by Fovea as a package and from there as ONNX with padding inside "
        f"the operators and BatchNormalization left to the peers; {PICTURES} pictures of noise, preprocessed.",
        f"* {arguments.rounds} rounds, about {arguments.seconds:g} s for Fovea and as many runs for each peer; they "
        "take turns within a round, and who begins alternates.",
        f"* Runs at once: {arguments.at_once}. Fovea: tuning {arguments.tuning}. ONNX Runtime: all graph "
        "optimisations, `intra_op_num_threads`. OpenVINO: the latency hint with one stream (the throughput hint with "
        "as many as there are runs at once), `inference_precision` as in the table. Both take channels first, as the "
        "file says. Everything else as it comes.",
        "* Preprocessing and labels are not included; Fovea's copies into and out of its arena are.",
        "* Each peer has its own process, which is stopped by SIGSTOP while another one computes, so that no idle "
        "thread spins beside it.",
        "",
        "## Where",
        "",
        *machine_lines(facts),
        f"* onnxruntime {onnxruntime.__version__} and openvino {openvino.__version__.split('-')[0]} from PyPI.",
        "",
        "What others on the machine did meanwhile is not known; the quartiles show it.",
    ]


def numbers(text: str) -> list[int]:
    return [int(word) for word in text.split(",")]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", metavar="MODEL", help=f"any of {', '.join(MODELS)}; none: all of them")
    parser.add_argument("--precisions", default=["fp32"], type=lambda text: text.split(","), metavar="fp32,bf16")
    parser.add_argument("--batches", default=[1, 8, 32], type=numbers)
    parser.add_argument("--threads", default=[1, 2], type=numbers)
    parser.add_argument("--at-once", default=1, type=int, help="runs at once, each over --threads")
    parser.add_argument("--tuning", default="fast", choices=["off", "fast", "full"], help="of Fovea's plans")
    parser.add_argument("--build", default=ROOT / "build" / "release", type=Path)
    parser.add_argument("--rounds", default=5, type=int)
    parser.add_argument("--seconds", default=1.0, type=float, help="for Fovea in a round")
    parser.add_argument("--write", action="store_true", help="a file under docs/measurements")
    arguments = parser.parse_args()
    arguments.models = arguments.models or MODELS
    for model in arguments.models:
        if model not in MODELS:
            parser.error(f"no network is called {model}")
    for precision in arguments.precisions:
        if precision not in TOLERANCES:
            parser.error(f"no type is called {precision}; there are {', '.join(TOLERANCES)}")

    results = [result for model in arguments.models for result in compare(model, arguments)]
    set_bounds(results)
    facts = machine()
    lines = report(results, facts, arguments)
    if arguments.write:
        name = arguments.models[0] if len(arguments.models) == 1 else "zoo"
        write_results(f"{facts['date']}-{name}-peers", lines,
                      {"machine": facts, "onnxruntime": onnxruntime.__version__, "openvino": openvino.__version__,
                       "cases": results})
    else:
        print("\n".join(lines))


if __name__ == "__main__":
    main()

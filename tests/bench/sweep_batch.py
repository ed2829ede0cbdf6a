"""Pictures per second on the CPU by batch size and by how threads are used: what the Classifier's defaults rest on.

    python sweep_batch.py [--build build/release] [--rounds 6] [--seconds 1] [--write]
"""
import argparse
import sys
import tempfile
from pathlib import Path

from safetensors.numpy import save_file

from onnx_of_package import random_pictures
from rounds import ROOT, Worker, machine, machine_lines, quartiles, spread, write_results

SEED = 1
THREADS = 2
BATCHES = [1, 2, 4, 8, 16]
MODES = {  # threads of a run, runs at once
    "latency": (THREADS, 1),
    "throughput": (1, THREADS),
    "one thread": (1, 1),
}
MODELS = ["resnet50", "lenet5"]


def measure(build: Path, model: str, rounds: int, seconds: float, folder: Path) -> list[dict]:
    worker = Worker(build.resolve() / "tests" / "bench" / "plan_bench", model, f"random:{SEED}",
                    folder / f"{model}.safetensors")
    worker.ask("package", folder / model)
    save_file({"pictures": random_pictures(folder / model, 8, SEED)}, folder / f"{model}.safetensors")
    results = []
    for mode, (threads, contexts) in MODES.items():
        for batch in BATCHES:
            name = f"{mode}-{batch}".replace(" ", "-")
            worker.ask("open", name, batch, threads, contexts)
            worker.ask("time", name, 1)
            runs = max(1, round(seconds / worker.seconds("time", name, 1)))
            runs = max(1, round(runs * seconds / worker.seconds("time", name, runs)))
            results.append({"model": model, "mode": mode, "batch": batch, "name": name, "runs": runs,
                            "pictures": batch * contexts * runs, "rate": []})
    for turn in range(rounds):
        for result in results if turn % 2 == 0 else reversed(results):
            result["rate"].append(result["pictures"] / worker.seconds("time", result["name"], result["runs"]))
        print(f"{model}: round {turn + 1} of {rounds}", file=sys.stderr)
    worker.close()
    return results


def table(results: list[dict]) -> list[str]:
    lines = ["| mode | " + " | ".join(f"batch {batch}" for batch in BATCHES) + " |", "|---" * (len(BATCHES) + 1) + "|"]
    for mode in MODES:
        rates = [result["rate"] for result in results if result["mode"] == mode]
        digits = 1 if quartiles(rates[0])[1] < 1000 else 0
        lines.append(f"| {mode} | " + " | ".join(spread(rate, digits) for rate in rates) + " |")
    return lines


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default=ROOT / "build" / "release", type=Path)
    parser.add_argument("--rounds", default=6, type=int)
    parser.add_argument("--seconds", default=1.0, type=float, help="for each entry in a round")
    parser.add_argument("--write", action="store_true", help="a file under docs/measurements")
    arguments = parser.parse_args()

    with tempfile.TemporaryDirectory() as folder:
        results = [result for model in MODELS
                   for result in measure(arguments.build, model, arguments.rounds, arguments.seconds, Path(folder))]
    facts = machine()
    lines = [
        "# Batch size and threads on the CPU",
        "",
        "Which batch and which use of threads give the most pictures per second? "
        + " ".join(f"{model}: {best['mode']}, batch {best['batch']}." for model, best in
                   ((model, max((result for result in results if result["model"] == model),
                                key=lambda result: quartiles(result["rate"])[1])) for model in MODELS)),
    ]
    for model in MODELS:
        lines += ["", f"## {model}", "", *table([result for result in results if result["model"] == model])]
    lines += [
        "",
        f"Pictures per second: median of {arguments.rounds} rounds of about {arguments.seconds:g} s, with lower and upper "
        f"quartile. Latency: one run over {THREADS} threads; throughput: {THREADS} single-threaded runs at once; one "
        "thread: one single-threaded run, and one core idle.",
        "",
        "## How",
        "",
        "`python tests/bench/sweep_batch.py --write`, with `tests/bench/requirements.txt` installed. Random weights "
        f"(`random:{SEED}`), noise as pictures; without decoding, with the copies into and out of the arena. The entries "
        "take turns within a round, and every other round goes backwards.",
        "",
        "## Where",
        "",
        *machine_lines(facts),
        "",
        "What others on the machine did meanwhile is not known; the quartiles show it.",
    ]
    if arguments.write:
        write_results(f"{facts['date']}-cpu-batch", lines, {"machine": facts, "results": results})
    else:
        print("\n".join(lines))


if __name__ == "__main__":
    main()

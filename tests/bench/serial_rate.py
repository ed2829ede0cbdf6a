"""Does classifying JPEG files cost more than decoding and computing one after the other?

    python serial_rate.py MODEL FOLDER [--weights random:1] [--build build/release] [--rounds 5] [--seconds 4] [--write]

Three rates on the same cores, in turns: `fovea bench --from jpeg` (everything), `fovea bench --from tensor` (the network
alone) and picture_bench on every thread at once (decoding and resizing alone). The first one is held against
1 / (1/decode + 1/compute).
"""
import argparse
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from rounds import ROOT, Worker, machine, machine_lines, quartiles, spread, write_results

GOAL = 0.92


def jpegs(folder: Path) -> list[Path]:
    """What `fovea bench --from jpeg` takes of the folder."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return [path for path in files if path.read_bytes()[:3] == b"\xff\xd8\xff"]


def bench(arguments: argparse.Namespace, *more: object) -> dict:
    command = [arguments.build / "bin" / "fovea", "bench", arguments.model, "--weights", arguments.weights, "--json",
               "--duration", arguments.seconds, *more]
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(done.stderr)
    return json.loads(done.stdout)


def preprocessing(model: str) -> tuple[int, int, str]:
    contract = json.loads((ROOT / "models" / model / "manifest.json").read_text())["preprocess"]
    return contract["height"], contract["width"], contract["interpolation"]


class Decoders:
    """picture_bench on every thread."""

    def __init__(self, arguments: argparse.Namespace, files: list[Path]):
        program = arguments.build.resolve() / "tests" / "bench" / "picture_bench"
        self.workers = [Worker(program, *preprocessing(arguments.model), *files)
                        for _ in range(len(os.sched_getaffinity(0)))]
        self.pool = ThreadPoolExecutor(len(self.workers))
        self.files = len(files)
        self.rounds = 1
        self.rounds = max(1, round(arguments.seconds * self.rate() / len(self.workers) / self.files))

    def rate(self) -> float:
        """Pictures a second of all threads together."""
        seconds = self.pool.map(lambda worker: worker.seconds("resize", self.rounds), self.workers)
        return sum(self.files * self.rounds / taken for taken in seconds)

    def close(self):
        for worker in self.workers:
            worker.close()
        self.pool.shutdown()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", help="a network of the zoo")
    parser.add_argument("folder", type=Path, help="JPEG files; others are left out")
    parser.add_argument("--weights", default="random:1")
    parser.add_argument("--build", default=ROOT / "build" / "release", type=Path)
    parser.add_argument("--rounds", default=5, type=int)
    parser.add_argument("--seconds", default=4.0, type=float, help="for each rate in a round")
    parser.add_argument("--write", action="store_true", help="a file under docs/measurements")
    arguments = parser.parse_args()

    files = jpegs(arguments.folder)
    decoders = Decoders(arguments, files)
    rates: dict[str, list[float]] = {"jpeg": [], "tensor": [], "decode": [], "ratio": [], "in one run": []}
    for turn in range(arguments.rounds):
        order = ["jpeg", "tensor", "decode"]
        for name in order if turn % 2 == 0 else reversed(order):
            if name == "decode":
                rates[name].append(decoders.rate())
                continue
            images = ["--images", arguments.folder] if name == "jpeg" else []
            found = bench(arguments, "--from", name, *images)
            rates[name].append(found["throughput_images_per_s"])
            if name == "jpeg":
                rates["in one run"].append(rates[name][-1] / found["limits"]["serial_images_per_s"])
        serial = 1 / (1 / rates["decode"][-1] + 1 / rates["tensor"][-1])
        rates["ratio"].append(rates["jpeg"][-1] / serial)
        print(f"round {turn + 1} of {arguments.rounds}: {rates['ratio'][-1]:.3f}", file=sys.stderr)
    decoders.close()

    facts = machine()
    ratio = quartiles(rates["ratio"])[1]
    lines = [
        f"# From JPEG to label: {arguments.model}",
        "",
        "What does the way from JPEG files to labels cost beside decoding and computing? It runs at "
        f"{100 * ratio:.1f} % of the rate of both one after the other; the goal is {100 * GOAL:.0f} %.",
        "",
        "| | images per second |",
        "|---|---|",
        f"| JPEG in memory to labels | {spread(rates['jpeg'], 2)} |",
        f"| network alone (`--from tensor`) | {spread(rates['tensor'], 2)} |",
        f"| decode and resize alone | {spread(rates['decode'], 1)} |",
        f"| first to 1 / (1/second + 1/third) | {spread(rates['ratio'], 3)} |",
        f"| first to what its own stages add up to | {spread(rates['in one run'], 3)} |",
        "",
        f"Medians of {arguments.rounds} rounds with lower and upper quartile; the ratios are of one round each.",
        "",
        "## How",
        "",
        f"`python tests/bench/serial_rate.py {arguments.model} FOLDER --write` on {len(files)} JPEG files, weights "
        f"`{arguments.weights}`; {arguments.seconds:g} s for each rate, in turns, every other round backwards. Everything "
        "runs single-threaded on every core at once.",
        "",
        "## Where",
        "",
        *machine_lines(facts),
    ]
    if arguments.write:
        write_results(f"{facts['date']}-serial-rate-{arguments.model}", lines, {"machine": facts, "rates": rates})
    else:
        print("\n".join(lines))


if __name__ == "__main__":
    main()

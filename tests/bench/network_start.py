"""Milliseconds from starting `fovea classify` to the first row, and the process's peak memory, for weights in a file.

    python network_start.py PICTURE MODEL=WEIGHTS ... [--build build/release] [--repeat 15] [--write]

WEIGHTS is what `--weights` takes; foreign files are imported into the cache by a first run that does not count. The
networks take turns; the clock starts before the fork and stops when the first line has been read. Peak memory is the
kernel's figure for the process (ru_maxrss); what it is held against is what the plan needs: packed weights and arena,
as `fovea bench` says.
"""
import argparse
import json
import subprocess
from pathlib import Path

from rounds import ROOT, first_line, machine, machine_lines, quartiles, spread, write_results

MIB = 2**20


def plan_bytes(program: str, model: str, weights: str) -> int:
    done = subprocess.run([program, "bench", model, "--weights", weights, "--json", "--duration", "0.1", "--warmup", "0",
                           "--concurrency", "1"], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)["device_bytes"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("picture")
    parser.add_argument("networks", nargs="+", metavar="MODEL=WEIGHTS")
    parser.add_argument("--build", default=ROOT / "build" / "release", type=Path)
    parser.add_argument("--repeat", default=15, type=int)
    parser.add_argument("--write", action="store_true", help="a file under docs/measurements")
    arguments = parser.parse_args()

    program = str(arguments.build.resolve() / "bin" / "fovea")
    networks = dict(pair.split("=", 1) for pair in arguments.networks)
    plans = {model: plan_bytes(program, model, weights) for model, weights in networks.items()}
    taken = {model: [] for model in networks}
    peak = {model: [] for model in networks}
    for turn in range(arguments.repeat + 1):
        for model, weights in networks.items():
            command = [program, "classify", model, arguments.picture, "--weights", weights, "--json"]
            milliseconds, memory = first_line(command, [b"predictions"])
            if turn > 0:  # the first one imports, and fills the page cache
                taken[model].append(milliseconds)
                peak[model].append(memory)

    facts = machine()
    slowest = max(networks, key=lambda model: quartiles(taken[model])[1])
    lines = [
        "# From starting the program to the first label of a large network",
        "",
        f"How long does `fovea classify` take from its start to the first row when the weights are in the cache, and how "
        f"much memory? At most {quartiles(taken[slowest])[1]:.0f} ms in the median ({slowest}).",
        "",
        "| network | weights | milliseconds | peak memory, MiB | packed weights and arena, MiB | the rest, MiB |",
        "|---|---|---|---|---|---|",
        *(f"| {model} | {Path(weights).suffix} | {spread(taken[model], 0)} | {max(peak[model]) / MIB:.0f} | "
          f"{plans[model] / MIB:.0f} | {(max(peak[model]) - plans[model]) / MIB:.0f} |"
          for model, weights in networks.items()),
        "",
        f"Milliseconds: medians of {arguments.repeat} with lower and upper quartile. Memory: the largest of them.",
        "",
        "## How",
        "",
        "`python tests/bench/network_start.py PICTURE MODEL=WEIGHTS ... --write`: the networks take turns; files are in "
        "the page cache, foreign ones imported before. One JPEG photograph, two threads.",
        "",
        "## Where",
        "",
        *machine_lines(facts),
    ]
    if arguments.write:
        write_results(f"{facts['date']}-network-start", lines,
                      {"machine": facts, "milliseconds": taken, "peak_bytes": peak, "plan_bytes": plans})
    else:
        print("\n".join(lines))


if __name__ == "__main__":
    main()

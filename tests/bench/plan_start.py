"""Milliseconds from starting `fovea classify` to the first row, from plan files and from model packages.

    python plan_start.py [NETWORK ...] [--build build/release] [--repeat 15] [--write]

The networks get random weights; they are compiled (`fovea compile`, for batches of 1) and saved as packages
(`fovea import`) once. Then plan and package of every network take turns; the clock starts before the fork and stops
when the first line has been read. How long compiling without tuning takes is what `fovea compile --json` says, the
median of five; with `--tuning fast` it is the time of the whole process, once, without a timing cache.
"""
import argparse
import json
import os
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

from PIL import Image

from rounds import ROOT, first_line, machine, machine_lines, quartiles, spread, write_results

GOAL_MS = 200
GOAL_COMPILE_S = 1.0
GOAL_FAST_S = 15
DIGIT = ROOT / "models" / "lenet5" / "digits" / "3.png"


def compile_seconds(command):
    stages = [json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)["seconds"]
              for _ in range(5)]
    return {stage: statistics.median(run[stage] for run in stages) for stage in stages[0]}


def fast_seconds(command, home):
    """Of the whole process that measures tactics; `home` has no timing cache yet."""
    start = time.perf_counter()
    subprocess.run([*command, "--tuning", "fast"], capture_output=True, check=True,
                   env={**os.environ, "FOVEA_HOME": str(home)})
    return time.perf_counter() - start


def save_random(program, network, package, plan):
    """A package of the network with random weights: a plan of it, imported."""
    subprocess.run([program, "compile", network, "--weights", "random:1", "--output", plan, "--batch", "1",
                    "--tuning", "off"], check=True, capture_output=True)
    subprocess.run([program, "import", plan, "--output", package], check=True, capture_output=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("networks", nargs="*", default=["resnet50"])
    parser.add_argument("--build", default=ROOT / "build" / "release", type=Path)
    parser.add_argument("--repeat", default=15, type=int)
    parser.add_argument("--write", action="store_true", help="a file under docs/measurements")
    arguments = parser.parse_args()

    program = str(arguments.build.resolve() / "bin" / "fovea")
    compiled, tuned, taken, megabytes = {}, {}, {}, {}
    with tempfile.TemporaryDirectory() as temporary:
        picture = Path(temporary) / "picture.jpg"
        Image.open(DIGIT).convert("RGB").resize((640, 480)).save(picture, quality=90)
        cases = {}
        for network in arguments.networks:
            package, plan = Path(temporary) / network, Path(temporary) / f"{network}.plan"
            save_random(program, network, package, plan)
            command = [program, "compile", str(package), "--output", str(plan), "--batch", "1"]
            tuned[network] = fast_seconds(command, Path(temporary) / f"{network}-home")
            compiled[network] = compile_seconds([*command, "--tuning", "off", "--json"])
            megabytes[network] = plan.stat().st_size / 1e6
            for kind, model in (("plan", plan), ("package", package)):
                cases[network, kind] = [program, "classify", str(model), str(picture), "--json"]
                taken[network, kind] = []
        for turn in range(arguments.repeat + 1):
            for case, command in cases.items():
                milliseconds, _ = first_line(command, [b"predictions"])
                if turn > 0:  # the first one fills the page cache
                    taken[case].append(milliseconds)

    slowest = max(arguments.networks, key=lambda network: quartiles(taken[network, "plan"])[1])
    facts = machine()
    lines = [
        "# From starting the program to the first label, from a plan file",
        "",
        f"How long does `fovea classify NETWORK.plan PICTURE` take from its start to the first row? At most "
        f"{quartiles(taken[slowest, 'plan'])[1]:.0f} ms in the median ({slowest}), with a goal of {GOAL_MS} ms for "
        f"ResNet50. Compiling for batches of 1 without tuning has a goal of {GOAL_COMPILE_S:.0f} s, with `--tuning "
        f"fast` one of {GOAL_FAST_S} s.",
        "",
        "| network | from the plan, ms | from the package, ms | plan, MB | compiling, s | writing, s | tuned, s |",
        "|---|---|---|---|---|---|---|",
        *(f"| {network} | {spread(taken[network, 'plan'], 0)} | {spread(taken[network, 'package'], 0)} | "
          f"{megabytes[network]:.0f} | {compiled[network]['compile']:.2f} | "
          f"{compiled[network]['model'] + compiled[network]['write']:.2f} | {tuned[network]:.1f} |"
          for network in arguments.networks),
        "",
        f"Milliseconds: medians of {arguments.repeat} with lower and upper quartile.",
        "",
        "## How",
        "",
        "`python tests/bench/plan_start.py NETWORK ... --write`, with `tests/bench/requirements.txt` installed: plans "
        "and packages of the networks, with random weights, take turns; files are in the page cache. One JPEG of "
        "640 x 480. Compiling is the median of five, as `fovea compile --json` says; writing is the model before it, "
        "the packed weights after it, and the wait for the disk. Tuned is the whole process of `fovea compile --tuning "
        "fast`, once, without a timing cache.",
        "",
        "## Where",
        "",
        *machine_lines(facts),
    ]
    if arguments.write:
        write_results(f"{facts['date']}-plan-start", lines, {
            "machine": facts, "compile_s": compiled, "tuned_s": tuned,
            "milliseconds": {f"{network} {kind}": values for (network, kind), values in taken.items()}})
    else:
        print("\n".join(lines))


if __name__ == "__main__":
    main()

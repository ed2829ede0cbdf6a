"""Where the time of a network's CPU plan goes, and how far each kind of step is from what the machine allows.

    python cpu_profile.py MODEL[:PRECISION[:BATCH]] ... [--threads 2] [--rounds 3] [--seconds 2] [--build build/release]
                          [--write]

The floor of a step is the longer of two times: its multiply-adds at the processor's largest rate, and its bytes, every
value and weight once, at the memory's. `fovea bench` measures both rates. Winograd's algorithm for t x t outputs of
kernels of k x k, k = 7 - t, has 36 / (k^2 t^2) of the multiply-adds and 36 / k^2 of the weights' bytes; a kernel of
stride s, one tap smaller than s x s phases of such kernels, has as many more. Its transforms are not in the floor.
Activations that stay in a cache and weights that others fetched before are faster than the memory: a step may pass its
floor.
"""
import argparse
import re
import statistics
from dataclasses import dataclass
from pathlib import Path

from rounds import ROOT, limits, machine, machine_lines, output_of, write_results

MOST_LOSING = 8


@dataclass
class Step:
    name: str
    tactic: str
    output: str
    us: float
    gflop: float
    activations_mb: float
    weights_mb: float

    @property
    def kind(self) -> str:
        """The tactic without its split among threads."""
        return re.sub(r"/\d+(x\d+)?$", "", self.tactic)

    def floor_us(self, facts: dict) -> float:
        work, weights_mb = 1e9 * self.gflop / 2, self.weights_mb
        if tile := re.match(r"winograd:(\d+)x\d+(?:s(\d+))?", self.tactic):
            outputs, stride = int(tile[1]), int(tile[2] or 1)
            kernel = stride * (7 - outputs) - (1 if stride > 1 else 0)
            elements = 36 * stride ** 2 / kernel ** 2
            work *= elements / outputs ** 2
            weights_mb *= elements
        compute_s = work / facts["peak_multiply_adds_per_s"]
        if not facts["memory_bytes_per_s"]:  # the weights stay in a cache
            return 1e6 * compute_s
        return 1e6 * max(compute_s, 1e6 * (self.activations_mb + weights_mb) / facts["memory_bytes_per_s"])


def run(arguments, model: str, precision: str, batch: int) -> list[Step]:
    words = [str(arguments.build.resolve() / "tests" / "bench" / "step_bench"), model, str(batch),
             str(arguments.threads), f"{arguments.seconds:g}", precision]
    steps = []
    for line in output_of(*words).splitlines()[2:-1]:
        name, tactic, output, us, _, rate, activations, weights = [cell.strip() for cell in line.strip("|").split("|")]
        steps.append(Step(name, tactic, output, float(us), float(us) * float(rate) * 1e-6, float(activations),
                          float(weights)))
    if not steps:
        raise SystemExit(f"{' '.join(words)} failed: build step_bench in {arguments.build}")
    return steps


def profile(arguments, model: str, precision: str, batch: int) -> dict:
    facts = limits(arguments.build, model, arguments.threads, precision)
    rounds = [run(arguments, model, precision, batch) for _ in range(arguments.rounds)]
    steps = rounds[0]
    for i, step in enumerate(steps):
        step.us = statistics.median(other[i].us for other in rounds)
    return {"model": model, "precision": precision, "batch": batch, "limits": facts, "steps": steps}


def sums(steps: list[Step], facts: dict) -> tuple[float, float, float, float]:
    """Microseconds, GFLOP, megabytes and the floor's microseconds."""
    return (sum(step.us for step in steps), sum(step.gflop for step in steps),
            sum(step.activations_mb + step.weights_mb for step in steps), sum(step.floor_us(facts) for step in steps))


def kind_row(kind: str, steps: list[Step], all_us: float, facts: dict) -> str:
    us, gflop, megabytes, floor = sums(steps, facts)
    return (f"| {kind} | {len(steps)} | {us:.0f} | {100 * us / all_us:.1f} | {1e6 * gflop / us:.0f} "
            f"| {1e3 * megabytes / us:.1f} | {floor:.0f} | {100 * floor / us:.0f} |")


def tables(result: dict, threads: int) -> list[str]:
    steps, facts = result["steps"], result["limits"]
    all_us = sum(step.us for step in steps)
    kinds = {}
    for step in steps:
        kinds.setdefault(step.kind, []).append(step)
    ordered = sorted(kinds.items(), key=lambda item: -sum(step.us for step in item[1]))
    losing = sorted(steps, key=lambda step: step.floor_us(facts) - step.us)[:MOST_LOSING]
    return [
        f"## {result['model']}, {result['precision']}, batch {result['batch']}",
        "",
        f"Peak on {threads} threads {2e-9 * facts['peak_multiply_adds_per_s']:.0f} GFLOP/s; "
        + (f"memory {1e-9 * facts['memory_bytes_per_s']:.1f} GB/s." if facts["memory_bytes_per_s"]
           else "the weights stay in a cache."),
        "",
        "| computed by | steps | us | share, % | GFLOP/s | GB/s | floor, us | floor in % of the time |",
        "|---|---|---|---|---|---|---|---|",
        *(kind_row(kind, group, all_us, facts) for kind, group in ordered),
        kind_row("all", steps, all_us, facts),
        "",
        f"The {MOST_LOSING} steps that are longest above their floors:",
        "",
        "| step | tactic | output | us | floor, us | lost, % of the whole |",
        "|---|---|---|---|---|---|",
        *(f"| {step.name} | {step.tactic} | {step.output} | {step.us:.0f} | {step.floor_us(facts):.0f} "
          f"| {100 * (step.us - step.floor_us(facts)) / all_us:.1f} |" for step in losing),
        "",
    ]


def report(results: list[dict], arguments, facts: dict) -> list[str]:
    def share(result: dict) -> float:
        us, _, _, floor = sums(result["steps"], result["limits"])
        return floor / us

    worst = min(results, key=share)
    return [
        "# Where the time of the CPU plans goes",
        "",
        "Which steps keep the networks from the machine's limits? Those of the tables; the plan that is furthest from "
        f"its floor is {worst['model']}'s in {worst['precision']} at batch {worst['batch']}: the floor is "
        f"{100 * share(worst):.0f} % of its time.",
        "",
        *(line for result in results for line in tables(result, arguments.threads)),
        "## How",
        "",
        f"`python tests/bench/cpu_profile.py {' '.join(arguments.plans)} --threads {arguments.threads} --rounds "
        f"{arguments.rounds} --seconds {arguments.seconds:g} --write`. Tactics are the heuristic's, weights random; "
        f"`step_bench` times every step for itself within whole runs, {arguments.seconds:g} s a round; medians of "
        f"{arguments.rounds} rounds.",
        "",
        " ".join(__doc__.split("\n\n")[-1].split()),
        "",
        "## Where",
        "",
        *machine_lines(facts),
        "",
        "What others on the machine did meanwhile is not known.",
    ]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("plans", nargs="+", metavar="MODEL[:PRECISION[:BATCH]]", help="default fp32 and 1")
    parser.add_argument("--threads", default=2, type=int)
    parser.add_argument("--rounds", default=3, type=int)
    parser.add_argument("--seconds", default=2.0, type=float, help="of a round")
    parser.add_argument("--build", default=ROOT / "build" / "release", type=Path)
    parser.add_argument("--write", action="store_true", help="a file under docs/measurements")
    arguments = parser.parse_args()
    results = []
    for plan in arguments.plans:
        words = plan.split(":")
        model, precision, batch = words + ["fp32", "1"][len(words) - 1:]
        results.append(profile(arguments, model, precision, int(batch)))
    facts = machine()
    lines = report(results, arguments, facts)
    if arguments.write:
        raw = [{**result, "steps": [vars(step) for step in result["steps"]]} for result in results]
        write_results(f"{facts['date']}-cpu-profile", lines, {"machine": facts, "cases": raw})
    else:
        print("\n".join(lines))


if __name__ == "__main__":
    main()

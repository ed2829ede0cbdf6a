#!/usr/bin/env python3
"""Prints, as Markdown, what the zoo is compiled to for a GPU that need not be here.

Usage: dry_run_table.py FOVEA [TARGET] [BATCH]     (default sm_90, 32)

FOVEA is the program of a build with the CUDA backend. A row is a network: its steps in every
precision, the tactics of fp16 by family, and the least time of a batch by the device's data sheet.
"""
import collections
import json
import subprocess
import sys

NETWORKS = ["vgg16", "vgg19", "resnet50", "inception_v3", "xception", "alexnet", "googlenet", "lenet5"]
PRECISIONS = ["fp32", "tf32", "fp16", "bf16"]


def dry_run(program, network, precision, target, batch):
    """The largest bucket of the plan, and what it is for."""
    command = [program, "compile", network, "--weights", "random", "--backend", "cuda", "--dry-run",
               "--target", target, "--precision", precision, "--buckets", batch, "--json"]
    plan = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return plan["buckets"][-1], plan


def parts(tactic):
    """Those of "depthwise:runs+cudnn:conv+bias", which has two; a name of cuDNN's graph may have any '+'."""
    return tactic.split("+", 1) if tactic.startswith("depthwise:") else [tactic]


def families(bucket):
    """'53 cudnn, 3 pool': how many launches each family of tactics makes."""
    count = collections.Counter(
        part.split(":")[0] for step in bucket["steps"] for part in parts(step["tactic"]))
    return ", ".join(f"{number} {name}" for name, number in count.most_common())


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    program = sys.argv[1]
    target = sys.argv[2] if len(sys.argv) > 2 else "sm_90"
    batch = sys.argv[3] if len(sys.argv) > 3 else "32"
    rows = []
    for network in NETWORKS:
        plans = {p: dry_run(program, network, p, target, batch) for p in PRECISIONS}
        launches = " / ".join(str(plans[p][0]["launches"]) for p in PRECISIONS)
        fp32, fp16 = plans["fp32"][0], plans["fp16"][0]
        rows.append(f"| {network} | {launches} | {families(fp16)} | {fp16['arena_bytes'] / 1e6:.1f} "
                    f"| {fp16['arena_bytes'] / fp16['lower_bound_bytes']:.3f} "
                    f"| {fp32['floor_us']:.0f} | {fp16['floor_us']:.0f} | {fp16['floor_images_per_s']:,.0f} |")
    ceilings = plans["fp16"][1]["ceilings"]
    print(f"Compiled for: {plans['fp16'][1]['compiled_for']}; batch {batch}. Floors by the data sheet of "
          f"{ceilings['device']}: {ceilings['flops_per_s'] / 1e12:.4g} TFLOP/s in fp16, "
          f"{ceilings['bytes_per_s'] / 1e9:.0f} GB/s.\n")
    print(f"| network | launches {' / '.join(PRECISIONS)} | steps of fp16 by tactic | arena MB, fp16 | of its bound "
          "| floor us, fp32 | floor us, fp16 | images/s at that floor |")
    print("|---|---|---|---|---|---|---|---|")
    print("\n".join(rows))


if __name__ == "__main__":
    main()

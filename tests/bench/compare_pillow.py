"""Pictures decoded and resized per second on one thread, beside Pillow: the same files, in turns, and the same bits.

    python compare_pillow.py [--build build/release] [--rounds 15] [--write] [FILE...]

Without files: the photographs in $FOVEA_SHARED/data/imagenet, or ../shared beside the checkout. Both peers decode
from memory. Fails where a pixel differs.
"""
import argparse
import hashlib
import io
import os
import sys
import tempfile
import time
from pathlib import Path

from PIL import Image, features

from rounds import ROOT, Worker, machine, machine_lines, quartiles, spread, write_results

SIDE = 224
FILTERS = {"nearest": Image.Resampling.NEAREST, "bilinear": Image.Resampling.BILINEAR}
SECONDS = 0.5  # for each peer and row in a round


def pillow_worker():
    """The commands of picture_bench.cc."""
    interpolation, *paths = sys.argv[2:]
    files = [Path(path).read_bytes() for path in paths]

    def decoded(data: bytes) -> Image.Image:
        return Image.open(io.BytesIO(data)).convert("RGB")

    def resized(data: bytes) -> Image.Image:
        return decoded(data).resize((SIDE, SIDE), FILTERS[interpolation])

    for line in sys.stdin:
        verb, argument = line.split()
        if verb == "pixels":
            Path(argument).write_bytes(b"".join(resized(data).tobytes() for data in files))
            print("ok", flush=True)
            continue
        work = {"decode": decoded, "resize": resized}[verb]
        start = time.perf_counter()
        for _ in range(int(argument)):
            for data in files:
                work(data)
        print(f"{time.perf_counter() - start:.6f}", flush=True)


def photographs() -> list[str]:
    shared = Path(os.environ.get("FOVEA_SHARED", ROOT.parent / "shared"))
    files = sorted(str(path) for path in (shared / "data" / "imagenet").glob("*.*") if path.suffix.lower() in
                   (".jpg", ".jpeg"))
    if not files:
        raise SystemExit(f"no photographs in {shared}/data/imagenet; set FOVEA_SHARED or name files")
    return files


def measure(build: Path, files: list[str], rounds: int, folder: Path) -> list[dict]:
    cases = []
    for interpolation in FILTERS:
        fovea = Worker(build.resolve() / "tests" / "bench" / "picture_bench", SIDE, SIDE, interpolation, *files)
        peer = Worker(sys.executable, Path(__file__).resolve(), "--pillow-worker", interpolation, *files)
        for who, worker in (("fovea", fovea), ("pillow", peer)):
            worker.ask("pixels", folder / who)
        if (folder / "fovea").read_bytes() != (folder / "pillow").read_bytes():
            raise SystemExit(f"{interpolation}: the pixels differ")
        verbs = [("resize", f"decode, resize to {SIDE} x {SIDE}, {interpolation}")]
        if interpolation == "nearest":
            verbs.insert(0, ("decode", "decode"))
        for verb, name in verbs:
            passes = max(1, round(SECONDS / fovea.seconds(verb, 1)))
            peer.seconds(verb, 1)
            cases.append({"name": name, "verb": verb, "passes": passes, "workers": (fovea, peer), "fovea": [],
                          "pillow": []})
    for turn in range(rounds):
        for case in cases:
            order = list(zip(("fovea", "pillow"), case["workers"]))
            for who, worker in order if turn % 2 == 0 else reversed(order):
                taken = worker.seconds(case["verb"], case["passes"])
                case[who].append(len(files) * case["passes"] / taken)
    for case in cases:
        case["ratio"] = [ours / theirs for ours, theirs in zip(case["fovea"], case["pillow"])]
        for worker in case.pop("workers"):
            if worker.process.poll() is None:
                worker.close()
    return cases


def main():
    if sys.argv[1:2] == ["--pillow-worker"]:
        pillow_worker()
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default=ROOT / "build" / "release", type=Path)
    parser.add_argument("--rounds", default=15, type=int)
    parser.add_argument("--write", action="store_true", help="a file under docs/measurements")
    parser.add_argument("files", nargs="*", metavar="FILE")
    arguments = parser.parse_args()

    files = arguments.files or photographs()
    contents = [Path(file).read_bytes() for file in files]
    megapixels = sum(size[0] * size[1] for size in (Image.open(io.BytesIO(data)).size for data in contents)) / 1e6
    with tempfile.TemporaryDirectory() as folder:
        cases = measure(arguments.build, files, arguments.rounds, Path(folder))

    facts = machine()
    last = cases[-1]
    lines = [
        "# Decoding and resizing photographs on one thread, beside Pillow",
        "",
        f"How many photographs a second does the input path take on one thread? {quartiles(last['fovea'])[1]:.0f} with "
        f"a bilinear resize, {quartiles(last['ratio'])[1]:.2f} times as many as Pillow, with the same pixels bit for bit.",
        "",
        "| | Fovea, pictures/s | Pillow, pictures/s | ratio |",
        "|---|---|---|---|",
        *(f"| {case['name']} | {spread(case['fovea'], 0)} | {spread(case['pillow'], 0)} | {spread(case['ratio'], 3)} |"
          for case in cases),
        "",
        f"Medians of {arguments.rounds} rounds with lower and upper quartile; the ratio is the median of the ratios "
        "within a round.",
        "",
        "## How",
        "",
        "`python tests/bench/compare_pillow.py --write`, with `tests/bench/requirements.txt` installed.",
        "",
        f"* {len(files)} JPEG photographs of {megapixels:.1f} megapixels and {sum(map(len, contents)) / 1e6:.2f} MB in "
        f"all; sha256 of all bytes {hashlib.sha256(b''.join(contents)).hexdigest()[:16]}... They are read from memory.",
        "* Pillow: `Image.open(...).convert('RGB')`, then `.resize(...)`: what Keras's `load_img` does. Before timing, "
        "the resized pixels of all photographs were compared: they are the same.",
        f"* About {SECONDS:g} s for each peer and row; the peers take turns within a round, and who begins alternates. "
        "Each has its own process, which is stopped while the other one works.",
        "",
        "## Where",
        "",
        *machine_lines(facts),
        f"* Pillow {Image.__version__} from PyPI, with its own libjpeg-turbo {features.version('libjpeg_turbo')}.",
        "",
        "What others on the machine did meanwhile is not known; the quartiles show it.",
    ]
    if arguments.write:
        write_results(f"{facts['date']}-input-path", lines,
                      {"machine": facts, "pillow": Image.__version__, "cases": cases})
    else:
        print("\n".join(lines))


if __name__ == "__main__":
    main()

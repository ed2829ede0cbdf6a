"""Milliseconds from starting `fovea classify` to its first row on a pipe.

    python first_label.py [--build build/release] [--repeat 50] [--write]

Each case is run --repeat times, the cases in turns; the clock starts before the fork and stops when the first line
has been read. The pictures are the digits that come with the model, and one of them as a JPEG.
"""
import argparse
import io
import statistics
import tempfile
from pathlib import Path

from PIL import Image

from rounds import ROOT, first_line, machine, machine_lines, spread, write_results

DIGIT = ROOT / "models" / "lenet5" / "digits" / "3.png"
GOAL_MS = 50


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default=ROOT / "build" / "release", type=Path)
    parser.add_argument("--repeat", default=50, type=int)
    parser.add_argument("--write", action="store_true", help="a file under docs/measurements")
    arguments = parser.parse_args()

    with tempfile.TemporaryDirectory() as temporary:
        digit = Image.open(io.BytesIO(DIGIT.read_bytes()))
        jpeg, bmp = Path(temporary) / "3.jpg", Path(temporary) / "3.bmp"
        digit.save(jpeg, quality=95)
        digit.save(bmp)
        program = str(arguments.build.resolve() / "bin" / "fovea")
        classify = [program, "classify", "lenet5"]
        cases = {
            "PNG": [*classify, str(DIGIT), "--json"],
            "JPEG": [*classify, str(jpeg), "--json"],
            "BMP (through OpenCV's module)": [*classify, str(bmp), "--json"],
            "`fovea version`, for comparison": [program, "version"],
        }
        taken = {name: [] for name in cases}
        for turn in range(arguments.repeat + 1):
            for name, command in cases.items():
                milliseconds, _ = first_line(command, [b'"3"', b"fovea"])
                if turn > 0:  # the first one fills the page cache
                    taken[name].append(milliseconds)

    png = statistics.median(taken["PNG"])
    facts = machine()
    lines = [
        "# From starting the program to the first label",
        "",
        f"How long does `fovea classify lenet5 3.png --json` take from its start to the first row? {png:.1f} ms in the "
        f"median, with a goal of {GOAL_MS} ms.",
        "",
        "| picture | milliseconds | 95th percentile |",
        "|---|---|---|",
        *(f"| {name} | {spread(values, 1)} | {statistics.quantiles(values, n=20)[18]:.1f} |"
          for name, values in taken.items()),
        "",
        f"Medians of {arguments.repeat} with lower and upper quartile.",
        "",
        "## How",
        "",
        "`python tests/bench/first_label.py --write`, with `tests/bench/requirements.txt` installed: the clock starts "
        "before `posix_spawn` and stops when the first line has been read from a pipe. The cases take turns; files are "
        "in the page cache. The pictures are `models/lenet5/digits/3.png` and copies of it in the other formats; the "
        "weights come with the program.",
        "",
        "## Where",
        "",
        *machine_lines(facts),
    ]
    if arguments.write:
        write_results(f"{facts['date']}-first-label", lines, {"machine": facts, "milliseconds": taken})
    else:
        print("\n".join(lines))


if __name__ == "__main__":
    main()

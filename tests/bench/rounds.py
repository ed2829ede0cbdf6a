"""What the scripts of this folder share: workers that take turns, statistics, and the facts of the machine.

A worker is a program that reads one command a line and answers with one line. It is stopped (SIGSTOP) whenever it is
not asked anything, so that no idle thread of one peer can spin while the other one is timed.
"""
import json
import os
import platform
import signal
import statistics
import subprocess
import textwrap
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SEED = 1  # of random weights
MEASUREMENTS = ROOT / "docs" / "measurements"


class Worker:
    """A child process that answers lines and sleeps in between."""

    def __init__(self, *command: object):
        self.process = subprocess.Popen([str(word) for word in command], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True, bufsize=1)
        self.name = Path(str(command[0])).name

    def ask(self, *words: object) -> str:
        self.process.send_signal(signal.SIGCONT)
        self.process.stdin.write(" ".join(str(word) for word in words) + "\n")
        answer = self.process.stdout.readline().strip()
        self.process.send_signal(signal.SIGSTOP)
        if not answer:
            raise RuntimeError(f"{self.name} ended at: {words}")
        return answer

    def seconds(self, *words: object) -> float:
        return float(self.ask(*words))

    def close(self):
        self.process.send_signal(signal.SIGCONT)
        self.process.stdin.close()
        self.process.wait(timeout=60)

    def kill(self):
        """However it is: one that is stopped would stay, with its memory."""
        self.process.kill()
        self.process.wait(timeout=60)


def first_line(command: list[str], expected: list[bytes]) -> tuple[float, int]:
    """Milliseconds from before the program starts to its first line on a pipe, and bytes of its peak memory. Fails
    unless it ends well and the line holds one of the expected pieces."""
    reading, writing = os.pipe()
    silence = os.open(os.devnull, os.O_WRONLY)
    start = time.perf_counter()
    child = os.posix_spawn(command[0], command, os.environ,
                           file_actions=[(os.POSIX_SPAWN_DUP2, writing, 1), (os.POSIX_SPAWN_DUP2, silence, 2)])
    os.close(writing)
    line = b""
    while not line.endswith(b"\n"):
        piece = os.read(reading, 65536)
        if not piece:
            break
        line += piece
    taken = time.perf_counter() - start
    os.close(reading)
    os.close(silence)
    _, status, usage = os.wait4(child, 0)
    if status != 0 or not any(piece in line for piece in expected):
        raise SystemExit(f"{' '.join(command)}: status {status}, first row {line!r}")
    return taken * 1000, usage.ru_maxrss * 1024


def quartiles(values: list[float]) -> list[float]:
    """Lower quartile, median, upper quartile."""
    return statistics.quantiles(values, n=4, method="inclusive") if len(values) > 1 else values * 3


def spread(values: list[float], digits: int) -> str:
    low, middle, high = quartiles(values)
    return f"{middle:.{digits}f} ({low:.{digits}f}-{high:.{digits}f})"


def output_of(*command: str) -> str:
    """What the command prints, or nothing where it fails; it says why on stderr."""
    try:
        return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, cwd=ROOT).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def limits(build: Path, model: str, threads: int, precision: str) -> dict:
    """What `fovea bench` measures of the machine: its largest rates, whatever the network reaches."""
    answer = output_of(str(build.resolve() / "bin" / "fovea"), "bench", model, "--weights", f"random:{SEED}",
                       "--duration", "0.2", "--warmup", "0", "--concurrency", "1", "--threads", str(threads),
                       "--precision", precision, "--json")
    if not answer:
        raise SystemExit(f"fovea bench {model} failed: build the program in {build}")
    return json.loads(answer)["limits"]


def machine() -> dict:
    """Facts that a figure is worth nothing without."""
    cpu = dict(line.split(":", 1) for line in output_of("lscpu").splitlines() if ":" in line)
    flags = set(cpu.get("Flags", "").split())
    known = ["avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_tile"]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    versions = {name: output_of("dpkg-query", "-W", "-f=${Version}", name)
                for name in ("libdnnl2", "libgomp1", "libjpeg62-turbo", "libpng16-16", "g++")}
    return {
        "date": time.strftime("%Y-%m-%d"),
        "commit": output_of("git", "describe", "--always", "--dirty", "--abbrev=12"),
        "cpu": " ".join(cpu.get("Model name", "unknown").split()),
        "cpu_model": f"family {cpu.get('CPU family', '?').strip()}, model {cpu.get('Model', '?').strip()}",
        "features": [flag for flag in known if flag in flags],
        "cores": os.cpu_count(),
        "l3": cpu.get("L3 cache", "").strip(),
        "memory_gib": round(memory / 2**30, 1),
        "system": platform.platform(),
        "python": platform.python_version(),
        "debian_packages": {name: version for name, version in versions.items() if version},
    }


def machine_lines(facts: dict) -> list[str]:
    packages = ", ".join(f"{name} {version}" for name, version in facts["debian_packages"].items())
    return [
        f"* Commit {facts['commit']}, release preset.",
        f"* {facts['cpu']} ({facts['cpu_model']}; {', '.join(facts['features'])}), {facts['cores']} cores, L3 "
        f"{facts['l3']}, {facts['memory_gib']} GiB. A virtual machine that others share.",
        f"* {facts['system']}, Python {facts['python']}.",
        f"* {packages}.",
    ]


def wrapped(line: str) -> str:
    """At most 120 columns, tables aside."""
    if line.startswith("|"):
        return line
    indent = "  " if line.startswith("* ") else ""
    return textwrap.fill(line, 120, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


def write_results(name: str, text: list[str], raw: dict):
    """docs/measurements/<name>.md, and the raw numbers beside it."""
    MEASUREMENTS.mkdir(parents=True, exist_ok=True)
    (MEASUREMENTS / f"{name}.md").write_text("\n".join(map(wrapped, text)) + "\n")
    (MEASUREMENTS / f"{name}.json").write_text(json.dumps(raw, indent=1) + "\n")
    print("\n".join(text))

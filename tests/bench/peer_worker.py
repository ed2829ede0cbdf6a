"""What the workers of peers share: the commands of plan_bench.cc, one a line, each with a line of answer."""
import sys
from collections.abc import Callable

from safetensors.numpy import save_file


def serve(open_runner: Callable):
    """Answers until the input ends. open_runner(BATCH, THREADS, CONTEXTS, words behind them...) makes what `open` names:
    an object with seconds(times) and outputs(), the probabilities of its first context's last run."""
    runners = {}
    for line in sys.stdin:
        verb, name, *rest = line.split()
        answer = "ok"
        if verb == "open":
            runners[name] = open_runner(*(int(word) for word in rest[:3]), *rest[3:])
        elif verb == "time":
            answer = f"{runners[name].seconds(int(rest[0])):.6f}"
        elif verb == "outputs":
            save_file({"probabilities": runners[name].outputs()}, rest[0])
        elif verb == "close":
            del runners[name]
        else:
            raise ValueError(f"no command is called {verb}")
        print(answer, flush=True)

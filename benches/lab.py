#!/usr/bin/env python3
"""Measures the daily runbook beside the shell on the lab's real servers: `lab.py PROGRAM`, with a lab that is up.

Each section of the page, its commands typed one after the other as it says, beside the same section as a runbook; then the
pods of a namespace that has many of them. In turn, medians, with the processor time and the memory of the programs
themselves: what the servers do for them is not counted.
"""

import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "lab"))

from compare import beside, environment, lab  # noqa: E402
from compared import SECTIONS  # noqa: E402

ROUNDS = 3
PODS = (5000, 50000) if os.environ.get("RUNBOOK_BENCH_LARGE") else (5000,)


class Took:
    """What a command took: by the clock, of the processor, and of memory at most."""

    def __init__(self, words, folder):
        start = time.perf_counter()
        with subprocess.Popen(words, cwd=folder, env=environment(folder), stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as child:
            self.output = child.stdout.read().decode(errors="replace")
            _, status, usage = os.wait4(child.pid, 0)
            child.returncode = os.waitstatus_to_exitcode(status)
        self.wall = time.perf_counter() - start
        self.code = child.returncode
        self.processor = usage.ru_utime + usage.ru_stime
        self.memory = usage.ru_maxrss / 1024


def typed(program, name, text, folder):
    """The command that runs a runbook, with consent to what it changes."""
    (folder / name).write_text(text)
    plan = subprocess.run([program, "plan", "--offline", name], cwd=folder, env=environment(folder), capture_output=True, text=True, check=True)
    consent = re.search(r"--approve (\S+)", plan.stdout)
    return [program, "run", name, "--no-notify", *(["--approve", consent[1]] if consent else [])]


def medians(one, other):
    """Both in turn."""
    rounds = [(one(), other()) for _ in range(ROUNDS)]
    return [{what: statistics.median(getattr(took[side], what) for took in rounds) for what in ("wall", "processor", "memory")}
            for side in (0, 1)]


def row(what, shell, own):
    """A line of the table."""
    ratio = lambda name: f"{shell[name] / own[name]:.1f}"  # noqa: E731
    print(f"| {what} | {own['wall']:.2f} s | {shell['wall']:.2f} s | {ratio('wall')} | {own['processor']:.2f} s | "
          f"{shell['processor']:.2f} s | {ratio('processor')} |", flush=True)


def beside_each_other(program, name, text, lines, folder):
    """A runbook beside the commands that it takes the place of."""
    words = typed(program, f"{name}.runbook", text, folder)
    script = folder / f"{name}.sh"
    script.write_text("\n".join(lines) + "\n")
    return medians(lambda: Took(["bash", str(script)], folder), lambda: Took(words, folder))


def sections(program, prelude, folder):
    """Section by section."""
    print("| section | runbook | shell | ratio | processor: runbook | shell | ratio |\n|---|---|---|---|---|---|---|")
    sums = [dict.fromkeys(("wall", "processor", "memory"), 0.0) for _ in range(2)]
    page, script = prelude, []
    for number, (title, rows) in enumerate(SECTIONS):
        # Scripts are not on the page: nobody can say what they take.
        rows = [(line, body) for line, body in rows if not line.startswith("./")]
        lines = [line for line, _ in rows]
        steps = "".join(f'  step "{place}" {{\n{body}\n  }}\n' for place, (_, body) in enumerate(rows))
        section = f'section "{title}" {{\n{steps}}}\n'
        both = beside_each_other(program, str(number), prelude + section, lines, folder)
        page += section
        script += lines
        row(title, *both)
        for whole, one in zip(sums, both):
            for name, value in one.items():
                whole[name] += value
    row("all of them, one after the other", *sums)
    row("the whole page in one run", *beside_each_other(program, "page", page, script, folder))


def pods(program, prelude, folder, count):
    """A namespace with many pods."""
    lab("break", "many-pods", str(count))
    try:
        text = prelude.replace("namespace: namespace", 'namespace: "many"')
        text += 'section "S" {\n  check cluster.pods() | all(.status == "Running") as "all run"\n}\n'
        words = typed(program, "pods.runbook", text, folder)
        line = "kubectl get pods -n many --no-headers | grep -vc Running"
        found = subprocess.run(["bash", "-c", "kubectl get pods -n many --no-headers | wc -l"], env=environment(folder),
                               capture_output=True, text=True, check=True)
        assert int(found.stdout) == count, found.stdout
        shell, own = medians(lambda: Took(["bash", "-c", line], folder), lambda: Took(words, folder))
        row(f"{count} pods listed and judged", shell, own)
        print(f"memory: {own['memory']:.0f} MiB, beside {shell['memory']:.0f} MiB of the largest program of the shell's")
    finally:
        lab("mend", "many-pods")


def main(program):
    """The table."""
    program = str(Path(program).resolve())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prelude = beside(folder)
        sections(program, prelude, folder)
        for count in PODS:
            pods(program, prelude, folder, count)


if __name__ == "__main__":
    main(*sys.argv[1:])

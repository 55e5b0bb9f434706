#!/usr/bin/env python3
"""Writes `runbooks/daily.md`: each command of the page beside its typed form, and what both say on the lab.

`compare.py PROGRAM PAGE` needs a lab that is up. It breaks the lab and mends it again.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from pathlib import Path

sys.dont_write_bytecode = True

from compared import SECTIONS  # noqa: E402
from control import parts  # noqa: E402
from control.places import BIN, CACHE, HERE, VENV  # noqa: E402

STATES = [("as it is", None), ("postgres dead", "kill-postgres"), ("a pod crash-looping", "crash-pod"), ("API answers 401", "api-401")]
LIMIT = 60
SHIPPED = HERE.parent.parent / "runbooks" / "daily.runbook"
# What `curl -w` is told by the page's file, of which the page does not say what is in it.
FORMAT = "total %{time_total}s, status %{http_code}\n"


def environment(folder):
    """The lab's, with its kubectl, and with nothing of a runbook's secrets left out."""
    path = f"{BIN}:{CACHE}:{VENV / 'bin'}:{os.environ['PATH']}"
    return {**os.environ, **parts.environment(), "PATH": path, "RUNBOOK_STATE": str(folder / "state"), "TERM": "dumb"}


def lab(*words):
    """A command of the lab."""
    done = subprocess.run([HERE / "lab", *words], check=False, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"lab {' '.join(words)}: {done.stderr.strip() or done.stdout.strip()}")


def run(words, folder, **more):
    """Exit code, output and errors; what hangs is ended."""
    try:
        done = subprocess.run(words, cwd=folder, env=environment(folder), capture_output=True, stdin=subprocess.DEVNULL, timeout=LIMIT, **more)
        return done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")
    except subprocess.TimeoutExpired:
        return "none", "", f"no end within {LIMIT} s"


def short(text, most=96):
    """The first characters of a text, for a cell of a table."""
    text = " ".join(text.split()).replace("|", "\\|").replace("`", "'").replace("<", "&lt;")
    return text if len(text) <= most else text[:most - 1].rstrip("\\") + "…"


class Answer:
    """What was said: the exit code, what came of it, every line that was printed, and a line about what went wrong."""

    def __init__(self, code, counted, lines, wrong):
        self.code, self.counted, self.lines, self.wrong = code, counted, lines, wrong

    def bare(self):
        """Its lines as every run has them: without numbers, ages and the names that a cluster makes up."""
        return {bare(line) for line in self.lines}

    def told(self, usual=None):
        """For a cell. Beside what is usual, the first line that is not is what a reader looks for."""
        if usual and (self.code, bare(self.counted), bare(self.wrong)) == (usual.code, bare(usual.counted), bare(usual.wrong)) and self.bare() == usual.bare():
            return "as before"
        known = usual.bare() if usual else set()
        first = next((line for line in self.lines if bare(line) not in known), self.lines[0] if self.lines else "")
        return "; ".join(part for part in (f"exit {self.code}", self.counted, short(first, 80), self.wrong) if part)


def bare(text):
    """A text without what differs from one run to the next."""
    text = re.sub(r"-[0-9a-f]{8,10}-[a-z0-9]{5}\b", "-N", text)
    return " ".join(re.sub(r"[<>]?\d[\w.:]*%?", "N", text).split())


def shell(line, folder):
    """What a shell line says."""
    code, out, errors = run(["bash", "-c", line], folder)
    unwanted = re.compile(r"Unable to use a TTY|^Defaulted container|^Found \d+ pods|^\s*% Total|^\s+Dload|^\s*\d+ +\d+ ")
    lines = [one for one in out.splitlines() if one.strip()]
    errors = [one for one in errors.splitlines() if one.strip() and not unwanted.search(one)]
    counted = "nothing printed" if not lines else "1 line" if len(lines) == 1 else f"{len(lines)} lines"
    if len(lines) > 1 and re.match(r"NAME|Filesystem|LAST SEEN", lines[0]):
        lines = [*lines[1:], lines[0]]
    return Answer(code, counted, lines, "stderr: " + short(errors[-1], 100) if errors else "")


def typed(program, number, body, prelude, folder):
    """What the typed form says: each check, value or change by what came of it."""
    name = f"{number}.runbook"
    (folder / name).write_text(prelude + f'section "S" {{\n{body}\n}}\n')
    plan = run([program, "plan", "--offline", name], folder)[1]
    consent = re.search(r"--approve (\S+)", plan)
    words = [program, "run", name, "--format", "json", "--no-notify", *(["--approve", consent[1]] if consent else [])]
    code, out, errors = run(words, folder)
    counted, lines, wrong = [], [], []
    for event in map(json.loads, filter(None, out.splitlines())):
        fault = (event.get("fault") or {}).get("message", "")
        match event["event"]:
            case "checked" if event["outcome"] == "passed":
                counted.append("passed")
            case "checked" if event["outcome"] == "failed":
                counted.append("**failed**")
                for evidence in event["evidence"]:
                    lines += shown(evidence["body"])[1]
            case "checked":
                wrong.append("**not measured**: " + short(fault, 120))
            case "shown":
                how, found = shown(event["shown"]["body"])
                counted.append(how)
                lines += found
            case "not_shown":
                wrong.append("**not shown**: " + short(fault, 120))
            case "change_ended":
                counted.append(f"change {event['outcome']}")
                wrong += [short(fault, 100)] if fault else []
            case "change_withheld":
                counted.append("**change withheld**")
    if not counted and not wrong and errors:
        wrong.append(short(errors.splitlines()[0]))
    return Answer(code, ", ".join(filter(None, counted)), lines, "; ".join(wrong))


def cells(row):
    """The texts of a row."""
    return " ".join(str(one.get("text", "")) if isinstance(one, dict) else str(one) for one in (row if isinstance(row, list) else [row]))


def shown(body):
    """How much a value is, and its lines."""
    match body.get("form"):
        case "record":
            return "", [", ".join(f"{name} {cells(value)}" for name, value in body["fields"])]
        case "value":
            return "", [cells(body["cell"])]
    rows = next((body[name] for name in ("rows", "items", "lines") if isinstance(body.get(name), list)), None)
    if rows is None:
        return "", [json.dumps(body)[:200]]
    total = body.get("total", len(rows))
    return "no row" if not total else "1 row" if total == 1 else f"{total} rows", [cells(row) for row in rows]


def look(program, prelude, folder, rows):
    """Both answers of each row, in the lab as it is now."""
    def both(numbered):
        number, (line, body) = numbered
        return (shell(line, folder) if not line.startswith("./") else None), typed(program, number, body, prelude, folder)

    with ThreadPoolExecutor(4) as pool:
        return list(pool.map(both, enumerate(rows)))


def cell(answers, first):
    """A cell of the table: the shell, then the typed form."""
    says = []
    for name, answer, usual in zip(("shell", "typed"), answers, first or (None, None)):
        told = "the script is not on the page" if answer is None else answer.told(usual)
        says.append(f"{name}: {told}")
    return "says the same" if all(one.endswith((": as before", "not on the page")) for one in says) else "<br>".join(says)


def beside(folder):
    """The declarations of `daily.runbook`, with what they and the page need put into a folder."""
    (folder / "curl-format.txt").write_text(FORMAT)
    for template in ("alert_email_template.html", "alert_slack_template.json"):
        (folder / template).write_text((SHIPPED.parent / template).read_text())
    text = SHIPPED.read_text()
    return text[:text.index('\nsection "')].replace("/var/log/sarvanom/", "log") + "\n"


def main(program, page):
    """The four states, one after the other, and the page."""
    program = str(Path(program).resolve())
    rows = [row for _, rows in SECTIONS for row in rows]
    found = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prelude = beside(folder)
        for state, fault in STATES:
            if fault:
                lab("break", fault)
            try:
                found[state] = look(program, prelude, folder, rows)
            finally:
                if fault:
                    lab("mend", fault)
            print(state, flush=True)
    version = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    Path(page).write_text(written(found, version))


def written(found, version):
    """The page."""
    now = datetime.now(timezone.utc)
    lines = [
        "# Daily operations: each command and its typed form", "",
        f"Made on {now:%Y-%m-%d at %H:%M} UTC by `tests/lab/compare.py` with {version}, on `tests/lab`: the real API server of Kubernetes with nodes that are played, real PostgreSQL and Redis, and stand-ins for S3 and the web services. "
        "The stand-ins answer as the page expects, also where the products do not: a real Qdrant has no `/health`, and the model APIs answer 401 without a key. "
        "Nothing here was written by hand but the two forms themselves.", "",
        "Each line was run by `bash -c` without a terminal, as cron does; `-it` says so on standard error, which is left out here, and so are progress meters. "
        "Each typed form was run by `runbook run --no-notify`, with the declarations of `daily.runbook` in front of it. "
        "Shown are the exit code, how much was printed, the first line of it that the lab as it is does not print, and the last of standard error. "
        "What differs from the lab as it is in numbers and made-up names only is `as before`, and `says the same` where both forms do.", ""]
    place = 0
    for title, rows in SECTIONS:
        lines += [f"## {title}", "", "| the page's command | typed | " + " | ".join(state for state, _ in STATES) + " |", "|---|---|" + "---|" * len(STATES)]
        for line, body in rows:
            usual = found[STATES[0][0]][place]
            cells = [cell(found[state][place], None if fault is None else usual) for state, fault in STATES]
            code = "`` " + line.replace("|", "\\|") + " ``"
            form = "<br>".join("`` " + part.strip().replace("|", "\\|") + " ``" for part in body.strip().splitlines())
            lines.append(f"| {code} | {form} | " + " | ".join(cells) + " |")
            place += 1
        lines.append("")
    return "\n".join(lines)


if __name__ == "__main__":
    main(*sys.argv[1:])

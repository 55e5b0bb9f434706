"""Programs of the lab: started apart from whoever starts them, known by their process and its start, ended with it."""

import fcntl
import json
import os
import signal
import socket
import subprocess
import time
from contextlib import contextmanager

from .places import STATE

FILE = STATE / "processes.json"


class Failed(Exception):
    """Something of the lab that does not work, in words for people."""


def _known():
    try:
        return json.loads(FILE.read_text())
    except FileNotFoundError:
        return {}


@contextmanager
def _alone():
    """Parts come up side by side, and several people may break and mend at once: one changes the list at a time."""
    with open(FILE.with_suffix(".lock"), "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _note(name, entry):
    """Keeps a program in the list, or with `None` takes it out."""
    known = _known()
    known.pop(name, None)
    if entry:
        known[name] = entry
    whole = FILE.with_suffix(".new")
    whole.write_text(json.dumps(known, indent=1))
    whole.replace(FILE)


def _began(pid):
    """When a process began, in ticks since the boot: its number may belong to another one by now."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            fields = file.read().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] == "Z" else int(fields[19])


def start(name, command, env=None, cwd=None, user=None):
    """Starts a program under a name, unless it runs already: a second one would take its place in the list, and nobody
    would end the first. Its output goes to a file of that name."""
    with _alone(), open(STATE / f"{name}.log", "ab") as log:
        if pid(name) is not None:
            return
        process = subprocess.Popen(
            [str(word) for word in command],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, user=user,
            env={**os.environ, **(env or {})}, cwd=cwd or STATE,
        )
        _note(name, {"pid": process.pid, "began": _began(process.pid)})


def pid(name):
    """The process of a name, if it still runs."""
    entry = _known().get(name)
    if entry and entry["began"] is not None and _began(entry["pid"]) == entry["began"]:
        return entry["pid"]
    return None


def stop(name, how=signal.SIGTERM, patience=10.0):
    """Ends a program and its children, kindly first."""
    process = pid(name)
    if process is not None:
        _signal(process, how)
        until = time.monotonic() + patience
        while pid(name) is not None:
            if time.monotonic() > until:
                _signal(process, signal.SIGKILL)
            time.sleep(0.05)
        # What has ended and was not yet taken note of still holds its lock files: another server would not start.
        while os.path.exists(f"/proc/{process}") and time.monotonic() < until:
            time.sleep(0.05)
    with _alone():
        # Somebody may have started it anew by now.
        if pid(name) is None:
            _note(name, None)


def _signal(process, how):
    try:
        os.killpg(process, how)
    except ProcessLookupError:
        pass


def names():
    """The programs that were started, the newest first."""
    return list(reversed(_known()))


def run(command, **more):
    """Runs a program to its end and gives what it printed."""
    if "input" not in more:
        more["stdin"] = subprocess.DEVNULL
    done = subprocess.run(
        [str(word) for word in command],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False, **more,
    )
    if done.returncode != 0:
        raise Failed(f"`{' '.join(str(word) for word in command)}` failed: {(done.stderr or done.stdout).strip()[-2000:]}")
    return done.stdout


def wait_for(what, look, patience=60.0):
    """Waits until something is so."""
    until = time.monotonic() + patience
    why = ""
    while time.monotonic() < until:
        try:
            if look():
                return
        except (Failed, OSError, ValueError) as error:
            why = f": {error}"
        time.sleep(0.1)
    raise Failed(f"{what} is not there after {patience:.0f}s{why}")


def listens(port):
    """Whether somebody takes connections at a port."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0

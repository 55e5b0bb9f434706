"""The commands of the lab."""

import argparse
import json
import signal
import sys

from . import build, faults, parts
from .processes import Failed


def main(words):
    """One command; its exit code."""
    parser = argparse.ArgumentParser(prog="lab", description="Real servers on loopback for the tests of runbook.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("build", help="get and build all of it, once; ten minutes the first time")
    commands.add_parser("up", help="bring it up; what cannot be had is named")
    commands.add_parser("down", help="take it down")
    listing = commands.add_parser("list", help="its parts, where they are and whether they are up")
    listing.add_argument("--json", action="store_true")
    commands.add_parser("missing", help="the parts that cannot be had here, a line each, with the reason")
    commands.add_parser("env", help="what a shell exports to use it: eval \"$(tests/lab/lab env)\"")
    for name, what in (("break", "break something"), ("mend", "mend it again")):
        breaking = commands.add_parser(name, help=what)
        breaking.add_argument("fault", nargs="?", choices=sorted(faults.FAULTS))
        breaking.add_argument("argument", nargs="?")
    asked = parser.parse_args(words)
    # `lab list | head` ends quietly.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    try:
        return _run(asked)
    except Failed as error:
        print(f"lab: {error}", file=sys.stderr)
        return 1


def _run(asked):
    match asked.command:
        case "build":
            return build.build()
        case "up":
            return parts.up()
        case "down":
            return parts.down()
        case "env":
            for name, value in parts.environment().items():
                print(f"export {name}='{value}'")
        case "missing":
            for name, why in parts.facts()["missing"].items():
                print(name, " ".join(why.split()))
        case "list" if asked.json:
            print(json.dumps(parts.facts()))
        case "list":
            facts = parts.facts()
            for name, part in facts["parts"].items():
                why = facts["missing"].get(name)
                print(f"{name:13} {'up' if part['up'] else 'down':5} {part['address']:30} {why or ''}".rstrip())
        case "break" | "mend" if asked.fault is None:
            for name, fault in sorted(faults.FAULTS.items()):
                print(f"{name:14} {fault.says}")
        case "break" | "mend" if not parts.is_up():
            raise Failed("the lab is not up: `lab up` brings it up")
        case "break":
            faults.FAULTS[asked.fault].breaks(asked.argument)
        case "mend":
            faults.FAULTS[asked.fault].mends()
    return 0

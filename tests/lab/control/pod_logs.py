"""Logs of pods, in the form in which a node keeps them: a line a minute and more over the last hours, different by pod."""

import random
from datetime import datetime, timedelta, timezone

from .kwok import LOGS

# What each service says, and how often of a thousand.
LINES = {
    "gateway": [
        (700, "INFO request id={n} path=/query status=200 took={ms}ms user=u{n}"), (120, "INFO access granted user=u{n} role=reader"),
        (25, "WARN access denied user=u{n} role=admin"), (20, "WARN failed login user=u{n} from 10.9.{b}.{c}"),
        (15, "ERROR upstream retrieval failed: timeout after {ms}ms"), (12, "ERROR unauthorized: api key expired key=k{n}"),
        (20, "WARN slow query id={n} took {ms}ms"), (40, "INFO api key used key=k{n}"), (6, "WARN suspicious pattern in query id={n}"),
        (3, "WARN privilege escalation attempt by u{n}"), (2, "WARN anomaly: attack signature sig-{b} blocked"), (34, "DEBUG cache hit ratio=0.{b}"),
        (3, "INFO security: session of u{n} ended by its time"),
    ],
    "retrieval": [(940, "INFO fetched {b} documents in {ms}ms"), (45, "ERROR qdrant error: collection not ready"), (15, "WARN retry {b}")],
    "synthesis": [(985, "INFO answer id={n} tokens={ms}"), (15, "error: model overloaded, attempt {b}")],
}
OTHER = [(990, "INFO checkpoint {n} complete"), (10, "ERROR could not fsync segment {b}")]
HOURS = 7
EVERY = 4.0


def write(pods):
    """A log for each pod; those of gateway, and of retrieval, which `crash-pod` breaks, have a run before this one as well."""
    LOGS.mkdir(exist_ok=True)
    (LOGS / "empty").write_text("")
    now = datetime.now(timezone.utc)
    for pod in pods:
        service = pod.rsplit("-", 2)[0] if pod.count("-") > 1 else pod.rsplit("-", 1)[0]
        chance = random.Random(f"{service}/{pods.index(pod)}")
        (LOGS / f"{pod}.log").write_text("".join(_lines(service, chance, now, HOURS)))
        if service in ("gateway", "retrieval"):
            before = _lines(service, chance, now - timedelta(hours=HOURS), 1)
            (LOGS / f"{pod}.previous").write_text("".join([*before, _line(now - timedelta(hours=HOURS), "FATAL out of memory")]))


def _lines(service, chance, end, hours):
    kinds = LINES.get(service, OTHER)
    weights = [weight for weight, _ in kinds]
    time = end - timedelta(hours=hours)
    while True:
        time += timedelta(seconds=chance.expovariate(1 / EVERY))
        if time >= end:
            return
        text = chance.choices(kinds, weights)[0][1]
        yield _line(time, text.format(n=chance.randrange(10_000), ms=chance.randrange(5, 9000), b=chance.randrange(90) + 10, c=chance.randrange(250)))


def _line(time, text):
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S.%f')}000Z stdout F {text}\n"

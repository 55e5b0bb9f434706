"""Where things are: the cache of what was built, the state of a lab that is up, the ports."""

import os
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
CACHE = Path(
    os.environ.get("RUNBOOK_LAB_CACHE")
    or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "runbook-lab"
)
BIN = CACHE / "bin"
VENV = CACHE / "venv"
STATE = Path(os.environ.get("RUNBOOK_LAB_STATE") or CACHE / "state")

# PostgreSQL does not run as root, and another user does not get into root's home.
DATA = Path(f"/var/tmp/runbook-lab-{os.environ.get('RUNBOOK_LAB_PORT') or 27100}") if os.getuid() == 0 else STATE / "data"

# Where the objects of the lab are.
NAMESPACE = "sarvanom-production"

# Every port is the first one plus its place in this list, so that two labs stand beside each other with two first ports.
FIRST = int(os.environ.get("RUNBOOK_LAB_PORT") or 27100)
NAMES = [
    "etcd", "etcd-peer", "apiserver", "controller-manager", "scheduler", "kwok", "metrics-server", "slow-api",
    "postgres", "replica", "redis", "redis-tls", "hung", "s3",
    "prometheus", "alertmanager", "blackbox", "smtp", "proxy",
    "slack", "pagerduty", "openai", "anthropic", "huggingface", "ollama", "qdrant", "arangodb", "meilisearch",
    "sarvanom", "tracker", "elasticsearch", "jaeger", "grafana",
]


def port(name):
    """The port of a part."""
    return FIRST + NAMES.index(name)


def url(name, scheme="http"):
    """The address of a part that speaks HTTP."""
    return f"{scheme}://127.0.0.1:{port(name)}"

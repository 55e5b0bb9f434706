"""What kwok's pods can do: be ready, write logs, run commands, carry ports, use processor and memory."""

import json
import shutil

from .build import STAGES
from .places import HERE, NAMESPACE, STATE, port

# Which server of the lab stands behind which port of which pod.
FORWARDS = {
    "postgres-0": (5432, "postgres"), "redis-0": (6379, "redis"), "qdrant-0": (6333, "qdrant"),
    "arangodb-0": (8529, "arangodb"), "meilisearch-0": (7700, "meilisearch"), "ollama-0": (11434, "ollama"),
}
SHIMS = STATE / "shims"
LOGS = STATE / "pod-logs"


def configuration():
    """kwok's configuration: what stands for containers here. How pods become ready is its own."""
    write_shims()
    documents = [STAGES.read_text(), (HERE / "kwok" / "metrics.yaml").read_text()]
    documents += [json.dumps(each) for each in [*_forwards(), *_commands(), *_logs()]]
    return "\n---\n".join(documents)


def _object(kind, name, spec, namespace=NAMESPACE):
    metadata = {"name": name} if namespace is None else {"name": name, "namespace": namespace}
    return {"apiVersion": "kwok.x-k8s.io/v1alpha1", "kind": kind, "metadata": metadata, "spec": spec}


def _forwards():
    for pod, (inner, name) in FORWARDS.items():
        targets = [{"ports": [inner], "target": {"address": "127.0.0.1", "port": port(name)}},
                   # A server that takes the connection and never says a word.
                   {"ports": [9999], "target": {"address": "127.0.0.1", "port": port("hung")}},
                   # Nobody listens.
                   {"ports": [9998], "target": {"address": "127.0.0.1", "port": 1}}]
        yield _object("PortForward", pod, {"forwards": targets})


def _commands():
    """Commands run here, with the lab's own clients and a `df` that speaks of the pod's disks."""
    for pod, (inner, name) in FORWARDS.items():
        env = {
            "PATH": f"{SHIMS}:/usr/local/bin:/usr/bin:/bin", "POD": pod, "LAB_DISKS": str(STATE / "disks"),
            "PGHOST": "127.0.0.1", "PGPORT": str(port("postgres")), "PGPASSWORD": "lab", "PGSSLMODE": "disable",
            "REDISPORT": str(port("redis")), "INNER": str(inner), "OUTER": str(port(name)),
        }
        local = {"envs": [{"name": key, "value": value} for key, value in env.items()]}
        yield _object("Exec", pod, {"execs": [{"local": local}]})
    local = {"envs": [{"name": "PATH", "value": f"{SHIMS}:/usr/bin:/bin"}, {"name": "POD", "value": "any"},
                      {"name": "LAB_DISKS", "value": str(STATE / "disks")}]}
    yield _object("ClusterExec", "any", {"execs": [{"local": local}]}, namespace=None)


def _logs():
    """Logs by pod: of the fixed ones each its own, of a deployment those that its pods were given on the way up."""
    for file in sorted(LOGS.glob("*.log")):
        pod = file.stem
        previous = LOGS / f"{pod}.previous"
        log = {"logsFile": str(file), "follow": False}
        if previous.exists():
            log["previousLogsFile"] = str(previous)
        yield _object("Logs", pod, {"logs": [log]})
    yield _object("ClusterLogs", "none", {"logs": [{"logsFile": str(LOGS / "empty"), "follow": False}]}, namespace=None)


def write_shims():
    """Programs that stand in the place of a pod's own."""
    SHIMS.mkdir(exist_ok=True)
    (STATE / "disks").mkdir(exist_ok=True)
    for file in (HERE / "shims").iterdir():
        shutil.copy(file, SHIMS / file.name)
        (SHIMS / file.name).chmod(0o755)

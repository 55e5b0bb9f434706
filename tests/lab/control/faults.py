"""What can be broken, and how it is mended."""

import json
import signal
import time
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Callable

from . import databases, kubernetes, objects, pod_logs, services
from .places import NAMESPACE, STATE
from .processes import Failed, pid, run, stop, wait_for


@dataclass
class Fault:
    """Something that goes wrong."""

    says: str
    breaks: Callable
    mends: Callable


def _status(pod, status):
    """Makes the API say something of a pod. kwok leaves a pod alone that is ready."""
    kubernetes.kubectl("patch", "pod", pod, "-n", NAMESPACE, "--subresource=status", "--type=merge", "-p", json.dumps({"status": status}))


def _own():
    """The pods that the lab's workloads make, whatever else a fault has put beside them."""
    return [pod for pod in kubernetes.pods() if "app" in pod["metadata"].get("labels", {})]


def _pod(app):
    found = [pod["metadata"]["name"] for pod in kubernetes.pods() if pod["metadata"].get("labels", {}).get("app") == app]
    if not found:
        raise Failed(f"there is no pod of {app}")
    return sorted(found)[0]


def crash_pod(_=None):
    """The pod of retrieval crashes again and again, for want of memory."""
    now = datetime.now(timezone.utc)
    times = [f"{now - timedelta(minutes=minutes):%Y-%m-%dT%H:%M:%SZ}" for minutes in (6, 3)]
    ended = {"exitCode": 137, "reason": "OOMKilled", "startedAt": times[0], "finishedAt": times[1]}
    container = {"name": "retrieval", "image": "sarvanom/retrieval:2.0.9", "imageID": "", "ready": False, "restartCount": 14,
                 "started": False, "lastState": {"terminated": ended},
                 "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 5m0s restarting failed container"}}}
    conditions = [{"type": kind, "status": "False", "reason": "ContainersNotReady"} for kind in ("Ready", "ContainersReady")]
    conditions.append({"type": "Initialized", "status": "True"})
    _status(_pod("retrieval"), {"phase": "Running", "containerStatuses": [container], "conditions": conditions})


def mend_pod():
    """A pod that is deleted comes back well."""
    kubernetes.kubectl("delete", "pod", _pod("retrieval"), "-n", NAMESPACE, "--wait=true")
    wait_for("the pods", lambda: len(_own()) == objects.PODS and kubernetes.all_run(_own()))
    # A new pod has a new name, and is given a log of its own.
    pod_logs.write(sorted(pod["metadata"]["name"] for pod in _own()))
    stop("kwok")
    kubernetes.start_nodes()
    wait_for("kwok", lambda: kubernetes.kubectl("logs", _pod("retrieval"), "-n", NAMESPACE, "--tail=1"))
    # What is measured counts from kwok's start: old measurements go away first, two rounds later the new ones are there.
    time.sleep(22)
    wait_for("the metrics", kubernetes.has_metrics, patience=90)


def pending_pod(_=None):
    """A pod that asks for more than any node has."""
    spec = {"containers": [{"name": "large", "image": "large", "resources": {"requests": {"memory": "900Gi"}}}]}
    kubernetes.apply([{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "too-large", "namespace": NAMESPACE}, "spec": spec}])


def schedule_pod():
    """Without that pod."""
    kubernetes.kubectl("delete", "pod", "too-large", "-n", NAMESPACE, "--ignore-not-found", "--wait=true")


def fill_disk(share=None):
    """The disk of postgres-0 is nearly full."""
    (STATE / "disks" / "postgres-0").write_text(share or "97")


def empty_disk():
    """As it was."""
    (STATE / "disks" / "postgres-0").unlink(missing_ok=True)


def kill(name):
    """Ends a program at once."""
    return lambda _=None: stop(name, signal.SIGKILL)


def kill_products(_=None):
    """Ends the web services; the proxy says that they are down."""
    stop("products", signal.SIGKILL)


def start_products():
    """The web services again."""
    stop("names")
    services.start_products()


def slow_api(seconds=None):
    """The context `slow` of the kubeconfig answers late."""
    (STATE / "slow-api.how").write_text(f"delay {seconds or 2}")


def cut_api(size=None):
    """The context `slow` breaks off after some bytes."""
    (STATE / "slow-api.how").write_text(f"cut {size or 6000}")


def straight_api():
    """As it was."""
    (STATE / "slow-api.how").unlink(missing_ok=True)


def current_context(name):
    """Makes another context the one that is used where none is named."""
    return lambda _=None: run([kubernetes.KUBECTL[0], "--kubeconfig", kubernetes.KUBECONFIG, "config", "use-context", name])


def hide_metrics(_=None):
    """No usage of pods and nodes."""
    kubernetes.kubectl("delete", "apiservice", "v1beta1.metrics.k8s.io", "--ignore-not-found")


def show_metrics():
    """The usage again."""
    kubernetes.apply(kubernetes.metrics_objects())
    wait_for("the metrics", kubernetes.has_metrics)


def is_going(namespace):
    """Whether a namespace was deleted and is still there."""
    words = ("get", "namespace", namespace, "--ignore-not-found", "--output=jsonpath={.status.phase}")
    return kubernetes.kubectl(*words).strip() == "Terminating"


def many_pods(count=None):
    """Thousands of pods in the namespace `many`."""
    # What was there before goes away for a while, and takes nothing new until then.
    wait_for("the end of the namespace of before", lambda: not is_going("many"), patience=900)
    items = list(objects.many(int(count or 5000)))
    for begin in range(0, len(items), 500):
        kubernetes.apply(items[begin:begin + 500])


def no_many_pods():
    """Without them."""
    run([*kubernetes.KUBECTL, "delete", "namespace", "many", "--ignore-not-found", "--wait=false"])


def real_products(_=None):
    """The web services answer as the products do, not as the seed's page expects."""
    (services.RECORDS / "mode").write_text("real")


def seed_products():
    """As the seed's page expects."""
    (services.RECORDS / "mode").unlink(missing_ok=True)


def start_api():
    """The API again."""
    if pid("kube-apiserver") is None:
        kubernetes.start_apiserver()


def hang_postgres(_=None):
    """PostgreSQL takes connections and says nothing: its process is stopped."""
    run(["kill", "-STOP", str(pid("postgres"))])


def go_on_postgres():
    """It goes on."""
    run(["kill", "-CONT", str(pid("postgres"))])


FAULTS = {
    "crash-pod": Fault("a pod of retrieval is in CrashLoopBackOff", crash_pod, mend_pod),
    "pending-pod": Fault("a pod that fits on no node", pending_pod, schedule_pod),
    "full-disk": Fault("the disk of postgres-0 is at 97%", fill_disk, empty_disk),
    "kill-postgres": Fault("PostgreSQL is down", kill("postgres"), databases.serve_postgres),
    "hang-postgres": Fault("PostgreSQL takes connections and does not answer", hang_postgres, go_on_postgres),
    "kill-redis": Fault("Redis is down", kill("redis"), databases.serve_redis),
    "kill-products": Fault("the web services are down, behind the pods as well", kill_products, start_products),
    "slow-api": Fault("the context `slow` answers late, by [seconds]", slow_api, straight_api),
    "cut-api": Fault("the context `slow` breaks off after [bytes]", cut_api, straight_api),
    "stop-api": Fault("the Kubernetes API is down", kill("kube-apiserver"), start_api),
    "api-401": Fault("the current context has a token that nobody knows", current_context("wrong-token"), current_context("lab")),
    "api-403": Fault("the current context may do nothing", current_context("forbidden"), current_context("lab")),
    "no-metrics": Fault("the metrics API is not there", hide_metrics, show_metrics),
    "many-pods": Fault("[5000] pods in the namespace `many`", many_pods, no_many_pods),
    "real-products": Fault("the web services answer as the products do", real_products, seed_products),
}

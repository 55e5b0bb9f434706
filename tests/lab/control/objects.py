"""The objects of the cluster: SarvanOM as the seed's page knows it, on three nodes."""

from datetime import datetime, timedelta, timezone

from .kwok import FORWARDS
from .places import NAMESPACE


# name: (pods, container port, cpu used, memory used)
DEPLOYMENTS = {"gateway": (2, 8080, "180m", "210Mi"), "retrieval": (1, 8081, "420m", "900Mi"), "synthesis": (1, 8082, "75m", "310Mi")}
# name: (port, cpu used, memory used)
STORES = {
    "postgres": (5432, "350m", "1400Mi"), "redis": (6379, "40m", "220Mi"), "qdrant": (6333, "90m", "700Mi"),
    "arangodb": (8529, "110m", "820Mi"), "meilisearch": (7700, "60m", "260Mi"), "ollama": (11434, "600m", "3Gi"),
}
# Services that are called otherwise than what they select.
SERVICES = {"ollama": "ollama-production"}


def _meta(name, **more):
    return {"name": name, "namespace": NAMESPACE, "labels": {"app": name}, **more}


def _template(name, inner, cpu, memory):
    container = {
        "name": name, "image": f"sarvanom/{name}:2.0.{len(name)}", "ports": [{"name": "main", "containerPort": inner}],
        "resources": {"requests": {"cpu": "250m", "memory": "512Mi"}, "limits": {"cpu": "2", "memory": "4Gi"}},
    }
    return {"metadata": {"labels": {"app": name}, "annotations": {"lab/cpu": cpu, "lab/memory": memory}},
            "spec": {"containers": [container], "terminationGracePeriodSeconds": 0}}


def _node(name):
    room = {"cpu": "8", "memory": "32Gi", "pods": "5000"}
    return {"apiVersion": "v1", "kind": "Node",
            "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name, "type": "kwok"},
                         "annotations": {"node.alpha.kubernetes.io/ttl": "0", "kwok.x-k8s.io/node": "fake",
                                         "metrics.k8s.io/resource-metrics-path": f"/metrics/nodes/{name}/metrics/resource"}},
            "status": {"allocatable": room, "capacity": room}}


def _service(name, inner):
    return {"apiVersion": "v1", "kind": "Service", "metadata": _meta(SERVICES.get(name, name)),
            "spec": {"selector": {"app": name}, "ports": [{"name": "main", "port": inner, "targetPort": "main"}]}}


def cluster():
    """What there is before any pod: the namespace, the nodes, who may read, a kind of their own for alerts."""
    yield {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
    yield {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "empty"}}
    for name in ("node-1", "node-2", "node-3"):
        yield _node(name)
    rules = [
        {"apiGroups": ["", "apps", "batch", "networking.k8s.io", "discovery.k8s.io", "metrics.k8s.io"],
         "resources": ["pods", "pods/log", "services", "events", "deployments", "replicasets", "statefulsets",
                       "daemonsets", "jobs", "cronjobs", "ingresses", "endpointslices"], "verbs": ["get", "list"]},
    ]
    yield {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": _meta("reader"), "rules": rules}
    yield {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": _meta("reader"),
           "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "reader"},
           "subjects": [{"kind": "User", "name": "reader", "apiGroup": "rbac.authorization.k8s.io"}]}
    group = "monitoring.sarvanom.com"
    fields = {"type": "object", "properties": {"spec": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}}
    yield {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
           "metadata": {"name": f"alerts.{group}"},
           "spec": {"group": group, "scope": "Namespaced",
                    "names": {"plural": "alerts", "singular": "alert", "kind": "Alert", "shortNames": ["al"]},
                    "versions": [{"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": fields}}]}}


def workloads():
    """What runs, and what leads to it."""
    for name, (count, inner, cpu, memory) in DEPLOYMENTS.items():
        yield {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": _meta(name),
               "spec": {"replicas": count, "selector": {"matchLabels": {"app": name}},
                        "template": _template(name, inner, cpu, memory)}}
        yield _service(name, inner)
    for name, (inner, cpu, memory) in STORES.items():
        yield {"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": _meta(name),
               "spec": {"replicas": 1, "serviceName": name, "selector": {"matchLabels": {"app": name}},
                        "template": _template(name, inner, cpu, memory)}}
        yield _service(name, inner)
    yield {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": _meta("retrieval"),
           "spec": {"minAvailable": 1, "selector": {"matchLabels": {"app": "retrieval"}}}}
    path = {"path": "/", "pathType": "Prefix", "backend": {"service": {"name": "gateway", "port": {"name": "main"}}}}
    yield {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": _meta("gateway"),
           "spec": {"ingressClassName": "nginx", "tls": [{"hosts": ["api.sarvanom.com"], "secretName": "api-tls"}],
                    "rules": [{"host": "api.sarvanom.com", "http": {"paths": [path]}}]}}


def remarks():
    """Events of every kind there is, and alerts."""
    now = datetime.now(timezone.utc)

    def ago(minutes, precise=False):
        return (now - timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%S" + (".%fZ" if precise else "Z"))

    def event(name, kind, reason, message, **more):
        pod = {"apiVersion": "v1", "kind": "Pod", "name": name, "namespace": NAMESPACE}
        return {"apiVersion": "v1", "kind": "Event", "metadata": {"name": f"{name}.{reason.lower()}", "namespace": NAMESPACE},
                "type": kind, "reason": reason, "message": message, "involvedObject": pod, **more}

    kubelet = {"source": {"component": "kubelet", "host": "node-1"}}
    yield event("postgres-0", "Warning", "Unhealthy", "Readiness probe failed: connection refused", count=3,
                firstTimestamp=ago(200), lastTimestamp=ago(95), **kubelet)
    yield event("redis-0", "Normal", "Pulled", "Container image already present on machine", count=1,
                firstTimestamp=ago(300), lastTimestamp=ago(300), **kubelet)
    # The scheduler leaves the old times empty.
    yield event("qdrant-0", "Warning", "FailedScheduling", "0/3 nodes are available: 3 Insufficient memory.",
                eventTime=ago(40, True), firstTimestamp=None, lastTimestamp=None, action="Scheduling",
                reportingComponent="default-scheduler", reportingInstance="default-scheduler-lab",
                series={"count": 4, "lastObservedTime": ago(20, True)})
    for name, severity in (("gateway-latency", "warning"), ("backup-age", "info")):
        yield {"apiVersion": "monitoring.sarvanom.com/v1", "kind": "Alert", "metadata": {"name": name, "namespace": NAMESPACE},
               "spec": {"severity": severity, "state": "pending"}}


def many(count, namespace="many"):
    """A great number of pods, without anything that owns them. They ask for nothing: others still find room."""
    yield {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}
    for index in range(count):
        template = _template("many", 8080, "5m", "20Mi")
        del template["spec"]["containers"][0]["resources"]
        yield {"apiVersion": "v1", "kind": "Pod",
               "metadata": {"name": f"many-{index:05}", "namespace": namespace, **template["metadata"]},
               "spec": {**template["spec"], "nodeName": f"node-{index % 3 + 1}"}}


PODS = len(STORES) + sum(count for count, *_ in DEPLOYMENTS.values())
assert set(FORWARDS) == {f"{name}-0" for name in STORES}

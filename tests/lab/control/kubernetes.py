"""A Kubernetes API with its real controllers; kwok plays the nodes, so that pods run without containers."""

import json
import os

from . import kwok, objects, pod_logs
from .certificates import authority, certificate, path
from .places import BIN, NAMESPACE, STATE, port
from .processes import listens, run, start, wait_for

KUBECONFIG = STATE / "kubeconfig"
SERVER = f"https://127.0.0.1:{port('apiserver')}"
# Its cache of what kinds there are goes into the lab's own folder, not into that of whoever runs it.
KUBECTL = [BIN / "kubectl", "--kubeconfig", KUBECONFIG, "--context", "lab", "--cache-dir", STATE / "kube-cache"]
SLOW = f"https://127.0.0.1:{port('slow-api')}"

# Who may do what: a client certificate's name for each.
PEOPLE = {"admin": "/O=system:masters/CN=admin", "reader": "/CN=reader", "forbidden": "/CN=forbidden", "expired": "/CN=admin"}
PROGRAMS = ["kube-controller-manager", "kube-scheduler"]


def make_certificates():
    """All that the API and its clients show each other."""
    authority()
    authority("front-proxy-ca")
    certificate("apiserver", "/CN=kube-apiserver", ["127.0.0.1", "localhost", "kubernetes.default.svc", "10.0.0.1"])
    certificate("kubelet", "/CN=kwok", ["127.0.0.1", "localhost"])
    certificate("kubelet-client", "/O=system:masters/CN=kube-apiserver-kubelet-client", client=True)
    certificate("front-proxy", "/CN=front-proxy-client", client=True, ca="front-proxy-ca")
    certificate("service-accounts", "/CN=service-accounts", client=True)
    for name in PROGRAMS:
        certificate(name, f"/CN=system:{name}", client=True)
    for name, subject in PEOPLE.items():
        certificate(name, subject, client=True, expired=name == "expired")


def write_kubeconfigs():
    """One with a context for each way to come in, good and bad, and one for each program."""
    def cluster(server):
        return {"server": server, "certificate-authority": str(path("ca"))}

    def user(name):
        return {"client-certificate": str(path(name)), "client-key": str(path(name, "key"))}

    def named(kind, entries):
        return [{"name": name, kind: entry} for name, entry in entries.items()]

    plugin = STATE / "exec-plugin"
    plugin.write_text('#!/bin/sh\nprintf \'{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential",'
                      '"status":{"token":"lab-reader-token"}}\'\n')
    plugin.chmod(0o755)
    users = {name: user(name) for name in PEOPLE}
    users |= {"token": {"token": "lab-reader-token"}, "wrong-token": {"token": "nobody-knows-this"}}
    users["exec-plugin"] = {"exec": {
        "apiVersion": "client.authentication.k8s.io/v1", "command": str(plugin), "interactiveMode": "Never"}}
    clusters = {"lab": cluster(SERVER), "slow": cluster(SLOW), "nowhere": cluster("https://127.0.0.1:1"),
                "untrusted": {"server": SERVER, "certificate-authority": str(path("front-proxy-ca"))}}
    contexts = {"lab": ("lab", "admin"), "reader": ("lab", "reader"), "token": ("lab", "token"),
                "forbidden": ("lab", "forbidden"), "expired": ("lab", "expired"), "wrong-token": ("lab", "wrong-token"),
                "exec-plugin": ("lab", "exec-plugin"), "slow": ("slow", "admin"), "no-such-server": ("nowhere", "admin"),
                "untrusted": ("untrusted", "admin")}
    _write(KUBECONFIG, {
        "clusters": named("cluster", clusters), "users": named("user", users), "current-context": "lab",
        "contexts": named("context", {
            name: {"cluster": where, "user": who, "namespace": NAMESPACE} for name, (where, who) in contexts.items()})})
    for name in PROGRAMS:
        _write(STATE / f"{name}.kubeconfig", {
            "clusters": named("cluster", {"lab": cluster(SERVER)}), "users": named("user", {name: user(name)}),
            "contexts": named("context", {"lab": {"cluster": "lab", "user": name}}), "current-context": "lab"})


def _write(file, config):
    file.touch(mode=0o600)
    file.write_text(json.dumps({"apiVersion": "v1", "kind": "Config", **config}, indent=1))


def kubectl(*words, **more):
    """kubectl as the lab's administrator."""
    return run([*KUBECTL, *words], **more)


def apply(items):
    """Makes objects what they are said to be."""
    run([*KUBECTL, "apply", "--server-side", "--force-conflicts", "-f", "-"],
        input=json.dumps({"apiVersion": "v1", "kind": "List", "items": items}))


def start_api():
    """etcd, the API and its controllers."""
    (STATE / "tokens.csv").write_text("lab-reader-token,reader,reader-1\n")
    write_kubeconfigs()
    etcd = f"http://127.0.0.1:{port('etcd')}"
    peer = f"http://127.0.0.1:{port('etcd-peer')}"
    start("etcd", [
        BIN / "etcd", "--data-dir", STATE / "etcd", "--unsafe-no-fsync", "--log-level=warn",
        "--listen-client-urls", etcd, "--advertise-client-urls", etcd, "--listen-peer-urls", peer,
        "--initial-advertise-peer-urls", peer, "--initial-cluster", f"default={peer}"])
    wait_for("etcd", lambda: listens(port("etcd")))
    start_apiserver()
    common = ["--authentication-skip-lookup=true", "--bind-address=127.0.0.1", "--leader-elect=false"]
    for name, short in (("kube-controller-manager", "controller-manager"), ("kube-scheduler", "scheduler")):
        config = STATE / f"{name}.kubeconfig"
        more = [
            "--service-account-private-key-file", path("service-accounts", "key"), "--root-ca-file", path("ca"),
            "--use-service-account-credentials", "--node-monitor-grace-period=3600s",
        ] if short == "controller-manager" else []
        start(name, [BIN / name, "--kubeconfig", config, "--authentication-kubeconfig", config,
                     "--authorization-kubeconfig", config, f"--secure-port={port(short)}", *common, *more])


def start_apiserver():
    """The API alone, on the data that is there."""
    start("kube-apiserver", [
        BIN / "kube-apiserver", f"--etcd-servers=http://127.0.0.1:{port('etcd')}", "--bind-address=127.0.0.1",
        "--advertise-address=127.0.0.1", f"--secure-port={port('apiserver')}", "--service-cluster-ip-range=10.0.0.0/24",
        "--authorization-mode=Node,RBAC", f"--token-auth-file={STATE / 'tokens.csv'}",
        f"--client-ca-file={path('ca')}", f"--tls-cert-file={path('apiserver')}",
        f"--tls-private-key-file={path('apiserver', 'key')}", "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={path('service-accounts')}",
        f"--service-account-signing-key-file={path('service-accounts', 'key')}",
        f"--kubelet-client-certificate={path('kubelet-client')}", f"--kubelet-client-key={path('kubelet-client', 'key')}",
        f"--kubelet-certificate-authority={path('ca')}", "--kubelet-preferred-address-types=InternalIP",
        f"--requestheader-client-ca-file={path('front-proxy-ca')}", "--requestheader-allowed-names=front-proxy-client",
        "--requestheader-username-headers=X-Remote-User", "--requestheader-group-headers=X-Remote-Group",
        "--requestheader-extra-headers-prefix=X-Remote-Extra-", f"--proxy-client-cert-file={path('front-proxy')}",
        f"--proxy-client-key-file={path('front-proxy', 'key')}", "--event-ttl=24h", "--profiling=false"])
    wait_for("the API", lambda: kubectl("get", "--raw", "/readyz") == "ok")


def start_nodes():
    """kwok with all that its pods can do."""
    config = STATE / "kwok.yaml"
    config.write_text(kwok.configuration())
    start("kwok", [
        BIN / "kwok", "--kubeconfig", KUBECONFIG, "--config", config, "--manage-all-nodes", "--node-ip=127.0.0.1",
        f"--node-port={port('kwok')}", f"--server-address=127.0.0.1:{port('kwok')}", f"--tls-cert-file={path('kubelet')}",
        f"--tls-private-key-file={path('kubelet', 'key')}", "--cidr=10.1.0.0/16", "--node-lease-duration-seconds=40"],
          # A command of a pod is looked up here before its own environment is set.
          env={"PATH": f"{kwok.SHIMS}:{os.environ.get('PATH', '')}"})


def fill():
    """The objects of the lab, in the order in which they need each other; then what their pods have written."""
    apply(list(objects.cluster()))
    apply(list(objects.workloads()))
    wait_for("the pods", lambda: len(pods()) == objects.PODS)
    wait_for("the kind of alerts", lambda: "alerts" in kubectl("api-resources", "--api-group=monitoring.sarvanom.com"))
    apply(list(objects.remarks()))
    pod_logs.write(sorted(pod["metadata"]["name"] for pod in pods()))


def pods(namespace=NAMESPACE):
    """The pods of a namespace."""
    return json.loads(kubectl("get", "pods", "-n", namespace, "-o", "json"))["items"]


def all_run(found=None):
    """Whether the lab's pods run."""
    return all(pod["status"].get("phase") == "Running" for pod in (pods() if found is None else found))


def start_metrics():
    """The usage of pods and nodes, as kwok makes it up."""
    start("metrics-server", [
        BIN / "metrics-server", "--kubeconfig", KUBECONFIG, "--authentication-kubeconfig", KUBECONFIG,
        "--authorization-kubeconfig", KUBECONFIG, f"--secure-port={port('metrics-server')}", "--bind-address=127.0.0.1",
        "--kubelet-use-node-status-port", "--kubelet-insecure-tls", "--kubelet-preferred-address-types=InternalIP",
        "--metric-resolution=10s", "--kubelet-request-timeout=5s", f"--cert-dir={STATE / 'metrics-server'}"], env={"KUBECONFIG": str(KUBECONFIG)})
    apply(metrics_objects())


def metrics_objects():
    """The API of the metrics, as the API server finds it."""
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "metrics-server", "namespace": "kube-system"},
               "spec": {"type": "ExternalName", "externalName": "localhost",
                        "ports": [{"port": port("metrics-server"), "protocol": "TCP"}]}}
    api = {"apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService",
           "metadata": {"name": "v1beta1.metrics.k8s.io"},
           "spec": {"group": "metrics.k8s.io", "version": "v1beta1", "groupPriorityMinimum": 100, "versionPriority": 100,
                    "insecureSkipTLSVerify": True,
                    "service": {"name": "metrics-server", "namespace": "kube-system", "port": port("metrics-server")}}}
    return [service, api]


def has_metrics():
    """Whether the usage of pods can be asked for."""
    return len(kubectl("top", "pods", "-n", NAMESPACE, "--no-headers").splitlines()) >= objects.PODS

"""What the lab is made of: built or installed once into the cache, or named as missing with the reason."""

import importlib.util
import json
import os
import shutil
import sys
from pathlib import Path

from .places import BIN, CACHE, HERE, VENV
from .processes import Failed, run

KUBERNETES = "v1.36.2"
FILE = CACHE / "missing.json"
STAGES = CACHE / "kwok-stages.yaml"

# Programs that Debian has, by package.
PACKAGES = {
    "redis-server": "redis-server", "redis-cli": "redis-tools", "prometheus": "prometheus", "socat": "socat",
    "prometheus-alertmanager": "prometheus-alertmanager", "prometheus-blackbox-exporter": "prometheus-blackbox-exporter",
    "psql": "postgresql-client", "openssl": "openssl", "curl": "curl",
}
# What Go builds, by the module that has it and the program's name there.
GO = {
    "kube-apiserver": "k8s.io/kubernetes/cmd/kube-apiserver", "kube-scheduler": "k8s.io/kubernetes/cmd/kube-scheduler",
    "kube-controller-manager": "k8s.io/kubernetes/cmd/kube-controller-manager", "kubectl": "k8s.io/kubernetes/cmd/kubectl",
    "etcd": "go.etcd.io/etcd/server/v3",
}
GO_ALONE = {"kwok": "sigs.k8s.io/kwok/cmd/kwok@v0.8.0", "metrics-server": "sigs.k8s.io/metrics-server/cmd/metrics-server@v0.9.0"}


def missing():
    """What could not be had, and why."""
    try:
        return json.loads(FILE.read_text())
    except FileNotFoundError:
        return {"everything": "`lab build` has not been run"}


def build():
    """Gets all of it; what fails is said and the rest goes on."""
    BIN.mkdir(parents=True, exist_ok=True)
    found = {}
    for part, work in (("programs", packages), ("postgres", postgres), ("kubernetes", go), ("python", python)):
        say(part)
        try:
            work()
        except (Failed, OSError) as error:
            found[part] = str(error)
            say(f"  missing: {error}")
    FILE.write_text(json.dumps(found, indent=1))
    say("nothing is missing" if not found else f"missing: {', '.join(found)}")
    return 0 if not found else 1


def say(text):
    """Progress, for whoever watches."""
    print(text, flush=True)


def apt(*names):
    """Installs packages of Debian without starting what is in them."""
    if os.getuid() != 0 or not shutil.which("apt-get"):
        raise Failed(f"not installed here, and only root on Debian can: {' '.join(names)}")
    policy = Path("/usr/sbin/policy-rc.d")
    own = not policy.exists()
    if own:
        policy.write_text("#!/bin/sh\nexit 101\n")
        policy.chmod(0o755)
    try:
        env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        run(["apt-get", "update", "-qq"], env=env)
        run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", *names], env=env)
    finally:
        if own:
            policy.unlink()


def packages():
    """Programs of Debian."""
    absent = sorted({package for program, package in PACKAGES.items() if not shutil.which(program)})
    if absent:
        apt(*absent)


def postgres():
    """The server of PostgreSQL, whichever version there is."""
    if postgres_bin() is None:
        apt("postgresql")
    if postgres_bin() is None:
        raise Failed("PostgreSQL's server is not where Debian puts it")


def postgres_bin():
    """Where initdb and postgres are."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return found[-1].parent if found else None


def go():
    """The programs of Kubernetes, by the module proxy. Compiling them takes ten minutes the first time."""
    stamp = BIN / ".kubernetes"
    wanted = "\n".join([KUBERNETES, *GO.values(), *GO_ALONE.values()])
    if stamp.exists() and stamp.read_text() == wanted:
        return
    if not shutil.which("go"):
        raise Failed("Go is not installed")
    env = {**os.environ, "GOTOOLCHAIN": "local", "GOBIN": str(BIN), "CGO_ENABLED": "0"}
    major, minor, _ = KUBERNETES.removeprefix("v").split(".")
    values = {"gitVersion": KUBERNETES, "gitMajor": major, "gitMinor": minor, "gitTreeState": "clean"}
    flags = " ".join(
        f"-X {module}/version.{name}={value}" for module in ("k8s.io/component-base", "k8s.io/client-go/pkg")
        for name, value in values.items())
    for name, package in GO.items():
        say(f"  {name}")
        run(["go", "build", "-mod=readonly", "-ldflags", f"-s -w {flags}", "-o", BIN / name, package], cwd=HERE / "go", env=env)
    for name, package in GO_ALONE.items():
        say(f"  {name}")
        run(["go", "install", package], cwd=CACHE, env=env)
    _stages()
    stamp.write_text(wanted)


def _stages():
    """How nodes and pods become ready: kwok's own stages, as they come with its source."""
    module = GO_ALONE["kwok"].replace("/cmd/kwok@", "@")
    source = Path(json.loads(run(["go", "mod", "download", "-json", module], cwd=CACHE))["Dir"]) / "kustomize" / "stage"
    files = [source / "node" / "fast" / "node-initialize.yaml"]
    files += [source / "pod" / "fast" / f"pod-{name}.yaml" for name in ("ready", "complete", "delete")]
    STAGES.write_text("\n---\n".join(file.read_text() for file in files))


def python():
    """Servers that PyPI has."""
    requirements = (HERE / "requirements.txt").read_text()
    stamp = VENV / "requirements.txt"
    if stamp.exists() and stamp.read_text() == requirements:
        return
    shutil.rmtree(VENV, ignore_errors=True)
    if importlib.util.find_spec("ensurepip") is None:
        apt("python3-venv")
    run([sys.executable, "-m", "venv", VENV])
    run([VENV / "bin" / "pip", "install", "--quiet", "--disable-pip-version-check", "-r", HERE / "requirements.txt"])
    stamp.write_text(requirements)

"""The parts of the lab: what each needs, how it comes up, which programs it is, and where it is."""

import json
import shutil
import time
from concurrent.futures import ThreadPoolExecutor

from . import build, databases, kubernetes, services
from .certificates import path
from .places import DATA, NAMES, STATE, VENV, port, url
from .processes import FILE, Failed, listens, names, pid, stop, wait_for

# name: (what of the build it needs, how it comes up, its programs)
PARTS = {
    "kubernetes": ("kubernetes", lambda: _kubernetes(), ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok"]),
    "metrics": ("kubernetes", lambda: None, ["metrics-server"]),
    "postgres": ("postgres", databases.start_postgres, ["postgres", "postgres-replica"]),
    "redis": ("programs", databases.start_redis, ["redis"]),
    "s3": ("python", services.start_s3, ["s3"]),
    "prometheus": ("programs", services.start_monitoring, ["prometheus"]),
    "alertmanager": ("programs", lambda: None, ["alertmanager"]),
    "blackbox": ("programs", lambda: None, ["blackbox"]),
    "mail": ("python", services.start_mail, ["mail"]),
    "products": (None, services.start_products, ["products", "names"]),
    "ways": (None, services.start_ways, ["slow-api", "hung"]),
}
ADDRESSES = {"kubernetes": kubernetes.SERVER, "postgres": f"127.0.0.1:{port('postgres')}", "redis": f"127.0.0.1:{port('redis')}",
             "s3": url("s3"), "prometheus": url("prometheus"), "alertmanager": url("alertmanager"), "blackbox": url("blackbox"),
             "mail": f"127.0.0.1:{port('smtp')}", "products": url("proxy"), "ways": f"127.0.0.1:{port('slow-api')}",
             "metrics": f"127.0.0.1:{port('metrics-server')}"}
MISSING = STATE / "missing.json"


def _kubernetes():
    kubernetes.start_api()
    kubernetes.fill()
    kubernetes.start_nodes()
    kubernetes.start_metrics()
    wait_for("running pods", kubernetes.all_run)
    wait_for("the metrics", kubernetes.has_metrics, patience=90)


def is_up():
    """Whether anything of it runs."""
    return any(pid(name) for name in names())


def up():
    """Brings up all that was built, side by side."""
    if is_up():
        print("the lab is up already: `lab list` lists it, `lab down` takes it down")
        return 0
    taken = [f"{name} ({port(name)})" for name in NAMES if listens(port(name))]
    if taken:
        raise Failed(f"somebody else listens on the ports of {', '.join(taken)}: set RUNBOOK_LAB_PORT to another first port")
    began = time.monotonic()
    _clear()
    kubernetes.make_certificates()
    found = {}

    def bring(name):
        needs, work, _ = PARTS[name]
        absent = build.missing()
        why = absent.get(needs) or absent.get("everything") if needs else None
        if why:
            return name, why
        try:
            work()
        except (Failed, OSError) as error:
            return name, str(error)
        print(f"{time.monotonic() - began:5.1f}s  {name}", flush=True)
        return name, None

    with ThreadPoolExecutor() as pool:
        for name, why in pool.map(bring, [name for name, part in PARTS.items()]):
            if why:
                found[name] = why
                print(f"missing: {name}: {why}", flush=True)
    if "kubernetes" in found:
        found["metrics"] = found["kubernetes"]
    MISSING.write_text(json.dumps(found, indent=1))
    (STATE / "lab.json").write_text(json.dumps(facts(), indent=1))
    return 0 if not found else 1


def _clear():
    """An empty folder for what runs. One with files that are not the lab's is not the lab's to empty."""
    if STATE.is_dir() and any(STATE.iterdir()) and not FILE.exists():
        raise Failed(f"{STATE} holds files that are not the lab's: set RUNBOOK_LAB_STATE to an empty folder or a new one")
    shutil.rmtree(STATE, ignore_errors=True)
    shutil.rmtree(DATA, ignore_errors=True)
    STATE.mkdir(parents=True, exist_ok=True)
    FILE.write_text("{}")


def down():
    """Ends what was started, the newest first."""
    for name in names():
        stop(name)
    shutil.rmtree(DATA, ignore_errors=True)
    return 0


def facts():
    """What tests have to know: which parts are up and where, and what is missing and why."""
    try:
        missing = json.loads(MISSING.read_text())
    except FileNotFoundError:
        missing = {}
    parts = {}
    for name, (_, _, programs) in PARTS.items():
        is_up = all(pid(program) for program in programs)
        parts[name] = {"up": is_up, "address": ADDRESSES[name], "programs": {program: pid(program) for program in programs}}
        if ADDRESSES[name].startswith("http"):
            parts[name]["url"] = ADDRESSES[name]
    parts["s3"]["program"] = str(VENV / "bin" / "moto_server")
    parts["products"]["urls"] = {name: url(name) for name in services.PRODUCTS}
    parts["products"]["records"] = str(services.RECORDS)
    parts["mail"]["folder"] = str(STATE / "mails")
    return {"parts": parts, "missing": missing, "kubeconfig": str(kubernetes.KUBECONFIG), "ca": str(path("ca")),
            "hung": f"127.0.0.1:{port('hung')}", "replica": f"127.0.0.1:{port('replica')}",
            "redis_tls": f"127.0.0.1:{port('redis-tls')}"}


def environment():
    """What a shell exports, so that the seed's commands and the runbook find the lab by their own names."""
    values = {
        "KUBECONFIG": kubernetes.KUBECONFIG, "PGPASSWORD": databases.PASSWORD, "PGHOST": "127.0.0.1", "PGPORT": port("postgres"),
        "PGSSLROOTCERT": path("ca"), "REDIS_PASSWORD": databases.PASSWORD,
        "AWS_ENDPOINT_URL": url("s3"), "AWS_ACCESS_KEY_ID": "lab", "AWS_SECRET_ACCESS_KEY": "lab", "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "HTTPS_PROXY": url("proxy"), "HTTP_PROXY": url("proxy"), "https_proxy": url("proxy"), "http_proxy": url("proxy"),
        "NO_PROXY": "127.0.0.1,localhost", "no_proxy": "127.0.0.1,localhost",
        "SSL_CERT_FILE": path("ca"), "CURL_CA_BUNDLE": path("ca"), "AWS_CA_BUNDLE": path("ca"), "REQUESTS_CA_BUNDLE": path("ca"),
        # The channels lead here too: by the proxy, and by `--set "mail_server=$LAB_MAIL"`.
        "SLACK_WEBHOOK_URL": "https://hooks.slack.com/services/T0/B0/lab", "PAGERDUTY_INTEGRATION_KEY": "lab-integration-key",
        "LAB_MAIL": f"127.0.0.1:{port('smtp')}",
        "LAB_SERVERS": " ".join(f"{name}={url(name)}" for name in ("prometheus", "alertmanager", *services.PRODUCTS)),
    }
    return {name: str(value) for name, value in values.items()}

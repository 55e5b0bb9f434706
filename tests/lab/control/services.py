"""Everything that is asked over HTTP or SMTP: S3, Prometheus, Alertmanager, the web services, mail, and names for them."""

import json
import shutil
import sys
import urllib.request

from .certificates import certificate, path
from .places import HERE, STATE, VENV, port, url
from .processes import listens, run, start, wait_for

PRODUCTS = ["openai", "anthropic", "huggingface", "ollama", "qdrant", "arangodb", "meilisearch", "sarvanom", "tracker",
            "slack", "pagerduty", "elasticsearch", "jaeger", "grafana"]
# Names of the internet that lead here, by the proxy.
INTERNET = {
    "api.openai.com": "openai", "api.anthropic.com": "anthropic", "api-inference.huggingface.co": "huggingface",
    "ollama-production": "ollama", "api.sarvanom.com": "sarvanom", "tracker.sarvanom.com": "tracker",
    "hooks.slack.com": "slack", "events.pagerduty.com": "pagerduty",
}
RECORDS = STATE / "asked"
PYTHON = VENV / "bin" / "python"


def get(address):
    """The body of an answer."""
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(address, timeout=5) as answer:
        return answer.read().decode()


def start_s3():
    """moto, with the backups of today and yesterday."""
    start("s3", [VENV / "bin" / "moto_server", "-H", "127.0.0.1", "-p", port("s3")])
    wait_for("S3", lambda: listens(port("s3")))
    run([PYTHON, HERE / "servers" / "seed_s3.py", url("s3")])


def start_products():
    """The web services, and the proxy that makes the internet's names lead to them."""
    certificate("internet", "/CN=lab", list(INTERNET))
    start("products", [sys.executable, HERE / "servers" / "products.py", RECORDS, *(f"{name}={port(name)}" for name in PRODUCTS)])
    names = [f"{name}={port(product)}" for name, product in INTERNET.items()]
    start("names", [sys.executable, HERE / "servers" / "names.py", port("proxy"), path("internet"), path("internet", "key"), *names])
    wait_for("the web services", lambda: all(listens(port(name)) for name in [*PRODUCTS, "proxy"]))
    # What a program trusts: the machine's own authorities are not needed here.
    shutil.copy(path("ca"), STATE / "trusted.pem")


def start_mail():
    """Mails are kept as files."""
    start("mail", [PYTHON, HERE / "servers" / "mail.py", port("smtp"), STATE / "mails"])
    wait_for("the mail server", lambda: listens(port("smtp")))


def start_ways():
    """The way to the API that can be made slow, and a server that never says a word."""
    slow = [sys.executable, HERE / "servers" / "slow.py"]
    start("slow-api", [*slow, port("slow-api"), port("apiserver"), STATE / "slow-api.how"])
    start("hung", [*slow, port("hung"), 0, STATE / "hung.how"])


def start_monitoring():
    """Prometheus with a rule that fires, Alertmanager, and the blackbox exporter."""
    folder = STATE / "prometheus"
    folder.mkdir(exist_ok=True)
    rules = {"groups": [{"name": "lab", "rules": [
        {"alert": "AlwaysOn", "expr": "vector(1)", "labels": {"severity": "warning"},
         "annotations": {"summary": "It fires as long as the lab is up"}},
        {"alert": "Down", "expr": "up == 0", "for": "10m", "labels": {"severity": "critical"}},
        {"record": "lab:targets", "expr": "count(up)"}]}]}
    (folder / "rules.yml").write_text(json.dumps(rules))
    probe = [{"source_labels": ["__address__"], "target_label": "__param_target"},
             {"target_label": "__address__", "replacement": f"127.0.0.1:{port('blackbox')}"}]
    config = {
        "global": {"scrape_interval": "2s", "evaluation_interval": "2s"}, "rule_files": [str(folder / "rules.yml")],
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": [f"127.0.0.1:{port('alertmanager')}"]}]}]},
        "scrape_configs": [
            {"job_name": "prometheus", "static_configs": [{"targets": [f"127.0.0.1:{port('prometheus')}"]}]},
            {"job_name": "alertmanager", "static_configs": [{"targets": [f"127.0.0.1:{port('alertmanager')}"]}]},
            {"job_name": "nobody", "static_configs": [{"targets": ["127.0.0.1:1"]}]},
            {"job_name": "blackbox", "metrics_path": "/probe", "params": {"module": ["http_2xx"]}, "relabel_configs": probe,
             "static_configs": [{"targets": [f"{url('sarvanom')}/health"]}]}]}
    (folder / "prometheus.yml").write_text(json.dumps(config))
    (folder / "alertmanager.yml").write_text(json.dumps({"route": {"receiver": "none"}, "receivers": [{"name": "none"}]}))
    (folder / "blackbox.yml").write_text(json.dumps({"modules": {"http_2xx": {"prober": "http", "http": {
        "preferred_ip_protocol": "ip4"}}}}))
    start("alertmanager", [
        "prometheus-alertmanager", f"--config.file={folder / 'alertmanager.yml'}", f"--storage.path={folder / 'alertmanager'}",
        f"--web.listen-address=127.0.0.1:{port('alertmanager')}", "--cluster.listen-address="])
    start("blackbox", ["prometheus-blackbox-exporter", f"--config.file={folder / 'blackbox.yml'}",
                       f"--web.listen-address=127.0.0.1:{port('blackbox')}"])
    start("prometheus", ["prometheus", f"--config.file={folder / 'prometheus.yml'}", f"--storage.tsdb.path={folder / 'data'}",
                         f"--web.listen-address=127.0.0.1:{port('prometheus')}"])
    wait_for("Alertmanager", lambda: "OK" in get(url("alertmanager") + "/-/ready"))
    wait_for("Prometheus", lambda: "Ready" in get(url("prometheus") + "/-/ready"))



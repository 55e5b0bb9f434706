"""The web services that SarvanOM talks to: `products.py FOLDER NAME=PORT…`. Each keeps what it was asked in FOLDER/NAME.jsonl.

Two modes, by the file FOLDER/mode: `seed` answers the addresses of the seed's page as that page expects, and the products'
own as well; `real` answers as the products do, so that what the page got wrong fails: Qdrant has no `/health`, ArangoDB no
`/_api/admin/execute`, Meilisearch wants PATCH for settings, OpenAI and Anthropic want a key.
"""

import json
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

# When a task of Meilisearch was taken; it takes two seconds.
TASKS = {}
TASK_TAKES = 2.0


def is_real(folder):
    """Whether the products answer as they do."""
    mode = folder / "mode"
    return mode.exists() and mode.read_text().strip() == "real"


def with_key(ask, answer):
    """What a product says to who shows a key; without one 401, but in the seed's mode for the page's own call."""
    if ask.real and not (ask.headers.get("Authorization") or ask.headers.get("x-api-key")):
        return 401, {"error": {"type": "invalid_request_error", "message": "no API key was sent"}}
    return 200, answer


def openai(ask):
    if ask.path == "/v1/models":
        return with_key(ask, {"object": "list", "data": [{"id": "gpt-4o", "object": "model", "owned_by": "openai"}]})
    return None


def anthropic(ask):
    if ask.path == "/v1/models":
        return with_key(ask, {"data": [{"type": "model", "id": "claude-sonnet-4"}], "has_more": False})
    return None


def huggingface(ask):
    return (200, [{"id": "bert-base-uncased"}]) if ask.path == "/models" else None


def ollama(ask):
    return (200, {"models": [{"name": "llama3:8b", "size": 4661224676}]}) if ask.path == "/api/tags" else None


def qdrant(ask):
    if ask.path in ("/healthz", "/livez", "/readyz"):
        return 200, "healthz check passed"
    if ask.path == "/health" and not ask.real:
        return 200, {"title": "qdrant", "version": "1.11.0"}
    if ask.path == "/collections":
        return 200, {"result": {"collections": [{"name": "documents"}]}, "status": "ok", "time": 0.00001}
    if ask.path == "/collections/documents":
        if ask.method == "PATCH":
            return 200, {"result": True, "status": "ok", "time": 0.01}
        return 200, {"result": {"status": "green", "points_count": 120_000, "segments_count": 5}, "status": "ok"}
    if ask.path == "/collections/documents/optimize" and not ask.real and ask.method == "POST":
        return 200, {"result": True, "status": "ok"}
    return 404, {"status": {"error": "Not Found"}}


def arangodb(ask):
    if ask.path == "/_api/version":
        return 200, {"server": "arango", "license": "community", "version": "3.12.4"}
    if ask.path == "/_api/database":
        return 200, {"error": False, "code": 200, "result": ["_system", "sarvanom"]}
    if ask.path == "/_admin/compact" and ask.method == "PUT":
        return 200, {"error": False, "code": 200, "result": {}}
    if ask.path == "/_api/admin/execute" and not ask.real and ask.method == "POST":
        return 200, {"error": False, "code": 200}
    return 404, {"error": True, "code": 404, "errorNum": 404, "errorMessage": f"unknown path '{ask.path}'"}


def meilisearch(ask):
    if ask.path == "/health":
        return 200, {"status": "available"}
    if ask.path == "/indexes":
        return 200, {"results": [{"uid": "documents", "primaryKey": "id"}], "offset": 0, "limit": 20, "total": 1}
    if ask.path == "/indexes/documents/settings":
        if ask.method == "GET":
            return 200, {"rankingRules": ["words", "typo"], "stopWords": []}
        if ask.method == "PATCH" or not ask.real:
            task = len(TASKS) + 1
            TASKS[task] = time.monotonic()
            return 202, {"taskUid": task, "indexUid": "documents", "status": "enqueued", "type": "settingsUpdate"}
        return 405, {"message": "method not allowed", "code": "method_not_allowed"}
    if ask.path.startswith("/tasks/"):
        number = ask.path.removeprefix("/tasks/")
        taken = TASKS.get(int(number)) if number.isdigit() else None
        if taken is None:
            return 404, {"message": f"Task `{number}` not found.", "code": "task_not_found"}
        status = "succeeded" if time.monotonic() - taken > TASK_TAKES else "processing"
        return 200, {"uid": int(number), "indexUid": "documents", "status": status, "type": "settingsUpdate"}
    return 404, {"message": "not found", "code": "not_found"}


def sarvanom(ask):
    if ask.path == "/health":
        return 200, {"status": "ok", "version": "2.0.0"}
    if ask.path == "/query" and ask.method == "POST":
        query = (ask.json or {}).get("query")
        return (200, {"answer": f"about {query}", "sources": 3}) if query else (422, {"detail": "`query` is missing"})
    return 404, {"detail": "Not Found"}


def tracker(ask):
    if ask.method == "POST" and ask.path == "/issues/sync":
        return 200, {"synced": True}
    if ask.method == "POST" and ask.path == "/issues":
        return 201, {"id": 412, "url": "https://tracker.sarvanom.com/issues/412"}
    if ask.method in ("PATCH", "PUT") and ask.path.startswith("/issues/"):
        return 200, {"id": ask.path.rsplit("/", 1)[1], "updated": True}
    return 404, {"error": "not found"}


def slack(ask):
    return (200, "ok") if ask.method == "POST" else None


def pagerduty(ask):
    if ask.method == "POST" and ask.path == "/v2/enqueue":
        event = ask.json or {}
        if not event.get("routing_key") or event.get("event_action") not in ("trigger", "acknowledge", "resolve"):
            return 400, {"status": "invalid event", "message": "Event object is invalid", "errors": ["routing_key is missing"]}
        return 202, {"status": "success", "message": "Event processed", "dedup_key": event.get("dedup_key") or "made-up"}
    return None


def elasticsearch(ask):
    shards = {"total": 2, "successful": 2, "skipped": 0, "failed": 0}
    if ask.path.endswith("/_count"):
        return 200, {"count": 42, "_shards": shards}
    if ask.path.endswith("/_search"):
        names = list((ask.json or {}).get("aggs") or (ask.json or {}).get("aggregations") or {})
        buckets = [{"key": "gateway", "doc_count": 30}, {"key": "retrieval", "doc_count": 12}]
        return 200, {"took": 3, "timed_out": False, "_shards": shards,
                     "hits": {"total": {"value": 42, "relation": "eq"}, "hits": []},
                     "aggregations": {name: {"doc_count_error_upper_bound": 0, "sum_other_doc_count": 0, "buckets": buckets}
                                      for name in names}}
    if ask.path.startswith("/_cluster/health"):
        return 200, {"cluster_name": "lab", "status": "yellow", "timed_out": False, "number_of_nodes": 1,
                     "number_of_data_nodes": 1, "active_primary_shards": 2, "active_shards": 2, "relocating_shards": 0,
                     "initializing_shards": 0, "unassigned_shards": 2, "delayed_unassigned_shards": 0,
                     "number_of_pending_tasks": 0, "number_of_in_flight_fetch": 0, "task_max_waiting_in_queue_millis": 0,
                     "active_shards_percent_as_number": 50.0}
    if ask.path.startswith("/_cat/indices"):
        return 200, [{"health": "yellow", "status": "open", "index": "logs-2026.11", "uuid": "x", "pri": "1", "rep": "1",
                      "docs.count": "42", "docs.deleted": "0", "store.size": "123456", "pri.store.size": "123456"}]
    if ask.path == "/":
        return 200, {"name": "lab", "cluster_name": "lab", "version": {"number": "8.15.0"}, "tagline": "You Know, for Search"}
    return 404, {"error": {"type": "index_not_found_exception", "reason": "no such index"}, "status": 404}


def jaeger(ask):
    if ask.path == "/api/services":
        return 200, {"data": ["gateway", "retrieval"], "total": 2, "limit": 0, "offset": 0, "errors": None}
    if ask.path == "/api/traces":
        if ask.query.get("service") not in (["gateway"], ["retrieval"]):
            return 200, {"data": [], "total": 0, "limit": 0, "offset": 0, "errors": None}
        now = int(time.time() * 1e6)
        return 200, {"data": [_trace(number, now) for number in range(4)], "total": 0, "limit": 0, "offset": 0, "errors": None}
    return 404, {"data": None, "errors": [{"code": 404, "msg": "not found"}]}


def _trace(number, now):
    """A trace of two spans; the last of four has failed."""
    def span(name, start, took, parent=None, failed=False):
        references = [{"refType": "CHILD_OF", "traceID": f"{number:032x}", "spanID": parent}] if parent else []
        tags = [{"key": "error", "type": "bool", "value": True}] if failed else []
        return {"traceID": f"{number:032x}", "spanID": f"{name}{number}", "operationName": name, "references": references,
                "startTime": start, "duration": took, "tags": tags, "logs": [], "processID": "p1", "warnings": None}
    start = now - (number + 1) * 60_000_000
    took = 100_000 * (number + 1)
    spans = [span("GET /query", start, took, failed=number == 3), span("fetch", start + 1000, took // 2, f"GET /query{number}")]
    return {"traceID": f"{number:032x}", "spans": spans, "processes": {"p1": {"serviceName": "gateway", "tags": []}}, "warnings": None}


def grafana(ask):
    if ask.path == "/api/health":
        return 200, {"commit": "abc", "database": "ok", "version": "11.2.0"}
    if ask.headers.get("Authorization") != "Bearer lab-grafana":
        return 401, {"message": "Unauthorized", "messageId": "auth.unauthorized", "statusCode": 401, "traceID": ""}
    if ask.path == "/api/search":
        return 200, [{"id": 1, "uid": "ops", "title": "Operations", "uri": "db/operations", "url": "/d/ops/operations",
                      "slug": "", "type": "dash-db", "tags": ["prod"], "isStarred": False, "folderTitle": "SarvanOM"}]
    if ask.path == "/api/annotations" and ask.method == "POST":
        return 200, {"message": "Annotation added", "id": 7}
    return 404, {"message": "Not found"}


SERVICES = [openai, anthropic, huggingface, ollama, qdrant, arangodb, meilisearch, sarvanom, tracker, slack, pagerduty,
            elasticsearch, jaeger, grafana]


class Ask(BaseHTTPRequestHandler):
    """One request of one client."""

    protocol_version = "HTTP/1.1"

    def answer(self):
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        url = urlsplit(self.path)
        self.method, self.path, self.query = self.command, url.path, parse_qs(url.query)
        self.real = is_real(self.server.folder)
        try:
            self.json = json.loads(body)
        except ValueError:
            self.json = None
        self.keep(body)
        status, answer = self.server.service(self) or (404, {"error": "not found"})
        text = answer if isinstance(answer, str) else json.dumps(answer)
        self.send_response(status)
        self.send_header("Content-Type", "text/plain" if isinstance(answer, str) else "application/json")
        self.send_header("Content-Length", str(len(text.encode())))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(text.encode())

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = answer

    def keep(self, body):
        record = {"at": time.time(), "method": self.method, "path": self.path, "query": self.query,
                  "headers": dict(self.headers), "body": body.decode("utf-8", "replace")}
        with self.server.lock, open(self.server.record, "a", encoding="utf-8") as file:
            file.write(json.dumps(record) + "\n")

    def log_message(self, *_):
        """What was asked is in the record."""


def main(folder, *names):
    services = {service.__name__: service for service in SERVICES}
    folder = Path(folder)
    folder.mkdir(exist_ok=True)
    threads = []
    for name, port in (pair.split("=") for pair in names):
        server = ThreadingHTTPServer(("127.0.0.1", int(port)), Ask)
        server.daemon_threads = True
        server.service, server.folder, server.record = services[name], folder, folder / f"{name}.jsonl"
        server.lock = threading.Lock()
        threads.append(threading.Thread(target=server.serve_forever))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main(*sys.argv[1:])

"""The commands of the page of daily operations, by its sections, and the typed form of each."""

NS = "-n sarvanom-production"
PG = f'kubectl exec -it postgres-0 {NS} -- psql -U sarvanom -d sarvanom_production -c'
SERVICES = ["gateway", "retrieval", "synthesis"]
QUERY = '{"query": "test query", "user_id": "test_user"}'
LONG = ("SELECT pid, now() - pg_stat_activity.query_start AS duration, query FROM pg_stat_activity "
        "WHERE (now() - pg_stat_activity.query_start) > interval '5 minutes';")


def inside(pod, command):
    """A command in a pod."""
    return f"kubectl exec -it {pod}-0 {NS} -- {command}"


def logs(service, hours, rest):
    """Lines of a service."""
    return f"kubectl logs {NS} deployment/{service} --since={hours}h | {rest}"


def times(pattern):
    """Lines counted."""
    return f"grep {pattern} | wc -l"


def sorted_by(pattern):
    """Lines, the most frequent first."""
    return f"grep {pattern} | sort | uniq -c | sort -nr"


def gateway(hours, condition, stage):
    """Lines of the gateway in the typed form."""
    return f"show gateway_lines({hours}h) | where({condition}) | {stage}"


def disk(pod, path):
    """A volume in both forms."""
    return inside(pod, f"df -h {path}"), f'show cluster.pod("{pod}-0").disk("{path}")'


def errors(service, hours):
    """Errors of a service, typed, without what is done with them."""
    return f'show cluster.logs(deployment: "{service}", since: {hours}h) | where(.text ~ /error/i)'


def backup(store):
    """A backup in both forms."""
    return (f"aws s3 ls s3://sarvanom-backups/{store}/$(date +%Y/%m/%d)/",
            f'check backups.list("{store}/{{run.date:%Y/%m/%d}}/") | any(.size > 0B) as "a backup"')


SECTIONS = [
    ("1. Morning health check", [
        (f"kubectl get pods {NS}", "show cluster.pods()"),
        (f"kubectl get services {NS}", "show cluster.services()"),
        (f"kubectl get ingress {NS}", "show cluster.ingresses()"),
        (f"kubectl get pods {NS} | grep -v Running", 'check cluster.pods() | all(.status in ["Running", "Completed"]) as "all run"'),
        (f"kubectl get pods {NS} | grep -v Ready", 'check cluster.pods() | where(.status == "Running") | all(.ready) as "all are ready"'),
        (f'{PG} "SELECT 1;"', 'check db.answers() as "PostgreSQL answers"'),
        (inside("redis", "redis-cli ping"), 'check cache.answers() as "Redis answers"'),
        (inside("qdrant", "curl -f http://localhost:6333/health"), 'check qdrant.answers("/healthz") as "Qdrant answers"'),
        (inside("arangodb", "curl -f http://localhost:8529/_api/version"), 'check arangodb.answers("/_api/version") as "ArangoDB answers"'),
        (inside("meilisearch", "curl -f http://localhost:7700/health"), 'check meilisearch.answers("/health") as "Meilisearch answers"'),
        ("curl -f https://api.openai.com/v1/models", 'check openai.answers("/v1/models", status: [200, 401]) as "OpenAI"'),
        ("curl -f https://api.anthropic.com/v1/models", 'check anthropic.answers("/v1/models", status: [200, 401]) as "Anthropic"'),
        ("curl -f https://api-inference.huggingface.co/models", 'check huggingface.answers("/models", status: [200, 401]) as "Hugging Face"'),
        ("curl -f http://ollama-production:11434/api/tags", 'check ollama.answers("/api/tags") as "Ollama"'),
        (f"kubectl top pods {NS}", "show cluster.pod_usage()"),
        ("kubectl top nodes", "show cluster.node_usage()"),
        (inside("postgres", "df -h"), 'show cluster.pod("postgres-0").disks()'),
        (inside("qdrant", "df -h"), 'show cluster.pod("qdrant-0").disks()'),
    ]),
    ("2. Performance monitoring", [
        ('curl -w "@curl-format.txt" -o /dev/null -s "https://api.sarvanom.com/health"', 'show api.get("/health").timing'),
        (f'curl -w "@curl-format.txt" -o /dev/null -s "https://api.sarvanom.com/query" -H "Content-Type: application/json" -d \'{QUERY}\'',
         'show api.post("/query", json: { query: "test query", user_id: "test_user" }).timing'),
        *((logs(service, 2, times("-i error")), errors(service, 2) + " | count") for service in SERVICES),
        (f"kubectl top pods {NS} --sort-by=cpu", "show cluster.pod_usage() | sort(by: .cpu, descending: true)"),
        (f"kubectl top pods {NS} --sort-by=memory", "show cluster.pod_usage() | sort(by: .memory, descending: true)"),
        disk("postgres", "/var/lib/postgresql/data"),
        disk("qdrant", "/qdrant/storage"),
    ]),
    ("3. Log analysis", [
        *((logs(service, 4, sorted_by("-i error")), errors(service, 4) + " | patterns") for service in SERVICES),
        (logs("gateway", 4, sorted_by('"slow query"')), gateway(4, '"slow query" in .text', "patterns")),
        (logs("gateway", 4, sorted_by('"timeout"')), gateway(4, '"timeout" in .text', "patterns")),
        (logs("gateway", 4, sorted_by(r'-i "security\|auth\|unauthorized"')), gateway(4, ".text ~ /security|auth|unauthorized/i", "patterns")),
        (logs("gateway", 4, sorted_by(r'-i "suspicious\|anomaly\|attack"')), gateway(4, ".text ~ /suspicious|anomaly|attack/i", "patterns")),
    ]),
    ("4. Database maintenance", [
        (f'{PG} "VACUUM ANALYZE;"', 'require db.long_running(over: 5m) | is_empty as "nothing holds the tables"\nchange db.execute("VACUUM ANALYZE") within 30m'),
        (f"{PG} \"SELECT pg_size_pretty(pg_database_size('sarvanom_production'));\"", "show db.size()"),
        (f'{PG} "{LONG}"', "show db.long_running(over: 5m)"),
        (inside("redis", "redis-cli info memory"), "show cache.memory()"),
        (inside("redis", "redis-cli dbsize"), "show cache.key_count()"),
        (inside("redis", "redis-cli memory purge"), 'change cache.command("MEMORY PURGE")'),
        (inside("qdrant", "curl -s http://localhost:6333/collections | jq"), 'show qdrant.get("/collections").json'),
        (inside("qdrant", "curl -X POST http://localhost:6333/collections/documents/optimize"),
         'change qdrant.patch("/collections/documents", json: { optimizers_config: {} }) within 1m'),
        (inside("arangodb", "curl -s http://localhost:8529/_api/database | jq"), 'show arangodb.get("/_api/database").json'),
        disk("arangodb", "/var/lib/arangodb3"),
        (inside("arangodb", "curl -X POST http://localhost:8529/_api/admin/execute"), 'change arangodb.put("/_admin/compact", json: {}) within 5m'),
        (inside("meilisearch", "curl -s http://localhost:7700/indexes | jq"), 'show meilisearch.get("/indexes").json'),
        disk("meilisearch", "/meili_data"),
        (inside("meilisearch", "curl -X POST http://localhost:7700/indexes/documents/settings"),
         'change meilisearch.patch("/indexes/documents/settings", json: {}) within 1m'),
    ]),
    ("5. Backup verification", [backup(store) for store in [
        "postgres", "redis", "qdrant", "arangodb", "meilisearch", "config", "secrets", "logs"]]),
    ("6. Security monitoring", [
        *((logs("gateway", 6, times(f'"{word}"')), gateway(6, f'"{word}" in .text', "count"))
          for word in ["failed login", "suspicious", "privilege", "access granted", "access denied", "api key"]),
    ]),
    ("7. Capacity planning", [
        (f"kubectl top pods {NS} --sort-by=cpu | head -10", "show cluster.pod_usage() | top(10, by: .cpu)"),
        (f"kubectl top pods {NS} --sort-by=memory | head -10", "show cluster.pod_usage() | top(10, by: .memory)"),
        ("./scripts/project_resource_needs.sh", "measure disk_usage\nshow history(disk_usage, over: 30d) | forecast(reaches: 80%)"),
    ]),
    ("8. End-of-day summary", [
        ("./scripts/generate_performance_summary.sh", "measure response_time\nshow history(response_time, over: 1d) | each(.value) | p95"),
        (f"kubectl get events {NS} --sort-by='.lastTimestamp' | grep -v Normal",
         'show cluster.events() | where(.type != "Normal") | sort(by: .last_seen, descending: true)'),
        (f"kubectl get alerts {NS}", 'show cluster.resources("alerts")\nshow alerts(state: "open")'),
        ("./scripts/update_issue_tracking.sh", 'change tracker.post("/issues/sync", json: { date: run.date }) within 1m'),
    ]),
]

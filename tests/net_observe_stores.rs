//! Elasticsearch, Jaeger and Grafana, by the shapes of their documentation.

mod net;

use net::server::{Reply, Server, reply, web};
use net::{Outside, fault, field, literal, ms, text, words};
use runbook::types::{Fault, FaultKind, SecretText, Value};
use serde_json::{Value as Json, json};

async fn connect(driver: &str, url: &str, more: &[(&str, Value)]) -> Value {
    let mut given = vec![("url", text(url)), ("within", ms(3000))];
    given.extend(more.iter().cloned());
    Outside::here().connect(driver, &given).await.expect("a connection")
}

async fn call(name: &str, connection: &Value, more: &[(&str, Value)]) -> Result<Value, Fault> {
    let mut given = vec![("connection", connection.clone())];
    given.extend(more.iter().cloned());
    Outside::here().call(name, &given).await
}

fn ok(body: &Json) -> Reply {
    reply("200 OK", "Content-Type: application/json\r\n", &body.to_string())
}

/// A server with one answer, and a connection of a driver to it.
async fn giving(driver: &str, body: Json) -> (Server, Value) {
    let server = web(move |_| ok(&body)).await;
    let connection = connect(driver, &server.url(), &[]).await;
    (server, connection)
}

fn sent(server: &Server) -> Json {
    let last = server.last();
    serde_json::from_str(last.split("\r\n\r\n").nth(1).expect("a body")).expect("JSON")
}

fn items(value: Value) -> Vec<Value> {
    match value {
        Value::List(items) => items.to_vec(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn elasticsearch_counts_all_shards_or_none() {
    let shards = |failed: u64| json!({ "total": 5, "successful": 5 - failed, "skipped": 0, "failed": failed });
    let (server, search) = giving("elasticsearch", json!({ "count": 42, "_shards": shards(0) })).await;
    let given = [("index", text("logs-*")), ("query", literal("level:error")), ("since", ms(60_000))];
    assert_eq!(call("elasticsearch.count", &search, &given).await.expect("a count").to_json(), 42);
    assert!(server.last().starts_with("POST /logs-*/_count?allow_no_indices=false HTTP/1.1\r\n"), "{}", server.last());
    assert_eq!(
        sent(&server)["query"]["bool"],
        json!({
            "must": [{ "query_string": { "query": "level:error" } }],
            "filter": [{ "range": { "@timestamp": { "gte": "now-60s" } } }],
        })
    );
    let term = Value::record([("term", Value::record([("status", text("failed"))]))]);
    call("elasticsearch.count", &search, &[("index", text("orders")), ("json", term.clone())]).await.expect("a count");
    assert_eq!(sent(&server), json!({ "query": { "term": { "status": "failed" } } }));
    let both = [("index", text("orders")), ("json", term), ("query", literal("x"))];
    assert_eq!(fault(call("elasticsearch.count", &search, &both).await).kind, FaultKind::Setup);
    for index in ["", ".", ".."] {
        assert_eq!(fault(call("elasticsearch.count", &search, &[("index", text(index))]).await).kind, FaultKind::Setup);
    }

    let mut failed = shards(2);
    failed["failures"] =
        json!([{ "shard": 0, "reason": { "type": "node_not_connected", "reason": "node-3 is gone" } }]);
    let (_, search) = giving("elasticsearch", json!({ "count": 17, "_shards": failed })).await;
    let found = fault(call("elasticsearch.count", &search, &[("index", text("logs"))]).await);
    assert_eq!(found.kind, FaultKind::Partial);
    assert!(found.message.contains("2 of 5 shards of `logs` gave no answer: node-3 is gone"), "{found}");

    // As OpenSearch 2.19 answers where two shards are nowhere.
    let nowhere = json!({ "total": 5, "successful": 3, "skipped": 0, "failed": 0 });
    let (_, search) = giving("elasticsearch", json!({ "count": 4, "_shards": nowhere })).await;
    assert_eq!(fault(call("elasticsearch.count", &search, &[("index", text("log*"))]).await).kind, FaultKind::Partial);

    let none = json!({ "total": 0, "successful": 0, "skipped": 0, "failed": 0 });
    let (_, search) = giving("elasticsearch", json!({ "count": 0, "_shards": none })).await;
    assert_eq!(fault(call("elasticsearch.count", &search, &[("index", text("x-*"))]).await).kind, FaultKind::NotFound);
}

#[tokio::test]
async fn nothing_found_by_a_field_that_is_not_there_is_no_zero() {
    let server = web(|asked| match asked.split([' ', '?']).nth(1) {
        Some("/logs/_field_caps") if asked.contains("fields=%40timestamp") => {
            ok(&json!({ "indices": ["logs"], "fields": { "@timestamp": { "date": {} } } }))
        }
        Some("/logs/_field_caps") => ok(&json!({ "indices": ["logs"], "fields": {} })),
        Some("/logs/_validate/query") => {
            let clause =
                if asked.contains("serviec") { "MatchNoDocsQuery(\"unmapped fields [serviec]\")" } else { "service:x" };
            let explanations =
                json!([{ "index": "logs", "valid": true, "explanation": format!("+level:error +{clause}") }]);
            ok(&json!({ "_shards": { "total": 1, "successful": 1, "failed": 0 }, "valid": true, "explanations": explanations }))
        }
        _ => ok(&json!({ "count": 0, "_shards": { "total": 1, "successful": 1, "failed": 0 } })),
    })
    .await;
    let search = connect("elasticsearch", &server.url(), &[]).await;
    let count = |query: &str, time: &str| {
        let given = vec![("index", text("logs")), ("query", literal(query)), ("since", ms(1500)), ("time", text(time))];
        let search = search.clone();
        async move { call("elasticsearch.count", &search, &given).await }
    };
    assert_eq!(count("level:error AND service:x", "@timestamp").await.expect("none").to_json(), 0);
    for (query, time, field) in [("level:error AND serviec:x", "@timestamp", "serviec"), ("service:x", "when", "when")]
    {
        let found = fault(count(query, time).await);
        assert_eq!(found.kind, FaultKind::NotFound, "{found}");
        assert!(found.message.contains(&format!("has no field `{field}`")), "{found}");
    }
    assert!(server.asked()[0].contains(r#""gte":"now-2s""#), "{}", server.asked()[0]);
}

#[tokio::test]
async fn elasticsearch_says_what_is_wrong() {
    let missing = json!({ "error": { "root_cause": [{ "type": "index_not_found_exception", "reason": "no such index [logs]" }],
        "type": "index_not_found_exception", "reason": "no such index [logs]", "index": "logs" }, "status": 404 });
    let refused = json!({ "error": { "root_cause": [{ "type": "query_shard_exception", "reason": "Failed to parse query [level:(]" }],
        "type": "search_phase_execution_exception", "reason": "all shards failed" }, "status": 400 });
    let denied = json!({ "error": { "type": "security_exception", "reason": "action [indices:data/read/search] is unauthorized" }, "status": 403 });
    for (status, body, kind, said) in [
        ("404 Not Found", missing, FaultKind::NotFound, "has no index `logs`: no such index [logs]"),
        ("400 Bad Request", refused, FaultKind::Failed, "all shards failed: Failed to parse query [level:(]"),
        ("403 Forbidden", denied, FaultKind::Denied, "is unauthorized"),
        ("404 Not Found", json!("404 page not found"), FaultKind::BadAnswer, "knows no such path"),
    ] {
        let server = web(move |_| reply(status, "", &body.to_string())).await;
        let search = connect("elasticsearch", &server.url(), &[]).await;
        let found = fault(call("elasticsearch.count", &search, &[("index", text("logs"))]).await);
        assert_eq!(found.kind, kind, "{found}");
        assert!(found.message.contains(said), "{found}");
    }
    // It has no time now, and has some later.
    let busy =
        json!({ "error": { "type": "es_rejected_execution_exception", "reason": "queue is full" }, "status": 429 });
    let turn = std::sync::atomic::AtomicUsize::new(0);
    let server = web(move |_| match turn.fetch_add(1, std::sync::atomic::Ordering::SeqCst) {
        0 => reply("429 Too Many Requests", "", &busy.to_string()),
        _ => ok(&json!({ "count": 1, "_shards": { "total": 1, "successful": 1, "failed": 0 } })),
    })
    .await;
    let search = connect("elasticsearch", &server.url(), &[]).await;
    assert_eq!(call("elasticsearch.count", &search, &[("index", text("logs"))]).await.expect("a count").to_json(), 1);
}

#[tokio::test]
async fn elasticsearch_counts_by_a_field() {
    let found = |buckets: Json, hits: u64, timed_out: bool| {
        json!({ "took": 3, "timed_out": timed_out, "_shards": { "total": 2, "successful": 2, "skipped": 0, "failed": 0 },
            "hits": { "total": { "value": hits, "relation": "eq" }, "max_score": null, "hits": [] },
            "aggregations": { "by": { "doc_count_error_upper_bound": 0, "sum_other_doc_count": 3, "buckets": buckets } } })
    };
    let buckets = json!([{ "key": "api", "doc_count": 7, "doc_count_error_upper_bound": 0 },
        { "key": 1, "key_as_string": "true", "doc_count": 5, "doc_count_error_upper_bound": 0 },
        { "key": 404, "doc_count": 2, "doc_count_error_upper_bound": 4 }]);
    let (server, search) = giving("elasticsearch", found(buckets, 17, false)).await;
    let given = [("index", text("logs")), ("by", text("service")), ("top", Value::Int(3))];
    let rows = items(call("elasticsearch.aggregate", &search, &given).await.expect("buckets"));
    assert_eq!(sent(&server)["aggs"]["by"]["terms"]["size"], 3);
    let keys: Vec<Json> = rows.iter().map(|row| field(row, "key").to_json()).collect();
    assert_eq!(keys, ["api", "true", "404"]);
    assert_eq!(field(&rows[0], "count").to_json(), 7);
    let count = field(&rows[2], "count").read().expect_err("not known");
    assert_eq!(count.kind, FaultKind::Partial);
    assert!(count.message.contains("between 2 and 6"), "{count}");

    let (_, search) = giving("elasticsearch", found(json!([]), 17, false)).await;
    assert_eq!(fault(call("elasticsearch.aggregate", &search, &given).await).kind, FaultKind::NotFound);
    let (_, search) = giving("elasticsearch", found(json!([]), 0, false)).await;
    assert_eq!(items(call("elasticsearch.aggregate", &search, &given).await.expect("nothing matches")).len(), 0);
    let (_, search) = giving("elasticsearch", found(json!([]), 0, true)).await;
    assert_eq!(fault(call("elasticsearch.aggregate", &search, &given).await).kind, FaultKind::Partial);
}

#[tokio::test]
async fn elasticsearch_says_how_it_is() {
    let health = json!({ "cluster_name": "lab", "status": "yellow", "timed_out": false, "number_of_nodes": 1,
        "number_of_data_nodes": 1, "active_primary_shards": 1, "active_shards": 1, "relocating_shards": 0,
        "initializing_shards": 0, "unassigned_shards": 1, "delayed_unassigned_shards": 0, "number_of_pending_tasks": 0,
        "number_of_in_flight_fetch": 0, "task_max_waiting_in_queue_millis": 0, "active_shards_percent_as_number": 50.0 });
    let (_, search) = giving("elasticsearch", health).await;
    let found = call("elasticsearch.health", &search, &[]).await.expect("health");
    assert_eq!(
        (field(&found, "status").to_json(), field(&found, "active_share").to_json()),
        (json!("yellow"), json!(0.5))
    );
    assert_eq!(field(&found, "unassigned_shards").to_json(), 1);

    let row = |index: &str, health: Json, status: &str, docs: Json, size: Json| json!({ "index": index, "health": health, "status": status, "pri": "1", "rep": "1", "docs.count": docs, "store.size": size });
    let rows = json!([
        row("orders", json!("green"), "open", json!("12"), json!("2048")),
        row("broken", json!("red"), "open", json!("3"), json!("512")),
        row("old", Json::Null, "close", Json::Null, Json::Null),
    ]);
    let (server, search) = giving("elasticsearch", rows).await;
    let rows = items(call("elasticsearch.indices", &search, &[]).await.expect("indices"));
    assert!(server.last().starts_with("GET /_cat/indices/*?format=json&bytes=b&h="), "{}", server.last());
    assert_eq!(
        (field(&rows[0], "docs").to_json(), field(&rows[0], "size").to_string()),
        (json!(12), "2KiB".to_owned())
    );
    assert_eq!(field(&rows[1], "docs").read().expect_err("some are missing").kind, FaultKind::Partial);
    assert_eq!(field(&rows[2], "docs").read().expect_err("closed").kind, FaultKind::NoValue);
    assert_eq!(field(&rows[2], "open").to_json(), false);
    let (_, search) = giving("elasticsearch", json!([])).await;
    assert_eq!(
        fault(call("elasticsearch.indices", &search, &[("index", text("x-*"))]).await).kind,
        FaultKind::NotFound
    );
    assert_eq!(fault(call("elasticsearch.answers", &search, &[]).await).kind, FaultKind::BadAnswer);
}

fn span(id: &str, parent: Option<&str>, process: &str, start: i64, duration: i64, tags: &Json) -> Json {
    let references = parent.map(|parent| json!({ "refType": "CHILD_OF", "traceID": "t", "spanID": parent }));
    json!({ "traceID": "t", "spanID": id, "operationName": format!("op-{id}"), "references": references.into_iter().collect::<Vec<_>>(),
        "startTime": start, "duration": duration, "tags": tags, "logs": [], "processID": process, "warnings": null })
}

fn traces(traces: &Json) -> Json {
    json!({ "data": traces, "total": 0, "limit": 0, "offset": 0, "errors": null })
}

#[tokio::test]
async fn jaeger_tells_of_traces() {
    let base = 1_700_000_000_000_000_i64;
    let processes = json!({ "p1": { "serviceName": "gateway", "tags": [] }, "p2": { "serviceName": "store" } });
    let failed = json!([{ "key": "error", "type": "bool", "value": true }]);
    let all = json!([
        { "traceID": "aaaa", "processes": processes, "warnings": null, "spans": [
            span("b", Some("a"), "p2", base + 100, 900_000, &failed), span("a", None, "p1", base, 500_000, &json!([]))] },
        { "traceID": "bbbb", "processes": processes, "warnings": null, "spans": [
            span("a", Some("not-here"), "p1", base + 5_000_000, 2_000_000, &failed)] },
        { "traceID": "cccc", "processes": processes, "warnings": null, "spans": [span("a", None, "p1", base, 1, &json!([]))] },
        { "traceID": "dddd", "processes": processes, "warnings": null, "spans": [span("a", None, "p1", base, 2, &json!([]))] },
    ]);
    let (server, tracing) = giving("jaeger", traces(&all)).await;
    let given = [("service", text("gateway")), ("since", ms(3_600_000))];
    let found = items(call("jaeger.traces", &tracing, &given).await.expect("traces"));
    assert!(server.last().starts_with("GET /api/traces?service=gateway&start="), "{}", server.last());
    let newest = field(&found[0], "id").to_json();
    let first = found.iter().find(|trace| field(trace, "id").to_json() == "aaaa").expect("the trace");
    assert_eq!(newest, "bbbb");
    assert_eq!(
        (field(first, "operation").to_json(), field(first, "service").to_json()),
        (json!("op-a"), json!("gateway"))
    );
    assert_eq!((field(first, "spans").to_json(), field(first, "errors").to_json()), (json!(2), json!(1)));
    // From the root's beginning to the end of the step that outlasts it.
    assert_eq!(field(first, "duration").to_json(), 0.900_100);
    // Of `aaaa` it is the store that failed.
    assert_eq!(call("jaeger.error_share", &tracing, &given).await.expect("a share").to_json(), 0.25);
    let mut more = given.to_vec();
    more.extend([("n", Value::Int(2)), ("over", ms(1))]);
    let slowest = items(call("jaeger.slowest", &tracing, &more).await.expect("traces"));
    assert!(server.last().contains("&minDuration=1000us"), "{}", server.last());
    let ids: Vec<Json> = slowest.iter().map(|trace| field(trace, "id").to_json()).collect();
    assert_eq!(ids, ["bbbb", "aaaa"]);
    // As many as asked for: there may be more.
    more.push(("at_most", Value::Int(4)));
    assert_eq!(fault(call("jaeger.slowest", &tracing, &more).await).kind, FaultKind::Partial);
}

#[tokio::test]
async fn jaeger_without_traces_is_no_good_news() {
    let server = web(|asked| match asked.split([' ', '?']).nth(1) {
        Some("/api/services") => ok(&traces(&json!(["store", "gateway"]))),
        Some("/api/services/gateway/operations") => ok(&traces(&json!(["GET /query"]))),
        _ => ok(&traces(&json!([]))),
    })
    .await;
    let tracing = connect("jaeger", &server.url(), &[]).await;
    let of = |service: &str| [("service", text(service)), ("since", ms(60_000))];
    assert_eq!(call("jaeger.services", &tracing, &[]).await.expect("services").to_json(), json!(["gateway", "store"]));
    assert_eq!(items(call("jaeger.traces", &tracing, &of("gateway")).await.expect("none")).len(), 0);
    assert_eq!(fault(call("jaeger.error_share", &tracing, &of("gateway")).await).kind, FaultKind::NoValue);
    let operation = |name: &str| [of("gateway").as_slice(), &[("operation", text(name))]].concat();
    assert_eq!(items(call("jaeger.traces", &tracing, &operation("GET /query")).await.expect("none")).len(), 0);
    let found = fault(call("jaeger.traces", &tracing, &operation("GET /qurey")).await);
    assert_eq!((found.kind, &*found.message), (FaultKind::NotFound, "`gateway` has no operation `GET /qurey`"));
    for call in [call("jaeger.traces", &tracing, &of("gatewy")), call("jaeger.error_share", &tracing, &of("gatewy"))] {
        let found = fault(call.await);
        assert_eq!((found.kind, found.help.as_deref()), (FaultKind::NotFound, Some("there are gateway, store")));
    }
    let (_, tracing) =
        giving("jaeger", json!({ "data": [], "errors": [{ "code": 500, "msg": "a shard is gone" }] })).await;
    assert_eq!(fault(call("jaeger.traces", &tracing, &of("gateway")).await).kind, FaultKind::Partial);
    // Whatever stands in front of it, and is not it.
    let (_, tracing) = giving("jaeger", json!({ "error": "login required" })).await;
    for found in [call("jaeger.services", &tracing, &[]), call("jaeger.traces", &tracing, &of("gateway"))] {
        assert_eq!(fault(found.await).kind, FaultKind::BadAnswer);
    }
    let (_, tracing) = giving("jaeger", json!({ "data": null, "total": 0 })).await;
    assert_eq!(call("jaeger.services", &tracing, &[]).await.expect("none").to_json(), json!([]));
    let body = json!({ "data": null, "errors": [{ "code": 400, "msg": "parameter 'service' is required" }] });
    let server = web(move |_| reply("400 Bad Request", "", &body.to_string())).await;
    let tracing = connect("jaeger", &server.url(), &[]).await;
    let found = fault(call("jaeger.traces", &tracing, &of("gateway")).await);
    assert!(found.message.contains("refuses (400): parameter 'service' is required"), "{found}");
}

#[tokio::test]
async fn grafana_says_how_it_is_also_where_it_is_not_well() {
    let (_, charts) = giving("grafana", json!({ "commit": "1", "database": "ok", "version": "12.1.0" })).await;
    let found = call("grafana.health", &charts, &[]).await.expect("health");
    assert_eq!(found.to_json(), json!({ "database_ok": true, "database": "ok", "version": "12.1.0" }));
    assert_eq!(call("grafana.answers", &charts, &[]).await.expect("an answer").to_json(), true);
    let server = web(|_| reply("503 Service Unavailable", "", r#"{"database": "failing", "version": "12.1.0"}"#)).await;
    let charts = connect("grafana", &server.url(), &[]).await;
    let found = call("grafana.health", &charts, &[]).await.expect("health");
    assert_eq!(found.to_json()["database_ok"], false);
    assert_eq!(call("grafana.answers", &charts, &[]).await.expect("an answer").to_json(), false);
    let server = web(|_| reply("503 Service Unavailable", "", "no backend")).await;
    let charts = connect("grafana", &server.url(), &[]).await;
    assert_eq!(fault(call("grafana.health", &charts, &[]).await).kind, FaultKind::BadAnswer);
}

#[tokio::test]
async fn grafana_lists_its_dashboards_by_pages() {
    let server = web(|asked| {
        let page = asked.split("page=").nth(1).and_then(|rest| rest.split([' ', '&']).next()?.parse::<usize>().ok());
        let count = if page == Some(1) { 1000 } else { 2 };
        let one = |n: usize| {
            json!({ "id": n, "uid": format!("u{n}"), "title": format!("D {n}"), "uri": "db/d", "url": format!("/d/u{n}/d"),
                "slug": "", "type": "dash-db", "tags": ["a"], "isStarred": false, "folderUid": "f", "folderTitle": "Ops" })
        };
        ok(&Json::Array((0..count).map(one).collect()))
    })
    .await;
    let charts = connect("grafana", &server.url(), &[]).await;
    let found = items(call("grafana.dashboards", &charts, &[("query", text("a&b"))]).await.expect("dashboards"));
    assert_eq!(found.len(), 1002);
    assert_eq!(field(&found[0], "folder").to_json(), "Ops");
    assert!(
        server.last().starts_with("GET /api/search?type=dash-db&query=a%26b&limit=1000&page=2 "),
        "{}",
        server.last()
    );
}

#[tokio::test]
async fn grafana_takes_notes() {
    let server = web(|_| ok(&json!({ "message": "Annotation added", "id": 7 }))).await;
    let token = Value::Secret(SecretText::new("glsa_token".into()));
    let charts = connect("grafana", &server.url(), &[("bearer", token)]).await;
    let at = Value::Time("2026-11-25T08:00:00Z".parse().expect("a time"));
    let given = [
        ("text", text("release")),
        ("tags", words(&["release", "api"])),
        ("dashboard", text("abc")),
        ("panel", Value::Int(2)),
        ("at", at),
        ("lasted", ms(60_000)),
    ];
    assert_eq!(call("grafana.annotate", &charts, &given).await.expect("made").to_json(), 7);
    assert_eq!(
        sent(&server),
        json!({ "text": "release", "tags": ["release", "api"], "time": 1_795_593_600_000_i64, "timeEnd": 1_795_593_660_000_i64,
            "dashboardUID": "abc", "panelId": 2 })
    );
    assert_eq!(
        fault(call("grafana.annotate", &charts, &[("text", text("x")), ("panel", Value::Int(2))]).await).kind,
        FaultKind::Setup
    );
    call("grafana.remove_annotation", &charts, &[("id", Value::Int(7))]).await.expect("removed");
    assert!(server.last().starts_with("DELETE /api/annotations/7 HTTP/1.1\r\n"), "{}", server.last());
    let server = web(|_| reply("404 Not Found", "", r#"{"message":"Annotation not found"}"#)).await;
    let charts = connect("grafana", &server.url(), &[]).await;
    assert_eq!(
        fault(call("grafana.remove_annotation", &charts, &[("id", Value::Int(7))]).await).kind,
        FaultKind::NotFound
    );
}

//! The web services of the daily runbook, on stand-ins that answer as the products do.

use crate::harness::lab;

#[test]
fn the_stores_are_looked_at_and_put_in_order_over_http() {
    let Some(lab) = lab("the_stores_are_looked_at_and_put_in_order_over_http", &["products"]) else { return };
    let servers = &lab.env["LAB_SERVERS"];
    let url = |name: &str| {
        let found = servers.split(' ').find_map(|one| one.strip_prefix(name)?.strip_prefix('='));
        found.unwrap_or_else(|| panic!("no {name} in {servers}"))
    };
    let ran = lab.run(&format!(
        r#"runbook "Stores" {{ edition 1 }}
connect qdrant = http("{}")
connect arangodb = http("{}")
connect meilisearch = http("{}")
section "Stores" {{
  step "Stores" {{
    check qdrant.get("/collections").json.result.collections | any(.name == "documents") as "collections"
    check arangodb.get("/_api/database").json.result | any(it == "_system") as "databases"
    check meilisearch.get("/indexes").json.results | any(.uid == "documents") as "indexes"
    check qdrant.get("/no-such-page").ok as "no such page"
    change qdrant.post("/collections/documents/optimize") as "optimize"
    change task = meilisearch.post("/indexes/documents/settings") as "settings"
    wait until meilisearch.get("/tasks/{{task.json.taskUid}}").json.status == "succeeded" every 200ms within 20s
    check meilisearch.get("/tasks/{{task.json.taskUid}}").json.status == "succeeded" as "done"
  }}
}}
"#,
        url("qdrant"),
        url("arangodb"),
        url("meilisearch"),
    ));
    for title in ["collections", "databases", "indexes", "done"] {
        assert_eq!(ran.outcome(title), "passed", "{title}: {}", ran.text);
    }
    assert_eq!(ran.outcome("no such page"), "failed", "{}", ran.text);
    let done = ran.events.iter().filter(|event| event["event"] == "change_ended" && event["outcome"] == "done");
    assert_eq!(done.count(), 2, "{}", ran.text);
}

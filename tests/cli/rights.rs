//! `runbook plan --rbac`

use crate::program::Folder;

const TEXT: &str = r#"runbook "Care: of <shop>" { edition 1 }
param place: string = "shop"
secret hook = env("HOOK")
connect cluster = kubernetes(context: "reader", change: "operator", namespace: place)
connect db = postgres(host: "db.example", user: "ops_ro", change_user: "care", change_password: hook, database: "shop")
connect web = http(through: cluster.service("web"), port: 80)
connect api = http("https://api.example.com:8443/v1")
connect archive = s3(bucket: "archive", region: "eu-central-1")
connect cache = redis("cache.example", user: "ops", database: 2)
channel slack = slack(webhook: hook)

command restart(name: string) changes {
  change cluster.restart(deployment: name)
}
section "Look" {
  for pod in ["a-0", "a-1"] { show cluster.pod(pod).disks() }
  show cluster.resources("pvc", namespace: "*")
  show db.query("SELECT count(*) FROM sales.orders")
  show archive.text("day/{run.date}.json")
  show archive.list("day/")
  show cache.get("queue:{place}")
  check web.answers("/") and api.answers("/health") as "web"
}
section "Care" {
  change cluster.restart(deployment: "web")
  do restart("api")
  change cluster.apply({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "flags" }, data: { a: "b" } })
  change db.execute("VACUUM sales.orders")
  change db.execute("DROP TABLE old")
  change archive.delete("old.json")
}
"#;

fn printed(args: &[&str]) -> String {
    Folder::with(TEXT).run(&[&["plan", "a.runbook"], args].concat()).code(0).stdout.clone()
}

#[track_caller]
fn has(text: &str, wanted: &str) {
    assert!(text.contains(wanted), "no\n{wanted}\nin\n{text}");
}

#[test]
fn names_that_are_written_are_the_only_ones_and_changes_have_a_role_of_their_own() {
    let text = printed(&["--rbac=kubernetes"]);
    let (reads, changes) = text.split_once("# connection cluster, as operator, for changes alone\n").unwrap();
    has(
        reads,
        "kind: ClusterRole\nmetadata:\n  name: runbook-care-of-shop\nrules:\n  - apiGroups: [\"\"]\n    resources: [\"persistentvolumeclaims\"]\n    verbs: [\"list\"]\n",
    );
    has(reads, "  namespace: \"shop\"\nrules:\n");
    has(
        reads,
        "    resources: [\"pods/exec\"]\n    resourceNames: [\"a-0\", \"a-1\"]\n    verbs: [\"create\", \"get\"]\n",
    );
    has(reads, "    resources: [\"services\"]\n    resourceNames: [\"web\"]\n    verbs: [\"get\"]\n");
    has(reads, "  - kind: ServiceAccount\n    name: \"runbook\"\n    namespace: \"shop\"\n");
    assert!(!reads.contains("patch"), "{reads}");
    has(changes, "  name: runbook-care-of-shop-changes\n");
    // Which deployment a command restarts is known where it is run only.
    has(changes, "    resources: [\"deployments\"]\n    verbs: [\"get\", \"patch\"]\n");
    has(changes, "    resources: [\"configmaps\"]\n    verbs: [\"create\"]\n");
    has(changes, "    resources: [\"configmaps\"]\n    resourceNames: [\"flags\"]\n    verbs: [\"get\", \"patch\"]\n");
}

#[test]
fn whom_a_cluster_grants_it_to_is_said_by_the_caller() {
    has(
        &printed(&["--rbac=kubernetes", "--to", "ops/night"]),
        "  - kind: ServiceAccount\n    name: \"night\"\n    namespace: \"ops\"\n",
    );
    has(&printed(&["--rbac=kubernetes", "--to", "user:jo"]), "    kind: User\n    name: \"jo\"\n");
    has(&printed(&["--rbac=kubernetes", "--to", "group:a:b"]), "    kind: Group\n    name: \"a:b\"\n");
    Folder::with(TEXT).run(&["plan", "a.runbook", "--rbac", "--to", "robot:jo"]).code(1).err("user:NAME");
}

#[test]
fn a_value_of_a_param_and_a_part_of_the_runbook_make_other_rights() {
    has(&printed(&["--rbac=kubernetes", "--set", "place=depot"]), "  namespace: \"depot\"\n");
    let text = printed(&["--rbac", "--only", "Look"]);
    has(&text, "GRANT SELECT ON sales.orders TO \"ops_ro\";\nGRANT USAGE ON SCHEMA sales TO \"ops_ro\";\n");
    assert!(!text.contains("care") || !text.contains("patch"), "{text}");
}

#[test]
fn what_other_systems_take() {
    let text = printed(&["--rbac=postgres"]);
    has(&text, "GRANT CONNECT ON DATABASE \"shop\" TO \"ops_ro\";\n");
    has(&text, "-- connection db, for changes alone\n");
    has(&text, "-- MAINTAIN and pg_maintain: PostgreSQL 17 or newer; before it, only the owner");
    has(&text, "GRANT MAINTAIN ON sales.orders TO \"care\";\n");
    has(&text, "GRANT USAGE ON SCHEMA sales TO \"care\";\n");
    assert!(!text.contains("GRANT pg_maintain"), "{text}");
    has(&text, "-- not derived: what `DROP TABLE old` wants\n");

    let text = printed(&["--rbac=s3"]);
    let policy: serde_json::Value = serde_json::from_str(&text).unwrap();
    let statements = policy["Statement"].as_array().unwrap();
    let of = |action: &str| statements.iter().find(|one| one["Action"] == action).unwrap();
    assert_eq!(of("s3:GetObject")["Resource"][0], "arn:aws:s3:::archive/day/*.json");
    assert_eq!(of("s3:ListBucket")["Condition"]["StringLike"]["s3:prefix"][0], "day/*");
    assert_eq!(of("s3:DeleteObject")["Resource"][0], "arn:aws:s3:::archive/old.json");

    has(&printed(&["--rbac=redis"]), "ACL SETUSER ops on resetkeys resetchannels -@all +get +select ~queue:shop\n");

    // Everybody logs in as `default` who names no user: nothing is taken from that one.
    for user in ["", ", user: \"default\", password: p"] {
        let text = format!(
            "secret p = env(\"P\")\nconnect cache = redis(host: \"cache\"{user})\nsection \"S\" {{ show cache.get(\"a\") }}\n"
        );
        let output = Folder::with(text).run(&["plan", "--rbac=redis", "a.runbook"]);
        output
            .code(0)
            .out("ACL SETUSER runbook on resetkeys resetchannels -@all +get")
            .out("user: \"runbook\"")
            .lacks("SETUSER default");
    }

    let text = printed(&["--rbac=network"]);
    has(&text, "    - ports: # db.example\n        - { protocol: TCP, port: 5432 }\n");
    has(&text, "    - ports: # api.example.com\n        - { protocol: TCP, port: 8443 }\n");
    has(&text, "the server of the kubeconfig");
}

#[test]
fn a_value_stays_in_its_word_and_is_no_part_of_a_statement() {
    let folder = Folder::with(
        "connect cache = redis(host: \"cache\", user: \"ops\")\nconnect db = postgres(host: \"db\", user: \"u\", database: \"d\")\n\
         param key: string = \"a b\"\nparam v: string = \"x FROM secrets\"\nparam ks: list<string> = [\"p\", \"q r\"]\n\
         section \"S\" {\n  change cache.command(\"DEL {key}\")\n  change cache.command(\"SET 'k {key}' \\\"{v}\\\"\")\n\
         \x20 change cache.command(\"UNLINK {ks}\")\n  for k in ks at most 9 {\n    change cache.command(\"EXPIRE {k} 5\")\n  }\n\
         \x20 change db.execute(\"DELETE FROM t WHERE name = {v}\")\n}\n",
    );
    let of = |system: &str, set: &[&str]| folder.run(&[&["plan", system, "a.runbook"], set].concat());
    of("--rbac=redis", &[]).code(0).out("-@all +del +expire +set +unlink ~a?b ~k?a?b ~p ~q?r\n");
    let set = ["--set", "key=it's \"x\" *", "--set", "ks=m n,o"];
    of("--rbac=redis", &set).code(0).out("+unlink \"~it's?\\\"x\\\"?\\\\*\" \"~k?it's?\\\"x\\\"?\\\\*\" ~m?n ~o\n");
    of("--rbac=postgres", &[]).code(0).out("GRANT DELETE ON t").lacks("secrets");
}

#[test]
fn for_machines_each_right_is_an_object() {
    let rights: serde_json::Value = serde_json::from_str(&printed(&["--rbac", "--format", "json"])).unwrap();
    let granted = rights["granted"].as_array().unwrap();
    let changes = granted.iter().find(|one| one["connection"] == "cluster" && one["changes"] == true).unwrap();
    assert_eq!(changes["login"], "operator");
    let names = |right: &serde_json::Value| right["resource"] == "deployments" && right["verb"] == "patch";
    assert!(changes["rights"].as_array().unwrap().iter().any(names), "{changes}");
}

#[test]
fn a_runbook_that_asks_nobody_needs_nothing() {
    Folder::with("runbook \"t\" { edition 1 }\nsection \"s\" { check 1 < 2 as \"sane\" }\n")
        .run(&["plan", "--rbac", "a.runbook"])
        .code(0)
        .out("nothing has to be granted");
}

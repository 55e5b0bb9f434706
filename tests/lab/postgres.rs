//! `PostgreSQL` as it is: what is asked, what is refused, and what is said where it cannot be had.

use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};

use crate::harness::{Lab, Ran, lab};

/// The connections of most tests.
const CONNECTIONS: &str = r#"
secret key = env("PGPASSWORD")
connect db = postgres(user: "sarvanom", database: "sarvanom_production", password: key)
connect ro = postgres(user: "ops_ro", database: "sarvanom_production")
connect nobody = postgres(user: "nobody_much", database: "sarvanom_production")
"#;

fn run(lab: &Lab, body: &str) -> Ran {
    run_with(lab, body, &[])
}

fn run_with(lab: &Lab, body: &str, env: &[(&str, &str)]) -> Ran {
    let ran = lab.run_with(&format!("runbook \"t\" {{ edition 1 }}\n{CONNECTIONS}\n{body}"), &[], env);
    assert!(ran.events.iter().any(|event| event["event"] == "run_finished"), "{}", ran.text);
    ran
}

/// The text of an answer of `SELECT …` by a run of its own.
fn ask(lab: &Lab, sql: &str) -> Json {
    run(lab, &format!("section \"s\" {{ show db.query(\"{sql}\") as \"rows\" }}")).shown("rows").clone()
}

#[test]
fn the_rows_are_what_the_server_has() {
    let Some(lab) = lab("the rows are what the server has", &["postgres"]) else { return };
    let ran = run(
        lab,
        r#"
        param name: string = "x'; DROP TABLE documents; --"
        section "s" {
          show db.query("SELECT * FROM kinds") as "kinds"
          show ro.query("SELECT {name} AS text, {1h} + '0s' AS span, 2 = ANY({[1, 2]}) AS yes, NULL::int AS nothing;  -- end") as "bound"
          show ro.query("SHOW transaction_read_only") as "setting"
          check ro.query("SELECT * FROM documents WHERE id = {5}") | count == 1 as "one"
          check db.size() > 1MiB as "size"
          check db.answers() as "answers"
        }
        "#,
    );
    let kinds = ran.shown("kinds").to_string();
    for cell in [
        "9007199254740993",
        "\"ü\"",
        "2026-11-25T08:00:00+00:00",
        "1 day 02:00:00",
        "deadbeef",
        "10.0.0.1/8",
        "$12.50",
        "(1,2)",
        "null",
    ] {
        assert!(kinds.contains(cell), "{cell} in {kinds}");
    }
    let bound = ran.shown("bound").to_string();
    assert!(bound.contains("x'; DROP TABLE documents; --") && bound.contains("01:00:00"), "{bound}");
    assert!(ran.shown("setting").to_string().contains("on"), "{}", ran.text);
    for title in ["one", "size", "answers"] {
        assert_eq!(ran.outcome(title), "passed", "{title}: {}", ran.text);
    }
}

#[test]
fn a_query_that_may_change_something_is_not_sent() {
    let Some(lab) = lab("a query that may change something is not sent", &["postgres"]) else { return };
    let before = ask(lab, "SELECT last_value AS v FROM documents_id_seq");
    let cases = [
        ("SELECT bump()", "public.bump"),
        ("SELECT public . bump /* x */ ()", "public.bump"),
        ("SELECT pg_terminate_backend(pg_backend_pid())", "pg_terminate_backend"),
        ("SELECT pg_reload_conf()", "pg_reload_conf"),
        ("SELECT nextval('documents_id_seq')", "nextval"),
        ("SELECT query_to_xml('SELECT bump()', true, true, '')", "query_to_xml"),
        ("SELECT lo_create(0)", "lo_create"),
        ("SELECT set_config('a.b', 'c', false)", "set_config"),
        ("EXPLAIN ANALYZE DELETE FROM documents", "read-only"),
    ];
    let checks: String = cases
        .iter()
        .enumerate()
        .map(|(index, (sql, _))| format!("check db.query(\"{sql}\") | count >= 0 as \"case {index}\"\n"))
        .collect::<Vec<_>>()
        .concat();
    let ran = run(lab, &format!("section \"s\" {{ {checks} }}"));
    for (index, (sql, said)) in cases.iter().enumerate() {
        let (kind, message) = ran.fault(&format!("case {index}"));
        assert!(kind == "setup" && message.contains(said), "{sql}: {kind}: {message}");
    }
    assert_eq!(before, ask(lab, "SELECT last_value AS v FROM documents_id_seq"));
}

#[test]
fn what_is_wrong_is_said() {
    let Some(lab) = lab("what is wrong is said", &["postgres"]) else { return };
    let ran = run(
        lab,
        r#"section "s" {
          check nobody.query("SELECT * FROM documents") | count > 0 as "grant"
          check nobody.connections().total > 0 as "hidden"
          check ro.query("SELECT * FORM documents") | count > 0 as "syntax"
          check ro.query("SELECT nope FROM documents") | count > 0 as "column"
          check ro.query("SELECT 1 AS a, 2 AS a") | count > 0 as "twice"
          check ro.query("SELECT * FROM generate_series(1, 10000000)") | count > 0 as "many"
          check ro.query("SELECT repeat('x', 1000000) FROM generate_series(1, 100)") | count > 0 as "wide"
        }"#,
    );
    let cases = [
        ("grant", "denied", "GRANT SELECT ON documents TO nobody_much"),
        ("hidden", "denied", "GRANT pg_read_all_stats TO nobody_much"),
        ("syntax", "setup", "near `FORM documents`"),
        ("column", "not_found", "nope"),
        ("twice", "setup", "two columns of the answer are called `a`"),
        ("many", "too_large", "more than 10000 rows"),
        ("wide", "too_large", "64MiB"),
    ];
    for (title, kind, said) in cases {
        let (found, message) = ran.fault(title);
        assert!(found == kind && message.contains(said), "{title}: {found}: {message}");
    }
}

#[test]
fn no_answer_is_a_no_and_our_own_fault_a_fault() {
    let Some(lab) = lab("no answer is a no, and our own fault a fault", &["postgres"]) else { return };
    let address = lab.facts["parts"]["postgres"]["address"].as_str().unwrap();
    let port = address.rsplit_once(':').unwrap().1;
    let hung = lab.facts["hung"].as_str().unwrap().rsplit_once(':').unwrap().1;
    let other = other_authority();
    let source = r#"
        secret wrong = env("WRONG")
        connect badpw = postgres(user: "ops_ro", database: "sarvanom_production", password: wrong)
        connect nodb = postgres(user: "ops_ro", database: "nope")
        connect gone = postgres(port: 1, user: "ops_ro")
        connect hung = postgres(port: HUNG, user: "ops_ro", within: 1s)
        connect badca = postgres(user: "ops_ro", database: "sarvanom_production", ca: "CA")
        section "s" {
          check badpw.answers() as "password"
          check nodb.answers() as "database"
          check gone.answers() as "gone"
          check hung.answers() as "hung"
          check badca.answers() as "authority"
        }"#;
    let source = source.replace("HUNG", hung).replace("CA", other.path().to_str().unwrap());
    let start = Instant::now();
    let ran = run_with(lab, &source, &[("WRONG", "geheim-4711")]);
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
    for (title, kind) in [("password", "denied"), ("database", "not_found"), ("authority", "unreachable")] {
        assert_eq!(ran.fault(title).0, kind, "{title}: {}", ran.text);
    }
    for title in ["gone", "hung"] {
        assert_eq!(ran.outcome(title), "failed", "{title}: {}", ran.text);
    }
    assert!(!ran.text.contains("geheim-4711"), "{}", ran.text);
    assert!(ran.text.contains(&format!("postgres://ops_ro@127.0.0.1:{port}/nope")), "{}", ran.text);
}

/// An authority that signed nothing of the lab's.
fn other_authority() -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    let made = std::process::Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-days",
            "1",
            "-subj",
            "/CN=nobody",
            "-keyout",
            "/dev/null",
            "-out",
        ])
        .arg(file.path())
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    file
}

#[test]
fn a_statement_that_takes_too_long_is_cancelled_on_the_server() {
    let Some(lab) = lab("a statement that takes too long is cancelled", &["postgres"]) else { return };
    let ran = run(
        lab,
        r#"
        section "read" { check db.query("SELECT pg_sleep(61)", within: 500ms) | count > 0 as "read" }
        section "own" { change db.execute("SELECT pg_sleep(62)", within: 500ms) }
        "#,
    );
    let (kind, message) = ran.fault("read");
    assert!(kind == "timeout" && message.contains("the server cancelled it"), "{kind}: {message}");
    let still = ask(lab, "SELECT pid FROM pg_stat_activity WHERE query ~ 'sleep.6[12]' AND pid <> pg_backend_pid()");
    assert!(!still.to_string().contains("\"value\""), "{still}");
}

#[test]
fn changes_are_made_once_and_a_lost_answer_is_no_failure() {
    let Some(lab) = lab("changes are made once", &["postgres"]) else { return };
    let ran = run(
        lab,
        r#"
        connect split = postgres(user: "ops_ro", database: "sarvanom_production", change_user: "maintenance", change_password: key)
        section "s" {
          change db.execute("VACUUM ANALYZE")
          change db.execute("INSERT INTO documents (title) SELECT 'lab test' FROM generate_series(1, {3})")
          change db.execute("DELETE FROM documents WHERE title = {"lab test"}")
        }
        section "lost" { change split.execute("SELECT pg_terminate_backend(pg_backend_pid())") }
        "#,
    );
    let ended = ran.events.iter().filter(|event| event["event"] == "change_ended" && event["outcome"] == "done");
    let rows: Vec<String> = ended.map(|event| event["result"].to_string()).collect();
    assert!(
        rows.len() == 3 && rows[0].contains('0') && rows[1..].iter().all(|rows| rows.contains('3')),
        "{}",
        ran.text
    );
    assert!(ran.text.contains("for changes as maintenance"), "{}", ran.text);
    assert!(ran.events.iter().any(|event| event["fault"]["sent"] == json!(true)), "{}", ran.text);
}

#[test]
fn what_was_committed_before_an_error_is_not_said_to_be_not_made() {
    let Some(lab) = lab("what was committed before an error", &["postgres"]) else { return };
    let ran = run(
        lab,
        r#"
        section "1" { change db.execute("DO $$ BEGIN DELETE FROM documents WHERE false; COMMIT; RAISE EXCEPTION 'late'; END $$") }
        section "2" { change db.execute("DO $$ BEGIN DELETE FROM documents WHERE false; RAISE EXCEPTION 'early'; END $$") }
        section "3" { change db.execute("CALL nothing_there()") }
        section "4" { change db.execute("VACUUM nothing_there") }
        "#,
    );
    let ended = ran.events.iter().filter(|event| event["event"] == "change_ended");
    let outcomes: Vec<&str> = ended.map(|event| event["outcome"].as_str().unwrap()).collect();
    assert_eq!(outcomes, ["unknown", "failed", "failed", "failed"], "{}", ran.text);
    assert!(ran.text.contains("what it had committed before stays"), "{}", ran.text);
}

#[test]
fn what_the_server_left_out_is_not_done_and_what_it_says_is_said() {
    let Some(lab) = lab("what the server left out is not done", &["postgres"]) else { return };
    let ran = run(
        lab,
        r#"
        section "1" { change ro.execute("VACUUM ANALYZE public.documents") }
        section "2" { change ro.execute("ANALYZE") }
        section "3" { change ro.execute("GRANT SELECT ON documents TO nobody_much") }
        section "4" { change db.execute("SELECT pg_terminate_backend(999999)") }
        section "5" { change db.execute("DO $$ BEGIN RAISE WARNING 'careful'; RAISE NOTICE 'by the way'; END $$") }
        section "6" { change db.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = 0") }
        section "7" { change ro.execute("SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE usename = 'runbook'") }
        section "8" { change db.execute("ANALYZE documents") }
        "#,
    );
    let ended: Vec<&Json> = ran.events.iter().filter(|event| event["event"] == "change_ended").collect();
    let outcomes: Vec<&str> = ended.iter().map(|event| event["outcome"].as_str().unwrap()).collect();
    let wanted = ["failed", "partly", "failed", "failed", "done", "done", "done", "done"];
    assert_eq!(outcomes, wanted, "{}", ran.text);
    let fault = |at: usize| ended[at]["fault"]["message"].as_str().unwrap().to_owned();
    assert!(fault(0).contains("skipping \"documents\""), "{}", fault(0));
    assert!(fault(2).contains("no privileges were granted"), "{}", fault(2));
    assert!(fault(3).contains("answers `false`: PID 999999"), "{}", fault(3));
    assert_eq!(ended[4]["said"], json!(["WARNING: careful", "NOTICE: by the way"]));
    assert_eq!(ended[7]["said"], Json::Null);
}

#[test]
fn the_server_tells_how_it_is() {
    let Some(lab) = lab("the server tells how it is", &["postgres"]) else { return };
    let replica = lab.facts["replica"].as_str().unwrap().rsplit_once(':').unwrap().1;
    let ran = run(
        lab,
        &format!(
            r#"
        connect standby = postgres(port: {replica}, user: "ops_ro", database: "sarvanom_production")
        section "s" {{
          check ro.replication().role == "primary" as "primary"
          check ro.replication().standbys | any(.state == "streaming") as "streaming"
          check standby.replication().role == "standby" as "standby"
          check ro.connections().total >= 1 and ro.connections().used_share < 100% as "connections"
          check ro.tables(top: 1) | count == 1 as "tables"
          check ro.vacuum_state().wraparound_share < 50% as "wraparound"
          check ro.vacuum_state().tables | any(.table == "public.documents") as "vacuum"
          check ro.long_running(over: 1h) | is_empty as "long"
          show ro.query("SELECT /* own look */ count(*) FROM generate_series(1, 5000000)")
          check ro.long_running(over: 100us) | where(.query ~ /own look/) | is_empty as "without this run"
          check standby.vacuum_state().wraparound_share < 50% as "wraparound there"
          check standby.vacuum_state().tables | all(.dead_share < 100%) as "counts there"
          check ro.locks() | count >= 0 as "locks"
        }}"#
        ),
    );
    for title in ["primary", "streaming", "standby", "connections", "tables", "wraparound", "vacuum", "long", "locks"] {
        assert_eq!(ran.outcome(title), "passed", "{title}: {}", ran.text);
    }
    for title in ["without this run", "wraparound there"] {
        assert_eq!(ran.outcome(title), "passed", "{title}: {}", ran.text);
    }
    // A standby has none of the counts, and that is no table without dead rows.
    assert_eq!(ran.outcome("counts there"), "not_measured", "{}", ran.text);
}

#[test]
fn a_pod_of_a_cluster_leads_to_it() {
    let Some(lab) = lab("a pod of a cluster leads to the database", &["postgres", "kubernetes"]) else { return };
    let ran = run(
        lab,
        r#"
        connect cluster = kubernetes(context: "lab", namespace: "sarvanom-production")
        connect pod = postgres(through: cluster.pod("postgres-0"), user: "sarvanom", database: "sarvanom_production")
        connect noname = postgres(through: cluster.pod("postgres-0"), host: "db.example", user: "ops_ro", database: "sarvanom_production", tls: "verify-full")
        connect anyname = postgres(through: cluster.pod("postgres-0"), host: "db.example", user: "ops_ro", database: "sarvanom_production", tls: "verify-ca")
        section "s" {
          check noname.answers() as "another name"
          check anyname.answers() as "any name"
          check pod.answers() as "answers"
          check pod.query("SELECT 1 AS one") | count == 1 as "query"
          check pod.size() > 1MiB as "size"
        }"#,
    );
    for title in ["answers", "query", "size", "any name"] {
        assert_eq!(ran.outcome(title), "passed", "{title}: {}", ran.text);
    }
    assert_eq!(ran.outcome("another name"), "failed", "{}", ran.text);
    assert!(ran.text.contains("not for `db.example`"), "{}", ran.text);
}

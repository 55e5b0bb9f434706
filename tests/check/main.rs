//! What the checker finds: sources, and the codes with their places.

mod checked;
mod deprecated;
mod hostile;
mod meaning;
mod modules;
mod schedules;

use checked::{checked, lines};

#[test]
fn the_daily_runbook_is_valid() {
    let text = include_str!("../spec/syntax/daily.runbook");
    let (sources, _, diagnostics) = checked(text);
    assert_eq!(lines(&sources, &diagnostics), Vec::<String>::new());
}

/// Checks sources against the findings they must give: `code@line:column`.
fn expect(cases: &[(&str, &[&str])]) {
    let mut wrong = Vec::new();
    for (source, wanted) in cases {
        let (sources, _, diagnostics) = checked(source);
        let found = lines(&sources, &diagnostics);
        let places: Vec<&str> = found.iter().map(|line| line.split(' ').next().unwrap_or("")).collect();
        if places != *wanted {
            wrong.push(format!("{source}\n  wanted {wanted:?}\n  found {found:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// Expressions in `show`, with connections and a few names around them; the column is that in the expression.
fn expect_expressions(cases: &[(&str, &[&str])]) {
    let before = "connect cluster = kubernetes()\nconnect db = postgres()\nconnect api = http(\"https://x.example\", reads: [\"POST /query\"])\n\
        secret token = env(\"T\")\nparam share: percent = 5%\nparam lag: duration = 5s\nparam number: int = 1\n\
        section \"S\" { show cluster show db show api show token show share show lag show number\n";
    let mut wrong = Vec::new();
    for (source, wanted) in cases {
        let (sources, _, diagnostics) = checked(&format!("{before}show\n{source}\n}}"));
        let found: Vec<String> =
            lines(&sources, &diagnostics).into_iter().filter(|line| !line.contains("@8:")).collect();
        let places: Vec<String> = found
            .iter()
            .map(|line| {
                let line = line.split(' ').next().unwrap_or("");
                let (code, place) = line.split_once('@').expect("a line has a place");
                let (line, column) = place.split_once(':').expect("a place has a column");
                assert_eq!(line, "10", "{source}: {found:?}");
                format!("{code}@{column}")
            })
            .collect();
        if places != *wanted {
            wrong.push(format!("{source}\n  wanted {wanted:?}\n  found {found:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn units() {
    expect_expressions(&[
        ("1GiB / 2GiB < 5%", &[]),
        ("80% * 1GiB > 500MiB", &[]),
        ("5s * 3 + 1m", &[]),
        ("1GiB / 10s > 1MiB/s", &[]),
        ("10MiB/s * 10s > 1GiB", &[]),
        ("3/min * 1h > 5", &[]),
        ("lag / 1s > 5", &[]),
        ("run.date - 1d", &[]),
        ("run.started_at - run.scheduled_at < 5m", &[]),
        ("run.started_at.age + 5m", &[]),
        ("0.05 < share", &[]),
        ("run.date - 6h", &["unit-mismatch@12"]),
        ("lag > 10%", &["unit-mismatch@7"]),
        ("lag > 10", &["unit-missing@7"]),
        ("share > 80", &["unit-missing@9"]),
        ("share > number", &["unit-missing@9"]),
        ("1GiB > 500", &["unit-missing@8"]),
        ("1GiB + 5s", &["unit-mismatch@8"]),
        ("1GiB * 1GiB", &["unit-mismatch@8"]),
        ("[1s, 1GiB]", &["unit-mismatch@6"]),
        ("lag in [1s, 2]", &["unit-missing@13"]),
        ("10 / 0", &["division-by-zero@6"]),
        ("9223372036854775807 + 1", &["number-overflow@1"]),
        ("99999999999999999999", &["number-overflow@1"]),
        ("10Gib", &["unknown-unit@1"]),
        ("5parsec", &["unknown-unit@1"]),
        ("1h1h", &["invalid-literal@1"]),
        ("2025-02-30", &["invalid-literal@1"]),
        ("25:00", &["invalid-literal@1"]),
    ]);
}

#[test]
fn types() {
    expect_expressions(&[
        ("1 + \"a\"", &["type-mismatch@5"]),
        ("\"a\" + \"b\"", &["type-mismatch@7"]),
        ("1 == \"a\"", &["type-mismatch@6"]),
        ("not 1", &["type-mismatch@5"]),
        ("true and 1", &["type-mismatch@10"]),
        ("if 1 then 2 else 3", &["type-mismatch@4"]),
        ("if true then 2 else \"x\"", &["type-mismatch@21"]),
        ("[1, \"a\"]", &["type-mismatch@5"]),
        ("\"x\" ~ /a/i", &[]),
        ("\"x\" ~ \"a\"", &["type-mismatch@7"]),
        ("\"x\" ~ /(/", &["invalid-literal@7"]),
        ("\"a\" in \"abc\"", &[]),
        ("1 in 2", &["type-mismatch@6"]),
        ("cluster.pods().name", &["unknown-field@16"]),
        ("cluster.pods() | each(.nam)", &["unknown-field@24"]),
        ("cluster.services() | where(.type == \"NodePrt\")", &["unknown-value@37"]),
        ("cluster.services() | where(.type in [\"NodePort\", \"LoadBalancr\"])", &["unknown-value@50"]),
        ("cluster.pods() | where(.status == \"Runing\")", &["unlikely-value@35"]),
        ("cluster.events() | where(.reason == \"BackOf\")", &["unlikely-value@37"]),
        ("cluster.events() | where(.reason == \"SomethingElse\")", &[]),
        ("cluster.pods() | first", &[]),
        ("(cluster.pods() | first).name", &["missing-value@1"]),
        ("(cluster.pods() | first)?.name ?? \"none\"", &[]),
        ("cluster.pods() | where(.node > \"a\")", &["missing-value@24"]),
        ("cluster.pods() | where(.node == \"a\")", &[]),
        ("try db.size() otherwise 0B", &[]),
        ("try db.size() on not_found otherwise 0s", &["unit-mismatch@38"]),
        ("try db.size() on not_fond otherwise 0B", &["unknown-value@18"]),
        ("api.get(\"/x\").json.a.b[0] == \"x\"", &[]),
        ("api.get(\"/x\").json.a > 5", &[]),
        ("api.get(\"/x\").json.a > 5s", &["unit-missing@1"]),
        ("api.get(\"/x\").json.a * 1s > 5s", &[]),
        ("null == number", &["type-mismatch@9"]),
        ("\"{number:.1} {run.date:%Y-%m-%d} {lag}\"", &[]),
        ("\"{run.date:%H}\"", &["unknown-format@12"]),
        ("\"{lag:.1}\"", &["unknown-format@7"]),
        ("\"{number:abc}\"", &["unknown-format@10"]),
        ("run", &["type-mismatch@1"]),
        ("run.dat", &["unknown-field@5"]),
    ]);
}

#[test]
fn names_and_arguments() {
    expect_expressions(&[
        ("numbr", &["unknown-name@1"]),
        ("number.foo", &["unknown-field@8"]),
        ("it", &["no-item@1"]),
        (".name", &["no-item@1"]),
        ("cluster.pods() | where(p => .ready)", &["no-item@29"]),
        ("cluster.pods() | where(p => p.containers | any(.restarts > p.restarts))", &[]),
        ("cluster.pdos()", &["unknown-builtin@9"]),
        ("cluster.pods() | cuont", &["unknown-builtin@18"]),
        ("nothing(1)", &["unknown-builtin@1"]),
        ("dns.lokup(\"x\")", &["unknown-builtin@5"]),
        ("count([1])", &[]),
        ("[1].count()", &[]),
        ("http.get(\"/x\")", &["missing-argument@6"]),
        ("cluster.pod(\"a\").disk()", &["missing-argument@18"]),
        ("cluster.logs(since: 1h)", &["type-mismatch@9"]),
        ("cluster.logs(\"a\", deployment: \"b\", since: 1h)", &["type-mismatch@31"]),
        ("cluster.logs(deployment: \"a\", sinse: 1h)", &["unknown-argument@31"]),
        ("cluster.logs(\"a\", pod: \"b\", since: 1h)", &["duplicate-argument@19"]),
        ("cluster.pod(\"a\").disk(\"/\", \"b\", 1s, 2)", &["unknown-argument@37"]),
        ("cluster.logs(\"a\", since: 1)", &["unit-missing@26"]),
        ("cluster.logs(\"a\", since: 1GiB)", &["unit-mismatch@26"]),
        ("cluster.logs(1, since: 1h)", &["type-mismatch@14"]),
        ("alerts(state: \"opn\")", &["unknown-value@15"]),
        ("db.query(\"SELECT {number}\")", &[]),
        ("db.query(cluster.pods() | count)", &["not-a-literal@10"]),
        ("db.query(\"SELECT {token}\")", &["secret-exposed@19"]),
        ("\"{token}\"", &["secret-exposed@3"]),
        ("token == \"x\"", &["secret-exposed@1"]),
        ("api.get(\"/x\", headers: { a: token })", &[]),
        ("api.get(\"/x\", query: { a: token })", &["secret-exposed@27"]),
        ("5 | where(it > 3)", &["type-mismatch@1"]),
        ("[3] | where(it)", &["type-mismatch@13"]),
        ("x => 1", &["syntax@3"]),
        ("cluster.pods", &["unknown-field@9"]),
    ]);
}

#[test]
fn effects() {
    expect_expressions(&[
        ("db.execute(\"V\")", &["unguarded-change@1"]),
        ("db.execute(\"V\") > 1", &["unguarded-change@1"]),
        ("cluster.nodes() | each(cluster.drain(it.name))", &["unguarded-change@24"]),
        ("api.post(\"/query\", json: { a: 1 }).status", &[]),
        ("api.post(\"/other\", json: { a: 1 }).status", &["unguarded-change@1"]),
    ]);
    let before =
        "connect cluster = kubernetes()\nconnect db = postgres()\nsection \"S\" { show db.size() show cluster.pods()\n";
    let case = |text: &str| format!("{before}{text}\n}}");
    let cases: Vec<(String, &[&str])> = vec![
        (case("change db.execute(\"V\") within 5m verify db.answers()"), &[]),
        (case("change db.size()"), &["nothing-changes@4:8"]),
        (case("change 5"), &["nothing-changes@4:8"]),
        (case("change cluster.drain(cluster.nodes()[0].name)"), &[]),
        (case("for n in cluster.nodes() { change cluster.drain(n.name) }"), &["unbounded-change@4:10"]),
        (
            case("for n in cluster.nodes() at most 3 { change cluster.drain(n.name) undo cluster.uncordon(n.name) }"),
            &[],
        ),
        (case("for n in [1, 2] { change db.execute(\"V {n}\") }"), &[]),
        (case("retry 3 every 5s { change db.execute(\"V\") }"), &["not-idempotent@4:30"]),
        (case("retry 3 every 5s { change cluster.cordon(cluster.nodes()[0].name) }"), &[]),
        (case("change shell(\"ls\")"), &["shell-used@4:8"]),
        (case("return 1"), &["not-in-a-command@4:1"]),
        (case("send to x"), &["not-in-a-command@4:1"]),
        (case("let x = 1 let x = 2 show x"), &["unused-name@4:5", "duplicate-name@4:15"]),
        (case("let x = 1"), &["unused-name@4:5"]),
        (case("let _x = 1"), &[]),
        (case("if true { let x = 1 show x } let x = 2 show x"), &[]),
        (case("let db = 1 show db"), &["duplicate-name@4:5"]),
        (case("change r = db.execute(\"V\") show r"), &[]),
        (case("do db.size()"), &["type-mismatch@4:4"]),
        (case("measure nothing"), &["unknown-name@4:9"]),
        (case("check 5 else raise \"Nothing\""), &["type-mismatch@4:7", "unknown-name@4:20"]),
        (case("wait until db.answers() every 5s within 10"), &["unit-missing@4:41"]),
        (case("let lag = 1s * (db.size() / 1B) manual \"look\" within lag"), &["not-a-literal@4:54"]),
    ];
    let cases: Vec<(&str, &[&str])> = cases.iter().map(|(source, wanted)| (source.as_str(), *wanted)).collect();
    expect(&cases);
}

#[test]
fn commands_and_tools() {
    expect(&[
        ("command a() -> int { return b() }\ncommand b() -> int { return a() }", &["name-before-value@1:9"]),
        ("command a() -> int { return a() }", &["name-before-value@1:9"]),
        ("command a(n: int) -> int { if n > 1 { return 1 } }\nsection \"S\" { show a(1) }", &["type-mismatch@1:9"]),
        ("command a(n: int) -> int { if n > 1 { return 1 } else { return 2 } }\nsection \"S\" { show a(1) }", &[]),
        ("command a() -> int { return \"x\" }\nsection \"S\" { show a() }", &["type-mismatch@1:29"]),
        ("command a() -> int { show 1 return 1 }\nsection \"S\" { show a() }", &["not-in-a-command@1:22"]),
        ("command a() { show 1 }\nsection \"S\" { show a() }", &["type-mismatch@2:20"]),
        ("command a() { show 1 }\nsection \"S\" { do a() }", &[]),
        (
            "connect db = postgres()\ncommand a() { change db.execute(\"V\") }\nsection \"S\" { do a() }",
            &["effect-mismatch@2:9"],
        ),
        (
            "connect db = postgres()\ncommand a() changes { change db.execute(\"V\") }\nsection \"S\" { do a() change a() }",
            &[],
        ),
        ("command a() changes { show 1 }\nsection \"S\" { do a() }", &["effect-mismatch@1:13"]),
        (
            "connect db = postgres()\ncommand a() -> int { change db.execute(\"V\") return 1 }\nsection \"S\" { show 1 show db.size() change a() }",
            &["effect-mismatch@2:9"],
        ),
        (
            "command count(a: int) -> int { return a }\nsection \"S\" { show 1 }",
            &["duplicate-name@1:9", "unused-name@1:9"],
        ),
        (
            "tool growth(days: int) -> list<line> = argv(\"./g.sh\", \"--days\", days)\nsection \"S\" { show growth(3) | count }",
            &[],
        ),
        ("tool growth(d: duration) = argv(\"./g.sh\", d)\nsection \"S\" { show growth(3h) }", &["type-mismatch@1:43"]),
        (
            "secret k = env(\"K\")\ntool growth() = argv(\"./g.sh\", k)\nsection \"S\" { show growth() }",
            &["secret-exposed@2:32"],
        ),
        (
            "secret k = env(\"K\")\ntool growth() = argv(\"./g.sh\", env: { K: k })\nsection \"S\" { show growth() }",
            &[],
        ),
        ("tool purge() changes = argv(\"./p.sh\")\nsection \"S\" { show purge() }", &["unguarded-change@2:20"]),
        ("tool purge() changes = argv(\"./p.sh\")\nsection \"S\" { change purge() }", &[]),
        ("tool purge() = shel(\"./p.sh\")\nsection \"S\" { show purge() }", &["unknown-builtin@1:16"]),
    ]);
}

#[test]
fn a_command_in_a_pod_reads_where_its_cluster_says_so() {
    let before =
        "connect a = kubernetes(namespace: \"a\", reads: [\"df\"])\nconnect b = kubernetes(namespace: \"b\")\n";
    let case = |body: &str| format!("{before}section \"S\" {{ show a.pods() show b.pods()\n{body}\n}}");
    let read = [
        "let pod = a.pod(\"x\")\ncheck pod.exec(\"df -h\").ok",
        "let pods = a.pods() | where(.ready) | sort(by: .name)\nlet pod = pods | first\ncheck pod?.exec(\"df\")?.ok ?? false",
        "for pod in a.pods() | take(3) {\ncheck pod.exec(\"df -h\").ok\n}",
        "show a.pods() | each(.exec(\"df -h\").stdout)",
        "show a.pods() | each(pod => pod.exec(\"df {pod.name}\").stdout)",
        "let both = [a.pod(\"x\"), a.pod(\"y\")]\nshow both | each(.exec(\"df\").ok)",
        "let one = { pod: a.pod(\"x\"), size: 3 }\nshow one.pod.exec(\"df\").ok show one.size",
        "let pod = if a.pod(\"x\").ready then a.pod(\"x\") else a.pod(\"y\")\nshow pod.exec(\"df\").ok",
    ];
    // Of a pod that may be of another cluster nobody knows what it is allowed.
    let changed = [
        "let pod = a.pod(\"x\")\ncheck pod.exec(\"rm x\").ok",
        "let pod = b.pod(\"x\")\ncheck pod.exec(\"df -h\").ok",
        "show a.pods() | each(pod => b.pod(pod.name)) | each(.exec(\"df\").ok)",
        "let both = [a.pod(\"x\"), b.pod(\"y\")]\nshow both | each(.exec(\"df\").ok)",
        "let pod = if a.pod(\"x\").ready then a.pod(\"x\") else b.pod(\"y\")\nshow pod.exec(\"df\").ok",
        "let pod = try a.pod(\"x\") otherwise b.pod(\"y\")\nshow pod.exec(\"df\").ok",
    ];
    for (bodies, wanted) in [(&read[..], None), (&changed[..], Some("unguarded-change"))] {
        for body in bodies {
            let (sources, _, diagnostics) = checked(&case(body));
            let found = lines(&sources, &diagnostics);
            let codes: Vec<&str> = found.iter().map(|line| line.split('@').next().unwrap_or_default()).collect();
            assert_eq!(codes, wanted.into_iter().collect::<Vec<_>>(), "{body}\n{found:#?}");
        }
    }
}

#[test]
fn declarations() {
    expect(&[
        ("param a: int = 1\nparam a: int = 2\nsection \"S\" { show a }", &["duplicate-name@2:7"]),
        ("param a: int = \"x\"\nsection \"S\" { show a }", &["type-mismatch@1:16"]),
        ("param a: size = 10\nsection \"S\" { show a }", &["unit-missing@1:17"]),
        ("param a: intt = 1\nsection \"S\" { show a }", &["unknown-type@1:10"]),
        ("param a: list<string> = []\nsection \"S\" { show a }", &[]),
        ("param a: float = 3\nparam b: percent = 0.5\nsection \"S\" { show a show b }", &[]),
        ("param a: int", &["unused-name@1:7"]),
        ("connect db = postgres()\nparam a: size = db.size()\nsection \"S\" { show a }", &["not-a-literal@2:17"]),
        (
            "connect a = redis(host: b.get(\"x\") ?? \"h\")\nconnect b = redis(host: a.get(\"x\") ?? \"h\")",
            &["name-before-value@1:9"],
        ),
        ("connect a = postgress()\nsection \"S\" { show a.size() }", &["unknown-builtin@1:13"]),
        ("connect a = slack()\nsection \"S\" { show a.size() }", &["unknown-builtin@1:13"]),
        ("connect a = postgres(password: \"x\")\nsection \"S\" { show a.size() }", &["type-mismatch@1:32"]),
        ("secret s = env(\"S\")\nconnect a = postgres(password: s)\nsection \"S\" { show a.size() }", &[]),
        (
            "secret s = env(\"S\")\nconnect a = postgres(user: s)\nsection \"S\" { show a.size() }",
            &["secret-exposed@2:28"],
        ),
        ("secret s = env(\"S\")\nsection \"S\" { show s }", &["secret-exposed@2:20"]),
        (
            "type a = { x: b }\ntype b = { y: a? }\nparam p: int = 1\nsection \"S\" { show p }",
            &["name-before-value@1:6"],
        ),
        ("section \"S\" { show 1 }\nsection \"S\" { show 2 }", &["duplicate-name@2:9"]),
        ("runbook \"R\" { edition 2 }", &["invalid-header@1:23"]),
        ("runbook \"R\" { edition 1 timezone \"Europe/Berlyn\" }", &["invalid-header@1:34"]),
        ("runbook \"R\" { edition 1 owner 5 }", &["invalid-header@1:31"]),
        ("runbook \"R\" { edition 1 ownr \"x\" }", &["invalid-header@1:25"]),
        ("section \"S\" daily at 25:00 { show 1 }", &["invalid-schedule@1:22"]),
        ("section \"S\" weekly on mnday at 09:00 { show 1 }", &["invalid-schedule@1:23"]),
        ("section \"S\" monthly on day 32 at 09:00 { show 1 }", &["invalid-schedule@1:28"]),
        ("section \"S\" cron \"0 8 * *\" { show 1 }", &["invalid-schedule@1:18"]),
        ("section \"S\" cron \"0 8 * * 1-5\" { show 1 }", &[]),
        (
            "section \"S\" daily at 02:30 (late: 2, overlap: \"skip\", gap: \"nex\") { show 1 }",
            &["unit-missing@1:35", "unknown-value@1:60"],
        ),
        ("section \"S\" daily at 02:30 (lat: 2h) { show 1 }", &["unknown-argument@1:29"]),
    ]);
}

#[test]
fn alerting() {
    let before = "connect db = postgres()\nsecret key = env(\"K\")\nchannel pager = pagerduty(key: key)\nchannel mail = webhook(url: key)\n\
        metric lag: duration for part in [\"a\"] every 5m = 5s\nmetric idle: size = db.size()\nsection \"S\" { show 1 notify pager \"x\" notify mail \"y\" }\n";
    let case = |text: &str| format!("{before}{text}");
    let cases: Vec<(String, &[&str])> = vec![
        (case("threshold \"T\" critical { when lag > 10s notify pager }"), &[]),
        (case("threshold \"T\" critical { when lag > 10% notify pager }"), &["unit-mismatch@8:37"]),
        (case("threshold \"T\" critical { when lag > 10s notify mail }"), &["nobody-told@8:11"]),
        (case("threshold \"T\" warning { when lag > 10s notify mail }"), &[]),
        (case("threshold \"T\" warning { when lag > 10s notify nobody }"), &["unknown-name@8:47"]),
        (case("threshold \"T\" warning { notify mail }"), &["threshold-unmeasured@8:11"]),
        (case("threshold \"T\" warning { when idle > 1GiB }"), &["threshold-unmeasured@8:11"]),
        (case("threshold \"T\" warning { when idle > 1GiB }\nsection \"M\" { measure idle }"), &[]),
        (case("threshold \"T\" warning { when db.answers() }"), &["threshold-unmeasured@8:30"]),
        (case("threshold \"T\" warning { when lag > 10s for 1m }"), &["held-too-briefly@8:44"]),
        (case("threshold \"T\" warning { when lag > 10s for 15m group by part }"), &[]),
        (case("threshold \"T\" warning { when lag > 10s group by prt }"), &["unknown-name@8:49"]),
        (case("threshold \"T\" warning { when lag > 10s }\nsection \"M\" { raise \"T\" }"), &["threshold-both@8:11"]),
        (case("threshold \"T\" warning { when lag > 10s escalate to level 2 }"), &["unknown-level@8:58"]),
        (case("threshold \"T\" warning { }\nsection \"R\" on alert \"T\" { raise \"T\" }"), &["held-open@9:28"]),
        (
            case(
                "threshold \"T\" warning { }\nthreshold \"U\" warning { }\nsection \"R\" on alert \"T\" { raise \"U\" }\nsection \"Q\" on alert \"U\" { raise \"T\" }",
            ),
            &["held-open@10:28", "held-open@11:28"],
        ),
        (
            case(
                "threshold \"T\" warning { }\nthreshold \"U\" warning { when lag > 10s }\nsection \"R\" on alert \"T\", \"U\" { raise \"T\" }",
            ),
            &[],
        ),
        (
            case(
                "secret k = env(\"K\")\nsecret l = env(\"K\")\nchannel one = pagerduty(key: k)\nchannel two = pagerduty(key: l)\nescalation e { level 1 \"A\" { escalate after 5m unless resolved notify one } level 2 \"B\" { notify two } }",
            ),
            &["nobody-new@12:83"],
        ),
        (
            case(
                "threshold \"T\" critical { when lag > 10s notify mail }\nescalation e { level 1 \"A\" { escalate after 5m notify mail } level 2 \"B\" { notify pager } }",
            ),
            &[],
        ),
        (
            case("escalation e { level 1 \"A\" { notify mail } level 2 \"B\" { notify pager } }"),
            &["unreachable-level@8:50"],
        ),
        (
            case(
                "escalation e { level 1 \"A\" { respond within 10m escalate after 5m notify mail } level 2 \"B\" { notify pager } }",
            ),
            &["respond-too-late@8:45"],
        ),
        (case("threshold \"T\" warning { when lag > 10s link \"https://x.example/{1GiB}\" }"), &[]),
        (case("threshold \"T\" warning { when lag > 10s link \"https://x.example/{lag}\" }"), &["not-a-literal@8:45"]),
        (
            case("threshold \"T\" warning { when lag > 10s link \"https://x.example/{db.size()}\" }"),
            &["not-a-literal@8:45"],
        ),
        (case("section \"M\" { show lag }"), &["type-mismatch@8:20"]),
        (
            case(
                "section \"M\" { show history(lag, over: 1d) | max(.value) show history(lag, over: 1d) | group_by(.part) }",
            ),
            &[],
        ),
        (case("section \"M\" { show history(lag, over: 1d) | where(.prt == \"a\") }"), &["unknown-field@8:52"]),
    ];
    let cases: Vec<(&str, &[&str])> = cases.iter().map(|(source, wanted)| (source.as_str(), *wanted)).collect();
    expect(&cases);
}

/// Mistakes do not multiply: ten of them are ten findings.
#[test]
fn ten_mistakes_are_ten_findings() {
    let text = include_str!("../spec/syntax/daily.runbook");
    let mistakes = [
        ("cluster.pods()\n    show pods", "cluster.pds()\n    show pods"),
        ("error_rate > 5%", "error_rate > 5"),
        ("response_time > 10s", "response_time > 10%"),
        ("monthly on day 1", "monthly on day 40"),
        ("change cache.command(\"MEMORY PURGE\")", "change cache.info(\"memory\")"),
        ("let before = db.size()", "let before = db.execute(\"X\")"),
        ("show cache.key_count() as", "show cach.key_count() as"),
        ("top(10, by: .cpu)", "top(10, bye: .cpu)"),
        ("\"{store}/{run.date - 1d:%Y/%m/%d}/\"", "\"{store}/{run.date - 1d:%Q}/\""),
        ("alerts(over: 7d) | group_by(.state)", "alerts(over: 7d) | group_by(.sate)"),
    ];
    let text = mistakes.iter().fold(text.to_owned(), |text, (right, wrong)| {
        assert!(text.contains(right), "{right}");
        text.replacen(right, wrong, 1)
    });
    let (sources, _, diagnostics) = checked(&text);
    assert_eq!(diagnostics.len(), 10, "{:#?}", lines(&sources, &diagnostics));
}

//! Prometheus and Alertmanager, the real ones; Elasticsearch, Jaeger, Grafana and a tracker as the lab plays them, which records
//! what they are asked.

use serde_json::Value as Json;

use crate::harness::{Lab, Ran, lab};

/// The connections that the tests ask.
fn connections(lab: &Lab) -> String {
    let url = |part: &str| {
        let url = lab.facts["parts"][part]["url"].as_str();
        url.unwrap_or_else(|| panic!("the lab does not say where {part} is: {}", lab.facts)).trim_end_matches('/')
    };
    let (prometheus, alertmanager) = (url("prometheus"), url("alertmanager"));
    format!(
        "connect prom = prometheus(\"{prometheus}\")\nconnect pager = alertmanager(\"{alertmanager}\")\n\
        connect raw = http(\"{alertmanager}\")\n"
    )
}

fn run(lab: &Lab, section: &str) -> Ran {
    lab.run(&format!("{}section \"observe\" {{\nstep \"one\" {{\n{section}\n}}\n}}\n", connections(lab)))
}

/// The cells of a column of a shown table.
fn column(shown: &Json, name: &str) -> Vec<String> {
    let columns = shown["columns"].as_array().unwrap_or_else(|| panic!("no table: {shown}"));
    let index = columns.iter().position(|column| column == name).unwrap_or_else(|| panic!("no {name}: {shown}"));
    let rows = shown["rows"].as_array().unwrap();
    rows.iter().map(|row| row[index]["text"].as_str().unwrap_or_default().to_owned()).collect()
}

#[test]
fn prometheus_answers_queries() {
    let Some(lab) = lab("prometheus_answers_queries", &["prometheus", "alertmanager"]) else { return };
    let ran = run(
        lab,
        r#"
        check prom.answers() as "answers"
        check prom.query('up') | any(.value == 1) as "something is up"
        show prom.query('up') as "up"
        check prom.scalar('count(up)') >= 1 as "one value"
        check prom.scalar("vector({0.25})") == 25% as "a number outside of quotes"
        check prom.scalar("count_over_time(vector(1)[{1m}:10s])") >= 6 as "a duration"
        check prom.query('up up') | is_empty as "not PromQL"
        check prom.query("up\{job=\"{"x\"} or vector(1) or up\{job=\"y"}\"}") | is_empty as "nothing breaks out"
        check prom.query("label_replace(vector(1), 'a', 'x.y', '', '')") | all(.labels.a == "x.y") as "labels"
        check prom.range('vector(1)', over: 1m, step: 10s) | all(.points | count >= 6) as "a range"
        check prom.range('up', over: 30d, step: 1s) | is_empty as "too fine"
        check prom.targets() | any(.health == "up" and .url ~ /metrics$/) as "a target"
        show prom.rules() as "rules"
        show prom.alerts() as "alerts"
        "#,
    );
    for title in [
        "answers",
        "something is up",
        "one value",
        "a number outside of quotes",
        "a duration",
        "nothing breaks out",
        "labels",
        "a range",
        "a target",
    ] {
        assert_eq!(ran.outcome(title), "passed", "{title}\n{}", ran.text);
    }
    // They may be none: that they could be read is what is asked.
    assert!(ran.shown("rules").is_object() && ran.shown("alerts").is_object(), "{}", ran.text);
    assert!(column(ran.shown("up"), "metric").iter().all(|name| name == "up"), "{}", ran.text);
    let (kind, message) = ran.fault("not PromQL");
    assert_eq!(kind, "failed");
    assert!(message.contains("parse error") && message.contains("1:4"), "{message}");
    let (kind, message) = ran.fault("too fine");
    assert_eq!(kind, "failed");
    assert!(message.contains("exceeded maximum resolution of 11,000 points"), "{message}");
}

#[test]
fn a_value_that_is_none_is_not_measured() {
    let Some(lab) = lab("a_value_that_is_none_is_not_measured", &["prometheus", "alertmanager"]) else { return };
    let ran = run(
        lab,
        r#"
        check prom.scalar('no_such_metric') < 1 as "no series"
        check prom.scalar('vector(0) / 0') < 1 as "no number"
        check prom.query('vector(0) / 0') | all(.value < 1) as "no number in a list"
        check prom.scalar('label_replace(vector(1), "a", "b", "", "") or vector(1)') < 1 as "two"
        check prom.query('up[5m]') | is_empty as "a matrix"
        "#,
    );
    for (title, kind) in [
        ("no series", "no_value"),
        ("no number", "no_value"),
        ("no number in a list", "no_value"),
        ("two", "conversion"),
        ("a matrix", "conversion"),
    ] {
        assert_eq!(ran.outcome(title), "not_measured", "{title}\n{}", ran.text);
        assert_eq!(ran.fault(title).0, kind, "{title}");
    }
    let hung = lab.facts["hung"].as_str().unwrap();
    let ran = lab.run(&format!(
        "connect hung = prometheus(\"http://{hung}\", within: 300ms)\nsection \"hung\" {{\n\
        check hung.query('up') | is_empty as \"a query\"\ncheck hung.answers() as \"answers\"\n}}\n"
    ));
    assert_eq!(ran.fault("a query").0, "timeout", "{}", ran.text);
    assert_eq!(ran.outcome("answers"), "failed", "{}", ran.text);
}

#[test]
fn one_product_is_not_taken_for_another() {
    let Some(lab) = lab("one_product_is_not_taken_for_another", &["prometheus", "alertmanager"]) else { return };
    let (prometheus, alertmanager) =
        (&lab.facts["parts"]["prometheus"]["url"], &lab.facts["parts"]["alertmanager"]["url"]);
    let ran = lab.run(&format!(
        "connect prom = prometheus({alertmanager})\nconnect pager = alertmanager({prometheus})\n\
        connect charts = grafana({prometheus})\nconnect search = elasticsearch({alertmanager})\n\
        connect tracing = jaeger({prometheus})\nsection \"mixed up\" {{\n\
        check prom.query('up') | is_empty as \"prometheus\"\ncheck prom.answers() as \"prometheus answers\"\n\
        check pager.alerts() | is_empty as \"alertmanager\"\ncheck pager.answers() as \"alertmanager answers\"\n\
        check charts.answers() as \"grafana\"\ncheck charts.dashboards() | is_empty as \"grafana's\"\n\
        check search.answers() as \"elasticsearch\"\ncheck search.count(\"x\") == 0 as \"elasticsearch's\"\n\
        check tracing.answers() as \"jaeger\"\ncheck tracing.services() | is_empty as \"jaeger's\"\n}}\n"
    ));
    for title in [
        "prometheus",
        "prometheus answers",
        "alertmanager",
        "alertmanager answers",
        "grafana",
        "grafana's",
        "elasticsearch",
        "elasticsearch's",
        "jaeger",
        "jaeger's",
    ] {
        assert_eq!(ran.outcome(title), "not_measured", "{title}\n{}", ran.text);
        let (kind, message) = ran.fault(title);
        assert_eq!(kind, "bad_answer", "{title}: {message}");
        assert!(message.contains("its URL is such as"), "{message}");
    }
}

/// An alert of the test's own: told, silenced, and told again.
#[test]
fn a_silence_keeps_an_alert_quiet_until_it_ends() {
    let Some(lab) = lab("a_silence_keeps_an_alert_quiet", &["alertmanager", "prometheus"]) else { return };
    let name = format!("Lab{}", std::process::id());
    let ran = run(
        lab,
        &format!(
            r#"
        change raw.post("/api/v2/alerts", json: [{{ labels: {{ alertname: "{name}", shard: "7" }}, annotations: {{ summary: "a \"test\"" }} }}])
        wait until pager.alerts() | any(.name == "{name}" and .state == "active") every 200ms within 30s
        check pager.alerts() | where(.name == "{name}") | all(.annotations.summary == "a \"test\"" and .silenced_by | is_empty) as "told"
        change quiet = pager.silence(labels: {{ alertname: "{name}", shard: 7 }}, matching: {{ alertname: "Lab.*" }}, for: 10m, comment: "a test", by: "the lab")
            verify pager.silences() | any(.comment == "a test" and .created_by == "the lab")
            undo pager.expire_silence(quiet)
        wait until pager.alerts() | any(.name == "{name}" and .state == "suppressed") every 200ms within 30s
        check pager.alerts() | where(.name == "{name}") | all(quiet in .silenced_by) as "by this one"
        show pager.silences() | where(.id == quiet) as "the silence"
        check pager.silences() | where(.id == quiet) | all(.left > 9m and .left < 11m and .state == "active") as "for ten minutes"
        change pager.expire_silence(quiet)
        check pager.silences() | where(.id == quiet) | is_empty as "ended"
        check pager.silences(state: "expired") | any(.id == quiet) as "and kept"
        wait until pager.alerts() | any(.name == "{name}" and .state == "active") every 200ms within 30s
        change pager.expire_silence("7d8e2c6e-0000-4000-8000-000000000000")
        "#
        ),
    );
    for title in ["told", "by this one", "for ten minutes", "ended", "and kept"] {
        assert_eq!(ran.outcome(title), "passed", "{title}\n{}", ran.text);
    }
    let matchers = column(ran.shown("the silence"), "matchers");
    assert_eq!(matchers, [format!("alertname=\"{name}\", shard=\"7\", alertname=~\"Lab.*\"")]);
    // One that is not there is not found, and nothing was changed.
    let last =
        ran.events.iter().rfind(|event| event["event"] == "change_ended").unwrap_or_else(|| panic!("{}", ran.text));
    assert_eq!(last["outcome"], "failed", "{last}");
    assert_eq!(last["fault"]["kind"], "not_found", "{last}");
}

/// What a product of the lab was asked with a mark in it, among all that others ask.
fn asked(lab: &Lab, product: &str, mark: &str) -> Vec<Json> {
    let folder = lab.facts["parts"]["products"]["records"].as_str().unwrap();
    let found = std::fs::read_dir(folder).unwrap().filter_map(Result::ok).map(|entry| entry.path());
    let path = found.into_iter().find(|path| path.file_stem().is_some_and(|stem| stem == product));
    let path = path.unwrap_or_else(|| panic!("{folder} has no record of {product}"));
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().filter(|line| line.contains(mark)).filter_map(|line| serde_json::from_str(line).ok()).collect()
}

#[test]
fn products_are_asked_in_their_own_words() {
    let Some(lab) = lab("products_are_asked_in_their_own_words", &["products"]) else { return };
    let url = |product: &str| lab.facts["parts"]["products"]["urls"][product].clone();
    let mark = format!("test-{}", std::process::id());
    let ran = lab.run_with(
        &format!(
            r#"
secret token = env("GRAFANA_TOKEN")
secret wrong = env("WRONG_TOKEN")

param odd: string = 'a" OR b'

connect search = elasticsearch({elasticsearch}, api_key: wrong)
connect tracing = jaeger({jaeger})
connect charts = grafana({grafana}, bearer: token)
connect stranger = grafana({grafana}, bearer: wrong)
connect tracker = http({tracker}, bearer: token)

section "Products" {{
  check search.answers() and tracing.answers() and charts.answers() as "all answer"
  check search.count("{mark}-*", "level:error AND service:\"{{odd}}\"", since: 1h) == 42 as "a count"
  check search.aggregate("logs-*", by: "service") | where(.key == "gateway") | all(.count == 30) as "an aggregate"
  check search.health().status == "yellow" and search.health().unassigned_shards == 2 as "health"
  check search.indices() | all(.docs == 42 and .size < 1MiB) as "indices"
  check tracing.services() | count == 2 as "services"
  check tracing.traces("gateway", since: 1h) | all(.spans == 2 and .operation == "GET /query") as "traces"
  check tracing.slowest("gateway", n: 1, since: 1h) | all(.duration == 400ms) as "the slowest"
  check tracing.error_share("gateway", since: 1h) == 25% as "errors"
  check tracing.error_share("gatewy", since: 1h) < 1% as "misspelled"
  check charts.health().database_ok as "Grafana's database"
  check charts.dashboards("oper") | any(.folder == "SarvanOM" and .uid == "ops") as "dashboards"
  check stranger.dashboards() | is_empty as "a stranger"
  change note = charts.annotate("release {{1}} {mark}", tags: ["release"], dashboard: "ops")
  show note as "the note"
  change issue = tracker.post("/issues", json: {{ title: "{mark}", used: 91.5% }})
  change tracker.patch("/issues/{{issue.json.id}}", json: {{ state: "closed", by: "{mark}" }})
}}
"#,
            elasticsearch = url("elasticsearch"),
            jaeger = url("jaeger"),
            grafana = url("grafana"),
            tracker = url("tracker"),
        ),
        &[],
        &[("GRAFANA_TOKEN", "lab-grafana"), ("WRONG_TOKEN", "s3cret-token")],
    );
    for title in [
        "all answer",
        "a count",
        "an aggregate",
        "health",
        "indices",
        "services",
        "traces",
        "the slowest",
        "errors",
        "Grafana's database",
        "dashboards",
    ] {
        assert_eq!(ran.outcome(title), "passed", "{title}\n{}", ran.text);
    }
    assert_eq!(ran.fault("misspelled").0, "not_found", "{}", ran.text);
    let (kind, message) = ran.fault("a stranger");
    assert_eq!(kind, "denied");
    assert!(message.contains("is it still valid"), "{message}");
    assert_eq!(ran.shown("the note")["cell"]["value"], 7, "{}", ran.text);
    assert!(!ran.text.contains("s3cret-token") && !ran.text.contains("lab-grafana"), "{}", ran.text);

    let paths = |product: &str| -> Vec<String> {
        let of = |one: &Json| format!("{} {}", one["method"].as_str().unwrap(), one["path"].as_str().unwrap());
        asked(lab, product, &mark).iter().map(of).collect()
    };
    assert_eq!(paths("tracker"), ["POST /issues", "PATCH /issues/412"]);
    let notes = asked(lab, "grafana", &mark).into_iter().filter(|one| one["method"] == "POST");
    let bodies: Vec<Json> = notes.map(|one| serde_json::from_str(one["body"].as_str().unwrap()).unwrap()).collect();
    assert_eq!(bodies.len(), 1);
    assert_eq!((&bodies[0]["text"], &bodies[0]["dashboardUID"]), (&format!("release 1 {mark}").into(), &"ops".into()));
    let counted =
        asked(lab, "elasticsearch", &mark).into_iter().find(|one| one["path"] == format!("/{mark}-*/_count")).unwrap();
    assert!(counted["body"].as_str().unwrap().contains(r#"service:\"a\\\" OR b\""#), "{counted}");
    assert_eq!(counted["headers"]["authorization"], "ApiKey s3cret-token", "{counted}");
}

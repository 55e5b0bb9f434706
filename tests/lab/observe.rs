//! Prometheus and Alertmanager, the real ones.

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
        check prom.query('up{') | is_empty as "not PromQL"
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
    (ran.shown("rules"), ran.shown("alerts"));
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
        check prom.query('count({__name__=~".+"})', within: 1ms) | is_empty as "no time"
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
    assert!(matches!(ran.fault("no time").0.as_str(), "timeout" | "failed"), "{}", ran.text);
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

//! Alerts that a real Prometheus finds, and that it or a real Alertmanager posts to `runbook serve`.

use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::harness::left_out;
use crate::program::{Folder, Output, finish};
use crate::serving::{free_port, terminate, until_long};

const TOKEN: &str = "0123456789abcdef-token";

/// A program that ends with the test.
struct Started(Child);

impl Drop for Started {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start(program: &str, args: &[String]) -> Option<Started> {
    let child = Command::new(program).args(args).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    child.ok().map(Started)
}

fn write(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    path.display().to_string()
}

/// A Prometheus that finds a dead target, and posts to where `alertmanager` says.
fn prometheus(folder: &Path, alertmanager: &str) -> Option<Started> {
    let rules = r#"{"groups":[{"name":"g","interval":"1s","rules":[{"alert":"TargetDown","expr":"up == 0",
        "labels":{"team":"ops"},"annotations":{"summary":"{{ $labels.instance }} is down"}}]}]}"#;
    let rules = write(folder, "rules.yml", rules);
    let config = format!(
        r#"{{"global":{{"scrape_interval":"1s","evaluation_interval":"1s"}},"rule_files":["{rules}"],
            "alerting":{{"alertmanagers":[{alertmanager}]}},
            "scrape_configs":[{{"job_name":"api","static_configs":[{{"targets":["127.0.0.1:9"]}}]}}]}}"#
    );
    let config = write(folder, "prometheus.yml", &config);
    let args = [
        format!("--config.file={config}"),
        format!("--storage.tsdb.path={}", folder.join("tsdb").display()),
        format!("--web.listen-address=127.0.0.1:{}", free_port()),
        "--rules.alert.resend-delay=1s".to_owned(),
    ];
    start("prometheus", &args)
}

fn alertmanager(folder: &Path, port: u16, to: u16) -> Option<Started> {
    let config = format!(
        r#"{{"route":{{"receiver":"runbook","group_wait":"1s","group_interval":"1s","repeat_interval":"1m"}},
            "receivers":[{{"name":"runbook","webhook_configs":[{{"url":"http://127.0.0.1:{to}/hooks/alertmanager",
            "http_config":{{"authorization":{{"credentials":"{TOKEN}"}}}}}}]}}]}}"#
    );
    let config = write(folder, "alertmanager.yml", &config);
    let args = [
        format!("--config.file={config}"),
        format!("--storage.path={}", folder.join("alertmanager").display()),
        format!("--web.listen-address=127.0.0.1:{port}"),
        "--cluster.listen-address=".to_owned(),
    ];
    start("prometheus-alertmanager", &args)
}

/// A server that takes the alert, and what it has open.
struct Serving {
    folder: Folder,
    child: Option<Child>,
    port: u16,
}

impl Serving {
    fn new() -> Self {
        let source = "runbook \"Posted\" { edition 1 }\n\
            channel bot = webhook(\"http://127.0.0.1:9/bot\")\n\
            threshold \"Down\" warning {\n  from alertmanager \"TargetDown\"\n  notify bot\n}\n";
        let folder = Folder::with(source);
        folder.write("token", TOKEN);
        let port = free_port();
        let listen = format!("127.0.0.1:{port}");
        let args = ["serve", "a.runbook", "--listen", &listen, "--webhook-token-file", "token"];
        let child = folder.command(&args).spawn().unwrap();
        until_long("it answers", || std::net::TcpStream::connect(("127.0.0.1", port)).is_ok());
        Self { folder, child: Some(child), port }
    }

    fn open(&self) -> String {
        self.folder.run(&["incidents"]).stdout.clone()
    }

    fn end(mut self) -> Output {
        let child = self.child.take().unwrap();
        terminate(&child);
        finish(child)
    }
}

#[test]
fn an_alertmanager_posts_what_fires_and_what_is_over() {
    let folder = tempfile::tempdir().unwrap();
    let serving = Serving::new();
    let port = free_port();
    let to = format!(r#"{{"static_configs":[{{"targets":["127.0.0.1:{port}"]}}]}}"#);
    let started = alertmanager(folder.path(), port, serving.port).zip(prometheus(folder.path(), &to));
    let Some((_alertmanager, prometheus)) = started else {
        serving.end();
        return left_out(
            "an_alertmanager_posts_what_fires_and_what_is_over",
            "no prometheus-alertmanager or prometheus",
        );
    };
    until_long("the alert is open", || serving.open().contains("Down [instance=127.0.0.1:9, job=api, team=ops]"));
    // To Alertmanager an alert is over four resends after a Prometheus last spoke of it.
    drop(prometheus);
    until_long("the alert is over", || !serving.open().contains("Down ["));
    let ended = serving.end();
    assert_eq!(ended.code, 0, "{}", ended.stderr);
}

#[test]
fn a_prometheus_posts_to_a_server_as_to_an_alertmanager() {
    let folder = tempfile::tempdir().unwrap();
    let serving = Serving::new();
    let to = format!(
        r#"{{"authorization":{{"credentials":"{TOKEN}"}},"static_configs":[{{"targets":["127.0.0.1:{}"]}}]}}"#,
        serving.port
    );
    let Some(_prometheus) = prometheus(folder.path(), &to) else {
        serving.end();
        return left_out("a_prometheus_posts_to_a_server_as_to_an_alertmanager", "no prometheus");
    };
    until_long("the alert is open", || serving.open().contains("Down [instance=127.0.0.1:9, job=api, team=ops]"));
    let ended = serving.end();
    assert!(!ended.stderr.contains("no alert"), "{}", ended.stderr);
}

//! The page of the daily runbook, typed as it stands there by a shell against the lab: each line does what it says, and
//! says what the built-in says.

use std::collections::BTreeSet;
use std::net::TcpStream;
use std::process::{Child, Command, Output};
use std::thread;
use std::time::{Duration, Instant};

use crate::daily;
use crate::harness::{Lab, alone, lab, left_out};

const PARTS: &[&str] = &["kubernetes", "metrics", "postgres", "redis", "s3", "products"];

/// The blocks of a page that are typed, each with whether it stands under a sign that something is changed.
fn blocks(page: &str) -> Vec<(Vec<String>, bool)> {
    let mut found: Vec<(Vec<String>, bool)> = Vec::new();
    let (mut inside, mut changes) = (false, false);
    for line in page.lines() {
        match line {
            "```sh" => {
                inside = true;
                found.push((Vec::new(), std::mem::take(&mut changes)));
            }
            "```" => inside = false,
            line if inside => found.last_mut().unwrap().0.push(line.to_owned()),
            line => changes |= line.starts_with("**CHANGE**"),
        }
    }
    found
}

/// The commands of a block: a loop is one of them.
fn commands(lines: &[String]) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut in_loop = false;
    for line in lines.iter().filter(|line| !line.starts_with("# ")) {
        if in_loop {
            let last = found.last_mut().unwrap();
            last.push('\n');
            last.push_str(line);
            in_loop = line != "done";
        } else {
            found.push(line.clone());
            in_loop = line.starts_with("for ");
        }
    }
    found
}

fn shell(lab: &Lab, command: &str) -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-c", command]).env_clear().envs(std::env::vars()).envs(&lab.env);
    shell
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The ports that the page keeps open, until this goes.
struct Forwards(Vec<Child>);

impl Forwards {
    fn open(lab: &Lab, lines: &[String]) -> Self {
        let mut open = Self(Vec::new());
        for line in lines {
            assert!(line.starts_with("kubectl") && line.contains(" port-forward "), "{line}");
            let mut command = shell(lab, &format!("exec {line}"));
            open.0.push(command.stdout(std::process::Stdio::null()).spawn().unwrap());
        }
        let begun = Instant::now();
        for line in lines {
            let local = line.rsplit(' ').next().unwrap().split(':').next().unwrap();
            while TcpStream::connect(format!("127.0.0.1:{local}")).is_err() {
                assert!(begun.elapsed() < Duration::from_secs(30), "nothing listens after: {line}");
                thread::sleep(Duration::from_millis(50));
            }
        }
        open
    }
}

impl Drop for Forwards {
    fn drop(&mut self) {
        for child in &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// What the page types that only looks, each once with what it printed. What cannot be typed here is named.
fn type_it(lab: &Lab, page: &str) -> Vec<(String, String)> {
    let needed = page.split_once("there has to be: ").unwrap().1.lines().next().unwrap();
    let programs: Vec<&str> = needed.split('`').skip(1).step_by(2).collect();
    assert_eq!(programs, ["kubectl", "psql", "redis-cli", "curl", "aws"]);
    let is_here = |program: &&&str| shell(lab, &format!("command -v {program}")).output().unwrap().status.success();
    let missing: Vec<&str> = programs.iter().filter(|program| !is_here(program)).copied().collect();
    for program in &missing {
        left_out(
            "the page of the daily runbook",
            &format!("no `{program}` on this machine, so its lines are not typed"),
        );
    }
    let blocks = blocks(page);
    let (forwards, blocks) = blocks.split_first().unwrap();
    let _open = Forwards::open(lab, &forwards.0);
    let mut seen = BTreeSet::new();
    let mut typed = Vec::new();
    let (mut changes, mut blanks) = (0, 0);
    for (lines, is_change) in blocks {
        for command in commands(lines) {
            if *is_change {
                changes += 1;
            } else if command.contains("'<") || command.contains("/<") {
                blanks += 1;
            } else if missing.iter().all(|program| !command.contains(program)) && seen.insert(command.clone()) {
                let output = shell(lab, &command).output().unwrap();
                let (said, complained) = (text(&output), String::from_utf8_lossy(&output.stderr).into_owned());
                // kubectl says so of an answer that came while it was closing, and of nothing that is missing.
                let closing = |line: &&str| line.contains("websocket.go") && line.contains("Unknown stream id");
                let complained: String = complained.lines().filter(|line| !closing(line)).collect();
                // grep says by its code that it found nothing, which is what a breach is looked for with.
                let nothing = command.contains("| grep -a -m 1") && output.status.code() == Some(1) && said.is_empty();
                assert!((output.status.success() || nothing) && complained.is_empty(), "{command}\n{said}{complained}");
                typed.push((command, said));
            }
        }
    }
    assert_eq!((changes, blanks), (6, 1), "{page}");
    typed
}

/// What was printed for the first command with all of these in it.
#[track_caller]
fn printed<'t>(typed: &'t [(String, String)], parts: &[&str]) -> &'t str {
    let found = typed.iter().find(|(command, _)| parts.iter().all(|part| command.contains(part)));
    &found.unwrap_or_else(|| panic!("nothing with {parts:?} among {typed:#?}")).1
}

const ASKED: &str = r#"
connect cluster = kubernetes(namespace: "sarvanom-production")
connect db = postgres(through: cluster.pod("postgres-0"), user: "sarvanom", database: "sarvanom_production")
connect cache = redis(through: cluster.pod("redis-0"))
connect api = http("https://api.sarvanom.com")
connect backups = s3(bucket: "sarvanom-backups")
section "Asked" {
  show cluster.pods() | each(.name) | sort as "pods"
  show db.query("SELECT pg_size_pretty(pg_database_size(current_database())) AS size") | each(.size) as "size"
  show cache.key_count() as "keys"
  show cache.memory().policy as "policy"
  show api.get("/health").text as "health"
  show cluster.pod("postgres-0").disk("/var/lib/postgresql/data").used / 1KiB as "used"
  show cluster.logs(deployment: "gateway", since: 4h) | where("slow query" in .text) | count as "slow"
  show backups.list("postgres/{run.date:%Y/%m/%d}/") | sum(.size) / 1B as "backup"
}
"#;

#[test]
fn each_line_of_the_daily_page_says_what_its_built_in_says() {
    let Some(lab) = lab("the page of the daily runbook", PARTS) else { return };
    let _alone = alone();
    let folder = daily::folder(lab);
    let output = lab.command(&folder, &["print", "a.runbook"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let typed = type_it(lab, &text(&output));
    let asked = lab.run_with(ASKED, &[], &[]);
    asked.code(0);
    let value = |title: &str| -> String {
        let shown = asked.shown(title);
        let lines = shown["lines"].as_array().map(|lines| lines.iter().map(|line| line.as_str().unwrap()));
        let text = lines.map(|lines| lines.collect::<Vec<_>>().join("\n"));
        text.unwrap_or_else(|| shown["cell"]["text"].as_str().unwrap_or_else(|| panic!("{shown}")).to_owned())
    };
    let column = |text: &str, n: usize| -> Vec<String> {
        text.lines().skip(1).map(|line| line.split_whitespace().nth(n).unwrap().to_owned()).collect()
    };
    let mut pods = column(printed(&typed, &["kubectl", "get pods"]), 0);
    pods.sort();
    assert_eq!(pods.join("\n"), value("pods"));
    assert_eq!(printed(&typed, &["psql", "pg_database_size"]).trim(), value("size"));
    let number = |text: &str| text.trim().parse::<i64>().unwrap_or_else(|error| panic!("{text}: {error}"));
    let keys = [number(printed(&typed, &["redis-cli", "DBSIZE"])), number(&value("keys"))];
    // Both count a moment apart, and other tests write a few keys and remove them meanwhile.
    assert!(keys[0] > 400 && (keys[0] - keys[1]).abs() <= 20, "{keys:?}");
    let memory = printed(&typed, &["redis-cli", "INFO memory"]);
    let policy = memory.lines().find_map(|line| line.strip_prefix("maxmemory_policy:")).unwrap();
    assert_eq!(policy.trim(), value("policy"));
    let health = printed(&typed, &["curl", "api.sarvanom.com/health"]);
    assert_eq!(health.trim().lines().next().unwrap(), value("health").trim());
    assert!(health.contains("\n200 in "), "{health}");
    let disk = printed(&typed, &["kubectl exec", "postgres-0", "/var/lib/postgresql/data"]);
    assert_eq!(column(disk, 2), [value("used")]);
    let patterns = printed(&typed, &["--since=4h", "slow query"]);
    let counted: i64 = patterns.lines().map(|line| number(line.split_whitespace().next().unwrap())).sum();
    let asked_for = number(&value("slow"));
    // Both look four hours back, a moment apart.
    assert!((counted - asked_for).abs() <= 3, "{counted} {asked_for}");
    let listed = printed(&typed, &["aws", "$store", "date +"]);
    let size: i64 = listed
        .split("== ")
        .find(|part| part.starts_with("postgres"))
        .unwrap()
        .lines()
        .skip(1)
        .map(|line| line.split_whitespace().nth(2).unwrap().parse::<i64>().unwrap())
        .sum();
    assert_eq!(size.to_string(), value("backup"));
    assert_eq!(printed(&typed, &["psql", "SELECT 1"]).trim(), "1");
    assert_eq!(printed(&typed, &["redis-cli", "PING"]).trim(), "PONG");
    for port in ["16333/healthz", "18529/_api/version", "17700/health", "21434/api/tags", "api.openai.com"] {
        assert_eq!(printed(&typed, &["curl", port]).trim(), "200", "{port}");
    }
}

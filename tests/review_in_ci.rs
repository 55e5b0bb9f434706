//! `editors/ci/review`, as a job of a pull request runs it, against a stand-in of GitHub's API; and that what a stranger
//! wrote is looked at without opening anything else.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test ends where something is not as it should be"
)]

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::{Value as Json, json};

#[path = "support/program.rs"]
mod program;

use program::{Folder, PROGRAM};

const BEFORE: &str = "connect api = http(\"https://api.example.com\")\n\nmetric up: bool every 5m = api.answers(\"/\")\n\n\
    section \"Look\" every 1h {\n  measure up\n  check api.answers(\"/\") as \"the API answers\"\n}\n";

/// What was asked of the stand-in: method, path, body.
type Asked = Arc<Mutex<Vec<(String, String, String)>>>;

/// Answers as GitHub does for the comments of one pull request.
struct GitHub {
    asked: Asked,
    comments: Arc<Mutex<Vec<Json>>>,
    url: String,
    read_only: Arc<AtomicBool>,
}

/// How long the text of a comment may be.
const MOST: usize = 65_536;

/// No comment with this in it is taken, as if it was too long.
const REFUSED: &str = "not taken";

impl GitHub {
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Asked::default();
        let comments = Arc::new(Mutex::new(vec![json!({ "id": 1, "body": "a person says <!-- runbook diff -->" })]));
        let (seen, kept) = (Arc::clone(&asked), Arc::clone(&comments));
        let read_only = Arc::new(AtomicBool::new(false));
        let only = Arc::clone(&read_only);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                answer(stream.unwrap(), &seen, &kept, &only);
            }
        });
        Self { asked, comments, url, read_only }
    }

    fn bodies(&self) -> Vec<String> {
        self.comments.lock().unwrap().iter().map(|one| one.get("body").unwrap().as_str().unwrap().to_owned()).collect()
    }
}

fn answer(mut stream: TcpStream, asked: &Asked, comments: &Mutex<Vec<Json>>, read_only: &AtomicBool) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    let mut words = line.split_whitespace().map(str::to_owned);
    let (method, path) = (words.next().unwrap(), words.next().unwrap());
    let (mut length, mut allowed) = (0, false);
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).unwrap();
        let lower = header.to_lowercase();
        if let Some(value) = lower.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        allowed |= header.trim() == "Authorization: Bearer s3cret";
        if header.trim().is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let body = String::from_utf8(body).unwrap();
    let mut comments = comments.lock().unwrap();
    let said = if !allowed || method != "GET" && read_only.load(Ordering::SeqCst) {
        (403, json!({ "message": "Resource not accessible by integration" }))
    } else if method == "GET" {
        (200, json!(*comments))
    } else if method == "DELETE" {
        comments.retain(|one| !path.ends_with(&format!("/{}", one.get("id").unwrap())));
        (204, json!({}))
    } else if is_refused(&body) {
        (422, json!({ "message": "body is too long (maximum is 65536 characters)" }))
    } else {
        let text = serde_json::from_str::<Json>(&body).unwrap().get("body").unwrap().clone();
        let id: u64 = if method == "PATCH" { path.rsplit('/').next().unwrap().parse().unwrap() } else { 77 };
        comments.retain(|one| one.get("id") != Some(&json!(id)));
        comments.push(json!({ "id": id, "body": text }));
        (201, json!({ "id": id }))
    };
    asked.lock().unwrap().push((method, path, body));
    let text = said.1.to_string();
    let head = format!("HTTP/1.1 {} x\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", said.0, text.len());
    stream.write_all((head + &text).as_bytes()).unwrap();
}

fn is_refused(body: &str) -> bool {
    let body: Json = serde_json::from_str(body).unwrap();
    let text = body.get("body").unwrap().as_str().unwrap();
    text.chars().count() > MOST || text.contains(REFUSED)
}

fn git(folder: &Folder, args: &[&str]) {
    let name = ["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false"];
    let output = Command::new("git").args(name).args(args).current_dir(folder.path("")).output().unwrap();
    assert!(output.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// A repository with a branch that looks half as often.
fn repository() -> Folder {
    let folder = Folder::new();
    folder.write("ops/a.runbook", BEFORE);
    git(&folder, &["init", "-q", "-b", "main"]);
    git(&folder, &["add", "-A"]);
    git(&folder, &["commit", "-q", "-m", "before"]);
    git(&folder, &["checkout", "-q", "-b", "topic"]);
    edit(&folder, &BEFORE.replace("every 5m", "every 10m"));
    folder
}

fn edit(folder: &Folder, text: &str) {
    folder.write("ops/a.runbook", text);
    git(folder, &["commit", "-q", "-a", "-m", "edit"]);
}

fn review(folder: &Folder, github: &GitHub, more: &[(&str, &str)]) -> Output {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/editors/ci/review");
    let mut command = folder.through(script, &[]);
    command
        .env("RUNBOOK", PROGRAM)
        .env("RUNBOOK_PATH", "ops")
        .env("RUNBOOK_BASE", "main")
        .env("RUNBOOK_SARIF", folder.path("runbook.sarif"))
        .env("GITHUB_TOKEN", "s3cret")
        .env("GITHUB_REPOSITORY", "o/r")
        .env("GITHUB_API_URL", &github.url)
        .env("GITHUB_STEP_SUMMARY", folder.path("summary"))
        .env("PULL_REQUEST", "12")
        .envs(more.iter().copied());
    command.output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[test]
fn a_pull_request_has_one_comment_that_is_kept_up_to_date() {
    let (folder, github) = (repository(), GitHub::new());
    let first = review(&folder, &github, &[]);
    assert_eq!(first.status.code(), Some(0), "{}", said(&first));
    let bodies = github.bodies();
    // That of the person who quotes the mark is left alone.
    assert_eq!(bodies.len(), 2, "{bodies:?}");
    assert!(
        bodies.iter().any(|body| body.starts_with("<!-- runbook diff -->") && body.contains("every 10m")),
        "{bodies:?}"
    );
    assert!(folder.read("summary").contains("sampled more rarely"));
    let sarif: Json = serde_json::from_str(&folder.read("runbook.sarif")).unwrap();
    assert_eq!(sarif.get("version"), Some(&json!("2.1.0")));

    edit(&folder, &BEFORE.replace("every 5m", "every 15m"));
    assert_eq!(review(&folder, &github, &[]).status.code(), Some(0));
    edit(&folder, BEFORE);
    assert_eq!(review(&folder, &github, &[]).status.code(), Some(0));
    let bodies = github.bodies();
    assert_eq!(bodies.len(), 2, "{bodies:?}");
    assert!(bodies.iter().any(|body| body.contains("nothing does anything else")), "{bodies:?}");
    let methods: Vec<String> = github.asked.lock().unwrap().iter().map(|one| one.0.clone()).collect();
    assert_eq!(methods, ["GET", "POST", "GET", "PATCH", "GET", "PATCH"]);
}

#[test]
fn a_token_that_may_not_write_loses_the_comment_and_nothing_else() {
    let (folder, github) = (repository(), GitHub::new());
    let output = review(&folder, &github, &[("GITHUB_TOKEN", "of a fork")]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert!(said(&output).contains("its text is in the summary of the job"), "{}", said(&output));
    assert!(folder.read("summary").contains("sampled more rarely"));
    assert_eq!(github.bodies().len(), 1);
}

#[test]
fn a_comment_of_a_former_push_is_not_left_standing() {
    let (folder, github) = (repository(), GitHub::new());
    let first = review(&folder, &github, &[("REVISION", "0123abcd")]);
    assert_eq!(first.status.code(), Some(0), "{}", said(&first));
    let own = || github.bodies().into_iter().find(|body| body.starts_with("<!--"));
    assert!(own().is_some_and(|body| body.contains("of commit 0123abcd")), "{:?}", github.bodies());
    // More than fits: what is worst is there, however much else there is.
    let many = |word: &str, bound: u32| -> String {
        let check = |n| format!("  check host.load().one < {bound} + {n} as \"{word} {n} {}\"\n", "x".repeat(50));
        format!("\nsection \"Many\" {{\n{}}}\n", (0..400).map(check).collect::<String>())
    };
    edit(&folder, &format!("{}{}", BEFORE.replace("every 5m", "every 20m"), many("many", 5)));
    let output = review(&folder, &github, &[]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let body = own().unwrap();
    assert!(body.chars().count() <= MOST, "{}", body.len());
    for part in ["🔴 1 blind", "every 20m", "Too long for a comment", "Left out: 🟢 "] {
        assert!(body.contains(part), "no {part} in {body}");
    }
    assert!(body.find("every 20m").unwrap() < body.find("many 1 ").unwrap());
    // What is not taken for another reason: a line takes its place.
    edit(&folder, &BEFORE.replace("the API answers", REFUSED));
    let output = review(&folder, &github, &[]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert!(own().is_some_and(|body| body.contains("could not be written")), "{:?}", github.bodies());
    // One that may look and not write fails the job.
    edit(&folder, &BEFORE.replace("every 5m", "every 25m"));
    github.read_only.store(true, Ordering::SeqCst);
    let output = review(&folder, &github, &[]);
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(said(&output).contains("failed: the comment of a former push still stands"), "{}", said(&output));
}

/// The script of the template for GitLab, its lines in one shell, as a runner has them.
#[test]
fn the_template_for_gitlab_compares_also_where_something_fails() {
    let folder = repository();
    let text = include_str!("../editors/ci/gitlab.yml");
    let script = text.split_once("  script:\n").unwrap().1.split_once("  artifacts:\n").unwrap().0;
    let lines = script.lines().filter_map(|line| line.trim_start().strip_prefix("- ")).collect::<Vec<_>>().join("\n");
    let bin = std::path::Path::new(PROGRAM).parent().unwrap();
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    let root = folder.path("");
    git(&folder, &["remote", "add", "origin", root.to_str().unwrap()]);
    let run = |fail_on: &str| {
        let mut command = folder.through("bash", &["-e", "-o", "pipefail", "-c", &lines]);
        let variables = [("RUNBOOK_PATH", "ops"), ("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "main"), ("PATH", &path)];
        command.envs(variables).env("RUNBOOK_FAIL_ON", fail_on).output().unwrap()
    };
    let output = run("");
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert!(folder.read("runbook-diff.md").contains("every 10m"));
    assert_eq!(run("blind").status.code(), Some(1));
    let test = "test \"it passes\" {\n  given api.answers(\"/\") is false\n  run \"Look\"\n  expect \"the API answers\" passed\n}\n";
    edit(&folder, &format!("{}\n{test}", BEFORE.replace("every 5m", "every 30m")));
    let output = run("");
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(said(&output).contains("failed:") && said(&output).contains(" test\n"), "{}", said(&output));
    assert!(folder.read("runbook-diff.md").contains("every 30m"));
    assert!(folder.read("runbook-tests.xml").contains("it passes"));
}

#[test]
fn what_is_wrong_fails_the_job_and_is_all_said() {
    let (folder, github) = (repository(), GitHub::new());
    let output = review(&folder, &github, &[("RUNBOOK_FAIL_ON", "blind,loosened")]);
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(said(&output).contains("failed: diff: one of blind,loosened"), "{}", said(&output));
    let output = review(&folder, &github, &[("RUNBOOK_FAIL_ON", "permissions")]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));

    edit(&folder, "section \"Look\" {   check 10GiB > 10% as \"x\" }\n");
    let output = review(&folder, &github, &[]);
    let text = said(&output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    for part in ["::error file=ops/a.runbook", "failed: check", "failed: diff"] {
        assert!(text.contains(part), "no {part} in {text}");
    }
    assert!(github.bodies().iter().any(|body| body.contains("it cannot be compared")));
}

/// Where the files are that a program needs for itself.
const ITS_OWN: &[&str] = &[
    "/lib",
    "/usr/lib",
    "/etc/ld.so",
    "/proc",
    "/sys",
    "/dev",
    "/usr/share/zoneinfo",
    "/etc/localtime",
    "/etc/gitconfig",
    "/usr/share/git",
];

/// The files that were opened, and the sockets, by `strace`.
fn opened(folder: &Folder, args: &[&str]) -> Option<(BTreeSet<String>, Vec<String>)> {
    let log = folder.path("trace");
    let trace = ["-f", "-qq", "-e", "trace=open,openat,openat2,socket,connect", "-o", log.to_str().unwrap(), PROGRAM];
    let output = folder.through("strace", &[&trace, args].concat()).output();
    let Ok(output) = output else { return None };
    assert!(matches!(output.status.code(), Some(0 | 2)), "{}", said(&output));
    let text = folder.read("trace");
    let mut files = BTreeSet::new();
    let mut sockets = Vec::new();
    for line in text.lines() {
        let call = line.split_once(' ').map_or(line, |(_, call)| call.trim_start());
        if call.starts_with("socket(") || call.starts_with("connect(") {
            sockets.push(call.to_owned());
        } else if call.starts_with("open") && !call.contains("= -1") {
            files.extend(call.split('"').nth(1).map(str::to_owned));
        }
    }
    Some((files, sockets))
}

#[test]
fn nothing_but_the_files_of_the_repository_is_opened() {
    let folder = repository();
    for args in [
        vec!["check", "ops"],
        vec!["diff", "--git", "main"],
        vec!["diff", "--git", "--format", "markdown", "main", "topic"],
    ] {
        let Some((files, sockets)) = opened(&folder, &args) else {
            assert!(std::env::var_os("RUNBOOK_TESTS").is_none_or(|wanted| wanted != "all"), "it needs strace");
            let _ = writeln!(std::io::stderr(), "not run: what is opened: needs strace");
            return;
        };
        assert!(sockets.is_empty(), "{args:?}: {sockets:?}");
        let root = folder.path("");
        let root = root.to_str().unwrap();
        let elsewhere = |file: &&String| {
            file.starts_with('/')
                && !file.starts_with(root.trim_end_matches('/'))
                && !ITS_OWN.iter().any(|own| file.starts_with(own))
        };
        let others: Vec<&String> = files.iter().filter(elsewhere).collect();
        assert!(others.is_empty(), "{args:?}: {others:?}");
        assert!(files.iter().any(|file| file.contains("a.runbook") || file.contains(".git")), "{files:?}");
    }
}

//! A secret that a server or a program repeats is on no output, whatever it is written as.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;

use crate::program::{Folder, Output, PROGRAM, finish};

const SECRET: &str = "s3cr3t/t0k+en=&x\"y zwölf-and-some-more-letters-to-be-cut-in-the-middle-of-a-message";
/// In base64, at each of the three places where it can begin.
const ENCODED: [&str; 3] = ["czNjcjN0L3QwaytlbjEmeCJ5", "zM2NyM3QvdDBrK2Vu", "MzY3IzdC90MGsrZW4"];

/// Gives back what it was sent, in many forms.
fn echo() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut buffer = [0; 8192];
            let Ok(_) = stream.read(&mut buffer) else { continue };
            let percent = |keep: &str| -> String {
                let byte = |byte: u8| {
                    let is_plain = byte.is_ascii_alphanumeric() || keep.contains(char::from(byte));
                    if is_plain { char::from(byte).to_string() } else { format!("%{byte:02X}") }
                };
                SECRET.bytes().map(byte).collect()
            };
            let answer = serde_json::json!({
                "plain": SECRET,
                "header": format!("Bearer {SECRET}"),
                "json": serde_json::json!({ "k": SECRET }).to_string(),
                "component": percent("-_.~"),
                "path": percent("-_.~/"),
                "small": percent("-_.~").replace("%2F", "%2f").replace("%3D", "%3d").replace("%2B", "%2b").replace("%C3%B6", "%c3%b6"),
                "page": SECRET.replace('&', "&amp;").replace('"', "&quot;"),
                "slashes": SECRET.replace('/', "\\/").replace('"', "\\\""),
            })
            .to_string();
            let head = format!("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", answer.len());
            let _ = stream.write_all((head + &answer).as_bytes());
        }
    });
    format!("http://{address}")
}

fn folder() -> Folder {
    let folder = Folder::with(format!(
        r#"secret token = env("TOKEN")
connect site = http("{}", headers: {{ "X-Key": token }})
tool repeat(rc: int) -> list<string> = argv("sh", "repeat.sh", rc, env: {{ TOKEN: token }}, output: "lines")
section "s" {{
  step "get" {{
    let answer = site.get("/")
    show answer
    show answer.json as "json"
    show answer.text as "text"
    check answer.text == "a" as "title {{answer.json.plain}}" else critical "message {{answer.text}}"
    check answer.json.plain > 3 as "conversion"
    check site.get("/{{answer.json.plain}}").text == "" as "address"
    check host.text("/nope/{{answer.json.plain}}") == "" as "path"
  }}
  step "tool" {{ show repeat(0) check repeat(3) | is_empty as "ends badly" }}
  step "each" for x in [site.get("/").json.plain] {{ check x == "" as "label" }}
}}
"#,
        echo()
    ));
    folder.write("repeat.sh", "echo \"out $TOKEN\"\necho \"err $TOKEN\" >&2\nexit $1\n");
    folder
}

fn run(folder: &Folder, format: &str) -> Output {
    let mut command = folder.command(&["run", "a.runbook", "--format", format]);
    finish(command.env("TOKEN", SECRET).env("RUNBOOK_LOG", "trace").spawn().unwrap())
}

#[track_caller]
fn holds_no_secret(what: &str, text: &str) {
    for part in ["s3cr3t", "t0k+en", "t0k%2", "zwölf", "zw%C3", "zw%c3", "letters-to-be-cut"].iter().chain(&ENCODED) {
        if let Some(at) = text.find(part) {
            let around: String = text[..at].chars().rev().take(200).collect::<Vec<_>>().into_iter().rev().collect();
            panic!("{what} holds {part}: {around}{}", text[at..].chars().take(100).collect::<String>());
        }
    }
}

#[test]
fn a_secret_that_comes_back_is_shown_nowhere() {
    let folder = folder();
    for format in ["terminal", "json", "junit"] {
        let output = run(&folder, format);
        output.code(4).says("(secret)");
        assert!(output.stderr.len() > 1000, "nothing was logged");
        holds_no_secret(format, &output.stdout);
        holds_no_secret("the log", &output.stderr);
    }
    let journals = folder.journals();
    assert!(journals.contains("(secret)"));
    holds_no_secret("the journal", &journals);
    let id = journals.split("\"run\":\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    for args in [&["show", &id][..], &["history"]] {
        holds_no_secret("what is read back", &folder.run(args).stdout);
    }
}

#[test]
fn a_check_reads_no_secret_and_asks_nobody() {
    let folder = folder();
    let trace = folder.path("trace");
    let out = trace.to_str().unwrap();
    let args = ["-f", "-qq", "-e", "trace=network,execve", "-o", out, PROGRAM, "check", "a.runbook"];
    let Ok(child) = folder.through("strace", &args).spawn() else {
        // Without the tracer what is left to see is that no secret was missed.
        folder.run(&["check", "a.runbook"]).code(0);
        return;
    };
    finish(child).code(0);
    let trace = std::fs::read_to_string(trace).unwrap();
    assert_eq!(trace.matches("execve(").count(), 1, "{trace}");
    for call in ["socket(", "connect(", "sendto("] {
        assert!(!trace.contains(call), "{trace}");
    }
}

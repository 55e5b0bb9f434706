//! Whole-program figures: `cargo bench` runs `runbook` beside what a person would run instead, in turn, and prints
//! medians and ratios. Every answer that is timed is looked at first: a fast wrong answer is no figure.

#![expect(
    clippy::indexing_slicing,
    clippy::disallowed_macros,
    clippy::disallowed_methods,
    clippy::cast_precision_loss,
    reason = "a bench prints, and ends where something is not as it should be"
)]

use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const ROUNDS: usize = 15;
const EMPTY: &str = "RUNBOOK_BENCH_EMPTY";

fn main() {
    // The same executable stands in for an empty tokio program, so that both are built alike.
    if std::env::var_os(EMPTY).is_some() {
        tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime").block_on(async {});
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let bench = Bench { folder: folder.path().to_owned(), runbook: env!("CARGO_BIN_EXE_runbook").into() };
    println!("| what | runbook | beside it | ratio |");
    println!("|---|---|---|---|");
    bench.version();
    bench.check_page();
    bench.check_megabyte();
    bench.probes(40);
    bench.probes(200);
    bench.steps();
    bench.log();
}

struct Bench {
    folder: PathBuf,
    runbook: PathBuf,
}

impl Bench {
    fn version(&self) {
        let own = || self.tool(&["--version"]);
        let empty = || {
            let mut command = Command::new(std::env::current_exe().expect("own path"));
            command.env(EMPTY, "1");
            command
        };
        assert!(output(&mut own()).contains("runbook"), "--version says who it is");
        row("`runbook --version` beside an empty tokio program", &pair(own, empty));
    }

    fn check_page(&self) {
        let file = self.write("page.runbook", &page(9));
        let own = || self.tool(&["check", &file]);
        assert_eq!(status(&mut own()), 0, "the page is valid");
        let lines = std::fs::read_to_string(&file).expect("the page").lines().count();
        row(
            &format!("`runbook check`, a page of {lines} lines, beside `bash -n` of a script as long"),
            &pair(own, || {
                let script = self.write("page.sh", &"kubectl get pods | grep -v Running\n".repeat(lines));
                let mut command = Command::new("bash");
                command.args(["-n", &script]);
                command
            }),
        );
    }

    fn check_megabyte(&self) {
        let text = page(1_000_000 / page(1).len() + 1);
        let file = self.write("large.runbook", &text);
        let own = || self.tool(&["check", &file]);
        assert_eq!(status(&mut own()), 0, "the large file is valid");
        alone(&format!("`runbook check`, {:.2} MB of source", text.len() as f64 / 1e6), own);
    }

    fn probes(&self, count: usize) {
        let port = slow_server(Duration::from_millis(50));
        let mut text =
            format!("connect site = http(\"http://127.0.0.1:{port}\", at_once: {count})\n\nsection \"Probes\" {{\n");
        for index in 0..count {
            let _ = writeln!(text, "  check site.answers(\"/{index}\") as \"probe {index}\"");
        }
        text.push_str("}\n");
        let file = self.write("probes.runbook", &text);
        let state = self.state();
        let own = || self.tool(&["run", &file, "--state", &state]);
        let said = output(&mut own());
        assert!(said.contains(&format!("{count} passed")), "every probe passed: {said}");
        row(
            &format!("{count} HTTP probes of 50 ms, beside `xargs -P {count} curl`"),
            &pair(own, || {
                let mut command = Command::new("sh");
                command.args([
                    "-c",
                    &format!("seq {count} | xargs -P {count} -I% curl -fsS -o /dev/null http://127.0.0.1:{port}/%"),
                ]);
                command
            }),
        );
    }

    fn steps(&self) {
        let mut text = String::from("section \"Steps\" {\n");
        for index in 0..1000 {
            let _ = writeln!(text, "  step \"step {index}\" {{\n    check 1 + 1 == 2 as \"one\"\n  }}");
        }
        text.push_str("}\n");
        let file = self.write("steps.runbook", &text);
        let state = self.state();
        let own = || self.tool(&["run", &file, "--state", &state]);
        let said = output(&mut own());
        assert!(said.contains("1000 passed"), "every step passed: {said}");
        row(
            "1,000 steps without work, beside 1,000 × `/bin/true` by sh",
            &pair(own, || {
                let mut command = Command::new("sh");
                command.args(["-c", "i=0; while [ $i -lt 1000 ]; do /bin/true; i=$((i+1)); done"]);
                command
            }),
        );
    }

    fn log(&self) {
        let mut text = String::new();
        for index in 0..800_000_u32 {
            let level = if index % 50 == 0 { "ERROR" } else { "INFO" };
            let _ = writeln!(
                text,
                "2026-11-23T08:00:00Z {level} worker {} request {index} took {}ms",
                index % 7,
                index % 97
            );
        }
        let log = self.write("app.log", &text);
        let file = self.write(
            "log.runbook",
            &format!(
                "section \"Log\" {{\n  show logs(file: \"{log}\") | where(.text ~ /error/i) | count as \"Errors\"\n}}\n"
            ),
        );
        let state = self.state();
        let own = || self.tool(&["run", &file, "--state", &state]);
        let said = output(&mut own());
        assert!(said.contains("16000"), "the count is right: {said}");
        row(
            &format!("`/error/i` counted in a log of {} MB, beside `grep -ci error`", text.len() / 1_000_000),
            &pair(own, || {
                // Straight into /dev/null grep would stop at the first match.
                let mut command = Command::new("sh");
                command.args(["-c", &format!("grep -ci error '{log}' | cat")]);
                command
            }),
        );
    }

    fn tool(&self, args: &[&str]) -> Command {
        let mut command = Command::new(&self.runbook);
        command.args(args).env("NO_COLOR", "1");
        command
    }

    fn state(&self) -> String {
        self.folder.join("state").to_str().expect("text").to_owned()
    }

    fn write(&self, name: &str, text: &str) -> String {
        let path = self.folder.join(name);
        std::fs::write(&path, text).expect("a file");
        path.to_str().expect("text").to_owned()
    }
}

/// A page as people write them: params, steps, checks, shows, pipes and docs.
fn page(copies: usize) -> String {
    let mut text = String::from("param limit: percent = 85%\n\n");
    for copy in 0..copies {
        let _ = write!(
            text,
            r#"## What the disks say, part {copy}.
section "Disks {copy}" daily at 08:00 {{
  step "Space {copy}" {{
    let disks = host.disks()
    # The fullest first.
    show disks | sort(by: .used_share, descending: true) | top(5, by: .used) as "The fullest"
    check disks | all(.used_share < limit) as "every disk has room" else warning "make room"
    check disks | where(.size > 10GiB) | all(.free > 1GiB) as "no large disk is nearly full"
  }}

  step "Processes {copy}" for name in ["sshd", "cron", "systemd"] {{
    let found = host.processes() | where(.name == name)
    show {{ name, running: found | count, memory: found | sum(.memory) }} as "Process {{name}}"
    check found | count < 100 or name == "cron" as "{{name}} does not multiply"
  }}

  step "Memory {copy}" {{
    let memory = host.memory()
    show memory
    check memory.used_share < 95% and memory.available > 100MiB as "memory is left"
    check (memory.swap_total == 0B) or memory.swap_used / memory.swap_total < 50% as "swap is quiet" else info
    if memory.used_share > 90% {{
      show host.processes() | top(5, by: .memory) as "The largest"
    }}
  }}
}}

"#
        );
    }
    text
}

/// Answers every request after a while, each connection by its own thread, keep-alive included.
fn slow_server(delay: Duration) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || serve(stream, delay));
        }
    });
    port
}

fn serve(mut stream: TcpStream, delay: Duration) {
    let mut buffer = [0; 8192];
    while let Ok(read) = stream.read(&mut buffer) {
        if read == 0 {
            return;
        }
        std::thread::sleep(delay);
        if stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").is_err() {
            return;
        }
    }
}

struct Pair {
    own: Duration,
    other: Duration,
    /// The median of the rounds' own ratios: it holds when the machine's speed drifts.
    ratio: f64,
}

fn pair(own: impl Fn() -> Command, other: impl Fn() -> Command) -> Pair {
    let (mut owns, mut others, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..=ROUNDS {
        let (a, b) = (timed(&mut own()), timed(&mut other()));
        // The first round warms up.
        if round > 0 {
            ratios.push(a.as_secs_f64() / b.as_secs_f64());
            owns.push(a);
            others.push(b);
        }
    }
    ratios.sort_by(f64::total_cmp);
    Pair { own: median(owns), other: median(others), ratio: ratios[ratios.len() / 2] }
}

fn alone(what: &str, own: impl Fn() -> Command) {
    let times: Vec<Duration> = (0..=ROUNDS).map(|_| timed(&mut own())).skip(1).collect();
    println!("| {what} | {:.1} ms | - | - |", median(times).as_secs_f64() * 1e3);
}

fn row(what: &str, pair: &Pair) {
    let ms = |time: Duration| time.as_secs_f64() * 1e3;
    println!("| {what} | {:.1} ms | {:.1} ms | {:.2} |", ms(pair.own), ms(pair.other), pair.ratio);
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

fn timed(command: &mut Command) -> Duration {
    command.stdout(Stdio::null()).stderr(Stdio::null()).stdin(Stdio::null());
    let start = Instant::now();
    command.status().expect("it starts");
    start.elapsed()
}

fn output(command: &mut Command) -> String {
    let output = command.stdin(Stdio::null()).output().expect("it starts");
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

fn status(command: &mut Command) -> i32 {
    let output = command.stdin(Stdio::null()).output().expect("it starts");
    if !output.status.success() {
        eprintln!("{}", String::from_utf8_lossy(&output.stdout));
    }
    output.status.code().unwrap_or(-1)
}

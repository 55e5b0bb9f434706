//! Logs: `cargo bench --bench logs` makes a log, asks of it with `runbook` and with what a person would type, in turn, and
//! prints medians and ratios. Every answer is compared first: a fast wrong answer is no figure.
//!
//! `RUNBOOK_BENCH_MIB` says how large the log is; 1024 where it says nothing. With `RUNBOOK_BENCH_LARGE` the series of sizes
//! goes on to 10 GiB, which takes as much of the disk.

#![expect(
    clippy::indexing_slicing,
    clippy::disallowed_macros,
    clippy::disallowed_methods,
    reason = "a bench prints, and ends where something is not as it should be"
)]

mod generated;

use std::collections::{BTreeSet, HashSet};
use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufWriter, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const ROUNDS: usize = 7;
/// What a pass may take of the memory, however many lines are different.
const MOST_MEMORY: u64 = 64 << 20;
/// The sizes of the series, in MiB; the last one only where it is asked for.
const SIZES: &[usize] = &[1, 10, 100, 1024, 10 << 10];

/// What is asked: a title, the pipeline, and what a person would type.
const QUERIES: &[(&str, &str, &str)] = &[
    ("errors", "where(.text ~ /error/i) | count", "grep -i error LOG | wc -l"),
    (
        "top errors",
        "where(.text ~ /error/i) | each(.text) | top(10)",
        "grep -i error LOG | sort | uniq -c | sort -nr | head",
    ),
    (
        "slow",
        "where(\"slow query\" in .text) | each(.text) | top(10)",
        "grep 'slow query' LOG | sort | uniq -c | sort -nr | head",
    ),
    (
        "timeouts",
        "where(\"timeout\" in .text) | each(.text) | top(10)",
        "grep timeout LOG | sort | uniq -c | sort -nr | head",
    ),
    (
        "security",
        "where(.text ~ /security|auth|unauthorized/i) | each(.text) | top(10)",
        "grep -i 'security\\|auth\\|unauthorized' LOG | sort | uniq -c | sort -nr | head",
    ),
    (
        "suspicious",
        "where(.text ~ /suspicious|anomaly|attack/i) | each(.text) | top(10)",
        "grep -i 'suspicious\\|anomaly\\|attack' LOG | sort | uniq -c | sort -nr | head",
    ),
    ("failed", "where(\"failed login\" in .text) | count", "grep 'failed login' LOG | wc -l"),
    ("denied", "where(\"access denied\" in .text) | count", "grep 'access denied' LOG | wc -l"),
];

fn main() {
    let mib = std::env::var("RUNBOOK_BENCH_MIB").ok().and_then(|text| text.parse().ok()).unwrap_or(1024_usize);
    let folder = tempfile::tempdir().expect("a folder");
    let bench = Bench { folder: folder.path().to_owned(), log: folder.path().join("app.log") };
    write_log(&bench.log, mib << 20, false);
    println!("{mib} MiB, page cache, medians of {ROUNDS} rounds in turn\n");
    bench.agrees();
    let read = || {
        let start = Instant::now();
        read_through(&bench.log);
        start.elapsed()
    };
    println!("| what | time | ratio to runbook's |\n|---|---|---|");
    let rg = Command::new("rg").arg("--version").stdout(Stdio::null()).status().is_ok_and(|status| status.success());
    let one = &QUERIES[1..2];
    let runbook = bench.runbook("one", one);
    let by_runbook = || timed(&mut bench.run(&runbook));
    let (by_shell, by_c) = (|| timed(&mut bench.shell(one, None)), || timed(&mut bench.shell(one, Some("C"))));
    let ripgrep = [("top errors", "", "rg -i error LOG | sort | uniq -c | sort -nr | head")];
    let by_rg = || timed(&mut bench.shell(&ripgrep, Some("C")));
    let mut ways: Vec<Way<'_>> = vec![
        ("runbook", &by_runbook),
        ("read() alone", &read),
        ("the pipeline, default locale", &by_shell),
        ("the pipeline, LC_ALL=C", &by_c),
    ];
    if rg {
        ways.push(("the pipeline with rg, LC_ALL=C", &by_rg));
    }
    bench.rows("top errors", &ways);
    if !rg {
        println!("| top errors: the pipeline with rg | `rg` is not installed | - |");
    }
    let (piped, log) = (bench.runbook_of("piped", one, "-"), bench.log.display().to_string());
    let through = |what: String| {
        let mut command = Command::new("bash");
        command.arg("-c").arg(format!("cat {log} | {what}"));
        command
    };
    let own = format!(
        "{} run {} --state {}",
        env!("CARGO_BIN_EXE_runbook"),
        piped.display(),
        bench.folder.join("state").display()
    );
    bench.rows(
        "top errors of a pipe",
        &[
            ("runbook", &|| timed(&mut through(own.clone()))),
            ("cat and nothing else", &|| timed(&mut through("cat".to_owned()))),
        ],
    );
    let runbook = bench.runbook("eight", QUERIES);
    bench.rows(
        "eight queries",
        &[
            ("runbook", &|| timed(&mut bench.run(&runbook))),
            ("the pipelines, default locale", &|| timed(&mut bench.shell(QUERIES, None))),
            ("the pipelines, LC_ALL=C", &|| timed(&mut bench.shell(QUERIES, Some("C")))),
        ],
    );
    let patterns = &[("kinds", "patterns | top(10)", "sed -E 's/[0-9]+/N/g' LOG | sort | uniq -c | sort -rn | head")];
    let runbook = bench.runbook("kinds", patterns);
    bench.rows("patterns of all lines", &[("runbook", &|| timed(&mut bench.run(&runbook)))]);
    write_log(&bench.log, mib << 20, true);
    let unique = &[("unique", "each(.text) | top(3)", "")];
    let runbook = bench.runbook("unique", unique);
    let (took, peak) = peak(&mut bench.run(&runbook));
    println!("| all lines different, the most frequent | {:.0} ms | {} MiB at most |", ms(took), peak >> 20);
    assert!(peak <= MOST_MEMORY, "{} MiB of memory", peak >> 20);
    bench.groups();
    bench.grows();
}

/// One way to ask: what it is called, and how long it took.
type Way<'w> = (&'w str, &'w dyn Fn() -> Duration);

struct Bench {
    folder: PathBuf,
    log: PathBuf,
}

impl Bench {
    fn runbook(&self, name: &str, queries: &[(&str, &str, &str)]) -> PathBuf {
        self.runbook_of(name, queries, &self.log.display().to_string())
    }

    fn runbook_of(&self, name: &str, queries: &[(&str, &str, &str)], log: &str) -> PathBuf {
        let mut shows = String::new();
        for (title, query, _) in queries {
            let _ = writeln!(shows, "  show lines | {query} as \"{title}\"");
        }
        let file = self.folder.join(format!("{name}.runbook"));
        let text = format!("section \"Log\" {{\n  let lines = logs(file: \"{log}\")\n{shows}}}\n");
        std::fs::write(&file, text).expect("a runbook");
        file
    }

    fn run(&self, runbook: &Path) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_runbook"));
        command.arg("run").arg(runbook).args(["--format", "json", "--state"]).arg(self.folder.join("state"));
        command
    }

    fn shell(&self, queries: &[(&str, &str, &str)], locale: Option<&str>) -> Command {
        let log = self.log.to_str().expect("text");
        let script: Vec<String> = queries.iter().map(|(_, _, shell)| shell.replace("LOG", log)).collect();
        let mut command = Command::new("bash");
        command.arg("-c").arg(script.join("\n"));
        if let Some(locale) = locale {
            command.env("LC_ALL", locale);
        }
        command
    }

    /// Both say the same of each query: the counts, whatever the order of what is equally frequent.
    fn agrees(&self) {
        for query in QUERIES {
            let own = output(&mut self.run(&self.runbook("agrees", &[*query])));
            let shell = output(&mut self.shell(&[*query], Some("C")));
            let wanted: Vec<i64> =
                shell.lines().filter_map(|line| line.split_whitespace().next()?.parse().ok()).collect();
            let got = counts(&own);
            assert_eq!(got, wanted, "{}: {own}\n{shell}", query.0);
        }
    }

    /// How many kinds of entries there are where `sort | uniq -c` finds so many different lines.
    fn groups(&self) {
        println!("\n| log | lines | different lines | kinds of entries |\n|---|---|---|---|");
        for made in generated::all(20_000) {
            std::fs::write(&self.log, &made.text).expect("a log");
            let kinds = counts(&output(&mut self.run(&self.runbook("groups", &[("kinds", "patterns", "")]))));
            let entries = usize::try_from(kinds.iter().sum::<i64>()).expect("a count");
            assert_eq!((kinds.len(), entries), (made.kinds, made.entries), "{}", made.name);
            let different = made.text.lines().collect::<HashSet<_>>().len();
            println!("| {} | {} | {different} | {} |", made.name, made.text.lines().count(), kinds.len());
        }
    }

    /// How the time grows with the log.
    fn grows(&self) {
        let large = std::env::var_os("RUNBOOK_BENCH_LARGE").is_some();
        let runbook = self.runbook("grows", &QUERIES[1..2]);
        println!("\n| top errors of | time | a MiB | memory |\n|---|---|---|---|");
        for mib in SIZES.iter().filter(|mib| large || **mib <= 1024) {
            write_log(&self.log, mib << 20, false);
            let mut times: Vec<Duration> = (0..=ROUNDS).map(|_| timed(&mut self.run(&runbook))).collect();
            let (_, peak) = peak(&mut self.run(&runbook));
            let took = ms(median(times.split_off(1)));
            #[expect(clippy::cast_precision_loss, reason = "a size is small")]
            let each = took / *mib as f64;
            println!("| {mib} MiB | {took:.0} ms | {each:.3} ms | {} MiB |", peak >> 20);
        }
    }

    fn rows(&self, what: &str, ways: &[Way<'_>]) {
        let mut times: Vec<Vec<Duration>> = ways.iter().map(|_| Vec::new()).collect();
        for round in 0..=ROUNDS {
            for (way, times) in ways.iter().zip(&mut times) {
                let took = (way.1)();
                // The first round warms up.
                if round > 0 {
                    times.push(took);
                }
            }
        }
        // The median of the rounds' own ratios holds when the machine's speed drifts.
        for (way, own) in ways.iter().zip(&times) {
            let mut ratios: Vec<f64> =
                own.iter().zip(&times[0]).map(|(one, runbook)| one.as_secs_f64() / runbook.as_secs_f64()).collect();
            ratios.sort_by(f64::total_cmp);
            println!("| {what}: {} | {:.0} ms | {:.2} |", way.0, ms(median(own.clone())), ratios[ratios.len() / 2]);
        }
        assert!(self.log.exists(), "the log is there to the end");
    }
}

/// The numbers that a run has shown: a count, or the counts of a table.
fn counts(events: &str) -> Vec<i64> {
    let shown = events.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let shown = shown.filter(|event| event.get("event").is_some_and(|event| event == "shown"));
    shown.flat_map(|event| counted(&event["shown"]["body"])).collect()
}

fn counted(body: &serde_json::Value) -> Vec<i64> {
    if let Some(count) = body["cell"]["value"].as_i64() {
        return vec![count];
    }
    let columns = body["columns"].as_array().expect("a number or a table");
    let place = columns.iter().position(|column| column == "count").expect("counts");
    let rows = body["rows"].as_array().expect("rows");
    rows.iter().map(|row| row[place]["value"].as_i64().expect("a count")).collect()
}

/// Lines as services write them: some errors, some repeated, most with numbers that differ.
fn write_log(path: &Path, size: usize, unique: bool) {
    let mut out = BufWriter::with_capacity(1 << 20, File::create(path).expect("a log"));
    let mut random = 0x9E37_79B9_7F4A_7C15_u64;
    let mut next = move |below: u64| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random % below
    };
    let (mut written, mut number) = (0, 0_u64);
    let mut seen = BTreeSet::new();
    while written < size {
        number += 1;
        let second = number / 4000;
        let stamp = format!("2026-11-23T{:02}:{:02}:{:02}Z", second / 3600 % 24, second / 60 % 60, second % 60);
        let (a, b, c) = (next(40), next(1_000_000), next(300));
        let line = match (unique, next(1000)) {
            (true, _) => {
                format!("{stamp} INFO request {number} of {b} took {c}ms in a line that is like no other line")
            }
            (_, 0..20) => format!("{stamp} ERROR app[{a}] database error: deadlock detected on relation {}", a % 7),
            (_, 20..25) => format!("{stamp} WARN app[{a}] timeout talking to upstream-{a}"),
            (_, 25..28) => format!("{stamp} WARN app[{a}] slow query: select * from t{a} where id = {b} ({c}ms)"),
            (_, 28..30) => {
                format!("{stamp} WARN app[{a}] unauthorized: access denied for user u{a} after failed login")
            }
            (_, 30..31) => format!("{stamp} WARN app[{a}] suspicious request from 10.0.{a}.{}", c % 256),
            _ => format!("{stamp} INFO app[{a}] GET /v1/items/{b} 200 in {c}ms for worker {a}"),
        };
        seen.insert(a);
        written += line.len() + 1;
        writeln!(out, "{line}").expect("written");
    }
    assert!(seen.len() > 1, "the numbers differ");
    out.flush().expect("written");
}

fn read_through(path: &Path) {
    let mut file = File::open(path).expect("the log");
    let mut buffer = vec![0; 256 << 10];
    while file.read(&mut buffer).expect("read") > 0 {}
}

fn timed(command: &mut Command) -> Duration {
    command.stdout(Stdio::null()).stderr(Stdio::null()).stdin(Stdio::null());
    let start = Instant::now();
    command.status().expect("it starts");
    start.elapsed()
}

/// How long it takes, and the most memory that it has.
fn peak(command: &mut Command) -> (Duration, u64) {
    command.stdout(Stdio::null()).stderr(Stdio::null()).stdin(Stdio::null());
    let start = Instant::now();
    let mut child = command.spawn().expect("it starts");
    let mut peak = 0;
    while child.try_wait().expect("it ends").is_none() {
        let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let now = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok()).unwrap_or(0) << 10;
        peak = peak.max(now);
        std::thread::sleep(Duration::from_millis(2));
    }
    (start.elapsed(), peak)
}

fn output(command: &mut Command) -> String {
    let output = command.stdin(Stdio::null()).output().expect("it starts");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

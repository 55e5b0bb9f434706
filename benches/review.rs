//! Plans, reviews and changes: `cargo bench --bench review` prints what planning and comparing the daily runbook takes, what
//! writing a change ahead adds to it, and how soon a run of ten thousand events goes on. Every answer that is timed is
//! looked at first.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_macros,
    reason = "a bench prints, and ends where something is not as it should be"
)]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const ROUNDS: usize = 15;
const DAILY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/runbooks/daily.runbook");
const CHANGES: u32 = 1000;
/// How many steps come to ten thousand events.
const STEPS: u32 = 3320;

fn main() {
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench { folder: folder.path().to_owned() };
    println!("| what | wanted | measured |");
    println!("|---|---|---|");
    bench.plan();
    bench.diff();
    bench.durable();
    bench.resume();
}

fn row(what: &str, wanted: &str, took: Duration) {
    println!("| {what} | {wanted} ms | {:.2} ms |", took.as_secs_f64() * 1e3);
}

struct Bench {
    folder: PathBuf,
}

impl Bench {
    fn plan(&self) {
        let plan = || self.tool(&["plan", "--offline", DAILY]);
        assert!(said(plan(), 0).contains("--approve"), "a plan says its hash");
        row("`plan --offline` of the daily runbook", "20", median(|| timed(plan())));
    }

    fn diff(&self) {
        let text = std::fs::read_to_string(DAILY).unwrap();
        let edited = text.replacen("when error_rate > error_limit", "when error_rate > 8% for 20m", 1);
        assert_ne!(edited, text, "the daily runbook has the threshold that is edited");
        // Beside what it uses.
        for used in std::fs::read_dir(Path::new(DAILY).parent().unwrap()).unwrap().flatten() {
            std::fs::copy(used.path(), self.folder.join(used.file_name())).unwrap();
        }
        let new = self.write("daily.runbook", &edited);
        let diff = || self.tool(&["diff", DAILY, &new]);
        assert!(said(diff(), 2).contains("loosened"), "the edit is found");
        row("`diff` of an edited threshold of the daily runbook, its tests rehearsed", "20", median(|| timed(diff())));
    }

    /// What a change takes beside a look that starts the same program and keeps nothing for sure.
    fn durable(&self) {
        let (mut looks, mut changes) = (String::new(), String::new());
        for number in 0..CHANGES {
            let _ = writeln!(looks, "    require look({number}) == \"\"");
            let _ = writeln!(changes, "    change put({number})");
        }
        let put = "tool put(number: int) changes idempotent = argv(\"true\", number)\n";
        let look = "tool look(number: int) -> string = argv(\"true\", number)\n";
        let looks = format!("{put}{look}section \"S\" {{\n  step \"s\" {{\n{looks}    change put(0)\n  }}\n}}\n");
        let changes = format!("{put}section \"S\" {{\n  step \"s\" {{\n{changes}  }}\n}}\n");
        let (looks, changes) = (self.write("looks.runbook", &looks), self.write("changes.runbook", &changes));
        let (own, other) = (self.hash(&changes), self.hash(&looks));
        assert!(said(self.run(&changes, &own), 0).contains("1000 changes"), "all are made");
        assert!(said(self.run(&looks, &other), 0).contains("1000 passed"), "all were looked at");
        let mut all: Vec<Duration> = (0..=ROUNDS)
            .map(|_| timed(self.run(&changes, &own)).saturating_sub(timed(self.run(&looks, &other))))
            .skip(1)
            .collect();
        all.sort();
        row(
            "a change that is written ahead and confirmed, beside a look by the same program",
            "0.5",
            all[ROUNDS / 2] / CHANGES,
        );
    }

    fn resume(&self) {
        let mut text = String::from("tool put(number: int) changes idempotent = argv(\"true\", number)\n");
        text.push_str("tool fails() changes idempotent = argv(\"false\")\nsection \"S\" {\n");
        for number in 0..STEPS {
            let _ = writeln!(text, "  step \"step {number}\" {{\n    check 1 + 1 == 2 as \"one\"\n  }}");
        }
        text.push_str("  step \"changes\" {\n");
        (0..20).for_each(|number| writeln!(text, "    change put({number})").unwrap());
        text.push_str("    change fails()\n  }\n}\n");
        let file = self.write("long.runbook", &text);
        said(self.run(&file, &self.hash(&file)), 4);
        let events =
            said(self.tool(&["show", "last", "--state", &self.state(), "--format", "json"]), 0).lines().count();
        assert!(events >= 10_000, "{events} events");
        // Nobody agrees, so it says what is left and what to type, and that alone.
        let resume = || self.tool(&["resume", "last", "--state", &self.state()]);
        assert!(said(resume(), 5).contains("fails()"), "it says what is left");
        let check = median(|| timed(self.tool(&["check", &file])));
        let what = "`resume` of a run of 10,000 events, until it says what is left, over the check of its 10,000 lines";
        row(what, "50", median(|| timed(resume())).saturating_sub(check));
    }

    fn run(&self, file: &str, hash: &str) -> Command {
        self.tool(&["run", file, "--state", &self.state(), "--approve", hash])
    }

    fn hash(&self, file: &str) -> String {
        let plan = said(self.tool(&["plan", "--offline", file, "--format", "json"]), 0);
        let plan: serde_json::Value = serde_json::from_str(&plan).unwrap();
        plan["hash"].as_str().unwrap().to_owned()
    }

    #[expect(clippy::unused_self, reason = "each way to start one begins here")]
    fn tool(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_runbook"));
        command.args(args).env("NO_COLOR", "1").stdin(Stdio::null());
        command
    }

    fn state(&self) -> String {
        self.folder.join("state").to_str().unwrap().to_owned()
    }

    fn write(&self, name: &str, text: &str) -> String {
        let path = self.folder.join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

/// The first round warms up.
fn median(timed: impl Fn() -> Duration) -> Duration {
    let mut times: Vec<Duration> = (0..=ROUNDS).map(|_| timed()).skip(1).collect();
    times.sort();
    times[times.len() / 2]
}

fn timed(mut command: Command) -> Duration {
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let start = Instant::now();
    command.status().unwrap();
    start.elapsed()
}

fn said(mut command: Command, exit: i32) -> String {
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(exit), "{said}");
    said
}

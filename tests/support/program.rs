//! The built program, started in a folder of its own: the one way in which tests run it.
//!
//! It gets nothing of the environment of whoever runs the tests, and it must end in time, with the memory that is there
//! and without a panic.
#![allow(clippy::allow_attributes, clippy::unwrap_used, dead_code, reason = "each test takes what it needs of it")]

use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

/// The program.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_runbook");

/// Longer than anything here takes, also unoptimised and on a busy machine: a hang is a failure, not a wait.
const PATIENCE: Duration = Duration::from_mins(1);
/// Much more than the worst needs, much less than the input could make of it.
const MEMORY: u64 = 400 << 20;

/// A folder with runbooks.
pub(crate) struct Folder(tempfile::TempDir);

#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    /// 1000 and a signal's number where one ended it.
    pub(crate) code: i32,
}

impl Folder {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// With one runbook, `a.runbook`.
    pub(crate) fn with(text: impl AsRef<[u8]>) -> Self {
        let folder = Self::new();
        folder.write("a.runbook", text);
        folder
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// All that the journals hold.
    pub(crate) fn journals(&self) -> String {
        self.journal_paths().iter().map(|path| fs::read_to_string(path).unwrap()).collect()
    }

    /// The journals, the oldest first; what stands beside them is none.
    pub(crate) fn journal_paths(&self) -> Vec<PathBuf> {
        let runs = fs::read_dir(self.path("state/runs")).unwrap().map(|entry| entry.unwrap().path());
        let mut paths: Vec<_> = runs.filter(|path| path.extension().is_some_and(|own| own == "jsonl")).collect();
        paths.sort();
        paths
    }

    /// The program.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        self.through(PROGRAM, args)
    }

    /// Something that starts [`PROGRAM`]: a shell, a tracer.
    pub(crate) fn through(&self, other: &str, args: &[&str]) -> Command {
        let mut command = Command::new(other);
        command
            .args(args)
            .current_dir(self.0.path())
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", self.0.path())
            .env("RUNBOOK_STATE", self.path("state"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    pub(crate) fn run(&self, args: &[&str]) -> Output {
        finish(self.command(args).spawn().unwrap())
    }

    pub(crate) fn run_with_input(&self, args: &[&str], input: impl AsRef<[u8]>) -> Output {
        let mut child = self.command(args).stdin(Stdio::piped()).spawn().unwrap();
        // Whoever reads only the beginning closes the pipe.
        let _ = child.stdin.take().unwrap().write_all(input.as_ref());
        finish(child)
    }

    /// The hash that `plan` prints for `a.runbook`: what consents to its changes.
    pub(crate) fn hash(&self) -> String {
        self.hash_of(&[])
    }

    /// That of a part of it.
    pub(crate) fn hash_of(&self, part: &[&str]) -> String {
        let args: Vec<&str> = ["plan", "--offline", "a.runbook"].iter().chain(part).copied().collect();
        let plan = self.run(&args).code(0).stdout.clone();
        let line = plan.lines().find_map(|line| line.strip_prefix("plan "));
        let line = line.unwrap_or_else(|| panic!("nothing to approve in {plan}"));
        line.split_whitespace().next().unwrap().to_owned()
    }

    /// On a terminal, where somebody types an answer once a question ends with `after`.
    pub(crate) fn run_on_terminal(&self, args: &[&str], answers: &[(&str, &str)]) -> Output {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap().into_string().unwrap();
        let side = || File::options().read(true).write(true).open(&name).unwrap();
        let mut command = self.command(args);
        command.env("TERM", "xterm").env("COLUMNS", "100").stdin(side()).stdout(side()).stderr(side());
        let mut child = command.spawn().unwrap();
        drop(command);
        let mut master = File::from(master);
        let mut seen = String::new();
        let mut answers = answers.iter().peekable();
        let mut buffer = [0; 4096];
        // The other side being closed is the end of the output.
        while let Ok(n @ 1..) = master.read(&mut buffer) {
            seen.push_str(&String::from_utf8_lossy(buffer.get(..n).unwrap_or_default()));
            if let Some((after, answer)) = answers.peek()
                && seen.contains(after)
            {
                master.write_all(answer.as_bytes()).unwrap();
                answers.next();
            }
        }
        let status = child.wait().unwrap();
        Output { stdout: seen, stderr: String::new(), code: status.code().unwrap_or(-1) }
    }
}

pub(crate) fn signal(child: &Child, signal: Signal) {
    kill_process(Pid::from_child(child), signal).unwrap();
}

/// Waits until a file is there.
pub(crate) fn appears(path: &Path) {
    let begun = Instant::now();
    while !path.exists() {
        assert!(begun.elapsed() < PATIENCE, "{} does not appear", path.display());
        thread::sleep(Duration::from_millis(10));
    }
}

/// Waits for the end, which must come in time and with the memory that is there.
pub(crate) fn finish(mut child: Child) -> Output {
    let stdout = child.stdout.take().map(read_along);
    let stderr = child.stderr.take().map(read_along);
    let begun = Instant::now();
    let status = loop {
        let peak = peak(child.id());
        if peak > MEMORY || begun.elapsed() > PATIENCE {
            child.kill().unwrap();
            panic!("it has {} MiB and does not end: {:?}", peak >> 20, begun.elapsed());
        }
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        thread::sleep(Duration::from_millis(5));
    };
    let text = |reader: Option<JoinHandle<String>>| reader.map_or_else(String::new, |it| it.join().unwrap());
    let code = status.code().unwrap_or_else(|| 1000 + status.signal().unwrap_or(0));
    let output = Output { stdout: text(stdout), stderr: text(stderr), code };
    assert!(!output.stderr.contains("panicked"), "{}", output.stderr);
    output
}

fn read_along(mut from: impl Read + Send + 'static) -> JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        from.read_to_end(&mut bytes).unwrap();
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

/// The most memory that a process ever had; 0 once it is over, and where the system does not say.
fn peak(id: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok()).unwrap_or(0) << 10
}

impl Output {
    /// The lines to type of a printed page.
    pub(crate) fn script(&self) -> String {
        let mut script = String::new();
        let mut inside = false;
        for line in self.stdout.lines() {
            match line {
                "```sh" => inside = true,
                "```" => inside = false,
                line if inside => script = script + line + "\n",
                _ => {}
            }
        }
        script
    }

    #[track_caller]
    pub(crate) fn code(&self, code: i32) -> &Self {
        assert_eq!(self.code, code, "{}", self.start());
        self
    }

    #[track_caller]
    pub(crate) fn out(&self, part: &str) -> &Self {
        assert!(self.stdout.contains(part), "no {part:?} on stdout:\n{}", self.start());
        self
    }

    #[track_caller]
    pub(crate) fn err(&self, part: &str) -> &Self {
        assert!(self.stderr.contains(part), "no {part:?} on stderr:\n{}", self.start());
        self
    }

    /// Whichever output it is on.
    #[track_caller]
    pub(crate) fn says(&self, part: &str) -> &Self {
        assert!(self.stdout.contains(part) || self.stderr.contains(part), "no {part:?} in\n{}", self.start());
        self
    }

    #[track_caller]
    pub(crate) fn lacks(&self, part: &str) -> &Self {
        assert!(!self.stdout.contains(part) && !self.stderr.contains(part), "{part:?} in\n{}", self.start());
        self
    }

    #[track_caller]
    pub(crate) fn no_out(&self) -> &Self {
        assert_eq!(self.stdout, "");
        self
    }

    /// Standard output as JSON Lines.
    pub(crate) fn lines(&self) -> Vec<serde_json::Value> {
        self.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Both outputs, as much of them as a message bears.
    fn start(&self) -> String {
        let start = |text: &str| text.chars().take(4_000).collect::<String>();
        format!("--- stdout\n{}\n--- stderr\n{}", start(&self.stdout), start(&self.stderr))
    }
}

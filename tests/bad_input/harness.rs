//! The built binary on one file, with a look at how long it took and how much memory it had.

use std::fs;
use std::io::Read;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// Longer than anything here may take, also unoptimised and on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);
/// Much more than the worst needs, much less than the input could make of it.
const MEMORY: u64 = 400 << 20;

pub(crate) struct Folder(tempfile::TempDir);

#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    /// `None` where a signal ended it.
    pub(crate) code: Option<i32>,
}

impl Folder {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn with(text: impl AsRef<[u8]>) -> Self {
        let folder = Self::new();
        folder.write("a.runbook", text);
        folder
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        fs::write(self.path(name), text).unwrap();
    }

    /// With nothing of the environment of whoever runs the tests.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_runbook"));
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

    /// All that the journals hold.
    pub(crate) fn journals(&self) -> String {
        let runs = fs::read_dir(self.path("state/runs")).unwrap();
        runs.map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap()).collect()
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
            panic!("{} MiB after {:?}", peak >> 20, begun.elapsed());
        }
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        thread::sleep(Duration::from_millis(5));
    };
    let text = |reader: Option<thread::JoinHandle<String>>| reader.map_or_else(String::new, |it| it.join().unwrap());
    let output = Output { stdout: text(stdout), stderr: text(stderr), code: status.code() };
    assert!(!output.stderr.contains("panicked"), "{}", output.stderr);
    output
}

fn read_along(mut from: impl Read + Send + 'static) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        from.read_to_end(&mut bytes).unwrap();
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

/// The most memory that a process ever had; 0 once it is over.
fn peak(id: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok()).unwrap_or(0) << 10
}

impl Output {
    #[track_caller]
    pub(crate) fn code(&self, wanted: i32) -> &Self {
        assert_eq!(self.code, Some(wanted), "{}\n{}", self.start(&self.stdout), self.start(&self.stderr));
        self
    }

    /// Whichever output it is on.
    #[track_caller]
    pub(crate) fn says(&self, part: &str) -> &Self {
        let said = self.stdout.contains(part) || self.stderr.contains(part);
        assert!(said, "no `{part}` in:\n{}\n{}", self.start(&self.stdout), self.start(&self.stderr));
        self
    }

    #[expect(clippy::unused_self, reason = "it belongs to what is printed of an output")]
    fn start(&self, text: &str) -> String {
        text.chars().take(4_000).collect()
    }
}

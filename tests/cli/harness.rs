//! A folder of one's own, and the binary started in it.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

/// Longer than anything here takes: a hang is a failure, not a wait.
const PATIENCE: Duration = Duration::from_mins(1);

/// A folder with runbooks.
pub(crate) struct Folder(tempfile::TempDir);

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
    pub(crate) fn with(text: &str) -> Self {
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

    /// The command, with nothing of the environment of whoever runs the tests.
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

    pub(crate) fn run_with_input(&self, args: &[&str], input: impl AsRef<[u8]>) -> Output {
        let mut child = self.command(args).stdin(Stdio::piped()).spawn().unwrap();
        // Whoever reads only the beginning closes the pipe.
        let _ = child.stdin.take().unwrap().write_all(input.as_ref());
        finish(child)
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
            seen.push_str(&String::from_utf8_lossy(&buffer[..n]));
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

pub(crate) fn interrupt(child: &Child, signal: Signal) {
    kill_process(Pid::from_child(child), signal).unwrap();
}

/// Waits until a file is there.
pub(crate) fn appears(path: &Path) {
    let begun = Instant::now();
    while !path.exists() {
        assert!(begun.elapsed() < PATIENCE, "{} does not appear", path.display());
        std::thread::sleep(Duration::from_millis(10));
    }
}

pub(crate) fn finish(mut child: Child) -> Output {
    let read = |mut from: Box<dyn Read + Send>| {
        std::thread::spawn(move || {
            let mut bytes = Vec::new();
            from.read_to_end(&mut bytes).unwrap();
            String::from_utf8_lossy(&bytes).into_owned()
        })
    };
    let stdout = child.stdout.take().map(|pipe| read(Box::new(pipe)));
    let stderr = child.stderr.take().map(|pipe| read(Box::new(pipe)));
    let begun = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if begun.elapsed() > PATIENCE {
            child.kill().unwrap();
            panic!("it hangs");
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    let text =
        |reader: Option<std::thread::JoinHandle<String>>| reader.map_or_else(String::new, |it| it.join().unwrap());
    let code = status.code().unwrap_or_else(|| 1000 + status.signal().unwrap_or(0));
    Output { stdout: text(stdout), stderr: text(stderr), code }
}

impl Output {
    #[track_caller]
    pub(crate) fn code(&self, code: i32) -> &Self {
        assert_eq!(self.code, code, "\n--- stdout\n{}\n--- stderr\n{}", self.stdout, self.stderr);
        self
    }

    #[track_caller]
    pub(crate) fn out(&self, part: &str) -> &Self {
        assert!(self.stdout.contains(part), "no {part:?} in stdout:\n{}\n--- stderr\n{}", self.stdout, self.stderr);
        self
    }

    #[track_caller]
    pub(crate) fn err(&self, part: &str) -> &Self {
        assert!(self.stderr.contains(part), "no {part:?} in stderr:\n{}\n--- stdout\n{}", self.stderr, self.stdout);
        self
    }

    #[track_caller]
    pub(crate) fn no_out(&self) -> &Self {
        assert_eq!(self.stdout, "");
        self
    }

    #[track_caller]
    pub(crate) fn lacks(&self, part: &str) -> &Self {
        assert!(
            !self.stdout.contains(part) && !self.stderr.contains(part),
            "{part:?} in\n{}\n{}",
            self.stdout,
            self.stderr
        );
        self
    }

    /// Standard output as JSON Lines.
    pub(crate) fn lines(&self) -> Vec<serde_json::Value> {
        self.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

//! The lab as tests see it: which parts it has, where they are, and a runbook run against them by the real program.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::process::Command;
use std::sync::OnceLock;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::Value as Json;

use super::program::Folder;

/// The lab, while it is up.
pub(crate) struct Lab {
    /// What `lab.json` says: see `tests/lab/README.md`.
    pub(crate) facts: Json,
    /// What `lab env` exports.
    pub(crate) env: BTreeMap<String, String>,
}

/// The lab, if it has these parts. Where it has not, that is named; with `RUNBOOK_TESTS=all` it is a failure, unless the
/// lab itself says that a part cannot be had here.
pub(crate) fn lab(test: &str, parts: &[&str]) -> Option<&'static Lab> {
    static LAB: OnceLock<Result<Lab, String>> = OnceLock::new();
    let lab = match LAB.get_or_init(find) {
        Ok(lab) => lab,
        Err(why) => {
            assert!(!all(), "{test} needs the lab: {why}");
            say(&format!("not run: {test}: {why}"));
            return None;
        }
    };
    for part in parts {
        if lab.facts["parts"][part]["up"] != true {
            let missing = lab.facts["missing"][part].as_str();
            assert!(!all() || missing.is_some(), "{test} needs `{part}`, which is not up in the lab");
            say(&format!("not run: {test}: the lab has no {part}: {}", missing.unwrap_or("it is not up")));
            return None;
        }
    }
    Some(lab)
}

/// Whoever breaks something of the lab has it for himself meanwhile; the others wait.
pub(crate) fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Something of the lab that is broken until this goes, also where the test fails.
pub(crate) struct Broken(&'static str);

impl Broken {
    #[track_caller]
    pub(crate) fn new(fault: &'static str) -> Self {
        // From here on it is mended, should it break by half only.
        let broken = Self(fault);
        control(&["break", fault]).unwrap();
        broken
    }
}

impl Drop for Broken {
    fn drop(&mut self) {
        let mended = control(&["mend", self.0]);
        assert!(mended.is_ok() || std::thread::panicking(), "{mended:?}");
    }
}

fn all() -> bool {
    std::env::var_os("RUNBOOK_TESTS").is_some_and(|wanted| wanted == "all")
}

/// A test that cannot be: a failure where all of them are wanted.
pub(crate) fn left_out(test: &str, why: &str) {
    assert!(!all(), "{test}: {why}");
    say(&format!("not run: {test}: {why}"));
}

/// Past the capture of the test runner: it is read also where the test passes.
pub(crate) fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

fn control(args: &[&str]) -> Result<String, String> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/lab/lab");
    let output = Command::new(path).args(args).output().map_err(|error| format!("`tests/lab/lab`: {error}"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(format!("`tests/lab/lab {}` failed: {}", args.join(" "), String::from_utf8_lossy(&output.stderr).trim()))
}

/// A lab that is up is used, whoever brought it up. It is brought up for `RUNBOOK_TESTS=all` only: the first time takes long.
fn find() -> Result<Lab, String> {
    let facts = || control(&["list", "--json"]).and_then(|text| serde_json::from_str(&text).map_err(|e| e.to_string()));
    let is_up = |facts: &Json| facts["parts"].as_object().is_some_and(|parts| parts.values().any(|p| p["up"] == true));
    let mut found: Json = facts()?;
    if !is_up(&found) && all() {
        control(&["up"])?;
        found = facts()?;
    }
    if !is_up(&found) {
        return Err("the lab is not up: `tests/lab/lab build` once, then `tests/lab/lab up`".to_owned());
    }
    let env = control(&["env"])?;
    let env = env.lines().filter_map(|line| {
        let (name, value) = line.strip_prefix("export ")?.split_once('=')?;
        Some((name.to_owned(), value.trim_matches('\'').to_owned()))
    });
    Ok(Lab { facts: found, env: env.collect() })
}

/// A run of a runbook by the program.
pub(crate) struct Ran {
    pub(crate) code: i32,
    /// The events, in their order.
    pub(crate) events: Vec<Json>,
    /// Both outputs, for messages.
    pub(crate) text: String,
}

impl Lab {
    /// Runs a runbook with the lab's environment, and consents to all its changes.
    pub(crate) fn run(&self, source: &str) -> Ran {
        self.run_with(source, &[], &[])
    }

    /// The same, with more arguments and variables.
    pub(crate) fn run_with(&self, source: &str, args: &[&str], env: &[(&str, &str)]) -> Ran {
        self.run_in(&Folder::with(source), args, env)
    }

    /// The same, of the `a.runbook` of a folder, with what is beside it and with what is kept of earlier runs.
    pub(crate) fn run_in(&self, folder: &Folder, args: &[&str], env: &[(&str, &str)]) -> Ran {
        let command = |args: &[&str]| {
            let mut command = self.command(folder, args);
            command.envs(env.iter().copied());
            command
        };
        let plan = command(&["plan", "--offline", "a.runbook"]).output().unwrap();
        let plan = String::from_utf8_lossy(&plan.stdout).into_owned();
        let hash = plan.lines().find_map(|line| Some(line.split_once("--approve ")?.1.trim().to_owned()));
        let mut all = vec!["run", "a.runbook", "--format", "json"];
        if let Some(hash) = hash.as_ref().filter(|_| !args.contains(&"--read-only")) {
            all.extend(["--approve", hash]);
        }
        all.extend(args);
        let output = command(&all).output().unwrap();
        let stdout = String::from_utf8_lossy(&output.stdout);
        let events = stdout.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        let text = format!("{stdout}\n{}", String::from_utf8_lossy(&output.stderr));
        Ran { code: output.status.code().unwrap_or(-1), events, text }
    }

    /// The program in a folder, with the lab's environment and nothing of one's own.
    pub(crate) fn command(&self, folder: &Folder, args: &[&str]) -> Command {
        let mut command = folder.command(args);
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).envs(&self.env);
        command
    }
}

impl Ran {
    /// How a check ended: `passed`, `failed`, `not_measured`.
    #[track_caller]
    pub(crate) fn outcome(&self, title: &str) -> &str {
        self.check(title)["outcome"].as_str().unwrap()
    }

    /// The fault of a check that was not measured: its kind and its message.
    #[track_caller]
    pub(crate) fn fault(&self, title: &str) -> (String, String) {
        let fault = &self.check(title)["fault"];
        let text = |name: &str| fault[name].as_str().unwrap_or_default().to_owned();
        let help = fault["help"].as_str().map(|help| format!(" ({help})")).unwrap_or_default();
        (text("kind"), text("message") + &help)
    }

    #[track_caller]
    fn check(&self, title: &str) -> &Json {
        let found = self.events.iter().find(|event| event["event"] == "checked" && event["title"] == title);
        found.unwrap_or_else(|| panic!("no check `{title}` in\n{}", self.text))
    }

    /// What a `show … as "title"` showed.
    #[track_caller]
    pub(crate) fn shown(&self, title: &str) -> &Json {
        let found = self.events.iter().find(|event| event["event"] == "shown" && event["title"] == title);
        &found.unwrap_or_else(|| panic!("nothing shown as `{title}` in\n{}", self.text))["shown"]["body"]
    }

    /// Why a `show … as "title"` showed nothing.
    #[track_caller]
    pub(crate) fn not_shown(&self, title: &str) -> String {
        let found = self.events.iter().find(|event| event["event"] == "not_shown" && event["title"] == title);
        let found = found.unwrap_or_else(|| panic!("`{title}` was shown, or never tried, in\n{}", self.text));
        found["fault"]["message"].as_str().unwrap().to_owned()
    }

    #[track_caller]
    pub(crate) fn code(&self, code: i32) -> &Self {
        assert_eq!(self.code, code, "{}", self.text);
        self
    }
}

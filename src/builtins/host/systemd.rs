//! What systemd says of its units.

use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use tokio::process::Command;

use crate::builtins::line_time::{self, Reading};
use crate::types::{EnumType, Fault, FaultKind, Word, Words, records};

/// How long systemd may take to answer.
const WITHIN: Duration = Duration::from_secs(10);

const PROPERTIES: &str = "--property=Id,Description,LoadState,ActiveState,SubState,UnitFileState,StateChangeTimestamp,NRestarts,MainPID,Result";

/// Whether a unit runs.
#[derive(Clone, Debug)]
pub struct UnitState;

impl Words for UnitState {
    const ENUM: &'static EnumType = &EnumType {
        name: "unit_state",
        values: &[
            "active",
            "reloading",
            "inactive",
            "failed",
            "activating",
            "deactivating",
            "maintenance",
            "refreshing",
        ],
        open: true,
    };
}

records! {
    /// A unit of systemd.
    struct Unit "unit" {
        /// Its name: `nginx.service`.
        name: Arc<str>,
        /// Whether it runs.
        active: Word<UnitState>,
        /// The same in the words of its kind: `running`, `exited`, `dead`, `listening`.
        sub: Arc<str>,
        /// Whether it is started with the machine.
        enabled: bool,
        /// When its state last changed; missing where it never did.
        since: Option<Timestamp>,
        /// How long ago that was when the run began.
        age: Option<SignedDuration>,
        /// What it says of itself.
        description: Arc<str>,
        /// How often systemd restarted it since somebody started it; missing for what is no service.
        restarts: Option<i64>,
        /// Its main process; missing where it has none.
        pid: Option<i64>,
        /// How it ended last: `success`, `exit-code`, `timeout`, `oom-kill`.
        result: Arc<str>,
    }
}

/// Asks for units by name or pattern. Each comes with its load state.
pub(super) async fn show(names: &str, run_began: Timestamp) -> Result<Vec<(String, Unit)>, Fault> {
    // What `sd_booted` looks at: systemctl may be there without a systemd.
    if !Path::new("/run/systemd/system").is_dir() {
        return Err(Fault::new(FaultKind::Unsupported, "this machine does not run systemd"));
    }
    let failed = |why: String| Fault::new(FaultKind::Failed, format!("`systemctl show` {why}"));
    let running = Command::new("systemctl")
        .args(["show", "--no-pager", PROPERTIES, "--", names])
        .env("LC_ALL", "C")
        .env("TZ", "UTC")
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = match tokio::time::timeout(WITHIN, running).await {
        Ok(output) => output.map_err(|error| failed(format!("could not be started: {error}")))?,
        Err(_) => return Err(Fault::new(FaultKind::Timeout, "systemd does not answer within 10s")),
    };
    if !output.status.success() {
        let why = String::from_utf8_lossy(&output.stderr);
        return Err(failed(format!("failed: {}", why.lines().next().unwrap_or("without a word"))));
    }
    parse(&String::from_utf8_lossy(&output.stdout), run_began)
        .ok_or_else(|| Fault::new(FaultKind::BadAnswer, "`systemctl show` does not say what it is known to say"))
}

/// Units are told apart by an empty line.
fn parse(text: &str, run_began: Timestamp) -> Option<Vec<(String, Unit)>> {
    text.split("\n\n").map(str::trim).filter(|block| !block.is_empty()).map(|block| unit(block, run_began)).collect()
}

fn unit(block: &str, run_began: Timestamp) -> Option<(String, Unit)> {
    let of = |name: &str| block.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
    let since = of("StateChangeTimestamp").and_then(time);
    let unit = Unit {
        name: of("Id")?.into(),
        active: Word::new(of("ActiveState")?),
        sub: of("SubState")?.into(),
        enabled: of("UnitFileState").is_some_and(|state| matches!(state, "enabled" | "enabled-runtime")),
        since,
        age: since.map(|since| run_began.duration_since(since)),
        description: of("Description").unwrap_or_default().into(),
        restarts: of("NRestarts").and_then(|count| count.parse().ok()),
        pid: of("MainPID").and_then(|pid| pid.parse().ok()).filter(|pid| *pid > 0),
        result: of("Result").unwrap_or_default().into(),
    };
    Some((of("LoadState")?.to_owned(), unit))
}

/// `Mon 2026-11-23 08:00:00 UTC`.
fn time(text: &str) -> Option<Timestamp> {
    let (_weekday, time) = text.split_once(' ')?;
    line_time::of_line(time.as_bytes(), &Reading { zone: TimeZone::UTC, read_at: Timestamp::UNIX_EPOCH })
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn reads_what_systemctl_shows() {
        let text = "Result=success\nNRestarts=2\nMainPID=812\nId=nginx.service\nDescription=A web server = fast\n\
            LoadState=loaded\nActiveState=active\nSubState=running\nUnitFileState=enabled\n\
            StateChangeTimestamp=Mon 2026-11-23 08:00:00 UTC\n\nId=nope.service\nDescription=nope.service\n\
            LoadState=not-found\nActiveState=inactive\nSubState=dead\nUnitFileState=\nStateChangeTimestamp=\nMainPID=0\n";
        let units = parse(text, "2026-11-23T09:30:00Z".parse().unwrap()).unwrap();
        let (load, nginx) = &units[0];
        assert_eq!(
            (load.as_str(), &*nginx.name, &*nginx.active.0, &*nginx.sub),
            ("loaded", "nginx.service", "active", "running")
        );
        assert_eq!((nginx.restarts, nginx.pid, nginx.enabled), (Some(2), Some(812), true));
        assert_eq!(&*nginx.description, "A web server = fast");
        assert_eq!(nginx.age.unwrap().as_mins(), 90);
        let (load, nope) = &units[1];
        assert_eq!((load.as_str(), nope.since, nope.pid, nope.restarts), ("not-found", None, None, None));
        assert!(parse("Id=x\n", jiff::Timestamp::UNIX_EPOCH).is_none());
    }
}

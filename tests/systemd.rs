//! Units of a real systemd, booted in namespaces of its own. It needs root, `unshare`, `nsenter` and systemd's program; where
//! they are not there that is said, and with `RUNBOOK_TESTS=all` it is a failure.

#![expect(clippy::disallowed_methods, reason = "a test asks the real environment what it is to do")]

#[path = "support/program.rs"]
mod program;

use std::io::Write as _;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use program::{Folder, PROGRAM};

const SYSTEMD: &str = "/lib/systemd/systemd";

/// Boots systemd with two units. Nothing of it is seen outside: its folders are file systems of its own.
const BOOT: &str = r"
set -e
mount --make-rprivate /
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /etc/systemd/system
cd /etc/systemd/system
printf '[Unit]\nDescription=It runs\nDefaultDependencies=no\n[Service]\nExecStart=/bin/sleep infinity\n' > runs.service
printf '[Unit]\nDescription=It fails\nDefaultDependencies=no\n[Service]\nExecStart=/bin/false\n' > fails.service
printf '[Unit]\nDescription=Both\nWants=runs.service fails.service\n' > both.target
export container=test
exec /lib/systemd/systemd --system --unit=both.target --show-status=0 --log-target=null
";

/// Ends with the test, and all that it started.
struct Systemd {
    unshare: Child,
    pid: String,
}

impl Systemd {
    fn boot() -> Self {
        let namespaces = ["--pid", "--mount", "--uts", "--ipc", "--cgroup", "--fork", "--kill-child", "--mount-proc"];
        let unshare = Command::new("unshare").args(namespaces).args(["sh", "-c", BOOT]).stdin(Stdio::null()).spawn();
        let mut systemd = Self { unshare: unshare.expect("`unshare` starts"), pid: String::new() };
        let children = format!("/proc/{0}/task/{0}/children", systemd.unshare.id());
        let begun = Instant::now();
        while systemd.pid.is_empty() || systemd.says(&["systemctl", "is-failed", "fails.service"]) != "failed" {
            assert!(begun.elapsed() < Duration::from_secs(30), "systemd does not come up");
            std::thread::sleep(Duration::from_millis(50));
            std::fs::read_to_string(&children).unwrap_or_default().trim().clone_into(&mut systemd.pid);
        }
        systemd
    }

    /// Runs a program where systemd runs.
    fn inside(&self, command: &[&str]) -> Output {
        Command::new("nsenter").args(["--target", &self.pid, "--all"]).args(command).output().expect("`nsenter` starts")
    }

    fn says(&self, command: &[&str]) -> String {
        String::from_utf8_lossy(&self.inside(command).stdout).trim().to_owned()
    }
}

impl Drop for Systemd {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.unshare.kill();
        let _ = self.unshare.wait();
    }
}

/// What is missing here.
fn missing() -> Option<&'static str> {
    if !Path::new(SYSTEMD).exists() {
        return Some("systemd is not installed");
    }
    let allowed = Command::new("unshare").args(["--pid", "--mount", "--fork", "true"]).status();
    (!allowed.is_ok_and(|status| status.success())).then_some("no namespaces can be made here")
}

#[test]
fn units_are_as_systemd_says() {
    if let Some(why) = missing() {
        assert!(std::env::var_os("RUNBOOK_TESTS").is_none_or(|wanted| wanted != "all"), "needs systemd: {why}");
        let _ = writeln!(std::io::stderr(), "not run: units_are_as_systemd_says: {why}");
        return;
    }
    let systemd = Systemd::boot();
    let folder = Folder::with(
        r#"
section "Units" {
  let units = host.units()
  show host.unit("fails.service") as "unit"
  check host.unit("runs").active == "active" as "one runs"
  check host.unit("fails").active == "active" as "the other does not"
  check units | where(.active == "failed") | count == 1 as "one of all has failed"
  check host.unit("nobody").active == "active" as "one that is not there"
}
"#,
    );
    let path = |name: &str| folder.path(name).to_str().unwrap().to_owned();
    let (file, state) = (path("a.runbook"), path("state"));
    let args = [PROGRAM, "run", &file, "--state", &state, "--format", "json"];
    let printed = systemd.says(&args);
    let events: Vec<serde_json::Value> = printed.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let of = |title: &str| events.iter().find(|event| event["title"] == title).unwrap_or_else(|| panic!("{printed}"));
    assert_eq!(of("one runs")["outcome"], "passed", "{printed}");
    assert_eq!(of("the other does not")["outcome"], "failed", "{printed}");
    assert_eq!(of("one of all has failed")["outcome"], "passed", "{printed}");
    assert_eq!(of("one that is not there")["fault"]["kind"], "not_found", "{printed}");
    let shown = of("unit")["shown"]["body"]["fields"].to_string();
    for part in ["It fails", "exit-code", "fails.service"] {
        assert!(shown.contains(part), "no {part} in {shown}");
    }

    // The shipped runbook sees the failed unit, too.
    let host = concat!(env!("CARGO_MANIFEST_DIR"), "/runbooks/host.runbook");
    let args = [PROGRAM, "run", host, "--state", &state, "--only", "Services", "--set", "services=runs"];
    let printed = systemd.says(&args);
    assert!(printed.contains("FAILED   no unit has failed") && printed.contains("fails.service"), "{printed}");
    assert!(printed.contains("1 passed · 1 failed"), "{printed}");
}

//! What this user may not see is said to be denied, never left out.
//!
//! Root may see everything, so as root the test runs itself again as nobody.
#![expect(clippy::unwrap_used, reason = "a test ends where something is not as it should be")]
#![cfg(target_os = "linux")]

mod net;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use net::{Outside, fault, field, text};
use runbook::types::{FaultKind, Value};

const FOLDER: &str = "RUNBOOK_TEST_DENIED";

#[test]
#[expect(clippy::disallowed_methods, reason = "the variable says that this is the test that was started again")]
fn what_may_not_be_seen_is_denied() {
    if let Ok(folder) = std::env::var(FOLDER) {
        return as_nobody(Path::new(&folder));
    }
    let folder = tempfile::tempdir().unwrap();
    mode(folder.path(), 0o755);
    fs::create_dir(folder.path().join("closed")).unwrap();
    fs::write(folder.path().join("closed/a.log"), "one\n").unwrap();
    fs::write(folder.path().join("a.log"), "one\n").unwrap();
    mode(&folder.path().join("a.log"), 0o000);
    mode(&folder.path().join("closed"), 0o000);
    if is_root() {
        let program = folder.path().join("test");
        fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
        mode(&program, 0o755);
        let mut again = Command::new(&program);
        again.args(["--exact", "what_may_not_be_seen_is_denied", "--nocapture"]).current_dir("/").uid(65534).gid(65534);
        let output = again.env(FOLDER, folder.path()).output().unwrap();
        assert!(
            output.status.success(),
            "{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        assert!(String::from_utf8_lossy(&output.stdout).contains("1 passed"));
    } else {
        as_nobody(folder.path());
    }
    mode(&folder.path().join("closed"), 0o755);
}

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    fs::metadata("/proc/self").unwrap().uid() == 0
}

fn as_nobody(folder: &Path) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(denied(&Outside::new(&[], folder)));
}

async fn denied(here: &Outside) {
    let cases = [
        ("logs", "file", "a.log"),
        ("logs", "file", "closed/a.log"),
        ("logs", "file", "closed/*.log"),
        ("host.text", "path", "a.log"),
        ("host.file", "path", "closed/a.log"),
        ("host.files", "pattern", "closed/*"),
        ("host.files", "pattern", "*/a.log"),
        ("host.files", "pattern", "**/*.log"),
        ("host.disk", "path", "closed/a.log"),
    ];
    for (name, param, path) in cases {
        let fault = fault(here.call(name, &[(param, text(path))]).await);
        assert_eq!(fault.kind, FaultKind::Denied, "{name} {path}: {fault}");
        let help = fault.help.unwrap();
        let right = match path {
            "a.log" => "u:USER:r ",
            "closed/a.log" => "u:USER:x ",
            _ => "u:USER:rx ",
        };
        assert!(help.contains(right), "{name} {path}: {help}");
        assert!(path == "a.log" || help.ends_with("/closed`"), "{name} {path}: {help}");
    }
    // What needs no permission on the file itself is told.
    let file = here.call("host.file", &[("path", text("a.log"))]).await.unwrap();
    assert_eq!(field(&file, "mode").to_string(), "0000");
    let Value::List(processes) = here.call("host.processes", &[]).await.unwrap() else { panic!("a list") };
    let init = processes.iter().find(|process| field(process, "pid").to_string() == "1").unwrap();
    assert_eq!(field(init, "open_files").read().map(drop).unwrap_err().kind, FaultKind::Denied);
}

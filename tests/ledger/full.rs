//! A disk without room, and folders and files without rights.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use runbook::store::ledger::{Commit, Committed, FILE, Ledger};
use runbook::types::FaultKind;

use crate::children::{again, folder, not_run};
use crate::place::{Place, at, document};

const FULL: &str = "full::a_full_disk_is_said_and_the_file_stays_whole";
const DENIED: &str = "full::without_rights_nothing_is_kept_and_that_is_said";

#[test]
fn a_full_disk_is_said_and_the_file_stays_whole() {
    if let Some(folder) = folder() {
        return until_it_is_full(&folder);
    }
    // No file may be longer than a megabyte.
    let place = Place::new();
    let limited = ["sh", "-c", "trap '' XFSZ; ulimit -f 2048; exec \"$0\" \"$@\""];
    ends_well(&mut again(&limited, FULL, &place.folder()));
    assert_eq!(Ledger::check(&place.path()).unwrap().unwrap().problems, [""; 0]);
    let mut ledger = place.open();
    let version = ledger.version("shop").unwrap();
    let commit = Commit { put: vec![large(version)], ..Commit::at(at(0)) };
    assert_eq!(ledger.commit("shop", version, &commit).unwrap(), Committed::Done { version: version + 1 });

    // A disk of two megabytes, seen by the child alone.
    let place = Place::new();
    fs::create_dir(place.folder()).unwrap();
    let mount = "mount -t tmpfs -o size=2m tmpfs \"$RUNBOOK_TEST_LEDGER\" || exit 77; exec \"$0\" \"$@\"";
    let mut small = again(&["unshare", "--mount", "sh", "-c", mount], FULL, &place.folder());
    match small.output() {
        Ok(output) if output.status.success() => assert!(output.stdout.windows(8).any(|part| part == b"is full:")),
        Ok(output) if output.status.code() == Some(101) => panic!("{}", String::from_utf8_lossy(&output.stderr)),
        Ok(output) => not_run(&format!("a disk that is full: {}", String::from_utf8_lossy(&output.stderr))),
        Err(error) => not_run(&format!("a disk that is full: unshare: {error}")),
    }
}

fn large(version: u64) -> runbook::store::ledger::Document {
    let body = "x".repeat(20_000).into();
    runbook::store::ledger::Document { body, ..document("alert", &version.to_string(), 0, None) }
}

/// Commits until there is no more room. What was committed then is there, and nothing of what was not.
fn until_it_is_full(folder: &Path) {
    let path = folder.join(FILE);
    let mut ledger = Ledger::open(&path).unwrap();
    let mut version = 0;
    let fault = loop {
        assert!(version < 1000, "the disk is not full after 20 MB");
        match ledger.commit("shop", version, &Commit { put: vec![large(version)], ..Commit::at(at(0)) }) {
            Ok(committed) => assert_eq!(committed, Committed::Done { version: version + 1 }),
            Err(fault) => break fault,
        }
        version += 1;
    };
    println!("it is full: {version} commits, {fault:?}");
    assert_eq!(fault.kind, FaultKind::Setup);
    assert!(fault.message.contains(path.to_str().unwrap()), "{fault}");
    assert!(fault.help.unwrap().contains("disk"));
    let again = ledger.commit("shop", version, &Commit { put: vec![large(version)], ..Commit::at(at(0)) });
    assert!(again.is_err(), "it is full still");
    let holds = |ledger: &Ledger| {
        let snapshot = ledger.load("shop").unwrap();
        assert_eq!(snapshot.version, version);
        assert!((0..version).map(large).eq(snapshot.documents));
    };
    holds(&ledger);
    drop(ledger);
    assert_eq!(Ledger::check(&path).unwrap().unwrap().problems, [""; 0]);
    holds(&Ledger::open(&path).unwrap());
}

fn ends_well(command: &mut Command) {
    let output = command.output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{out}{err}");
    println!("{out}");
}

/// Root may write everywhere, so as root the test runs itself again as nobody.
#[test]
fn without_rights_nothing_is_kept_and_that_is_said() {
    if let Some(folder) = folder() {
        return as_somebody(&folder);
    }
    let place = tempfile::tempdir().unwrap();
    let mode = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    mode(place.path(), 0o755);
    let closed = |name: &str| {
        let folder = place.path().join(name);
        fs::create_dir(&folder).unwrap();
        folder
    };
    let (empty, old, hidden) = (closed("empty"), closed("old"), closed("hidden"));
    for folder in [&old, &hidden] {
        let mut ledger = Ledger::open(&folder.join(FILE)).unwrap();
        assert!(ledger.note_due("shop", "Morning", at(0), "run", None).unwrap());
    }
    mode(&old.join(FILE), 0o444);
    for (folder, rights) in [(&empty, 0o555), (&old, 0o555), (&hidden, 0o000)] {
        mode(folder, rights);
    }
    if rustix::process::getuid().is_root() {
        let program = place.path().join("test");
        fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
        mode(&program, 0o755);
        let mut child = Command::new(&program);
        child.args(["--exact", DENIED, "--nocapture"]).env("RUNBOOK_TEST_LEDGER", place.path());
        ends_well(child.current_dir("/").uid(65534).gid(65534));
    } else {
        as_somebody(place.path());
    }
    for folder in [&empty, &old, &hidden] {
        mode(folder, 0o755);
    }
    assert_eq!(fs::read_dir(&empty).unwrap().count(), 0);
}

fn as_somebody(place: &Path) {
    for folder in ["empty", "old", "hidden"] {
        let path = place.join(folder).join(FILE);
        let fault = Ledger::open(&path).unwrap_err();
        println!("{fault:?}");
        assert_eq!(fault.kind, FaultKind::Setup, "{folder}");
        assert!(fault.message.contains(path.parent().unwrap().to_str().unwrap()), "{fault}");
        let help = fault.help.unwrap();
        assert!(help.contains("writable") && help.contains("--state DIR"), "{folder}: {help}");
    }
}

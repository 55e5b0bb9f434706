//! `runbook.policy.toml`: what a repository asks of its runbooks, and that `check` and `run` hold them to it.

use crate::program::{Folder, finish};

const TEXT: &str = "tool mark(text: string) changes = argv(\"touch\", text)\n\
    connect api = http(\"http://10.1.2.3:8080\")\n\
    section \"A\" {\n  check 1 < 2 as \"numbers hold\"\n  change mark(\"made\")\n  change api.post(\"/x\") within 10s\n}\n";
const FILE: &str = "runbook.policy.toml";
/// Never open for long: the first minute of a day, in one zone.
const CLOSED: &str = "[[window]]\nhours = [\"HOURS\"]\ntimezone = \"UTC\"\n";

fn under(policy: &str) -> Folder {
    let folder = Folder::with(TEXT);
    folder.write(FILE, policy);
    folder
}

/// An hour that is not now, and the one that is, with its neighbours.
fn closed() -> String {
    let hour = runbook::system::now().to_zoned(jiff::tz::TimeZone::UTC).hour();
    let from = (hour + 12).rem_euclid(24);
    CLOSED.replace("HOURS", &format!("monday-sunday {from:02}:00-{from:02}:59"))
}

fn open() -> String {
    CLOSED.replace("HOURS", "monday-sunday 00:00-24:00")
}

#[test]
fn a_verify_that_cannot_fail_is_none() {
    let folder = under("[require.http]\nverify = true");
    for (verify, code) in [("api.answers(\"/\")", 0), ("true", 6), ("api.answers(\"/\") or 1 < 2", 6)] {
        folder.write("a.runbook", TEXT.replace("within 10s", &format!("within 10s verify {verify}")));
        let output = folder.run(&["check", "a.runbook"]);
        output.code(code);
        if code != 0 {
            output.says("has no `verify` that could fail");
        }
    }
}

#[test]
fn what_it_forbids_or_requires_is_told_with_the_line_of_the_runbook_and_of_the_policy() {
    for (policy, said) in [
        ("forbid = [\"tool\"]", "a.runbook:1:6 `tool` is not to be used here: `runbook.policy.toml` forbids it"),
        ("forbid = [\"argv\"]", "`argv` is not to be used here"),
        ("forbid = [\"http\"]", "a.runbook:2:15 `http` is not to be used here"),
        ("forbid = [\"http.post\"]", "a.runbook:6:10 `http.post` is not to be used here"),
        ("[require.tool]\nlimit = true", "a.runbook:5:3 this change (`tool`) has no limit"),
        ("[require.argv]\nlimit = true", "a.runbook:5:3 this change (`argv`) has no limit"),
        ("[require.http]\nverify = true", "a.runbook:6:3 this change (`http.post`) has no `verify`"),
        ("[require.\"http.post\"]\nundo = true", "this change (`http.post`) has no `undo`"),
        ("[require.\"*\"]\napprove_by = \"dba\"", "this change (`tool`) has no approval by \"dba\""),
        ("[hosts]\nallowed = [\"*.example.org\"]", "a.runbook:2:15 `api` leads to a host that is not allowed"),
        ("[hosts]\nallowed = []", "does not allow the host `10.1.2.3`"),
    ] {
        let folder = under(policy);
        let output = folder.run(&["check", "a.runbook"]);
        output.code(6).says(said).says("[runbook.policy.toml]");
        // A valid runbook that is refused; nothing of it is looked at.
        folder.run(&["run", "a.runbook"]).code(6).no_out().err(said).err("nothing was run");
        folder.run(&["plan", "--offline", "a.runbook"]).code(6).no_out();
        folder.run(&["approve", "a.runbook", "--as", "x", "--plan", "0123456789ab"]).code(6).no_out();
        folder.run(&["print", "a.runbook"]).code(0);
    }
    let kept = "forbid = [\"shell\", \"redis\"]\n[require.postgres]\nverify = true\n[require.http]\nlimit = true\n\
                [hosts]\nallowed = [\"10.0.0.0/8\", \"fd00::/8\"]\n";
    under(kept).run(&["check", "a.runbook"]).code(0).err("nothing found");
}

#[test]
fn a_policy_that_is_none_is_never_as_if_there_were_none() {
    for (policy, said) in [
        ("forbid = [\"shel\"]", "runbook.policy.toml:1:11 nothing is called `shel`"),
        ("forbid = [\"shel\"]", "did you mean `shell`?"),
        ("forbids = [\"shell\"]", "`forbids` means nothing here"),
        ("forbid = \"shell\"", "`forbid` is no list"),
        ("forbid = [", "this is no TOML"),
        ("[require.postgres]\nverify = \"yes\"", "`verify` is neither true nor false"),
        ("[require.postgres]\nverfy = true", "did you mean `verify`?"),
        ("[require.postgers]\nverify = true", "did you mean `postgres`?"),
        ("require = 3", "`require` is no table"),
        ("[hosts]", "`hosts` does not say which are allowed"),
        ("[hosts]\nallowed = [\"http://db\"]", "`http://db` is no host"),
        ("[[window]]\nhours = [\"saturdays 02:00-03:00\"]\ntimezone = \"UTC\"", "`saturdays 02:00-03:00` are no hours"),
        ("[[window]]\ntimezone = \"UTC\"", "this window does not say when it is open"),
        ("[[window]]\nhours = [\"saturday 02:00-03:00\"]", "this window does not say in which time zone"),
        ("[[window]]\nhours = [\"saturday 02:00-03:00\"]\ntimezone = \"Berlin\"", "there is no time zone `Berlin`"),
        ("window = 1", "`window` is no list of tables"),
        ("[approvers]\ndba = 1", "`dba` is no table"),
        ("[approvers.dba]\nann = \"ssh-ed25519 AAAA\"", "this is no public ed25519 key"),
        ("[approvers.dba]", "nobody can approve as `dba`"),
        ("[require.postgres]\napprove_by = \"\"", "runbook.policy.toml:2:14 `approve_by` names no role"),
        ("[require.postgres]\napprove_by = \" \"", "`approve_by` names no role"),
        ("[require.postgres]", "nothing is required of `postgres`"),
        ("[require.postgres]\nverify = false", "nothing is required of `postgres`"),
        ("forbid = [\"none\"]", "runbook.policy.toml:1:11 `none` only computes"),
        ("forbid = [\"where\"]", "`where` only computes"),
        ("[require.where]\nverify = true", "`where` never changes anything"),
        ("[require.dns]\nverify = true", "`dns` never changes anything"),
        (
            "[[window]]\nchanges = []\nhours = [\"monday 02:00-03:00\"]\ntimezone = \"UTC\"",
            "this window is of no changes",
        ),
        (
            "[require.\"*\"]\napprove_by = \"ops\"\n[require.\"http.post\"]\napprove_by = \"dba\"",
            "runbook.policy.toml:4:14 no change can meet this",
        ),
        ("[require.\"*\"]\napprove_by = \"ops\"\n[require.http]\napprove_by = \"dba\"", "asks for \"ops\""),
        ("\u{0}", "the policy cannot be read, so nothing is known to be allowed"),
    ] {
        let folder = under(policy);
        folder.run(&["check", "a.runbook"]).code(2).says("policy-mistake").says(said);
        folder.run(&["run", "a.runbook"]).code(2).no_out().err("nothing was run");
    }
    let folder = Folder::with(TEXT);
    folder.write("runbook.policy.toml/x", "");
    folder.run(&["run", "a.runbook"]).code(2).no_out().err("the policy cannot be read");
    std::fs::remove_dir_all(folder.path(FILE)).unwrap();
    std::os::unix::fs::symlink("nowhere", folder.path(FILE)).unwrap();
    folder.run(&["run", "a.runbook"]).code(2).no_out().err("the policy cannot be read");
}

/// Hours are in the zone of that name, and not in what a variable calls so.
#[test]
fn a_zone_is_not_moved_by_a_variable() {
    let folder = Folder::with(
        "runbook \"Z\" { timezone \"Europe/Berlin\" }\nsection \"A\" { show \"{run.started_at:%z}\" as \"zone\" }\n",
    );
    // A zone of its own, eleven hours and a half from UTC.
    let mut file = b"TZif".to_vec();
    file.resize(20, 0);
    for count in [0_u32, 0, 0, 0, 1, 4] {
        file.extend(count.to_be_bytes());
    }
    file.extend((11 * 3600 + 1800_i32).to_be_bytes());
    file.extend(*b"\0\0FIX\0");
    folder.write("tz/Europe/Berlin", file);
    let mut moved = folder.command(&["run", "a.runbook"]);
    finish(moved.env("TZDIR", folder.path("tz")).spawn().unwrap()).code(0).lacks("+1130");
}

#[test]
fn outside_of_its_window_nothing_is_changed_and_the_next_one_is_named() {
    let folder = under(&closed());
    let hash = folder.hash();
    let refused = folder.run(&["run", "a.runbook", "--approve", &hash]);
    refused
        .code(6)
        .no_out()
        .err("lets `tool` be done only monday-sunday")
        .err("the next one opens ")
        .err("nothing was run");
    assert!(!folder.path("made").exists());
    folder.run(&["run", "a.runbook", "--read-only"]).out("the run is read-only");
    folder.run(&["plan", "--offline", "a.runbook"]).code(0).out("tool only monday-sunday").out("closed now");
    folder.write(FILE, closed().replace("hours", "changes = [\"postgres\"]\nhours"));
    folder.run(&["run", "a.runbook", "--approve", &hash, "--only", "A"]);
    assert!(folder.path("made").exists(), "the window is of other changes");
    let folder = under(&open());
    folder.run(&["plan", "--offline", "a.runbook"]).code(0).out("open now");
    folder.run(&["run", "a.runbook", "--approve", &hash]);
    assert!(folder.path("made").exists());
}

#[test]
fn a_server_looks_outside_of_the_window_and_changes_nothing() {
    let folder = Folder::with(
        "runbook \"Live\" { edition 1 }\ntool mark() changes = argv(\"touch\", \"made\")\n\
         section \"Mark\" every 1s {\n  check 1 < 2 as \"numbers hold\"\n  change mark()\n}\n",
    );
    folder.write(FILE, closed());
    let hash = folder.hash();
    let server = folder.command(&["serve", "a.runbook", "--no-listen", "--approve", &hash]).spawn().unwrap();
    let journals = || if folder.path("state/runs").exists() { folder.journals() } else { String::new() };
    crate::serving::until("a run is refused", || journals().contains("\"exit\":6,"));
    assert!(
        journals().contains("\"why\":\"policy\"") && journals().contains("\"outcome\":\"passed\""),
        "{}",
        journals()
    );
    assert!(!folder.path("made").exists());
    // The policy is read again when it is edited.
    folder.write(FILE, open());
    crate::serving::until("it is made", || folder.path("made").exists());
    crate::serving::terminate(&server);
    finish(server).code(0);
}

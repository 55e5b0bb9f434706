//! `runbook approve`, `approvals`, `revoke`: changes are made by a standing approval while it stands, and not otherwise.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    reason = "a test ends where something is not as it should be"
)]

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use jiff::tz::TimeZone;
use jiff::{ToSpan as _, Zoned};
use runbook::store::approval::{Account, Approval};
use runbook::store::ledger::{FILE, Ledger};

use crate::postgres;
use crate::program::{Folder, Output, finish};
use crate::serving::{terminate, until};

const MARK: &str = "tool mark(text: string) changes = argv(\"touch\", text)\n\
    section \"A\" {\n  step \"One\" {\n    change mark(\"first\") within 10s\n  }\n}\n";
const BY_DBA: &str = "tool mark(text: string) changes = argv(\"touch\", text)\n\
    section \"A\" {\n  change mark(\"first\")\n  change mark(\"second\") approve by \"dba\"\n}\n";

fn ledger(folder: &Folder) -> Ledger {
    Ledger::open(&folder.path("state").join(FILE)).unwrap()
}

/// The approval that was given last.
fn last(folder: &Folder) -> Approval {
    ledger(folder).approvals(None).unwrap().pop().unwrap().approval
}

/// The last approval once more, as it would be if something of it were otherwise.
pub(crate) fn as_if(folder: &Folder, other: impl FnOnce(&mut Approval)) -> String {
    let mut approval = last(folder);
    other(&mut approval);
    approval.id = approval.own_id().unwrap();
    ledger(folder).approve(&approval).unwrap();
    approval.id
}

/// By somebody else, on another machine.
pub(crate) fn by_ann(approval: &mut Approval) {
    approval.account = Account { user: "ann".to_owned(), host: "laptop".to_owned(), uid: 4711 };
    "ann@laptop".clone_into(&mut approval.who);
}

fn approve(folder: &Folder, more: &[&str]) -> Output {
    let hash = folder.hash();
    let args = ["approve", "a.runbook", "--as", "dba", "--plan", &hash];
    folder.run(&args.iter().chain(more).copied().collect::<Vec<_>>())
}

fn waits(folder: &Folder) -> Output {
    let output = folder.run(&["run", "a.runbook"]);
    output.code(5).out("WAITS FOR APPROVAL");
    assert!(!folder.path("first").exists() && !folder.path("second").exists(), "something was changed");
    output
}

/// Anybody can set a variable, and call a machine what they like.
#[test]
fn who_approves_is_what_the_machine_says() {
    let folder = Folder::with(BY_DBA);
    let hash = folder.hash();
    let mut boss = folder.command(&["approve", "a.runbook", "--as", "dba", "--plan", &hash]);
    finish(boss.env("USER", "boss").env("LOGNAME", "boss").spawn().unwrap()).code(0).lacks("boss");
    let own = last(&folder).account;
    assert_ne!(own.user, "boss");
    // The same name on another machine is the same person's.
    as_if(&folder, |approval| approval.account.host = "laptop".to_owned());
    let mut eve = folder.command(&["run", "a.runbook"]);
    finish(eve.env("USER", "eve").spawn().unwrap()).code(5).out("nobody approves their own");
    as_if(&folder, by_ann);
    folder.run(&["run", "a.runbook"]).code(0);
    assert!(folder.path("first").exists());
}

#[test]
fn a_run_is_made_by_an_approval_and_says_by_which() {
    let folder = Folder::with(MARK);
    waits(&folder);
    let day = Zoned::now().with_time_zone(TimeZone::UTC).date().saturating_add(300.days());
    let said = approve(&folder, &["--until", &day.to_string()]);
    said.code(0).out(&format!("as \"dba\", until {} 00:00 UTC", day.tomorrow().unwrap())).out("runbook revoke ");
    let id = last(&folder).id;
    folder.run(&["run", "a.runbook"]).code(0).out(&format!("standing approval {id} by ")).out("1 change");
    assert!(folder.path("first").exists());
    let events = folder.run(&["show", "last", "--format", "json"]).lines();
    let intended = events.iter().find(|event| event["event"] == "change_intended").unwrap();
    assert_eq!(intended["approvals"], serde_json::json!([id]));
    folder.run(&["approvals", "a.runbook"]).code(0).out(&id).out("valid, ends in ");
    let listed = folder.run(&["approvals", "--format", "json"]).lines();
    assert_eq!((&listed[0]["id"], &listed[0]["state"]), (&id.as_str().into(), &"valid".into()));
}

#[test]
fn whoever_approves_sees_what_and_types_yes() {
    let folder = Folder::with(MARK);
    let args = ["approve", "a.runbook", "--as", "dba"];
    folder.run(&args).code(1).no_out().err("nobody can be asked here").err("--plan HASH");
    let question = "anything else to stop: ";
    let refused = folder.run_on_terminal(&args, &[(question, "y\n")]);
    refused.code(1).out("mark(\"first\")").out("nothing was approved");
    waits(&folder);
    folder.run_on_terminal(&args, &[(question, "yes\n")]).code(0).out("runbook revoke");
    folder.run(&["run", "a.runbook"]).code(0);
    for (wrong, said) in [("12", "too short"), ("0123456789ab", "was edited since"), ("", "too short")] {
        folder.run(&["approve", "a.runbook", "--as", "dba", "--plan", wrong]).code(1).no_out().err(said);
    }
    let wrong = ["yesterday", "", "2001-01-01", "0s", "99999d", "2999-12-31"];
    let said = ["is no time", "is no time", "is over", "is over", "more than a year away", "more than a year away"];
    for (wrong, said) in wrong.into_iter().zip(said) {
        approve(&folder, &["--until", wrong]).code(1).no_out().err(said);
    }
    for role in ["", " ", "d\nba", &"d".repeat(5000)] {
        let args = ["approve", "a.runbook", "--as", role, "--plan", &folder.hash()];
        folder.run(&args).code(1).no_out().err("is no role");
    }
    let nothing = Folder::with("section \"A\" {\n  check 1 < 2 as \"holds\"\n}\n");
    nothing.run(&["approve", "a.runbook", "--as", "dba"]).code(1).err("there is nothing to approve");
}

#[test]
fn an_approval_that_ended_or_was_revoked_does_not_count() {
    let folder = Folder::with(MARK);
    approve(&folder, &[]).code(0);
    let id = last(&folder).id;
    folder.run(&["revoke", &id[..5], "--reason", "we wait for Ben"]).code(0).out("is revoked");
    waits(&folder).out(&id).out("was revoked by ").out("we wait for Ben");
    folder.run(&["revoke", &id]).code(1).err("was revoked by");
    folder.run(&["revoke", "feed"]).code(1).err("there is no approval `feed`");
    let ended = as_if(&folder, |approval| approval.until = approval.at);
    waits(&folder).out(&format!("approval {ended}")).out("has ended");
    let listed = folder.run(&["approvals", "a.runbook", "--format", "json"]).lines();
    let states: Vec<_> = listed.iter().map(|one| one["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["revoked", "ended"]);
}

#[test]
fn an_approval_ends_also_while_a_run_waits() {
    let wait = "  step \"One\" {\n    wait until host.file(\"go\").exists every 100ms within 1m\n";
    let text = MARK.replace("  step \"One\" {\n", wait);
    let folder = Folder::with(text);
    approve(&folder, &[]).code(0);
    let run = folder.command(&["run", "a.runbook"]).spawn().unwrap();
    until("the run waits", || folder.path("state/runs").exists());
    folder.run(&["revoke", &last(&folder).id]).code(0);
    folder.write("go", "");
    finish(run).code(5).out("was revoked by");
    assert!(!folder.path("first").exists());
}

#[test]
fn an_edit_voids_it_and_says_which_line_by_which_commit() {
    let folder = Folder::with(MARK);
    let git = |args: &[&str]| {
        let mut git = Command::new("git");
        git.args(["-c", "user.name=Eve Example", "-c", "user.email=eve@example.com"]).args(args);
        let done = git.current_dir(folder.path("")).env("HOME", folder.path("")).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8(done.stdout).unwrap().trim().to_owned()
    };
    git(&["init", "-q", "."]);
    git(&["add", "a.runbook"]);
    git(&["commit", "-qm", "Begin"]);
    approve(&folder, &[]).code(0);
    // A comment, a rename and a moved line are no edit of what was approved.
    folder.write("a.runbook", MARK.replace("\"One\"", "\"Renamed\"").replace("    change", "    # why\n\n    change"));
    folder.run(&["approvals", "a.runbook"]).code(0).out("valid");
    let edited = MARK.replace("    change", "    # why\n\n    change").replace("within 10s", "within 11s");
    folder.write("a.runbook", &edited);
    let was =
        "a.runbook:6: the change was `change mark(\"first\") within 10s`, and is `change mark(\"first\") within 11s`";
    waits(&folder).out(was).out(", not committed yet");
    git(&["commit", "-qam", "Allow a second more"]);
    let commit = git(&["rev-parse", "HEAD"]);
    folder.write("a.runbook", edited.clone() + "\n# later\n");
    git(&["commit", "-qam", "Say more"]);
    waits(&folder).out(was).out(&format!(" since commit {} (Eve Example, ", &commit[..10])).out("Allow a second more)");
    folder.run(&["approvals", "a.runbook"]).code(0).out("void").out("Allow a second more");
    // What a change leads to is part of it.
    folder.write("a.runbook", MARK.replace("argv(\"touch\", text)", "argv(\"touch\", \"-a\", text)"));
    waits(&folder).out("a.runbook:1: the tool mark was").out("not committed yet");
    folder.write("a.runbook", MARK.replace("    change", "    change mark(\"second\")\n    change"));
    waits(&folder).out("a.runbook:4: the change `change mark(\"second\")` is new");
    folder.write("a.runbook", MARK);
    folder.run(&["run", "a.runbook"]).code(0);
}

#[test]
fn nothing_that_a_repository_configures_is_started_to_say_so() {
    let folder = Folder::with(MARK);
    let git = |args: &[&str]| {
        let mut git = Command::new("git");
        git.args(["-c", "user.name=Eve", "-c", "user.email=eve@example.com"]).args(args);
        assert!(git.current_dir(folder.path("")).env("HOME", folder.path("")).status().unwrap().success());
    };
    git(&["init", "-q", "."]);
    folder.write(".gitattributes", "*.runbook filter=evil diff=evil\n");
    git(&["add", "."]);
    git(&["commit", "-qm", "Begin"]);
    approve(&folder, &[]).code(0);
    for setting in
        ["filter.evil.clean", "filter.evil.smudge", "diff.evil.textconv", "diff.evil.command", "core.fsmonitor"]
    {
        git(&["config", setting, "touch evil; cat"]);
    }
    folder.write("a.runbook", MARK.replace("10s", "11s"));
    waits(&folder).out("not committed yet");
    assert!(!folder.path("evil").exists());
}

#[test]
fn a_change_that_names_a_role_waits_for_somebody_else_in_it() {
    let folder = Folder::with(BY_DBA);
    // Whoever runs it cannot agree to it alone, so that is not offered.
    for args in [&["plan", "--offline", "a.runbook"][..], &["run", "a.runbook"]] {
        let output = folder.run(args);
        output.out("approve as dba, by somebody else than whoever runs it: runbook approve a.runbook --as dba");
        output.out("then run it: runbook run a.runbook").lacks("--approve");
    }
    // Not half of it: what would have to stop is not begun.
    let hash = folder.hash();
    for more in [&[][..], &["--approve", &hash]] {
        let args: Vec<&str> = ["run", "a.runbook"].iter().chain(more).copied().collect();
        let output = folder.run(&args);
        output.code(5).out("a change waits for an approval by \"dba\"").out("runbook approve a.runbook --as dba");
        assert!(!folder.path("first").exists());
    }
    approve(&folder, &[]).code(0);
    waits(&folder).out("by whoever began this run: nobody approves their own");
    as_if(&folder, |approval| {
        by_ann(approval);
        "boss".clone_into(&mut approval.role);
    });
    waits(&folder).out("a change waits for an approval by \"dba\"");
    let id = as_if(&folder, |approval| {
        by_ann(approval);
        "dba".clone_into(&mut approval.role);
    });
    let output = folder.run(&["run", "a.runbook"]);
    output.code(0).out(&format!("standing approval {id} by ann@laptop")).out("2 changes");
    assert!(folder.path("second").exists());
    folder
        .run(&["approve", "a.runbook", "--as", "dbb", "--plan", &folder.hash()])
        .code(0)
        .err("did you mean `--as dba`?");
}

#[test]
fn a_program_is_approved_for_this_machine_and_as_it_is() {
    let folder = Folder::with("tool mark() changes = argv(\"./mark.sh\")\nsection \"A\" {\n  change mark()\n}\n");
    let script = |text: &str| {
        folder.write("mark.sh", format!("#!/bin/sh\n{text}\n"));
        std::fs::set_permissions(folder.path("mark.sh"), Permissions::from_mode(0o755)).unwrap();
    };
    let hash = folder.hash();
    let args = ["approve", "a.runbook", "--as", "dba", "--plan", &hash];
    folder.run(&args).code(1).no_out().err("mark.sh` cannot be read").err("--target NAME=PLACE");
    script("touch first");
    folder.run(&args).code(0).out("this machine at ").out("./mark.sh at sha256:");
    script("touch second");
    waits(&folder).out("is for ./mark.sh as sha256:");
    folder.run(&["approvals", "a.runbook"]).code(0).out("elsewhere").out("is for ./mark.sh as sha256:");
    script("touch first");
    // The same in another folder is not what was approved.
    let copy = folder.path("copy");
    std::fs::create_dir(&copy).unwrap();
    for name in ["a.runbook", "mark.sh"] {
        std::fs::copy(folder.path(name), copy.join(name)).unwrap();
    }
    folder.run(&["run", "copy/a.runbook"]).code(5).out("is for this machine as ").out("/copy");
    assert!(!copy.join("first").exists());
    folder.run(&["run", "a.runbook"]).code(0).out("standing approval");
    // Whoever says so approves it for the same folder of any machine.
    let here = copy.canonicalize().unwrap();
    let any = format!("this machine=*:{}", here.display());
    folder.run(&args.iter().chain(&["--target", &any]).copied().collect::<Vec<_>>()).code(0).out("this machine at *:/");
    folder.run(&["run", "copy/a.runbook"]).code(0).out("standing approval");
    assert!(copy.join("first").exists());
}

#[test]
fn a_part_is_approved_by_itself() {
    let folder = Folder::with(format!("{MARK}section \"B\" {{\n  change mark(\"third\")\n}}\n"));
    approve(&folder, &[]).code(0);
    let part = folder.run(&["run", "a.runbook", "--only", "A"]);
    part.code(5).out("is for the whole runbook, and this run is of a part of it");
    folder
        .run(&["approve", "a.runbook", "--as", "dba", "--only", "B", "--plan", &folder.hash_of(&["--only", "B"])])
        .code(0);
    let part = folder.run(&["run", "a.runbook", "--only", "A"]);
    part.code(5).out("is for `B` alone, and this run is of something else");
    folder.run(&["run", "a.runbook", "--only", "B"]).code(0).out("standing approval");
}

#[test]
fn an_approval_for_one_cluster_is_none_for_another() {
    let text = "connect cluster = kubernetes(namespace: \"shop\")\n\
                section \"A\" {\n  change cluster.restart(\"deployment/web\")\n}\n";
    let folder = Folder::with(text);
    let kubeconfig = |port: u16| {
        format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: prod\n\
             clusters: [{{name: c, cluster: {{server: \"http://127.0.0.1:{port}\"}}}}]\n\
             contexts: [{{name: prod, context: {{cluster: c, user: u}}}}]\nusers: [{{name: u, user: {{}}}}]\n"
        )
    };
    folder.write("one", kubeconfig(1));
    folder.write("two", kubeconfig(2));
    let with = |config: &str, args: &[&str]| {
        let mut command = folder.command(args);
        finish(command.env("KUBECONFIG", folder.path(config)).spawn().unwrap())
    };
    let hash = folder.hash();
    let args = ["approve", "a.runbook", "--as", "dba", "--plan", &hash];
    folder.run(&args).code(1).err("where `cluster` leads is not known here").err("--target cluster=PLACE");
    with("one", &args).code(0).out("cluster at http://127.0.0.1:1/shop");
    let output = with("two", &["run", "a.runbook"]);
    output.code(5).out("is for `cluster` at http://127.0.0.1:1/shop, and here it leads to http://127.0.0.1:2/shop");
    assert!(!folder.journals().contains("change_intended"));
    // There the change is tried, and nobody answers.
    with("one", &["run", "a.runbook"]).code(4).out("standing approval");
    let elsewhere = ["--target", "cluster=http://127.0.0.1:2/shop"];
    folder.run(&args.iter().chain(&elsewhere).copied().collect::<Vec<_>>()).code(0);
    with("two", &["run", "a.runbook"]).code(4).out("standing approval");
    for (wrong, said) in [("cluster", "has no place"), ("clutser=x", "no change leads to `clutser`")] {
        folder.run(&args.iter().chain(&["--target", wrong]).copied().collect::<Vec<_>>()).code(1).err(said);
    }
}

/// A change of a database whose host the environment says.
pub(crate) fn of_database() -> Folder {
    Folder::with(
        "connect db = postgres(database: \"shop\", user: \"ops\")\n\
         section \"A\" {\n  change db.execute(\"VACUUM\")\n}\n",
    )
}

/// There the database is on this host, and nobody answers.
pub(crate) fn with_host(folder: &Folder, host: &str, args: &[&str]) -> Output {
    let mut command = folder.command(args);
    finish(command.envs([("PGHOST", host), ("PGPORT", "1"), ("PGSSLMODE", "disable")]).spawn().unwrap())
}

#[test]
fn a_database_of_another_host_is_another_target() {
    let folder = of_database();
    let at = |host: &str, args: &[&str]| with_host(&folder, host, args);
    let hash = folder.hash();
    at("127.0.0.1", &["approve", "a.runbook", "--as", "dba", "--plan", &hash])
        .code(0)
        .out("db at postgres://127.0.0.1:1/shop");
    let output = at("127.0.0.2", &["run", "a.runbook"]);
    output.code(5).out("is for `db` at postgres://127.0.0.1:1/shop, and here it leads to postgres://127.0.0.2:1/shop");
}

#[test]
fn a_server_uses_approvals_until_they_are_revoked() {
    let folder = Folder::with(served());
    lives(&folder, None);
}

#[test]
fn servers_that_share_a_store_share_its_approvals() {
    let Some(server) = postgres::wanted(postgres::server()) else { return };
    let folder = Folder::with(served());
    lives(&folder, Some(&server.address(&postgres::schema())));
}

fn served() -> String {
    "runbook \"Live\" { edition 1 }\n\
     tool mark() changes = argv(\"sh\", \"-c\", \"echo made >> made\")\n\
     section \"Mark\" every 1s {\n  change mark()\n}\n"
        .to_owned()
}

/// A server whose changes wait, are made, and wait again.
fn lives(folder: &Folder, store: Option<&str>) {
    let command = |args: &[&str]| {
        let mut command = folder.command(args);
        command.envs(store.map(|store| ("RUNBOOK_STORE", store)));
        command
    };
    let run = |args: &[&str]| finish(command(args).spawn().unwrap());
    let hash = folder.hash();
    let server = command(&["serve", "a.runbook", "--no-listen"]).process_group(0).spawn().unwrap();
    let ended = |exit: u8| {
        let runs = if folder.path("state/runs").exists() { folder.journals() } else { String::new() };
        runs.lines().filter(|line| line.contains(&format!("\"exit\":{exit},"))).count()
    };
    until("a run waits for approval", || ended(5) > 0);
    assert!(!folder.path("made").exists());
    run(&["approve", "a.runbook", "--as", "ops", "--plan", &hash]).code(0);
    until("a run makes it", || ended(0) > 0);
    assert!(folder.path("made").exists());
    let listed = run(&["approvals", "--format", "json"]).lines();
    let id = listed[0]["id"].as_str().unwrap();
    assert!(folder.journals().contains(&format!("\"approvals\":[\"{id}\"]")), "{}", folder.journals());
    run(&["revoke", id]).code(0);
    let before = ended(5);
    until("runs wait again", || ended(5) > before + 1);
    terminate(&server);
    let output = finish(server);
    output.code(0).err("wait for approval").err("runbook approve a.runbook --as ROLE");
}

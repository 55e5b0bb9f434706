//! Where a policy is looked for, and that nothing lying around it turns one off.
#![expect(clippy::unwrap_used, reason = "a test ends where something is not as it should be")]

use std::os::unix::fs::symlink;

use rustix::fs::{CWD, FileType, Mode, mknodat};

use crate::program::{Folder, finish};
use crate::serving::{free_port, get, terminate, until};

const TEXT: &str = "tool mark(text: string) changes = argv(\"touch\", text)\n\
    section \"A\" {\n  check 1 < 2 as \"numbers hold\"\n  change mark(\"made\")\n}\n";
const FILE: &str = "runbook.policy.toml";
const FORBIDS: &str = "forbid = [\"tool\"]";

fn pipe(folder: &Folder, name: &str) {
    mknodat(CWD, folder.path(name), FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
}

#[test]
fn all_policies_up_to_the_repository_hold() {
    let folder = Folder::new();
    folder.write(FILE, FORBIDS);
    folder.write("ops/night/b.runbook", TEXT);
    folder.run(&["check", "ops/night/b.runbook"]).code(6);
    // An empty one takes nothing away, and gives nothing back.
    folder.write("ops/runbook.policy.toml", "");
    folder.run(&["check", "ops/night/b.runbook"]).code(6).says("[runbook.policy.toml]");
    folder.write("ops/runbook.policy.toml", "[require.tool]\nverify = true");
    let both = folder.run(&["check", "ops/night/b.runbook"]);
    both.code(6).says("`runbook.policy.toml` forbids it").says("`ops/runbook.policy.toml` requires");
    both.says("[ops/runbook.policy.toml]");
    folder.write(FILE, "[require.tool]\napprove_by = \"ops\"");
    folder.write(
        "ops/runbook.policy.toml",
        "[require.argv]\napprove_by = \"dba\"\n[require.\"*\"]\napprove_by = \"dba\"",
    );
    let odd = folder.run(&["check", "ops/night/b.runbook"]);
    odd.code(2).says("runbook.policy.toml:2:14 no change can meet this").says("[ops/runbook.policy.toml]");
    std::fs::remove_file(folder.path("ops/runbook.policy.toml")).unwrap();
    folder.write(FILE, FORBIDS);
    // What lies around a repository is not its own.
    folder.write("ops/.git/HEAD", "");
    folder.run(&["check", "ops/night/b.runbook"]).code(0);
    folder.write("a.runbook", TEXT);
    folder.run(&["check", "a.runbook"]).code(6);
    let mut inside = folder.command(&["check", "../a.runbook"]);
    finish(inside.current_dir(folder.path("ops")).spawn().unwrap()).code(6);
}

#[test]
fn a_file_that_is_called_git_ends_nothing_unless_it_is_of_a_worktree() {
    let folder = Folder::new();
    folder.write(FILE, FORBIDS);
    folder.write("ops/b.runbook", TEXT);
    for text in ["", "gitdir: ../nowhere", "gitdir: ..", "\u{0}"] {
        folder.write("ops/.git", text);
        folder.run(&["check", "ops/b.runbook"]).code(6);
    }
    folder.write("elsewhere/.git/worktrees/ops/HEAD", "ref: refs/heads/ops\n");
    folder.write("ops/.git", "gitdir: ../elsewhere/.git/worktrees/ops\n");
    folder.run(&["check", "ops/b.runbook"]).code(0);
    std::fs::remove_file(folder.path("ops/.git")).unwrap();
    pipe(&folder, "ops/.git");
    folder.run(&["check", "ops/b.runbook"]).code(6);
}

#[test]
fn a_link_and_standard_input_lead_out_of_no_policy() {
    let folder = Folder::new();
    folder.write("repo/runbook.policy.toml", FORBIDS);
    folder.write("repo/in.runbook", TEXT);
    folder.write("out/out.runbook", TEXT);
    symlink("../repo/in.runbook", folder.path("out/in.runbook")).unwrap();
    symlink("../out/out.runbook", folder.path("repo/out.runbook")).unwrap();
    folder.run(&["check", "out/out.runbook"]).code(0);
    folder.run(&["check", "out/in.runbook"]).code(6);
    folder.run(&["check", "repo/out.runbook"]).code(6);
    // A library brings the policy of the place where it lies.
    folder.write(
        "repo/library.runbook",
        "library \"Marks\" { edition 1 }\ntool mark() changes = argv(\"touch\", \"made\")\n",
    );
    folder.write("out/uses.runbook", "use \"../repo/library\" as marks\nsection \"A\" { change marks.mark() }\n");
    folder.run(&["check", "out/uses.runbook"]).code(6);
    let mut piped = folder.command(&["run", "-"]);
    let mut piped = piped.current_dir(folder.path("repo/")).stdin(std::process::Stdio::piped()).spawn().unwrap();
    std::io::Write::write_all(&mut piped.stdin.take().unwrap(), TEXT.as_bytes()).unwrap();
    finish(piped).code(6).err("nothing was run");
}

#[test]
fn what_is_no_file_is_not_waited_for() {
    let folder = Folder::with(TEXT);
    pipe(&folder, FILE);
    folder.run(&["check", "a.runbook"]).code(2).says("the policy cannot be read").says("it is no file");
    std::fs::remove_file(folder.path(FILE)).unwrap();
    symlink("/dev/zero", folder.path(FILE)).unwrap();
    folder.run(&["run", "a.runbook"]).code(2).err("it is no file");
    std::fs::remove_file(folder.path(FILE)).unwrap();
    folder.write(FILE, vec![b'#'; 20 << 20]);
    folder.run(&["check", "a.runbook"]).code(2).says("larger than a source file");
    std::fs::remove_file(folder.path(FILE)).unwrap();
    pipe(&folder, "library.runbook");
    folder.write("a.runbook", "use \"./library\" as library\nsection \"A\" { show 1 }\n");
    folder.run(&["check", "a.runbook"]).code(2).says("it is no file");
    folder.run(&["check", "."]).code(2).says("library.runbook` in it is no file");
    std::fs::remove_file(folder.path("library.runbook")).unwrap();
    folder.write(
        "a.runbook",
        "secret s = env(\"S\")\nchannel c = slack(webhook: s)\nescalation ops {\n  level 1 \"Engineer\" { notify c }\n\
        \x20 roles \"on-call.toml\"\n}\nsection \"A\" { show 1 }\n",
    );
    pipe(&folder, "on-call.toml");
    folder.run(&["check", "a.runbook"]).code(2).says("it is no file");
    folder.write(
        "a.runbook",
        "secret s = env(\"S\")\nchannel c = slack(webhook: s, template: \"t.json\")\nsection \"A\" { notify c \"x\" }\n",
    );
    pipe(&folder, "t.json");
    folder.run(&["check", "a.runbook"]).code(2).says("it is no file");
}

#[test]
fn a_server_changes_nothing_from_when_the_policy_forbids_it_or_cannot_be_read() {
    let folder = Folder::with(
        "runbook \"Live\" { edition 1 }\ntool mark() changes = argv(\"touch\", \"made\")\n\
         section \"Mark\" every 1s {\n  check 1 < 2 as \"numbers hold\"\n  change mark()\n}\n",
    );
    let (hash, port) = (folder.hash(), free_port());
    let listen = format!("127.0.0.1:{port}");
    let server = folder.command(&["serve", "a.runbook", "--listen", &listen, "--approve", &hash]).spawn().unwrap();
    let made = folder.path("made");
    let journals = || if folder.path("state/runs").exists() { folder.journals() } else { String::new() };
    let withheld = || journals().matches("\"why\":\"policy\"").count();
    until("it is made", || made.exists());
    for (policy, said) in [
        (FORBIDS, "is not to be used here"),
        ("forbid = [", "this is no TOML"),
        ("[hosts]\nallowed = 1", "`allowed` is no list"),
    ] {
        folder.write(FILE, policy);
        until("a change is withheld", || journals().contains(said));
        // None is under way any more: what began before the edit has ended.
        let before = withheld();
        until("the runs before are over", || withheld() > before + 1);
        let _ = std::fs::remove_file(&made);
        let before = withheld();
        until("it goes on to look", || withheld() > before + 1);
        assert!(!made.exists(), "{policy}");
        until("it says so", || {
            let answer = get(port, "/readyz");
            answer.starts_with("HTTP/1.1 503") && answer.contains("changes are withheld") && answer.contains(said)
        });
    }
    assert!(journals().contains("\"outcome\":\"passed\""));
    std::fs::remove_file(folder.path(FILE)).unwrap();
    until("it is made again", || made.exists());
    until("it is well", || get(port, "/readyz").starts_with("HTTP/1.1 200"));
    terminate(&server);
    finish(server).code(0).err("changes are withheld");
}

#[test]
fn an_approval_given_before_does_not_outlive_the_policy_that_let_it_be_used() {
    let folder = Folder::with(
        "runbook \"Live\" { edition 1 }\ntool mark() changes = argv(\"touch\", \"made\")\n\
         section \"Mark\" every 1s {\n  check 1 < 2 as \"numbers hold\"\n  change mark()\n}\n",
    );
    folder.run(&["approve", "a.runbook", "--as", "ops", "--plan", &folder.hash()]).code(0);
    let server = folder.command(&["serve", "a.runbook", "--no-listen"]).spawn().unwrap();
    until("it is made", || folder.path("made").exists());
    folder.write(FILE, "[require.tool]\nverify = true");
    until("it is refused, and waits for nobody", || folder.journals().contains("\"exit\":6,"));
    assert!(folder.journals().contains("has no `verify`"), "{}", folder.journals());
    terminate(&server);
    finish(server).code(0).err("changes are withheld");
}

//! `runbook diff --git`: commits of a repository, and the working tree.
#![expect(clippy::unwrap_used, reason = "a test ends where something is not as it should be")]

use std::process::Command;

use crate::diff::{BASE, edited};
use crate::program::{Folder, Output};

/// A repository of Git in a folder of its own.
struct Repository(Folder);

impl Repository {
    fn new() -> Self {
        let one = Self(Folder::new());
        one.git(&["init", "-q", "-b", "main"]);
        one
    }

    #[track_caller]
    fn git(&self, args: &[&str]) {
        let mut command = Command::new("git");
        let name = ["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false"];
        let output = command.args(name).args(args).current_dir(self.0.path("")).output().unwrap();
        assert!(output.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    }

    fn commit(&self, file: &str, text: &str) {
        self.0.write(file, text);
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "-m", "edit"]);
    }

    fn diff(&self, args: &[&str]) -> Output {
        self.0.run(&[&["diff", "--git"], args].concat())
    }
}

#[test]
fn a_branch_is_compared_with_where_it_left_the_base() {
    let one = Repository::new();
    one.commit("ops/a.runbook", BASE);
    one.git(&["checkout", "-q", "-b", "topic"]);
    one.commit("ops/a.runbook", &edited("every 5m =", "every 10m ="));
    // What the base did meanwhile is not the branch's.
    one.git(&["checkout", "-q", "main"]);
    one.commit("ops/a.runbook", &edited("VACUUM ANALYZE orders", "VACUUM FULL orders"));
    one.diff(&["main", "topic"]).code(2).out("sampled more rarely").out("ops/a.runbook:").lacks("VACUUM FULL");
    one.git(&["checkout", "-q", "topic"]);
    one.diff(&["main"]).code(2).out("sampled more rarely").lacks("VACUUM FULL");
    // Once merged, there is what the merge brings.
    one.git(&["checkout", "-q", "main"]);
    one.git(&["merge", "-q", "--no-edit", "topic"]);
    one.diff(&["HEAD~1", "HEAD"]).code(2).out("sampled more rarely").lacks("VACUUM FULL");
    one.diff(&["HEAD"]).code(0).out("nothing does anything else");
}

#[test]
fn the_working_tree_has_what_was_not_committed_yet_and_not_what_is_ignored() {
    let one = Repository::new();
    one.0.write(".gitignore", "target/\n");
    one.commit("a.runbook", BASE);
    one.0.write("new.runbook", "section \"New\" { check 1 < 2 as \"sane\" }\n");
    one.0.write("target/other.runbook", "this is none");
    one.diff(&["main"]).code(2).out("section \"New\"").lacks("other");
    std::fs::rename(one.0.path("a.runbook"), one.0.path("b.runbook")).unwrap();
    one.diff(&["main"]).code(2).out("b.runbook, was a.runbook");
}

#[test]
fn a_file_that_is_used_is_read_from_the_same_commit() {
    let one = Repository::new();
    let library = |within: &str| format!("library \"Care\" {{ edition 1 }}\nparam longest: duration = {within}\n");
    one.0.write("lib/care.runbook", library("5m"));
    one.commit(
        "a.runbook",
        "use \"./lib/care\" as care\nsection \"Look\" within 1h { show care.longest as \"longest\" }\n",
    );
    one.git(&["checkout", "-q", "-b", "topic"]);
    one.commit("lib/care.runbook", &library("50m"));
    // The folder has something else by now.
    one.0.write("lib/care.runbook", library("7m"));
    let output = one.diff(&["main", "topic"]);
    output.code(2).out("5m unless it is given").out("50m unless it is given").lacks("7m unless");
    assert_eq!(output.stdout.matches("param care.longest").count(), 1, "{}", output.stdout);
}

/// What a runbook starts, and what says where its connections lead, is not in its text.
#[test]
fn a_file_that_a_runbook_names_is_compared_as_well() {
    let one = Repository::new();
    one.0.write("ops/scripts/purge.sh", "#!/bin/sh\nfind \"$1\" -mtime +30 -delete\n");
    one.0.write("ops/scripts/other.sh", "true\n");
    one.0.write("ops/kc", "server: one\n");
    one.commit(
        "ops/a.runbook",
        "connect cluster = kubernetes(kubeconfig: \"./kc\")\n\
         tool purge(of: string) changes = argv(\"./scripts/purge.sh\", of)\n\
         section \"A\" {\n  change purge(\"/var/tmp\")\n  show cluster.pods() | count as \"pods\"\n}\n",
    );
    let hash = one.0.run(&["plan", "--offline", "ops/a.runbook"]).stdout;
    let hash = hash.split_once("--approve ").unwrap().1.split_whitespace().next().unwrap().to_owned();
    let target = ["--target", "this machine=*:/ops"];
    one.0.run(&[&["approve", "ops/a.runbook", "--as", "dba", "--plan", &hash][..], &target].concat()).code(0);
    one.git(&["checkout", "-q", "-b", "topic"]);
    one.commit("ops/scripts/other.sh", "false\n");
    one.diff(&["main"]).code(0).out("nothing does anything else");
    one.commit("ops/scripts/purge.sh", "#!/bin/sh\nrm -rf \"$1\"\n");
    let told = ["file ops/scripts/purge.sh: says something else", "+ rm -rf \"$1\"", "read it"];
    for sides in [&["main"][..], &["main", "topic"]] {
        told.iter().fold(&one.diff(sides), |output, line| output.code(2).out(line));
    }
    one.diff(&["--recorded", "main"]).out("void: a program that it is for was edited");
    one.git(&["reset", "-q", "--hard", "main"]);
    one.commit("ops/kc", "server: two\n");
    one.diff(&["main", "topic"]).code(2).out("file ops/kc: says something else").out("+ server: two");
    one.git(&["reset", "-q", "--hard", "main"]);
    one.git(&["update-index", "--chmod=+x", "ops/scripts/purge.sh"]);
    one.git(&["commit", "-q", "-m", "mode"]);
    one.diff(&["main", "HEAD"]).code(2).out("file ops/scripts/purge.sh: changed").out("may be started");
    one.git(&["rm", "-q", "-f", "ops/scripts/purge.sh"]);
    one.git(&["commit", "-q", "-m", "gone"]);
    one.diff(&["main", "HEAD"]).code(2).out("file ops/scripts/purge.sh: gone");
}

#[test]
fn a_runbook_that_is_moved_away_from_its_policy_is_told() {
    let one = Repository::new();
    one.0.write("ops/runbook.policy.toml", "forbid = [\"shell\"]\n");
    one.commit("ops/a.runbook", BASE);
    one.git(&["checkout", "-q", "-b", "topic"]);
    one.git(&["mv", "ops/a.runbook", "a.runbook"]);
    one.git(&["commit", "-q", "-m", "move"]);
    one.diff(&["main"]).code(2).out("policy ops/runbook.policy.toml: holds for it no more");
    one.diff(&["--fail-on", "permissions", "main"]).code(2);
    one.diff(&["topic", "main"]).code(0);
}

#[test]
fn a_runbook_that_is_moved_away_from_its_program_is_told() {
    let one = Repository::new();
    one.0.write("ops/purge.sh", "#!/bin/sh\n");
    one.0.write("ops/x/look.sh", "#!/bin/sh\n");
    let own = "tool purge() changes = argv(\"./purge.sh\")\ntool look() = argv(\"./x/look.sh\")\n";
    one.commit("ops/a.runbook", &format!("{BASE}\n{own}"));
    one.git(&["checkout", "-q", "-b", "topic"]);
    one.0.write("jobs/x/.keep", "");
    one.git(&["mv", "ops/a.runbook", "jobs/a.runbook"]);
    one.git(&["mv", "ops/x/look.sh", "jobs/x/look.sh"]);
    one.git(&["commit", "-q", "-m", "move"]);
    let output = one.diff(&["main"]);
    output.code(2).out("file jobs/purge.sh: gone").out("found ops/purge.sh before").lacks("look.sh");
}

#[test]
fn what_git_cannot_give_is_said_with_what_to_type() {
    Folder::new().run(&["diff", "--git", "main"]).code(1).err("git");
    let one = Repository::new();
    one.commit("a.runbook", BASE);
    one.commit("a.runbook", &edited("every 5m =", "every 10m ="));
    one.diff(&["nobody"]).code(1).err("no commit `nobody`").err("git fetch origin nobody");
    one.diff(&["--", "--output=/tmp/x"]).code(1).err("no commit");
    one.git(&["checkout", "-q", "--orphan", "other"]);
    // Another text: the same one in the same second would be the very same commit.
    one.commit("a.runbook", &edited("every 5m =", "every 15m ="));
    one.diff(&["main", "other"]).code(1).err("no history in common");
    // A clone with one commit of each.
    let clone = Folder::new();
    let from = format!("file://{}", one.0.path("").display());
    let cloned = Command::new("git")
        .args(["clone", "-q", "--depth", "1", "--no-single-branch", &from, "here"])
        .current_dir(clone.path(""))
        .output()
        .unwrap();
    assert!(cloned.status.success());
    let mut command = clone.command(&["diff", "--git", "origin/main", "origin/other"]);
    let output = crate::program::finish(command.current_dir(clone.path("here")).spawn().unwrap());
    output.code(1).err("this clone is shallow").err("git fetch --unshallow").err("fetch-depth: 0");
}

#[test]
fn nothing_that_a_repository_configures_is_started() {
    let one = Repository::new();
    one.commit("a.runbook", BASE);
    let mark = one.0.path("started");
    let touch = format!("touch {}", mark.display());
    one.0.write(".gitattributes", "*.runbook diff=evil filter=evil\n");
    for key in [
        "core.fsmonitor",
        "diff.evil.textconv",
        "diff.evil.command",
        "diff.external",
        "filter.evil.smudge",
        "filter.evil.clean",
        "core.pager",
        "core.sshCommand",
        "core.editor",
    ] {
        one.git(&["config", key, &touch]);
    }
    one.0.write(".git/hooks/post-index-change", format!("#!/bin/sh\n{touch}\n"));
    one.0.write("a.runbook", edited("every 5m =", "every 10m ="));
    one.diff(&["main"]).code(2).out("sampled more rarely");
    one.diff(&["main", "HEAD"]).code(0);
    assert!(!mark.exists());
}

#[test]
fn links_out_of_the_repository_are_not_followed() {
    let one = Repository::new();
    let outside = Folder::new();
    outside.write("secret.runbook", "section \"Secret\" { check 1 < 2 as \"sane\" }\n");
    one.commit("a.runbook", BASE);
    std::os::unix::fs::symlink(outside.path("secret.runbook"), one.0.path("b.runbook")).unwrap();
    let output = one.diff(&["main"]);
    output.code(1).err("b.runbook").lacks("Secret");
}

#[test]
fn an_edited_template_is_found_in_a_runbook_that_was_not() {
    let one = Repository::new();
    one.0.write("ops/mail.html", "<p>{{ text }}</p>");
    one.commit(
        "ops/a.runbook",
        "channel mail = email(to: [\"ops@example.com\"], template: \"./mail.html\")\n\
         section \"Look\" {\n  check 1 < 2 as \"sane\"\n  notify mail \"well\"\n}\n",
    );
    one.git(&["checkout", "-q", "-b", "topic"]);
    one.commit("ops/mail.html", "<b>{{ text }}</b>");
    one.diff(&["main", "topic"]).code(2).out("file ops/mail.html").out("messages say something else");
    one.diff(&["main"]).code(2).out("file ops/mail.html");
}

#[test]
fn an_edited_policy_says_what_it_allows_now_and_what_no_more() {
    let one = Repository::new();
    one.commit("a.runbook", BASE);
    one.commit("ops/b.runbook", "section \"A\" {\n  check 1 < 2\n}\n");
    let policy = "forbid = [\"shell\"]\n[require.postgres]\nverify = true\n[hosts]\nallowed = [\"*.example.com\"]\n";
    one.0.write("runbook.policy.toml", policy);
    one.diff(&["main"]).code(2).out("policy runbook.policy.toml").out("new").out("+ forbids shell");
    one.diff(&["main", "--fail-on", "permissions"]).code(0);
    one.commit("runbook.policy.toml", policy);
    one.0.write("runbook.policy.toml", policy.replace("[require", "# why\n[require"));
    one.diff(&["main"]).code(0);
    let looser = policy.replace("\"shell\"", "").replace("example.com\"", "example.com\", \"10.0.0.0/8\"");
    one.0.write("runbook.policy.toml", looser);
    let output = one.diff(&["main", "--fail-on", "permissions"]);
    output.code(2).out("allows more").out("- forbids shell").out("+ the host 10.0.0.0/8").lacks("verify");
    // A part of a network that was allowed is no more than that.
    let network = |size: u8| policy.replace("example.com\"", &format!("example.com\", \"10.0.0.0/{size}\""));
    one.commit("runbook.policy.toml", &network(8));
    one.0.write("runbook.policy.toml", network(9));
    one.diff(&["main", "--fail-on", "permissions"]).code(0).out("allows less").out("+ the host 10.0.0.0/9");
    one.0.write("runbook.policy.toml", network(7));
    one.diff(&["main", "--fail-on", "permissions"]).code(2).out("allows more");
    one.commit("runbook.policy.toml", policy);
    one.0.write("runbook.policy.toml", policy.replace("verify = true", "verify = true\napprove_by = \"dba\""));
    let stricter = one.diff(&["main", "--format", "markdown"]);
    stricter.code(2).out("allows less").out("changes of postgres need an approval by \"dba\"");
    one.0.write("runbook.policy.toml", "forbid = [\"nothing-like-it\"]\n");
    one.diff(&["main"]).code(1).err("policy-mistake").err("the working tree");
    std::fs::remove_file(one.0.path("runbook.policy.toml")).unwrap();
    one.diff(&["main"]).code(2).out("gone: nothing that it said holds any more");
    // One in a folder is for what is in that folder.
    one.0.write("runbook.policy.toml", policy);
    one.0.write("ops/runbook.policy.toml", "forbid = [\"http\"]\n");
    one.diff(&["main"]).code(2).out("policy ops/runbook.policy.toml");
}

//! A change of a run is undone as it says, with the values that it had, once.
#![expect(
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a test ends where something is not as it should be, and says what it did"
)]

use std::fs;

use crate::approvals::{as_if, by_ann};
use crate::postgres;
use crate::program::{Folder, finish};
use crate::resume::{last, made};

/// What is undone is named by what was read before, by the item, and by what the change gave.
const TEXT: &str = "param who: string = \"nobody\"\n\
    tool set(name: string, to: string) -> string changes = argv(\"sh\", \"-c\", \"echo set $0=$1 >> made; echo id-$0\", name, to)\n\
    tool unset(id: string, to: string) changes = argv(\"sh\", \"-c\", \"test ! -e broken && echo unset $0=$1 >> made\", id, to)\n\
    tool now() -> string = argv(\"cat\", \"now\")\n\
    section \"A\" {\n  step \"One\" {\n    let before = now()\n    for name in [\"a\", \"b\"] {\n\
    \x20     change id = set(name, who) as \"set {name}\" undo unset(id, \"{before} {who}\")\n    }\n    change set(\"c\", who) as \"plain\"\n    check 1 > 2 as \"holds\"\n  }\n}\n";

fn hash_in(text: &str) -> String {
    text.split_once("--approve ").unwrap_or_else(|| panic!("{text}")).1.split_whitespace().next().unwrap().to_owned()
}

fn ran(folder: &Folder) -> String {
    folder.write("now", "old");
    let set = ["--set", "who=me"];
    let hash = hash_in(&folder.run(&[&["plan", "--offline", "a.runbook"][..], &set].concat()).stdout);
    let output = folder.run(&[&["run", "a.runbook", "--approve", &hash][..], &set].concat());
    let run = last(folder);
    output
        .code(4)
        .out("CAN BE UNDONE")
        .out(&format!("  runbook undo {run} 2   unset(id, \"{{before}} {{who}}\")   undoes set b"));
    folder.run(&["show", &run]).out(&format!("runbook undo {run} 1"));
    assert_eq!(made(folder), "set a=me set b=me set c=me");
    folder.write("now", "new");
    run
}

#[test]
fn it_is_undone_with_the_values_that_it_had_and_once() {
    let folder = Folder::with(TEXT);
    let run = ran(&folder);
    let waits = folder.run(&["undo", &run, "2"]);
    waits.code(5).out("unset(id, ").out("with id = id-b").out("with before = old").out("undoes `set b` of run");
    let hash = hash_in(&waits.stdout);
    // Consent to one is none to another.
    folder.run(&["undo", &run, "1", "--approve", &hash]).code(5).err("nothing was run");
    assert_eq!(made(&folder), "set a=me set b=me set c=me");
    folder
        .run(&["undo", &run, "2", "--approve", &hash])
        .code(0)
        .out(&format!("undoes change 2 of run {run}"))
        .out("1 change");
    assert_eq!(made(&folder), "set a=me set b=me set c=me unset id-b=old me");
    let undoing = last(&folder);
    folder
        .run(&["undo", &run, "2", "--approve", &hash])
        .code(1)
        .err(&format!("was undone by run {undoing}"))
        .err("--again");
    // Who agreed to one undoing did not agree to the next.
    folder.run(&["undo", &run, "2", "--again", "--approve", &hash]).code(5).err("nothing was run");
    let again = hash_in(&folder.run(&["undo", &run, "2", "--again"]).stdout);
    folder.run(&["undo", &run, "2", "--again", "--approve", &again]).code(0);
    let output = folder.run_on_terminal(&["undo", &run, "1"], &[("anything else to stop: ", "yes\n")]);
    output.code(0).out("with id = id-a");
    assert!(made(&folder).ends_with("unset id-b=old me unset id-b=old me unset id-a=old me"), "{}", made(&folder));
    folder.run(&["audit", "verify"]).code(0);
    folder.run(&["resume", &undoing]).code(1).err(&format!("runbook undo {run} 2"));
}

#[test]
fn what_was_undone_is_made_again_when_the_run_is_gone_on_with() {
    let folder = Folder::with(TEXT);
    let run = ran(&folder);
    let hash = hash_in(&folder.run(&["undo", &run, "2"]).stdout);
    folder.run(&["undo", &run, "2", "--approve", &hash]).code(0);
    let waits = folder.run(&["resume", &run]);
    waits.code(5).out("undone for b in run").out("set a: done in run");
    folder.run(&["resume", "last", "--approve", &hash_in(&waits.stdout)]).code(4);
    assert_eq!(made(&folder), "set a=me set b=me set c=me unset id-b=old me set b=me");
    // In the run that goes on with it, the first one was not made; it is undone where it was.
    folder.run(&["undo", "last", "1"]).code(1).err(&format!("runbook undo {run} 1"));
}

#[test]
fn an_undo_that_fails_may_be_tried_again() {
    let folder = Folder::with(TEXT);
    let run = ran(&folder);
    let hash = hash_in(&folder.run(&["undo", &run, "1"]).stdout);
    folder.write("broken", "");
    let failed = folder.run(&["undo", &run, "1", "--approve", &hash]);
    assert_ne!(failed.code, 0);
    fs::remove_file(folder.path("broken")).unwrap();
    // Nobody knows whether the first try has undone it: somebody agrees anew.
    let hash = hash_in(&folder.run(&["undo", &run, "1", "--again"]).stdout);
    folder.run(&["undo", &run, "1", "--again", "--approve", &hash]).code(0);
    assert!(made(&folder).ends_with("unset id-a=old me"));
}

#[test]
fn what_cannot_be_undone_says_why() {
    let folder = Folder::with(TEXT);
    let run = ran(&folder);
    folder.run(&["undo", &run, "3"]).code(1).err("`plain`, has no `undo`");
    folder.run(&["undo", &run, "9"]).code(1).err("has begun no change 9");
    folder.write("a.runbook", TEXT.replace("unset(id, \"{before}", "unset(id, \"x{before}"));
    folder.run(&["undo", &run, "1"]).code(1).err("defined in another way now").err("was  change ").err("undo unset(");
    // What is different elsewhere does not matter to this change.
    folder.write("a.runbook", TEXT.replace("set(\"c\", who)", "set(\"d\", who)"));
    folder.run(&["undo", &run, "1"]).code(5).out("with id = id-a");
    assert_eq!(made(&folder), "set a=me set b=me set c=me");
}

#[test]
fn what_failed_half_way_is_undone_once_somebody_has_looked() {
    let folder = Folder::with(
        "tool mark(text: string) changes = argv(\"sh\", \"-c\", \"echo $0 >> made; test $0 != bad\", text)\n\
         section \"A\" {\n  change mark(\"bad\") undo mark(\"undone\")\n}\n",
    );
    folder.run(&["run", "a.runbook", "--approve", &folder.hash()]).code(4);
    let run = last(&folder);
    let refused = folder.run(&["undo", &run, "1"]);
    refused.code(1).err("was made: `sh` ended with exit code 1").err(&format!("`runbook undo {run} 1 --made`"));
    let waits = folder.run(&["undo", &run, "1", "--made"]);
    let hash = hash_in(&waits.code(5).stdout);
    waits.out(&format!("approve: runbook undo {run} 1 --made --approve {hash}"));
    waits.out(&format!("of run {run}, which could not tell at ")).lacks("made at");
    let output = folder.run(&["undo", &run, "1", "--made", "--approve", &hash]);
    output.code(0).out(&format!("undoes change 1 of run {run}, of which ")).out("says that it was made");
    assert_eq!(made(&folder), "bad undone");
}

/// A change that a role has to agree to.
const BY_DBA: &str = "tool mark(text: string) changes = argv(\"sh\", \"-c\", \"echo $0 >> made\", text)\n\
    command both() changes {\n  change mark(\"inner\") undo mark(\"undone inner\")\n}\n\
    section \"A\" {\n  change mark(\"one\") approve by \"dba\" undo mark(\"undone one\")\n\
    \x20 change both() approve by \"dba\"\n}\n";

fn approved(folder: &Folder) -> String {
    folder.run(&["approve", "a.runbook", "--as", "dba", "--plan", &folder.hash()]).code(0);
    as_if(folder, by_ann);
    folder.run(&["run", "a.runbook"]).code(0);
    assert_eq!(made(folder), "one inner");
    last(folder)
}

#[test]
fn a_change_that_a_role_agreed_to_is_undone_only_with_its_approval_of_that() {
    let folder = Folder::with(BY_DBA);
    let run = approved(&folder);
    let waits = folder.run(&["undo", &run, "1"]);
    let command = format!("runbook approve a.runbook --undo {run}:1 --as dba");
    waits
        .code(5)
        .out("a change waits for an approval by \"dba\"")
        .out(&command)
        .out(&format!("then: runbook undo {run} 1"));
    // The hash is what a person has agreed to, and no approval by the role.
    let journal = folder.run(&["show", "last", "--format", "json"]).lines();
    let hash = journal.iter().find(|event| event["event"] == "approval_needed").unwrap()["hash"].as_str().unwrap();
    folder.run(&["undo", &run, "1", "--approve", hash]).code(5).out("waits for an approval by \"dba\"");
    // What is a part of a change that a role agreed to, too.
    folder.run(&["undo", &run, "3"]).code(5).out(&format!("--undo {run}:3 --as dba"));
    assert_eq!(made(&folder), "one inner");
    let approve = ["approve", "a.runbook", "--undo", &format!("{run}:1"), "--as", "dba"];
    folder.run(&approve).code(1).no_out().err(&format!("look at it with `runbook undo {run} 1`"));
    folder.run(&[&approve[..], &["--plan", "0123456789ab"]].concat()).code(1).no_out().err("was edited since");
    let own = folder.run_on_terminal(&approve, &[("anything else to stop: ", "yes\n")]);
    own.code(0).out("mark(\"undone one\")").out("undoes `mark(\"one\")` of run").lacks("mark(\"inner\")");
    folder.run(&["undo", &run, "1"]).code(5).out("nobody approves their own");
    assert_eq!(made(&folder), "one inner");
    let id = as_if(&folder, by_ann);
    folder.run(&["approvals"]).code(0).out(&format!("to undo change 1 of run {run}"));
    // It is for this undoing and for nothing else.
    folder.run(&["undo", &run, "3"]).code(5).out("is for another undoing");
    folder.run(&["undo", &run, "1"]).code(0).out(&format!("standing approval {id} by ann@laptop"));
    assert_eq!(made(&folder), "one inner undone one");
    folder.run(&["undo", &run, "1", "--again", "--approve", "0123456789ab"]).code(5);
}

#[test]
fn an_approval_of_an_undoing_is_none_of_the_runbook_and_is_void_by_an_edit() {
    let folder = Folder::with(BY_DBA);
    let run = approved(&folder);
    let waits = folder.run(&["undo", &run, "1"]);
    let hash = waits.code(5).stdout.split_once("WAITS FOR APPROVAL   plan ").unwrap().1[..12].to_owned();
    folder.run(&["approve", "a.runbook", "--undo", &format!("{run}:1"), "--as", "dba", "--plan", &hash]).code(0);
    as_if(&folder, by_ann);
    folder.write("a.runbook", BY_DBA.replace("mark(\"inner\") undo", "mark(\"other\") undo"));
    folder.run(&["undo", &run, "1"]).code(5).out("is for another undoing, or the runbook was edited since");
    folder.run(&["run", "a.runbook"]).code(5).lacks("another undoing");
    assert_eq!(made(&folder), "one inner");
    for (wrong, said) in [
        ("x", "names no change of a run"),
        ("zz:1", "there is no run `zz`"),
        (&format!("{run}:9"), "has begun no change 9"),
    ] {
        let args = ["approve", "a.runbook", "--undo", wrong, "--as", "dba", "--plan", &hash];
        folder.run(&args).code(1).no_out().err(said);
    }
}

#[test]
fn a_policy_holds_for_what_undoes_a_change() {
    let folder = Folder::with(
        "tool mark(text: string) changes = argv(\"sh\", \"-c\", \"echo $0 >> made\", text)\n\
         section \"A\" {\n  change mark(\"one\") undo shell(\"echo undone >> made\")\n}\n",
    );
    folder.run(&["run", "a.runbook", "--approve", &folder.hash()]).code(0);
    let run = last(&folder);
    let hour = runbook::system::now().to_zoned(jiff::tz::TimeZone::UTC).hour();
    let from = (hour + 12).rem_euclid(24);
    let window = |changes: &str| {
        format!(
            "[[window]]\nchanges = [\"{changes}\"]\nhours = [\"monday-sunday {from:02}:00-{from:02}:59\"]\ntimezone = \"UTC\"\n"
        )
    };
    folder.write("runbook.policy.toml", window("shell"));
    folder.run(&["undo", &run, "1"]).code(6).no_out().err("the next one opens").lacks("--read-only");
    // What it is that is undone does not matter: that is not done.
    folder.write("runbook.policy.toml", window("tool"));
    folder.run(&["undo", &run, "1"]).code(5).out("approve: runbook undo");
    folder.write("runbook.policy.toml", "[require.shell]\napprove_by = \"dba\"\n");
    folder.run(&["undo", &run, "1"]).code(5).out(&format!("runbook approve a.runbook --undo {run}:1 --as dba"));
    folder.write("runbook.policy.toml", "forbid = [\"shell\"]\n");
    folder.run(&["undo", &run, "1"]).code(6).no_out();
    assert_eq!(made(&folder), "one");
}

#[test]
fn the_last_run_is_none_that_was_to_undo_something() {
    let folder = Folder::with(TEXT);
    let run = ran(&folder);
    folder.run(&["undo", "last", "2"]).code(5).out(&format!("undoes change 2 of run {run}"));
    let undoing = last(&folder);
    assert_ne!(undoing, run);
    let waits = folder.run(&["undo", "last", "1"]);
    waits
        .code(5)
        .out(&format!("undoes change 1 of run {run}"))
        .out(&format!("approve: runbook undo {run} 1 --approve"));
    folder.run(&["resume", "last"]).code(0).out(&format!("nothing is left to be done of run {run}"));
    folder.run(&["resume", &undoing]).code(1).err(&format!("`runbook undo {run} 2"));
}

/// What was done on one system was not done on another one.
#[test]
fn a_change_is_undone_and_gone_on_with_where_it_was_made() {
    let Some(server) = postgres::wanted(postgres::server()) else { return };
    let folder = Folder::with(
        "connect db = postgres(user: \"ops\")\nsection \"A\" {\n\
         \x20 change db.execute(\"INSERT INTO of_undo VALUES (21)\") undo db.execute(\"DELETE FROM of_undo WHERE n = 21\")\n\
         \x20 change db.execute(\"SELECT 1 / count(*) FROM of_undo WHERE n = 22\")\n}\n",
    );
    for (database, row) in [("shop", 1), ("postgres", 21)] {
        server.sql(database, &format!("CREATE TABLE of_undo (n int); INSERT INTO of_undo VALUES ({row})"));
    }
    let at = |database: &str, args: &[&str]| {
        let mut command = folder.command(args);
        let port = server.port.to_string();
        let named = [("PGHOST", "127.0.0.1"), ("PGPORT", &port), ("PGSSLMODE", "disable"), ("PGDATABASE", database)];
        finish(command.envs(named).spawn().unwrap())
    };
    let hash = folder.hash();
    at("shop", &["run", "a.runbook", "--approve", &hash]).code(4);
    let run = last(&folder);
    let elsewhere =
        format!("`db` leads to postgres://127.0.0.1:{}/postgres here, and change 1 of run {run}", server.port);
    let (undo, resume) = (["undo", &run, "1"], ["resume", &run, "--approve", &hash]);
    for args in [&undo[..], &resume] {
        at("postgres", args)
            .code(1)
            .no_out()
            .err(&elsewhere)
            .err(&format!("made on postgres://127.0.0.1:{}/shop", server.port));
    }
    let waits = at("shop", &undo);
    waits.code(5).out(&format!("→ postgres://127.0.0.1:{}/shop", server.port));
    let hash = hash_in(&waits.stdout);
    at("postgres", &["undo", &run, "1", "--approve", &hash]).code(1).err("leads to");
    at("shop", &["undo", &run, "1", "--approve", &hash]).code(0);
    let undoing = last(&folder);
    assert_eq!((&*server.sql("shop", "TABLE of_undo"), &*server.sql("postgres", "TABLE of_undo")), ("1", "21"));
    // An undoing is no change of the runbook's.
    at("shop", &["undo", &undoing, "1"]).code(1).err("an undoing has no `undo`").err(&format!("runbook resume {run}"));
}

/// What takes back hangs as well as what was made.
#[test]
fn an_undo_may_take_as_long_as_its_change() {
    let text = "tool make(x: string) changes = argv(\"true\", x)\n\
        tool hang(x: string) changes = argv(\"sleep\", \"30\")\n\
        tool longer(x: string) changes = argv(\"sleep\", \"2\", within: 10s)\n\
        section \"A\" {\n  for long in [1s] {\n    change make(\"a\") within long undo hang(\"a\")\n    \
        change make(\"b\") within long undo longer(\"b\")\n  }\n}\n";
    let folder = Folder::with(text);
    folder.run(&["run", "a.runbook", "--approve", &folder.hash()]).code(0);
    let run = last(&folder);
    let undone = |change: &str| {
        let waits = folder.run(&["undo", &run, change]);
        folder.run(&["undo", &run, change, "--approve", &hash_in(&waits.code(5).stdout)])
    };
    let begun = std::time::Instant::now();
    undone("1").code(4).out("had not ended within 1s");
    assert!(begun.elapsed().as_secs() < 20, "{:?}", begun.elapsed());
    undone("2").code(0).out("1 change");
}

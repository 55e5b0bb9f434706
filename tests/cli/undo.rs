//! A change of a run is undone as it says, with the values that it had, once.
#![expect(clippy::unwrap_used, reason = "a test ends where something is not as it should be, and says what it did")]

use std::fs;

use jiff::tz::TimeZone;
use jiff::{ToSpan as _, Zoned};
use runbook::store::approval::Account;
use runbook::store::ledger::{FILE, Ledger};

use crate::program::Folder;
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
    folder.run(&["undo", &run, "2", "--again", "--approve", &hash]).code(0);
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
    let again = folder.run(&["undo", &run, "1", "--again", "--approve", &hash]);
    again.code(0);
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

/// The last approval once more, as somebody else gives it on another machine.
fn by_somebody_else(folder: &Folder) {
    let mut ledger = Ledger::open(&folder.path("state").join(FILE)).unwrap();
    let mut approval = ledger.approvals(None).unwrap().pop().unwrap().approval;
    approval.account = Account { user: "ann".to_owned(), host: "laptop".to_owned(), uid: 4711 };
    "ann@laptop".clone_into(&mut approval.who);
    approval.id = approval.own_id().unwrap();
    ledger.approve(&approval).unwrap();
}

#[test]
fn who_has_to_agree_to_a_change_has_to_agree_to_its_undoing() {
    let folder = Folder::with(
        "tool set(name: string) changes = argv(\"sh\", \"-c\", \"echo set $0 >> made\", name)\n\
         tool unset(name: string) changes = argv(\"sh\", \"-c\", \"echo unset $0 >> made\", name)\n\
         section \"A\" {\n  change set(\"a\") approve by \"dba\" undo unset(\"a\")\n}\n",
    );
    let plan = folder.hash();
    folder.run(&["approve", "a.runbook", "--as", "dba", "--plan", &plan]).code(0);
    by_somebody_else(&folder);
    folder.run(&["run", "a.runbook"]).code(0).out("standing approval");
    let run = last(&folder);
    // Neither whoever made it alone, nor what was agreed to before.
    let waits = folder.run(&["undo", &run, "1"]);
    let approve = format!("runbook approve a.runbook --undo {run}:1 --as dba");
    waits.code(5).out("a change waits for an approval by \"dba\"").out(&approve).lacks("--approve").lacks("void since");
    waits.out(&format!("then undo it: runbook undo {run} 1")).lacks("continue:").lacks("--only");
    let hash = waits.stdout.split_once("WAITS FOR APPROVAL   plan ").unwrap().1.split_whitespace().next().unwrap();
    folder.run(&["undo", &run, "1", "--approve", hash]).code(5);
    assert_eq!(made(&folder), "set a");
    for (wrong, said) in [("x", "is no change of a run"), (&*format!("{run}:7"), "has begun no change 7")] {
        folder.run(&["approve", "a.runbook", "--undo", wrong, "--as", "dba", "--plan", hash]).code(1).err(said);
    }
    let args = ["approve", "a.runbook", "--undo", &format!("{run}:1"), "--as", "dba", "--plan"];
    folder.run(&[&args[..], &[&plan]].concat()).code(1).err(&format!("look at it with `runbook undo {run} 1`"));
    folder.run(&[&args[..], &[hash]].concat()).code(0).out("this machine at ");
    folder.run(&["undo", &run, "1"]).code(5).out("nobody approves their own");
    by_somebody_else(&folder);
    folder.run(&["approvals", "a.runbook"]).code(0).out(&format!("to undo change 1 of run {run}")).out("unset(\"a\")");
    folder.run(&["undo", &run, "1"]).code(0).out("standing approval").out("by ann@laptop as \"dba\"");
    assert_eq!(made(&folder), "set a unset a");
    // It is for that one, and not for the changes of the runbook nor for another run's.
    folder.run(&["run", "a.runbook"]).code(0);
    folder.run(&["undo", &last(&folder), "1"]).code(5);
    // The policy holds for what undoes a change as well.
    let day = (Zoned::now().with_time_zone(TimeZone::UTC).date() + 3.days()).strftime("%A").to_string().to_lowercase();
    let hours = format!("hours = [\"{day} 00:00-00:01\"]");
    folder.write("runbook.policy.toml", format!("[[window]]\nchanges = [\"tool\"]\n{hours}\ntimezone = \"UTC\"\n"));
    folder.run(&["undo", &run, "1", "--again"]).code(6).err("nothing was run").no_out();
}

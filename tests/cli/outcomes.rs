//! What is said of a change that did not end well, and what can be done about it.

use std::fs;

use crate::exclusive::slow;
use crate::program::Folder;
use crate::resume::{last, made};

#[test]
fn the_limit_of_a_change_is_that_of_its_call_where_the_call_has_none_of_its_own() {
    let (port, _, all) = slow();
    // The server takes 1.5 seconds.
    let folder = Folder::with(format!(
        "connect api = http(\"http://127.0.0.1:{port}\", within: 300ms)\n\
         section \"A\" {{\n  change api.post(\"/restart\") within 1m\n}}\n"
    ));
    folder.run(&["run", "a.runbook", "--approve", &folder.hash()]).code(0).out("1 change");
    assert_eq!(all.load(std::sync::atomic::Ordering::SeqCst), 1);
    // A program is asked to stop, and it is its own limit that is said; one that it was given stays as it is.
    for (own, limit) in [("", "300ms"), (", within: 200ms", "200ms")] {
        let folder = Folder::with(format!(
            "tool slow() changes = argv(\"sh\", \"-c\", \"trap 'echo stopped > made; exit 1' TERM; sleep 60 & wait\"{own})\n\
             section \"A\" {{\n  change slow() within 300ms\n}}\n"
        ));
        let output = folder.run(&["run", "a.runbook", "--approve", &folder.hash()]);
        output.code(4).out("UNKNOWN").out(&format!("had not ended within {limit} and was stopped"));
        assert_eq!(made(&folder), "stopped");
    }
}

/// A program that does half of its work and fails.
const HALF: &str = "tool half(name: string) changes = argv(\"sh\", \"-c\", \"echo half $0 >> made; echo disk full >&2; test -e enough\", name)\n\
    tool undone(name: string) changes = argv(\"sh\", \"-c\", \"echo undone $0 >> made\", name)\n\
    section \"A\" {\n  change half(\"one\") as \"one\" undo undone(\"one\")\n}\n";

#[test]
fn of_a_program_that_fails_nobody_knows_how_much_it_did() {
    let folder = Folder::with(HALF);
    let output = folder.run(&["run", "a.runbook", "--approve", &folder.hash()]);
    output.code(4).out("ended with exit code 1: disk full").out("it failed, and may have done a part of it");
    let run = last(&folder);
    // It is not repeated before somebody has looked.
    let asked = folder.run(&["resume", &run, "--approve", &folder.hash()]);
    asked.code(5).err("nobody knows whether a change was made").err("exit code 1: disk full").err("--done 1");
    folder.run(&["undo", &run, "1"]).code(1).err("nobody knows").err(&format!("runbook undo {run} 1 --made"));
    assert_eq!(made(&folder), "half one");
    // What somebody says was made can be undone.
    folder.run(&["resume", &run, "--done", "1"]).code(0).out("one: done in run");
    let waits = folder.run(&["undo", &run, "1"]);
    let hash = waits.code(5).stdout.split_once("--approve ").unwrap().1.split_whitespace().next().unwrap().to_owned();
    folder.run(&["undo", &run, "1", "--approve", &hash]).code(0);
    assert_eq!(made(&folder), "half one undone one");
}

#[test]
fn what_failed_half_way_is_made_again_on_the_word_of_a_person() {
    let folder = Folder::with(HALF);
    folder.run(&["run", "a.runbook", "--approve", &folder.hash()]).code(4);
    folder.write("enough", "");
    folder.run(&["resume", "last", "--not-done", "1", "--approve", &folder.hash()]).code(0);
    assert_eq!(made(&folder), "half one half one");
}

#[test]
fn what_cannot_be_started_was_not_made() {
    let folder = Folder::with(HALF.replace("test -e enough\", name)", "test -e enough\", name, directory: \"there\")"));
    let run = folder.run(&["run", "a.runbook", "--approve", &folder.hash()]);
    run.code(4).out("no folder").out("it was not made");
    folder.run(&["resume", "last"]).code(5).out("not made in run").lacks("nobody knows");
    assert!(fs::metadata(folder.path("made")).is_err());
}

/// Two of three are made, and the last one fails half way.
const LOOP: &str = "tool make(name: string) changes = argv(\"sh\", \"-c\", \"echo $0 >> made; test $0 != c -o -e enough\", name)\n\
    tool unmake(name: string) changes = argv(\"sh\", \"-c\", \"echo un$0 >> made\", name)\n\
    section \"A\" {\n  for name in [\"a\", \"b\", \"c\"] {\n    change make(name) undo unmake(name)\n    change make(\"x\")\n  }\n}\n";

fn half_way() -> (Folder, String) {
    let folder = Folder::with(LOOP);
    let output = folder.run(&["run", "a.runbook", "--approve", &folder.hash()]);
    let run = last(&folder);
    assert_eq!(made(&folder), "a x b x c");
    output.code(4).out("UNKNOWN  change make(name) for c").out("REFUSED  change make(\"x\") for c");
    output.out(&format!("runbook undo {run} 1   unmake(name)   undoes make(name) for a"));
    (folder, run)
}

#[test]
fn what_the_run_knows_is_not_replaced_by_a_word_and_a_word_is_corrected_by_another() {
    let (folder, run) = half_way();
    let known = folder.run(&["resume", &run, "--done", "1", "--done", "5"]);
    known.code(1).err("change 1 of run").err("is known to be done").err(&format!("--not-done {run}:1"));
    // A slip of somebody, and its correction in the run that came of it.
    let waits = folder.run(&["resume", &run, "--done", "5"]);
    waits.code(5).out("done for c in run").out(&format!("{run} (change 5)"));
    let second = last(&folder);
    folder.run(&["resume", &second, "--not-done", "99"]).code(1).err(&format!("{run}:99"));
    let corrected = folder.run(&["resume", &second, "--not-done", &format!("{run}:5")]);
    corrected.code(5).out("not done, says ").out("not made for c in run");
    let third = last(&folder);
    folder.write("enough", "");
    folder.run(&["resume", &third, "--approve", &folder.hash()]).code(0);
    assert_eq!(made(&folder), "a x b x c c x");
    let history = folder.run(&["history"]);
    history.out(&format!("goes on with {run}")).out(&format!("goes on with {second}"));
    let lines = folder.run(&["history", "--format", "json"]).lines();
    assert_eq!((&lines[0]["resumes"], &lines[1]["resumes"]), (&serde_json::Value::Null, &serde_json::json!(run)));
    folder.run(&["audit", "verify"]).code(0);
}

#[test]
fn what_is_known_to_be_done_can_be_made_again_and_stays_known() {
    let (folder, run) = half_way();
    let args = ["resume", &run, "--not-done", "1", "--not-done", "5"];
    folder.run(&args).code(5).out("done for a in run").out("made again, as somebody says");
    let second = last(&folder);
    // It was made in that run all the same, and can be undone there.
    folder.run(&["undo", &run, "1"]).code(5).out("unmake(name)").out("with name = a");
    folder.write("enough", "");
    folder.run(&["resume", &second, "--approve", &folder.hash()]).code(0);
    assert_eq!(made(&folder), "a x b x c a c x");
}

#[test]
fn a_command_of_which_a_part_was_made_is_partly_done_and_can_be_undone() {
    let folder = Folder::with(
        "tool make(name: string) changes = argv(\"sh\", \"-c\", \"echo $0 >> made\", name)\n\
         tool never() changes = argv(\"sh\", \"-c\", \"true\", directory: \"there\")\n\
         command both() changes {\n  change make(\"a\")\n  change never()\n}\n\
         command neither() changes {\n  change never()\n  change make(\"b\")\n}\n\
         section \"A\" {\n  change both() undo make(\"not a\")\n}\n\
         section \"B\" {\n  change neither() undo make(\"not b\")\n}\n",
    );
    let run = folder.run(&["run", "a.runbook", "--approve", &folder.hash()]);
    run.code(4)
        .out("a part of it was made, and a part was not")
        .out("nothing of it was done")
        .out("1 change partly done");
    assert_eq!(made(&folder), "a");
    let id = last(&folder);
    run.out(&format!("runbook undo {id} 1   make(\"not a\")")).lacks("make(\"not b\")   undoes");
    let ended: Vec<_> = folder.run(&["show", &id, "--format", "json"]).lines();
    let ended = ended.iter().filter(|event| event["event"] == "change_ended").map(|event| &event["outcome"]);
    assert_eq!(ended.collect::<Vec<_>>(), ["done", "failed", "partly", "failed", "failed"]);
    folder.run(&["undo", &id, "1"]).code(5).out("make(\"not a\")").lacks("--made");
    folder.run(&["undo", &id, "4"]).code(1).err("there is nothing to undo");
    // What of it was made is not made again.
    std::fs::create_dir(folder.path("there")).unwrap();
    folder.run(&["resume", &id, "--approve", &folder.hash()]).code(0);
    assert_eq!(made(&folder), "a b");
}

#[test]
fn commands_that_are_printed_name_the_folder_that_was_named() {
    let folder =
        Folder::with(HALF.replace("test -e enough", "true") + "section \"B\" {\n  check 1 > 2 as \"wrong\"\n}\n");
    let args = ["run", "a.runbook", "--state", "there is it"];
    let waits = folder.run(&args);
    waits.code(5).out("approve: runbook run --state \"there is it\" a.runbook --approve ");
    let run = folder.run(&[&args[..], &["--approve", &folder.hash()]].concat());
    run.code(4).out("runbook undo --state \"there is it\" ").out("next:  runbook show --state \"there is it\" ");
    // As it stands there.
    let typed = run.stdout.lines().find_map(|line| line.trim().strip_prefix("runbook undo ")).unwrap().to_owned();
    let typed = typed.split_once("   ").unwrap().0.replace('"', "");
    let (state, rest) = typed.strip_prefix("--state ").unwrap().split_at("there is it".len());
    let words = ["undo", "--state", state].into_iter().chain(rest.split_whitespace()).collect::<Vec<_>>();
    folder.run(&words).code(5).out("undone(\"one\")").out("approve: runbook undo --state \"there is it\" ");
    folder.run(&["undo", "last", "abc"]).code(1).err("no number of a change");
}

#[test]
fn a_command_whose_changes_were_all_made_is_not_partly_done_where_a_check_in_it_fails() {
    let folder = Folder::with(
        "tool make(name: string) changes = argv(\"sh\", \"-c\", \"echo $0 >> made\", name)\n\
         command every() changes {\n  change make(\"a\")\n  check 1 > 2 as \"never\"\n}\n\
         section \"A\" {\n  change every() undo make(\"not a\")\n}\n",
    );
    let run = folder.run(&["run", "a.runbook", "--approve", &folder.hash()]);
    run.code(4).out("all of it was made, and a check in it did not pass").lacks("a part").out("make(\"not a\")");
    folder.run(&["undo", "last", "1"]).code(5).lacks("--made");
}

#[test]
fn commands_that_are_printed_give_the_same_values_again() {
    let text = "param most: int = 9\nparam name: string = \"a\"\n\
                section \"S\" {\n  step \"Few\" {\n    check most < 5 as \"few of {name}\"\n  }\n}\n";
    let run = Folder::with(text).run(&["run", "a.runbook", "--set", "most=7", "--set", "name=b c"]);
    run.code(4).out("run a.runbook --only Few --set \"most=7\" --set \"name=b c\"\n");
}

#[test]
fn no_new_run_is_proposed_where_nobody_knows_whether_a_change_was_made() {
    let text = "tool broken() changes = argv(\"sh\", \"-c\", \"exit 3\")\n\
                section \"S\" {\n  step \"Mend\" {\n    change broken() as \"mend it\"\n  }\n}\n";
    let folder = Folder::with(text);
    let run = folder.run(&["run", "a.runbook", "--approve", &folder.hash()]);
    run.code(4).out("next:  runbook show ").out("continue:  runbook resume ").lacks("--only");
}

#[test]
fn a_line_of_kubectl_leads_where_the_connection_leads() {
    let folder = Folder::with(
        "connect cluster = kubernetes(context: \"px\", kubeconfig: \"k.yaml\", namespace: \"shop\")\n\
         section \"A\" {\n  check cluster.pods() | is_empty as \"pods\"\n}\n",
    );
    folder.write(
        "k.yaml",
        "apiVersion: v1\nkind: Config\nclusters: [{ name: c, cluster: { server: \"http://127.0.0.1:1\" } }]\n\
         users: [{ name: u, user: { token: t } }]\ncontexts: [{ name: px, context: { cluster: c, user: u } }]\n",
    );
    let line = format!("`kubectl --kubeconfig {} --context px cluster-info`", folder.path("k.yaml").display());
    folder.run(&["run", "a.runbook"]).code(3).out(&line);
}

#[test]
fn what_another_round_of_a_retry_has_made_is_an_attempt() {
    let folder = Folder::with(
        "tool flaky(n: string) changes idempotent = argv(\"sh\", \"-c\", \"echo x >> made; test $(wc -l < made) -ge $0\", n)\n\
         section \"A\" {\n  retry 3 every 1ms {\n    change flaky(\"3\")\n  }\n}\n",
    );
    let hash = folder.hash();
    folder
        .run(&["run", "a.runbook", "--approve", &hash])
        .code(0)
        .out("NOTE     change flaky(\"3\")")
        .out("an attempt: `retry` made another one after it\n         `sh` ended with exit code 1 [failed]\n         2 times")
        .lacks("UNKNOWN")
        .lacks("continue:");
    folder.run(&["show", &last(&folder), "4"]).code(0).lacks("UNKNOWN");
    fs::remove_file(folder.path("made")).unwrap();
    let junit = folder.run(&["run", "a.runbook", "--approve", &hash, "--format", "junit"]);
    junit.code(0).out("tests=\"3\" failures=\"0\" errors=\"0\"");
    // The last round counts.
    folder.write("a.runbook", folder.read("a.runbook").replace("\"3\"", "\"4\""));
    fs::remove_file(folder.path("made")).unwrap();
    let failed = folder.run(&["run", "a.runbook", "--approve", &folder.hash()]);
    failed.code(4).out("UNKNOWN  change flaky(\"4\")").out("2 times").out("continue:  runbook resume");
}

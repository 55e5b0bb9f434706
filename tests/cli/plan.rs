//! `runbook plan`

use crate::program::Folder;

const TEXT: &str = "runbook \"Care\" { edition 1 }\n\
    connect api = http(\"https://api.example.com\")\n\
    tool purge(id: string) changes = argv(\"touch\", id)\n\
    section \"Look\" {\n  step \"Api\" { check api.answers(\"/\") as \"answers\" }\n}\n\
    section \"Care\" {\n  step \"Purge\" {\n    require api.answers(\"/\") as \"the API answers\"\n    \
    for id in api.get(\"/old\").json at most 3 {\n      change purge(\"x\") within 5m\n    }\n    \
    change api.delete(\"/all\") verify api.answers(\"/\") undo purge(\"back\")\n  }\n}\n";

#[test]
fn a_plan_opens_nothing_and_lists_changes_guards_bounds_and_targets() {
    let folder = Folder::with(TEXT);
    folder
        .run(&["plan", "--offline", "a.runbook"])
        .code(0)
        .out("offline: no connection was opened")
        .out(" 1  purge(\"x\")   ≤5m   a.runbook:")
        .out("in Care / Purge")
        .out("for each id in")
        .out("more than 3 stops the changes")
        .out("guard: the API answers")
        .out(" 2  api.delete(\"/all\")   ≤10s")
        .out("on api = http(url: \"https://api.example.com\")")
        .out("approve: runbook run a.runbook --approve ");
    assert!(!folder.path("state").exists());
}

#[test]
fn a_plan_for_machines_says_the_same_with_places() {
    let output = Folder::with(TEXT).run(&["plan", "--offline", "a.runbook", "--format", "json"]);
    let plan: serde_json::Value = serde_json::from_str(&output.code(0).stdout).unwrap();
    assert_eq!(plan["changes"].as_array().unwrap().len(), 2);
    assert_eq!(plan["changes"][0]["around"][0]["at_most"], 3);
    assert_eq!(plan["changes"][1]["file"], "a.runbook");
    assert!(plan["changes"][1]["undo"].as_str().unwrap().contains("back"));
    assert_eq!(plan["hash"].as_str().unwrap().len(), 64);
}

#[test]
fn a_plan_of_a_part_is_its_own() {
    let folder = Folder::with(TEXT);
    folder
        .run(&["plan", "--offline", "a.runbook", "--only", "Look"])
        .code(0)
        .out("nothing: it only looks")
        .lacks("approve");
}

const LOOKS: &str = "runbook \"Care\" { edition 1 }\n\
    tool wanted() -> list<string> = argv(\"cat\", \"wanted.json\")\n\
    tool state() -> string = argv(\"cat\", \"state\")\n\
    tool purge(id: string) changes = argv(\"touch\", \"purged-{id}\")\n\
    section \"Care\" {\n  require state() == \"idle\" as \"nobody works\"\n  \
    for id in wanted() at most 3 {\n    change purge(id) within 5m\n  }\n  change purge(\"last\")\n}\n";

#[test]
fn a_plan_makes_the_reads_and_says_what_is_so_now() {
    let folder = Folder::with(LOOKS);
    folder.write("wanted.json", "[\"a\", \"b\"]");
    folder.write("state", "idle");
    let plan = folder.run(&["plan", "a.runbook"]);
    plan.code(0).out("made the reads over 0 connections, and no change").out("guard: nobody works");
    plan.out(": holds now, read again right before the call").out("now: 2 to agree to");
    assert!(!folder.path("purged-a").exists() && !folder.path("purged-last").exists());
    // It is the same plan that is approved, whether or not it looked.
    let hash = folder.hash();
    plan.out(&format!("--approve {hash}"));

    folder.write("state", "busy");
    folder
        .run(&["plan", "a.runbook"])
        .code(0)
        .out(": does not hold now, so the change would be refused")
        .out("now: 2 refused by a guard")
        .out("now: 1 refused by a guard");

    std::fs::remove_file(folder.path("state")).unwrap();
    let output = folder.run(&["plan", "a.runbook"]);
    output.code(3).out(": could not be looked at: ").out("1 of them not measured");
    let output = folder.run(&["plan", "a.runbook", "--format", "json"]);
    let plan: serde_json::Value = serde_json::from_str(&output.code(3).stdout).unwrap();
    assert_eq!(plan["looked"]["guards"][0]["outcome"], "not_measured");
    assert_eq!(plan["changes"][0]["guarded_now"], 2);
    assert!(!folder.path("purged-a").exists() && !folder.path("purged-last").exists());

    folder.write("state", "idle");
    folder.write("wanted.json", "[]");
    folder.run(&["plan", "a.runbook"]).code(0).out("now: not at all");
}

#[test]
fn what_stands_below_a_person_is_not_refused_but_reached_only_then() {
    let folder = Folder::with(
        "runbook \"Care\" { edition 1 }\n\
         tool state() -> string = argv(\"cat\", \"state\")\n\
         tool purge(id: string) changes = argv(\"touch\", \"purged-{id}\")\n\
         section \"Care\" {\n  step \"Stop\" {\n    manual \"stop the queue\"\n    \
         require state() == \"idle\" as \"nobody works\"\n    change purge(\"a\")\n  }\n  \
         step \"Other\" {\n    require state() == \"idle\" as \"still nobody works\"\n    change purge(\"b\")\n  }\n}\n",
    );
    folder.write("state", "busy");
    let plan = folder.run(&["plan", "a.runbook"]);
    plan.code(0)
        .out("    after a person does: stop the queue\n    guard: nobody works: ")
        .out(": does not hold now, and is asked when a person has done that, read again right before the call")
        .out("    now: 1 reached only when a person has done that\n")
        .out(": does not hold now, so the change would be refused")
        .out("    now: 1 refused by a guard\n");
    folder.write("state", "idle");
    let plan = folder.run(&["plan", "a.runbook"]);
    plan.code(0).out("now: 1 reached only when a person has done that").lacks("refused");
    folder.run(&["plan", "--offline", "a.runbook"]).code(0).out("after a person does: stop the queue");
}

#[test]
fn a_guard_in_a_block_says_whether_it_was_asked() {
    let text = |reached: bool| {
        format!(
            "tool state() -> string = argv(\"cat\", \"state\")\n\
             tool purge() changes = argv(\"touch\", \"purged\")\n\
             section \"Care\" {{\n  if state() {} \"busy\" {{\n    require state() == \"idle\" as \"nobody works\"\n  }}\n  \
             change purge()\n}}\n",
            if reached { "==" } else { "!=" }
        )
    };
    let folder = Folder::with(text(true));
    folder.write("state", "busy");
    let guard = "guard: nobody works (where its block is reached): ";
    folder.run(&["plan", "a.runbook"]).code(0).out(guard).out(": does not hold now, so the change would be refused");
    folder.write("a.runbook", text(false));
    folder.run(&["plan", "a.runbook"]).code(0).out(guard).out(": not asked now, read again").lacks("refused");
}

#[test]
fn a_condition_or_a_list_that_could_not_be_had_is_not_known_and_not_none() {
    let text = |what: &str| {
        format!(
            "tool state() -> string = argv(\"cat\", \"state\")\ntool names() -> list<string> = argv(\"cat\", \"gone\")\n\
             tool purge() changes = argv(\"touch\", \"purged\")\n\
             section \"Care\" {{\n  step \"Step\" {{\n    require state() == \"idle\" as \"nobody works\"\n    {what}\n  }}\n}}\n"
        )
    };
    let folder = Folder::new();
    for what in [
        "if names() | any(it == \"a\") {\n      change purge()\n    }",
        "for name in names() at most 3 {\n      if name == \"a\" {\n        change purge()\n      }\n    }",
    ] {
        folder.write("a.runbook", text(what));
        for state in ["busy", "idle"] {
            folder.write("state", state);
            let plan = folder.run(&["plan", "a.runbook"]);
            plan.code(3).out("    now: not known: `cat` ").lacks("refused by a guard");
        }
    }
}

#[test]
fn what_is_needed_is_an_item_a_line_where_the_terminal_has_no_room() {
    let text = "connect api = http(\"https://api.example.com\")\n\
        connect cluster = kubernetes(namespace: \"shop\")\n\
        section \"Look\" {\n  check api.answers(\"/\") as \"answers\"\n  check cluster.pods() | all(.ready) as \"pods\"\n  \
        check cluster.nodes() | all(.ready) as \"nodes\"\n  check cluster.deployments() | all(.healthy) as \"well\"\n}\n";
    let folder = Folder::with(text);
    folder.run(&["plan", "--offline", "a.runbook"]).code(0).out("NEEDS      http: ");
    let plan = folder.run_on_terminal(&["plan", "--offline", "a.runbook"], &[]);
    assert!(plan.stdout.contains("NEEDS\u{1b}[0m\r\n    http: the server's HTTP port\r\n    kubernetes: "), "{plan:?}");
}

#[test]
fn changes_on_one_line_are_counted_apart_and_what_one_would_give_is_no_failure_to_look() {
    let text = "tool t(x: string) -> data changes = argv(\"true\", x, output: \"json\")\n\
        section \"S\" {\n  if 1 < 2 { change t(\"many\") } else { change t(\"few\") }\n  \
        change given = t(\"last\")\n  show given\n}\n";
    let folder = Folder::with(text);
    let plan = folder.run(&["plan", "a.runbook"]);
    plan.code(0).out("now: 1 to agree to").out("now: not at all");
}

/// Who agrees sees with what a command is called; each call has counts and guards of its own.
#[test]
fn a_command_is_listed_once_for_each_call_with_what_it_is_given() {
    let text = "param many: list<string> = [\"u\"]\n\
        tool one(x: string) changes = argv(\"true\", x)\n\
        command roll(env: string, size: int) changes {\n  require size < 3 as \"{env} is small\"\n  change one(env)\n}\n\
        command outer(env: string, hosts: list<string>) changes {\n  \
        for host in hosts at most 3 {\n    do roll(\"{env}-{host}\", 2)\n  }\n}\n\
        section \"A\" { do roll(\"small\", 1) do roll(\"large\", 5) }\n\
        section \"B\" {\n  let hosts = [\"p\", \"q\"]\n  do outer(\"prod\", hosts)\n}\n\
        section \"C\" { if 1 > 2 { do roll(\"never\", 1) } }\n\
        section \"D\" { for x in many { change one(x) } }\n";
    let folder = Folder::with(text);
    let plan = folder.run(&["plan", "a.runbook", "--set", "many=v,w"]);
    plan.code(0)
        .out("    with env = \"small\"\n    with size = 1\n    do roll(\"small\", 1)\n    guard: \"{env} is small\": size < 3: holds now, ")
        .out("    do roll(\"large\", 5)\n    guard: \"{env} is small\": size < 3: does not hold now, so the change would be refused")
        .out("    now: 1 refused by a guard\n")
        .out("    with env = \"prod-{host}\"\n    with hosts = [\"p\", \"q\"]\n    with size = 2\n    do outer(\"prod\", hosts)\n    \
              for each host in hosts (2 items)\n    do roll(\"prod-{host}\", 2)\n")
        .out("    now: 2 to agree to\n")
        .out("    if 1 > 2\n    do roll(\"never\", 1)\n    guard: \"{env} is small\": size < 3: not asked")
        .out("    now: not at all\n")
        .out("    for each x in many (2 items)\n");
    let json = folder.run(&["plan", "a.runbook", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&json.code(0).stdout).unwrap();
    let ready: Vec<_> = (0..5).map(|index| json["changes"][index]["ready_now"].as_u64()).collect();
    assert_eq!(ready, [Some(1), Some(0), Some(2), None, Some(1)]);
    let run = folder.run(&["run", "a.runbook"]);
    run.code(5)
        .out("   1  one(env)   a.runbook:5\n      do roll(\"small\", 1)\n")
        .out("      with env = \"large\"\n      with size = 5\n")
        .out("      for each x in many (1 item)\n");
    // What it is called with is what is agreed to.
    let hash = folder.hash();
    folder.write("a.runbook", text.replace("\"small\", 1", "\"tiny\", 1"));
    assert_ne!(hash, folder.hash());
}

#[test]
fn a_plan_says_what_is_waited_for_and_waits_for_nothing() {
    let text = "tool purge() changes = argv(\"touch\", \"purged\")\n\
        section \"Care\" {\n  wait until host.file(\"free\").exists every 1s within 1h\n  \
        step \"Purge\" {\n    require host.file(\"free\").exists as \"free\"\n    change purge()\n  }\n  \
        step \"Later\" {\n    if 1 > 2 { wait until 1 < 2 every 1s within 2m }\n    change purge()\n  }\n}\n";
    let folder = Folder::with(text);
    let waits = "waits until host.file(path: \"free\").exists, for up to 1h";
    for args in [vec!["plan", "a.runbook"], vec!["plan", "a.runbook", "--only", "Purge"]] {
        let plan = folder.run(&args);
        plan.code(0)
            .out(&format!("    {waits}: is not so now\n"))
            .out(": does not hold now, and is asked when that has come true")
            .out("    now: 1 reached only when that has come true\n")
            .out("WAITS UNTIL   host.file(path: \"free\").exists, for up to 1h\n")
            .lacks("refused");
    }
    folder
        .run(&["plan", "a.runbook"])
        .out("    waits until 1 < 2 (where its block is reached), for up to 2m: not looked at now\n");
    folder.write("free", "");
    folder.run(&["plan", "a.runbook"]).code(0).out(&format!("{waits}: is so now\n")).lacks("reached only");
    folder.run(&["plan", "a.runbook", "--offline"]).code(0).out(&format!("    {waits}\n"));
}

const LEADS: &str = "connect api = http(\"http://127.0.0.1:9\")\n\
    tool purge() -> int changes = argv(\"echo\", \"0\")\n\
    section \"Care\" {\n  change api.delete(\"/old\")\n}\n\
    section \"Sum\" {\n  change n = purge()\n  check n == 0 as \"none is left\"\n}\n";

#[test]
fn a_plan_says_where_a_change_leads_also_where_nothing_is_read_there() {
    let folder = Folder::with(LEADS);
    let plan = folder.run(&["plan", "a.runbook"]);
    plan.code(0).out("on api = http(").out("  now http://127.0.0.1:9").out("over 1 connection,");
    // What a change gives is for the run, and nothing that could not be looked at.
    plan.lacks("not measured").out("1 check asks for what a change gives: that is known in the run");
    let json: serde_json::Value =
        serde_json::from_str(&folder.run(&["plan", "a.runbook", "--format", "json"]).code(0).stdout).unwrap();
    assert!(json["looked"]["connections"]["api"]["target"].as_str().unwrap().contains("127.0.0.1:9"), "{json}");
    assert_eq!(json["looked"]["after_changes"], 1, "{json}");
    // And so does the list that is agreed to, with a consent for that system alone.
    folder.run(&["run", "a.runbook"]).code(5).out("   → http://127.0.0.1:9").out("@");
}

#[test]
fn a_plan_says_what_it_could_not_look_at_and_why() {
    let text = "tool state() -> string = argv(\"cat\", \"state\")\n\
        section \"A\" {\n  check state() == \"idle\" as \"nobody works\"\n  change purge()\n}\n\
        tool purge() changes = argv(\"true\")\n";
    let folder = Folder::with(text);
    let plan = folder.run(&["plan", "a.runbook"]);
    plan.code(3).out("1 of them not measured").out("COULD NOT LOOK").out("nobody works   a.runbook:").out("`cat`");
}

#[test]
fn a_plan_says_that_a_list_is_longer_than_it_may_be_or_that_a_loop_that_checks_has_no_items() {
    let text = "tool names() -> list<line> = argv(\"printf\", \"a\\nb\\n\", output: \"lines\")\n\
        tool keep(n: string) changes = argv(\"true\", n)\n\
        section \"Most\" {\n  for n in names() | where(.text != \"\") at most 1 { change keep(n.text) }\n}\n";
    let folder = Folder::with(text);
    let said = "    now: refused where the list is longer than it may be: it has 2 items, more than 1\n";
    folder.run(&["plan", "a.runbook"]).code(0).out(said).lacks("could not be had");
    let json: serde_json::Value =
        serde_json::from_str(&folder.run(&["plan", "a.runbook", "--format", "json"]).code(0).stdout).unwrap();
    assert_eq!(json["changes"][0]["too_many_now"], 2, "{json}");
    let none = "section \"None\" {\n  for n in names() | where(.text == \"nix\") at most 1 {\n    change keep(n.text)\n    \
        check n.text == \"x\" as \"x\"\n  }\n}\n";
    folder.write("a.runbook", format!("{text}{none}"));
    // A run does not know, either, whether that is well.
    folder
        .run(&["plan", "a.runbook", "--only", "None"])
        .code(3)
        .out("    now: not known: `for` over nothing: there are no items in `names() | where(.text == \"nix\")`\n")
        .out("COULD NOT LOOK\n    for n in names()");
}

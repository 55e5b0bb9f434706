//! `runbook explain`, `doc`, `completions`, `man`

use crate::program::Folder;

#[test]
fn every_diagnostic_that_is_listed_has_a_page() {
    let folder = Folder::new();
    let list = folder.run(&["explain"]);
    let codes: Vec<&str> = list.code(0).stdout.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert!(codes.contains(&"unit-mismatch"));
    folder.run(&["explain", "unit-mismatch"]).code(0).out("# unit-mismatch").out("```runbook");
    folder.run(&["explain", "unit-mismach"]).code(1).no_out().err("did you mean `runbook explain unit-mismatch`?");
    folder.run(&["explain", "zzz"]).code(1).err("`runbook explain` lists them all");
}

#[test]
fn built_ins_say_their_signature_effect_and_fields() {
    let folder = Folder::new();
    folder.run(&["doc"]).code(0).out("host.disks").out("count ").out("http.get");
    folder
        .run(&["doc", "host.disks"])
        .code(0)
        .out("host.disks() -> list<disk>")
        .out("- effect: reads")
        .out("- by hand: `df")
        .out("`.mount` (string)");
    folder.run(&["doc", "disk"]).code(0).out("`.used_share` (percent)");
    folder.run(&["doc", "host"]).code(0).out("host.memory");
    folder.run(&["doc", "units"]).code(0).out("`GiB`: size");
    folder.run(&["doc", "host.disc"]).code(1).err("did you mean `runbook doc host.dis");
    folder.run(&["doc", "disc"]).code(1).err("did you mean");
}

#[test]
fn what_a_change_gives_is_documented() {
    let folder = Folder::new();
    folder.run(&["doc", "kubernetes.scale"]).code(0).out("- `.previous` (int): How many pods it wanted before");
    for name in ["scaled", "rollout", "rolled_back"] {
        folder.run(&["doc", name]).code(0).out("Fields of");
    }
}

#[test]
fn the_whole_reference_is_one_document() {
    let output = Folder::new().run(&["doc", "--format", "markdown"]);
    output.code(0).out("# Reference").out("### host.disks").out("## drivers").out("### http");
}

#[test]
fn shells_and_man_get_what_they_need() {
    let folder = Folder::new();
    for shell in ["bash", "zsh", "fish"] {
        folder.run(&["completions", shell]).code(0).out("runbook");
    }
    folder.run(&["man"]).code(0).out(".TH runbook");
    folder.run(&["man", "pages"]).code(0);
    assert!(folder.path("pages/runbook-check.1").exists());
}

#[test]
fn whoever_asks_by_the_name_of_a_program_is_led_to_what_takes_its_place() {
    let folder = Folder::new();
    for (name, leads_to) in [
        ("df", "`runbook doc host.disks` or `runbook doc host.disk`"),
        ("grep", "`runbook doc where`"),
        ("map", "`runbook doc each`"),
        ("systemctl", "`runbook doc host.unit`"),
        ("unit-missing", "`runbook explain unit-missing`"),
        ("timeout", "`runbook doc errors`"),
    ] {
        folder.run(&["doc", name]).code(1).err(leads_to);
    }
    folder.run(&["doc", "retry"]).code(0).out("A word of the language").out("- `retry 3 every 5s { … }`");
    folder.run(&["doc", "errors"]).code(0).out("- `timeout`: no answer in time");
    folder.run(&["explain", "timeout"]).code(1).err("`runbook doc errors`");
    folder.run(&["explain", "unit-mismatch"]).code(0).lacks("```runbook fixed");
}

#[test]
fn what_is_known_elsewhere_leads_to_something_that_is_here() {
    let catalog = runbook::builtins::catalog();
    for word in ["filter", "map", "len", "head", "uniq", "avg", "jq", "sort_by"] {
        let here = runbook::catalog::elsewhere::name_of(word).unwrap_or_else(|| panic!("{word}"));
        assert!(catalog.builtin(here).is_some(), "{word} leads to {here}");
    }
}

#[test]
fn where_things_are_kept_is_said_alike_wherever_it_can_be_chosen() {
    let folder = Folder::new();
    for verb in ["run", "serve", "history", "incidents"] {
        let help = folder.run(&[verb, "--help"]).code(0).stdout.split_whitespace().collect::<Vec<_>>().join(" ");
        for said in ["The folder in which runs, alerts and messages are kept", "`~/.local/state/runbook`"] {
            assert!(help.contains(said), "{verb}: {help}");
        }
    }
}

#[test]
fn a_default_is_said_as_it_is_written() {
    let output = Folder::new().run(&["doc", "http"]);
    output.code(0).out("insecure: bool = false").out("proxy: string = \"env\"").out("reads: list<string> = [],");
    output.out("within: duration = 10s").out("at_most: size = 1MiB");
    Folder::new().run(&["doc", "--format", "markdown"]).code(0).lacks(" = no").lacks(" = yes");
}

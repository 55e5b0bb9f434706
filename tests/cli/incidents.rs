//! `runbook incidents`: what is open, as it is now, and what is silenced

use crate::program::Folder;
use crate::serving::{Sink, until};

fn runbook(sink: u16, zone: &str) -> String {
    format!(
        r#"runbook "Sizes" {{
  edition 1
  timezone "{zone}"
}}

secret hook = file("hook")

channel bot = webhook("http://127.0.0.1:{sink}/bot")
channel people = slack(webhook: hook)

param limit: size = 1B

metric size: size = host.file("log").size

threshold "Large" critical {{
  when size > limit
  notify bot, people
}}

threshold "Odd" warning {{
  notify bot
}}

escalation ops {{
  level 1 "Engineer" {{
    notify bot
  }}
}}

section "Look" {{
  measure size
  check 1 > 2 as "numbers hold" else raise "Odd"
}}
"#
    )
}

/// With an incident and two alerts.
fn open(zone: &str) -> (Folder, Sink) {
    let sink = Sink::new();
    let folder = Folder::with(runbook(sink.port, zone));
    folder.write("hook", format!("http://127.0.0.1:{}/people", sink.port));
    folder.write("log", "22");
    folder.run(&["run", "a.runbook"]).code(0);
    (folder, sink)
}

#[test]
fn an_incident_says_what_is_the_matter_now() {
    let (folder, sink) = open("UTC");
    until("it is told", || !sink.occasions("Large").is_empty());
    folder.write("log", "55555");
    folder.run(&["run", "a.runbook"]);
    let incidents = folder.run(&["incidents"]);
    assert_eq!(incidents.code(0).stdout.matches("size is 5B").count(), 2, "{}", incidents.stdout);
    incidents.lacks("size is 2B");
}

#[test]
fn a_number_that_no_incident_has_is_said() {
    let (folder, _sink) = open("UTC");
    folder.run(&["incidents", "1"]).code(0).out("incident #1 Large").out("size is 2B (> 1B)").lacks("alert #2");
    // An alert has the second one.
    for number in ["2", "77"] {
        let output = folder.run(&["incidents", number]);
        output.code(1).no_out().err(&format!("there is no incident {number}"));
        output.err("incident #1 of `Sizes`").err("alert #2 of `Sizes`");
    }
    folder.run(&["incidents", "--runbook", "Sizes"]).code(0).out("incident #1");
    folder.run(&["incidents", "--runbook", "Size"]).code(1).err("nothing is kept of a runbook `Size`").err("Sizes");
    Folder::new().run(&["incidents", "1"]).code(1).err("there is no incident 1").err("nothing is kept");
}

#[test]
fn times_are_in_the_zone_of_the_runbook() {
    let (folder, _sink) = open("Asia/Kolkata");
    folder.run(&["incidents"]).code(0).out(" IST").lacks(" UTC");
}

#[test]
fn silences_are_shown_until_they_end_and_what_they_are_of_is_marked() {
    let (folder, _sink) = open("Asia/Kolkata");
    let silence = ["silence", "a.runbook", "--by", "Ann", "--for", "3d", "--why", "moving house", "--threshold", "Odd"];
    folder.run(&silence).code(0).out("silence #1: Ann silences it until");
    let shown = folder.run(&["incidents"]);
    shown.code(0).out("silence #1 of \"Odd\"").out("moving house").out(", by Ann");
    let line = |what: &str| shown.stdout.lines().find(|line| line.contains(what)).unwrap().to_owned();
    // In three days: with its date.
    assert!(line("by Ann").trim().starts_with("until 20"), "{}", shown.stdout);
    let marks = shown.stdout.matches(", silence #1 until 20").count();
    assert_eq!(marks, 1, "the alert of the other threshold is not silenced: {}", shown.stdout);
    folder.run(&["silence", "a.runbook", "--end", "1"]).code(0);
    folder.run(&["incidents"]).code(0).lacks("silence");
}

#[test]
fn whoever_answers_without_a_channels_secret_is_heard_and_others_tell_there() {
    let (folder, sink) = open("UTC");
    until("it is told", || !sink.occasions("Large").is_empty());
    let hook = std::fs::read_to_string(folder.path("hook")).unwrap();
    std::fs::remove_file(folder.path("hook")).unwrap();
    let ack = folder.run(&["ack", "a.runbook", "1", "--by", "ann"]);
    ack.code(3).out("incident #1: ann takes it on").err("so nobody is told there by this command");
    ack.err("messages wait that could not be told");
    assert!(sink.occasions("Large").contains(&"acknowledged".to_owned()), "{:?}", sink.occasions("Large"));
    folder.run(&["incidents"]).code(0).out("people");
    // A run is refused as long as pages would reach nobody there.
    folder.run(&["run", "a.runbook"]).code(1).err("nobody would be told there: nothing was run");
    folder.write("hook", hook);
    folder.run(&["ack", "a.runbook", "1", "--by", "ann"]).code(0).err("told people: Large (acknowledged)");
}

#[test]
fn an_alert_without_an_incident_has_a_story_too() {
    let (folder, _sink) = open("UTC");
    // What is looked at side by side is numbered as it comes.
    let odd = if folder.run(&["incidents"]).stdout.contains("alert #2 Odd") { [2, 1] } else { [1, 2] };
    let [odd, large] = odd.map(|number| format!("alert/{number}"));
    let story = folder.run(&["incidents", &odd]);
    story.code(0).out(" Odd (warning)").out("alert \"Odd\" (warning) opens").out("→ bot: Odd (opened): told");
    story.lacks("Large");
    folder.run(&["incidents", &large]).code(0).out("goes on as incident #1").lacks("Odd");
    folder.run(&["incidents", "alert/9"]).code(1).err("there is no alert 9").err("alert #2 of `Sizes`");
    folder.run(&["incidents", "two"]).code(1).err("alert/12");
}

#[test]
fn a_silence_of_a_label_that_no_alert_has_is_refused() {
    let (folder, _sink) = open("UTC");
    let silence = ["silence", "a.runbook", "--for", "3d", "--why", "moving house", "--label", "hst=c", "--threshold"];
    let refused = folder.run(&[&silence[..], &["Large"]].concat());
    refused.code(1).err("no alert of \"Large\" has a label `hst`").err("leave `--label` out");
    // A check may stand in a loop, whose item is a label.
    folder.run(&[&silence[..], &["Odd"]].concat()).code(0).out("silences it");
}

#[test]
fn who_takes_an_incident_on_twice_is_heard_once() {
    let (folder, sink) = open("UTC");
    until("it is told", || !sink.occasions("Large").is_empty());
    for _ in 0..2 {
        folder.run(&["ack", "a.runbook", "1", "--by", "Ann"]).code(0);
    }
    let told = sink.occasions("Large").iter().filter(|occasion| *occasion == "acknowledged").count();
    assert_eq!(told, 1, "{:?}", sink.occasions("Large"));
    folder.run(&["ack", "a.runbook", "1", "--by", "Ben"]).code(0).out("Ben takes it on");
}

//! `runbook diff`: what holds nobody back, what hangs on an edit, and what recorded samples cannot say.

use crate::program::{Folder, Output};

const BASE: &str = r#"runbook "Shop" { edition 1 }
param dry: bool = true
secret key = env("KEY")
connect shop = http("https://shop.example.com")
channel pager = pagerduty(key: key)
metric lat: duration every 1m = shop.get("/health").timing.total
threshold "Lat" critical {
  when lat > 2s for 5m
  until lat < 1s
  notify pager
}
section "Mix" {
  require shop.answers("/health") as "up"
  change shop.post("/one") as "one" within 1m
  change shop.post("/two") as "two" within 1m verify shop.answers("/two")
}
"#;

fn diff(old: &str, new: &str) -> Output {
    let folder = Folder::new();
    folder.write("old.runbook", old);
    folder.write("new.runbook", new);
    folder.run(&["diff", "old.runbook", "new.runbook"])
}

#[track_caller]
fn edited(from: &str, to: &str) -> Output {
    assert_eq!(BASE.matches(from).count(), 1, "`{from}` is there once");
    let output = diff(BASE, &BASE.replace(from, to));
    output.code(2);
    output
}

#[test]
fn what_always_holds_is_not_safer() {
    let one = "as \"one\" within 1m";
    for always in
        ["true", "shop.answers(\"/\") or true", "1 < 2", "not false", "shop.answers(\"/\") == shop.answers(\"/\")"]
    {
        edited(one, &format!("{one} verify {always}")).lacks("🟢").out("verify now:").out("1 new warning");
        edited("verify shop.answers(\"/two\")", &format!("verify {always}")).out("dangerous");
        let output = edited(
            "  change shop.post(\"/one\")",
            &format!("  require {always} as \"extra\"\n  change shop.post(\"/one\")"),
        );
        output.lacks("🟢").lacks("🔴").out("new, and holds whatever is found").out("⚠ always-holds");
    }
    let named = edited("  require shop", "  let fine = 1 < 2\n  require fine as \"extra\"\n  require shop");
    named.lacks("🟢").out("new, and holds whatever is found");
    edited(one, &format!("{one} verify shop.answers(\"/one\")")).out("🟢 1 safer");
    // What somebody sets may be otherwise.
    edited(one, &format!("{one} verify dry")).out("verify now:").lacks("always-holds");
    let guarded =
        BASE.replace("  change shop.post(\"/one\")", "  require true as \"extra\"\n  change shop.post(\"/one\")");
    diff(&guarded, BASE).code(2).lacks("🔴").out("gone: it held whatever was found");
}

#[test]
fn less_time_for_a_change_is_not_safer() {
    let one = "as \"one\" within 1m";
    edited(one, "as \"one\" within 30s").lacks("🟢").lacks("🔴").out("ends as unknown");
    edited(one, "as \"one\" within 1ms").out("🔴 1 dangerous").out("hardly anything is done so soon");
    edited(one, "as \"one\" within 2m").out("🔴 1 dangerous").lacks("unknown");
    edited(one, "as \"one\"").out("🔴 1 dangerous");
}

#[test]
fn a_constant_is_looked_at_where_it_stands_behind_a_name_or_a_command() {
    let old = format!(
        "{BASE}command least() -> size {{\n  let low = 1GiB\n  return low\n}}\ncommand full() -> percent {{\n  return 90%\n}}\n\
         section \"Held\" {{\n  step \"a\" {{\n    let most = 5\n    if host.load().one < most {{ change shop.post(\"/three\") within 1m }}\n  }}\n\
         \x20 step \"b\" {{\n    let most = 7\n    if host.load().one < most {{ change shop.post(\"/four\") within 1m }}\n  }}\n\
         \x20 step \"c\" {{\n    let limit = 1m\n    require host.memory().available > least() as \"room\"\n    change shop.post(\"/five\") within limit\n  }}\n\
         \x20 check host.disks() | all(.used_share < full()) as \"disks\"\n}}\n"
    );
    for (from, to, says, others) in [
        ("most = 5", "most = 500", "more dangerous", "/four"),
        ("most = 7", "most = 700", "more dangerous", "/three"),
        ("limit = 1m", "limit = 1h", "more dangerous", "/three"),
        ("low = 1GiB", "low = 1KiB", "more dangerous", "/three"),
        ("return 90%", "return 95%", "check \"disks\" in section \"Held\": weaker", "/three"),
        ("return 90%", "return 85%", "check \"disks\" in section \"Held\": stricter", "/three"),
    ] {
        assert_eq!(old.matches(from).count(), 1, "`{from}` is there once");
        diff(&old, &old.replace(from, to)).out(says).lacks(&format!("change shop.post(\"{others}\")"));
    }
    diff(&old, &old.replace("most = 5", "most = 3")).code(2).lacks("dangerous");
}

#[test]
fn a_headline_says_what_is_less() {
    edited("until lat < 1s", "until lat < 1500ms").out("(critical): loosened: closes sooner");
    edited("critical {", "warning {").out("(warning): loosened: weighs less");
    edited("for 5m", "for 9m").out("(critical): loosened: opens later or more rarely");
    edited("lat > 2s for 5m\n  until lat < 1s", "lat > 3s for 5m\n  until lat < 2s")
        .out("(critical): loosened: opens later or more rarely, closes sooner");
}

const LIBRARY: &str = r#"library "Care" { edition 1 }
## How many lines are errors.
command errors(path: string) -> percent { return logs(file: path) | share(.text ~ /error|fatal/i) }
"#;

#[test]
fn an_edit_of_a_library_is_one_finding_and_says_who_measures_by_it() {
    let folder = Folder::new();
    let header = "secret key = env(\"KEY\")\nchannel pager = pagerduty(key: key)\n";
    for (side, library) in [("old", LIBRARY.to_owned()), ("new", LIBRARY.replace("error|fatal", "\\berror\\b|fatal"))] {
        folder.write(&format!("{side}/care.runbook"), library);
        folder.write(
            &format!("{side}/alerts.runbook"),
            format!("runbook \"Alerts\" {{ edition 1 }}\nuse \"care\" as care\n{header}metric errors: percent every 1m = care.errors(\"/a\")\nthreshold \"Errors\" critical {{ when errors > 5% notify pager }}\n"),
        );
        folder.write(
            &format!("{side}/shop.runbook"),
            "runbook \"Shop\" { edition 1 }\nuse \"care\" as care\nsection \"Night\" { let share = care.errors(\"/a\") check share < 5% as \"few errors\" }\n",
        );
    }
    let output = folder.run(&["diff", "old", "new"]);
    output.code(2).out("🟡 1 changed").out("BLINDNESS\n🟡 command care.errors: changed   care.runbook:3");
    output.out(
        "in alerts.runbook: metrics that measure by it: errors; thresholds that hang on it: \"Errors\" (critical)",
    );
    output.out("in shop.runbook: checks that hang on it: check \"few errors\" in section \"Night\"");
}

#[test]
fn samples_of_another_metric_say_nothing_of_this_one() {
    let folder = Folder::new();
    let sample = |at: u32, value: f32| {
        format!(
            r#"{{"record":"sample","runbook":"Shop","metric":"lat","labels":[],"at":"2026-11-01T00:{at:02}:00Z","value":{value},"why":null}}"#
        )
    };
    let samples: Vec<String> = (0..10).map(|at| sample(at, 4.5)).collect();
    folder.write("h.jsonl", format!("{{\"record\":\"ledger\",\"version\":1}}\n{}\n", samples.join("\n")));
    folder.write("old.runbook", BASE);
    folder.write("new.runbook", BASE.replace("lat > 2s", "lat > 5s"));
    let args = ["diff", "old.runbook", "new.runbook", "--history", "h.jsonl"];
    folder
        .run(&args)
        .code(2)
        .out("10 samples, 0 not measured; 1 alerts before, 0 now")
        .out("alerts in the history before: 1");
    folder.write("new.runbook", BASE.replace("lat > 2s", "lat > 1s").replace("timing.total", "timing.total * 0"));
    let output = folder.run(&args);
    output
        .code(2)
        .out("1 alerts before; how many now, nobody can say")
        .out("(lat)")
        .lacks("alerts in ")
        .lacks(" now\n");
}

//! `runbook serve`, `incidents`, `ack`

use std::collections::BTreeSet;
use std::time::Duration;

use runbook::store::ledger::{Ledger, OutgoingState};
use rustix::process::{Pid, Signal, kill_process};

use crate::program::{Folder, finish};
use crate::serving::{Notified, Sink, free_port, get, post, terminate, until, until_long};

fn runbook(sink: u16) -> String {
    format!(
        r#"runbook "Live" {{
  edition 1
}}

secret hook = file("hook")

channel bot = webhook("http://127.0.0.1:{sink}/bot")
channel people = slack(webhook: hook)

metric age: duration every 1s = host.file("hook").age
metric there: bool every 1s = host.file("there").exists

threshold "Missing" critical {{
  when not there
  notify bot, people
}}

escalation ops {{
  level 1 "Engineer" {{
    respond within 1s
    escalate after 3s unless acknowledged
    notify bot
  }}
  level 2 "Chief" {{
    notify bot
  }}
}}

section "Look" every 1s {{
  check 1 < 2 as "numbers hold"
}}
"#
    )
}

fn folder(sink: &Sink) -> Folder {
    let folder = Folder::with(runbook(sink.port));
    folder.write("hook", format!("http://127.0.0.1:{}/people", sink.port));
    folder
}

#[test]
fn a_server_runs_samples_pages_climbs_and_is_answered_by_a_link() {
    let sink = Sink::new();
    let folder = folder(&sink);
    let port = free_port();
    let (listen, url) = (format!("127.0.0.1:{port}"), format!("http://127.0.0.1:{port}"));
    let server = folder.command(&["serve", "a.runbook", "--listen", &listen, "--public-url", &url]).spawn().unwrap();
    until("level 2 is told", || sink.occasions("Missing").contains(&"escalated".to_owned()));
    assert!(get(port, "/healthz").ends_with("ok\n"));
    assert!(get(port, "/readyz").ends_with("ok\n"));
    let metrics = get(port, "/metrics");
    assert!(metrics.contains("runbook_sample{runbook=\"Live\",metric=\"there\"} 0 "), "{metrics}");
    assert!(metrics.contains("runbook_incidents_open{runbook=\"Live\"} 1\n"), "{metrics}");
    let age = || {
        let metrics = get(port, "/metrics");
        let line = metrics.lines().find(|line| line.contains("metric=\"age\"")).unwrap().to_owned();
        line.split(' ').nth(1).unwrap().parse::<f64>().unwrap()
    };
    let before = age();
    until("a file grows old while the server is up", || age() > before);
    let open = folder.run(&["incidents"]);
    assert!(open.stdout.contains("incident #1 Missing") && open.stdout.contains("level 2 Chief"), "{}", open.stdout);

    let link = sink.link().strip_prefix(&url).unwrap().to_owned();
    assert!(get(port, &link).contains("I take it on"), "looking at it shows a button");
    assert!(get(port, &link).contains("I take it on"), "and does nothing");
    assert!(post(port, &format!("{link}0"), "by=Mallory").starts_with("HTTP/1.1 403"), "a link that was made up");
    assert!(post(port, &link, "by=Ann").contains("Ann has taken on incident #1"));
    until("the answer is told", || sink.occasions("Missing").contains(&"acknowledged".to_owned()));

    folder.write("there", "");
    until("the end is told", || sink.occasions("Missing").contains(&"closed".to_owned()));
    let history = folder.run(&["history"]).code(0).stdout.clone();
    assert!(history.lines().count() > 2, "a section that is due every second has run: {history}");
    terminate(&server);
    let ended = finish(server);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let occasions = sink.occasions("Missing");
    for once in ["opened", "escalated", "acknowledged", "closed"] {
        assert_eq!(occasions.iter().filter(|occasion| *occasion == once).count(), 1, "{occasions:?}");
    }
}

#[test]
fn an_edit_is_taken_into_use_if_it_is_valid_and_said_where_it_is_not() {
    let sink = Sink::new();
    let folder = folder(&sink);
    let server = folder.command(&["serve", "a.runbook", "--no-listen"]).spawn().unwrap();
    until("it runs", || folder.path("state/runs").is_dir());
    folder.write("a.runbook", runbook(sink.port).replace("1 < 2", "1 <"));
    std::thread::sleep(Duration::from_secs(2));
    folder.write("a.runbook", runbook(sink.port).replace("numbers hold", "numbers still hold"));
    until("the edit is in use", || folder.journals().contains("numbers still hold"));
    terminate(&server);
    let ended = finish(server);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    for said in ["is not valid: what was served before is served on", "was edited, and is served as it is now"] {
        assert!(ended.stderr.contains(said), "{}", ended.stderr);
    }
}

#[test]
fn a_server_that_cannot_begin_says_why() {
    let folder = Folder::with(runbook(1).replace("1 < 2", "1 <"));
    let refused = folder.run(&["serve", "a.runbook", "--no-listen"]);
    assert_eq!(refused.code, 1);
    assert!(refused.stderr.contains("has the mistakes above"), "{}", refused.stderr);
}

#[test]
fn signs_of_life_are_given_only_while_it_works() {
    let (sink, beats) = (Sink::new(), Sink::new());
    let folder = folder(&sink);
    let port = free_port();
    let (listen, url) = (format!("127.0.0.1:{port}"), format!("http://127.0.0.1:{}/beat", beats.port));
    let systemd = Notified::at(&folder.path("notify"));
    let args = ["serve", "a.runbook", "--listen", &listen, "--heartbeat", &url, "--heartbeat-every", "1s"];
    let mut command = folder.command(&args);
    command.env("NOTIFY_SOCKET", folder.path("notify")).env("WATCHDOG_USEC", "3000000");
    let server = command.spawn().unwrap();
    let told = || systemd.told();
    assert_eq!(told(), "READY=1");
    assert_eq!(told(), "WATCHDOG=1");
    let count = || beats.heard.lock().unwrap().len();
    until("it beats", || count() >= 2);
    assert!(get(port, "/readyz").starts_with("HTTP/1.1 200"));

    // No run can be recorded any more, so none is begun.
    std::fs::rename(folder.path("state/runs"), folder.path("state/away")).unwrap();
    folder.write("state/runs", "no folder");
    until("it is not ready", || get(port, "/readyz").starts_with("HTTP/1.1 503"));
    assert!(get(port, "/readyz").contains("was not begun"));
    std::thread::sleep(Duration::from_secs(1));
    let before = count();
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!(count(), before, "a server that cannot work is silent");

    std::fs::remove_file(folder.path("state/runs")).unwrap();
    std::fs::rename(folder.path("state/away"), folder.path("state/runs")).unwrap();
    until("it beats again", || count() > before);
    terminate(&server);
    let ended = finish(server);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    for said in ["the heartbeat stops: \"Live\": \"Look\" was not begun", "the heartbeat goes on"] {
        assert!(ended.stderr.contains(said), "{}", ended.stderr);
    }
}

#[test]
fn an_interval_that_is_none_is_refused() {
    let folder = Folder::with(runbook(1));
    let refused = folder.run(&["serve", "a.runbook", "--heartbeat", "http://127.0.0.1:1/", "--heartbeat-every", "0s"]);
    assert_eq!(refused.code, 1);
    assert!(refused.stderr.contains("write a duration of a second or more"), "{}", refused.stderr);
}

#[test]
fn the_runbook_that_watches_a_server_keeps_its_promises() {
    let folder = Folder::with(include_str!("../../runbooks/watch.runbook"));
    let tested = folder.run(&["test", "a.runbook", "--coverage"]);
    assert_eq!(tested.code, 0, "{}{}", tested.stdout, tested.stderr);
}

#[test]
fn a_server_that_is_killed_loses_no_page_and_sends_none_under_two_names() {
    const KILLS: usize = 3;
    let sink = Sink::new();
    let folder = folder(&sink);
    let begin = || folder.command(&["serve", "a.runbook", "--no-listen"]).spawn().unwrap();
    let count = |occasion: &str| sink.keys(occasion).len();
    for kill in 1..=KILLS {
        let mut server = begin();
        // The last message is on its way, or has just been told: nothing can be known of what was written down of it.
        until_long("it is opened", || count("opened") >= kill);
        std::thread::sleep(Duration::from_millis(37 * u64::try_from(kill).unwrap()));
        server.kill().unwrap();
        server.wait().unwrap();
        folder.write("there", "");
        let mut server = begin();
        until_long("it is closed", || count("closed") >= kill);
        server.kill().unwrap();
        server.wait().unwrap();
        std::fs::remove_file(folder.path("there")).unwrap();
    }
    folder.write("there", "");
    let begun = || folder.path("state/runs").exists();
    let runs = || if begun() { folder.journals().matches("\"event\":\"run_started\"").count() } else { 0 };
    let before = runs();
    let server = begin();
    // One that has not begun to serve yet would be ended by the signal itself.
    until_long("it serves", || runs() > before);
    let path = folder.path("state/ledger.sqlite");
    let outgoing = || {
        let ledger = Ledger::open_existing(&path).unwrap().unwrap();
        let all = ledger.outgoing(Some("Live"), None).unwrap();
        all.into_iter().filter(|one| one.channel == "bot").collect::<Vec<_>>()
    };
    until_long("all is told", || outgoing().iter().all(|one| !one.state.waits()));
    terminate(&server);
    assert_eq!(finish(server).code, 0);

    let heard: Vec<serde_json::Value> =
        sink.heard.lock().unwrap().iter().filter_map(|body| serde_json::from_str(body).ok()).collect();
    let key = |body: &serde_json::Value| Some(body.get("key")?.as_str()?.to_owned());
    let heard: BTreeSet<String> = heard.iter().filter_map(key).collect();
    let written = outgoing();
    let told = written.iter().filter(|one| one.state == OutgoingState::Told);
    assert!(told.clone().all(|one| heard.contains(&one.key)), "what is written down as told was told");
    let keys: BTreeSet<String> = written.iter().map(|one| one.key.clone()).collect();
    assert!(heard.is_subset(&keys), "nothing was told that nobody wrote down");
    let opened = told.filter(|one| one.body.get("occasion").is_some_and(|occasion| occasion == "opened")).count();
    let kept = folder.run(&["incidents", "--all"]).stdout.matches("incident #").count();
    assert!(opened >= KILLS && kept == opened, "{kept} incidents, {opened} told: each was opened once");
}

#[test]
fn a_server_that_was_suspended_makes_nothing_up_and_does_nothing_twice() {
    let sink = Sink::new();
    let folder = folder(&sink);
    let server = folder.command(&["serve", "a.runbook", "--no-listen"]).spawn().unwrap();
    until("it is opened", || sink.keys("opened").len() == 1);
    let runs = || folder.run(&["history"]).stdout.lines().filter(|line| line.contains("Live")).count();
    until("it runs", || runs() > 0);
    kill_process(Pid::from_child(&server), Signal::STOP).unwrap();
    let before = runs();
    // Longer than its lease, the time of level 1, and a dozen times of its section.
    std::thread::sleep(Duration::from_secs(18));
    kill_process(Pid::from_child(&server), Signal::CONT).unwrap();
    until("level 2 is told", || !sink.keys("escalated").is_empty());
    std::thread::sleep(Duration::from_secs(2));
    let after = runs();
    terminate(&server);
    let ended = finish(server);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    // It depends on the moment whether a run was going on, whose next times are skipped, or none.
    let recorded =
        ended.stderr.lines().filter(|line| line.contains(": missed: ") || line.contains(": skipped: ")).count();
    assert!(recorded >= 12, "each time that was not made is recorded: {}", ended.stderr);
    assert!(after > before && after <= before + 8, "{before} runs, then {after}: what was missed is not made up for");
    let occasions = sink.occasions("Missing");
    for once in ["opened", "escalated"] {
        assert_eq!(occasions.iter().filter(|occasion| *occasion == once).count(), 1, "{occasions:?}");
    }
}

#[test]
fn a_server_that_lost_its_lead_ends_what_it_had_begun() {
    let folder = Folder::with(
        "runbook \"Slow\" { edition 1 }\nsection \"Wait\" every 1s (overlap: \"skip\") {\n  \
         wait until host.file(\"go\").exists every 1s within 5m\n}\n",
    );
    let serve = || folder.command(&["serve", "a.runbook", "--no-listen"]).spawn().unwrap();
    let begun = || folder.journals().lines().filter(|line| line.contains("\"event\":\"run_started\"")).count();
    let over = || folder.journals().lines().filter(|line| line.contains("\"event\":\"run_finished\"")).count();
    let first = serve();
    until("it runs", || folder.path("state/runs").exists() && begun() == 1);
    let second = serve();
    kill_process(Pid::from_child(&first), Signal::STOP).unwrap();
    until_long("the other one takes over", || begun() == 2);
    assert_eq!(over(), 0);
    kill_process(Pid::from_child(&first), Signal::CONT).unwrap();
    until("the first run ends", || over() == 1);
    assert!(folder.journals().contains("another server, which took over"), "{}", folder.journals());
    // What the other one began goes on.
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!((begun(), over()), (2, 1));
    for server in [first, second] {
        terminate(&server);
        let ended = finish(server);
        assert_eq!(ended.code, 0, "{}", ended.stderr);
    }
}

#[test]
fn a_server_that_lost_its_lead_changes_nothing_of_what_it_had_begun() {
    let folder = Folder::with(
        "runbook \"Slow\" { edition 1 }\n\
         tool mark() changes = argv(\"sh\", \"-c\", \"echo made >> made\")\n\
         section \"Wait\" every 1s (overlap: \"skip\") {\n  \
         wait until host.file(\"go\").exists every 100ms within 5m\n  \
         step \"mark\" {\n    change mark()\n    wait until host.file(\"end\").exists every 100ms within 5m\n  }\n}\n",
    );
    let hash = folder.hash();
    let serve = || folder.command(&["serve", "a.runbook", "--no-listen", "--approve", &hash]).spawn().unwrap();
    let begun = || folder.journals().lines().filter(|line| line.contains("\"event\":\"run_started\"")).count();
    let made = || if folder.path("made").exists() { folder.read("made").lines().count() } else { 0 };
    let first = serve();
    until("it runs", || folder.path("state/runs").exists() && begun() == 1);
    kill_process(Pid::from_child(&first), Signal::STOP).unwrap();
    let second = serve();
    until_long("the other one takes over", || begun() == 2);
    folder.write("go", "");
    until("the other one makes the change", || made() == 1);
    // Now both the change of the first one is due and the look by which it finds out.
    kill_process(Pid::from_child(&first), Signal::CONT).unwrap();
    until("the first run ends", || folder.journals().contains("another server, which took over"));
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(made(), 1, "{}", folder.journals());
    folder.write("end", "");
    for server in [first, second] {
        terminate(&server);
        let ended = finish(server);
        assert_eq!(ended.code, 0, "{}", ended.stderr);
    }
}

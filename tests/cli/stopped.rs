//! A signal before anything is begun: the end is that of every command that is stopped, and nothing is left behind.
#![expect(clippy::unwrap_used, reason = "a test ends where something is not as it should be")]

use rustix::process::Signal;

use crate::program::{Folder, finish, signal};
use crate::serving::{silent, until};

const TEXT: &str = "runbook \"Shop\" { edition 1 }\n\
    channel bot = webhook(\"http://127.0.0.1:1/bot\")\n\
    threshold \"Broken\" warning {\n  notify bot\n}\n\
    section \"Look\" {\n  check 1 < 2 as \"numbers hold\" else raise \"Broken\"\n}\n";

/// Starts the program on a store that takes connections and never answers, and sends it a signal once it is asked.
fn stopped(folder: &Folder, args: &[&str], sent: Signal) -> crate::program::Output {
    let (port, kept) = silent();
    let store = format!("postgres://ops@127.0.0.1:{port}/shop?sslmode=disable");
    let child = folder.command(&[args, &["--store", &store]].concat()).spawn().unwrap();
    until("the store is asked", || !kept.lock().unwrap().is_empty());
    let begun = std::time::Instant::now();
    signal(&child, sent);
    let output = finish(child);
    // The store would be given up after 10 s.
    assert!(begun.elapsed().as_secs() < 8, "{:?}", begun.elapsed());
    output
}

#[test]
fn a_run_that_is_stopped_before_it_begins_leaves_no_record() {
    let folder = Folder::with(TEXT);
    for (sent, name) in [(Signal::INT, "SIGINT"), (Signal::TERM, "SIGTERM"), (Signal::HUP, "SIGHUP")] {
        let output = stopped(&folder, &["run", "a.runbook"], sent);
        output.code(130).err(&format!("stopped by {name}: nothing was run"));
        assert_eq!(output.stdout, "");
        assert!(!folder.path("state/runs").exists());
    }
    folder.run(&["history"]).code(0).err("no run");
    // The next one is not kept from its work.
    folder.run(&["run", "a.runbook"]).code(0);
    assert_eq!(folder.journal_paths().len(), 1);
    folder.run(&["audit", "verify"]).code(0);
}

#[test]
fn a_run_whose_channel_cannot_be_opened_leaves_no_record_either() {
    let folder = Folder::with(
        TEXT.replace("\"http://127.0.0.1:1/bot\"", "hook").replace("channel", "secret hook = file(\"hook\")\nchannel"),
    );
    folder.run(&["run", "a.runbook"]).code(1).err("nothing was run");
    assert!(!folder.path("state/runs").exists());
}

#[test]
fn what_people_say_is_not_said_where_they_stop_it() {
    let folder = Folder::with(TEXT);
    for args in [&["ack", "a.runbook", "1"][..], &["close", "a.runbook", "1"], &["escalate", "a.runbook", "1"]] {
        stopped(&folder, args, Signal::INT).code(130).err("stopped by SIGINT: nothing was said");
    }
}

#[test]
fn a_run_that_is_over_is_not_held_up_by_a_channel_where_it_is_stopped_at_once() {
    let (port, kept) = silent();
    let text = TEXT.replace("127.0.0.1:1/", &format!("127.0.0.1:{port}/")).replace("1 < 2", "1 > 2");
    let folder = Folder::with(text);
    let run = folder.command(&["run", "a.runbook"]).spawn().unwrap();
    until("the channel is told", || !kept.lock().unwrap().is_empty());
    // Its last record waits for what becomes of the message.
    until("the run is over", || folder.journals().contains("\"section_finished\""));
    std::thread::sleep(std::time::Duration::from_millis(500));
    let begun = std::time::Instant::now();
    signal(&run, Signal::INT);
    // Two of a kind that come at once are one.
    std::thread::sleep(std::time::Duration::from_millis(500));
    signal(&run, Signal::INT);
    let output = finish(run);
    output.code(3).out(" · exit 3\n").err("stopped at once").err("messages wait that could not be told");
    // The channel would be given up after a minute.
    assert!(begun.elapsed().as_secs() < 8, "{:?}", begun.elapsed());
    folder.run(&["incidents"]).code(0).out("not told: bot of");
}

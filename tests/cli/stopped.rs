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

//! What `runbook serve` says of itself: what it will do, what it has read again, and why it ends.

use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::program::{Folder, PROGRAM, finish};
use crate::serving::{Notified, Sink, terminate, until};

const RUNS: &str = "runbook \"Care\" { edition 1 }\n\
    metric load: float every 1m = host.load().one\n\
    section \"Look\" every 1s { check 1 < 2 as \"numbers hold\" }\n\
    section \"Morning\" daily at 08:00 { check 1 < 2 as \"still\" }\n";

#[test]
fn a_hangup_has_the_files_looked_at_and_ends_nothing() {
    let folder = Folder::with(RUNS);
    let systemd = Notified::at(&folder.path("notify"));
    let mut command = folder.command(&["serve", "a.runbook", "--no-listen"]);
    let server = command.env("NOTIFY_SOCKET", folder.path("notify")).spawn().unwrap();
    let hang_up = || kill_process(Pid::from_child(&server), Signal::HUP).unwrap();
    assert_eq!(systemd.told(), "READY=1");
    until("it runs", || folder.path("state/runs").is_dir());
    hang_up();
    std::thread::sleep(Duration::from_secs(1));
    for text in [RUNS.replace("1 < 2", "1 <"), RUNS.replace("numbers hold", "numbers still hold")] {
        folder.write("a.runbook", text);
        hang_up();
        std::thread::sleep(Duration::from_secs(1));
    }
    until("the edit is in use", || folder.journals().contains("numbers still hold"));
    terminate(&server);
    let ended = finish(server);
    ended
        .code(0)
        .err("\"Care\" was looked at, and is as it was")
        .err("is not valid: what was served before is served on")
        .err("\"Care\" was edited, and is served as it is now");
}

#[test]
fn a_run_that_was_over_before_the_next_is_due_keeps_it_from_nothing() {
    let folder = Folder::with(RUNS);
    let systemd = Notified::at(&folder.path("notify"));
    let mut command = folder.command(&["serve", "a.runbook", "--no-listen"]);
    let server = command.env("NOTIFY_SOCKET", folder.path("notify")).spawn().unwrap();
    assert_eq!(systemd.told(), "READY=1");
    std::thread::sleep(Duration::from_secs(8));
    terminate(&server);
    let ended = finish(server);
    let count = |what: &str| ended.stderr.matches(what).count();
    // A machine with much else to do may really take a second for one.
    let (begun, skipped) = (count("\"Look\" begins: run"), count("\"Look\" of "));
    assert!(begun >= 5 && skipped * 4 < begun, "{}", ended.stderr);
}

#[test]
fn what_it_will_do_is_said_and_where_that_is_nothing_as_well() {
    let said = |text: &str| {
        let folder = Folder::with(text);
        let systemd = Notified::at(&folder.path("notify"));
        let mut command = folder.command(&["serve", "a.runbook", "--no-listen"]);
        let server = command.env("NOTIFY_SOCKET", folder.path("notify")).spawn().unwrap();
        assert_eq!(systemd.told(), "READY=1");
        std::thread::sleep(Duration::from_secs(1));
        terminate(&server);
        let ended = finish(server);
        assert_eq!(ended.code, 0, "{}", ended.stderr);
        ended.stderr
    };
    let told = said(RUNS);
    assert!(told.contains("\"Care\": 2 sections by the clock, \"Look\" next, at "), "{told}");
    assert!(told.contains("; 1 metric sampled; no threshold\n"), "{told}");
    let told = said("runbook \"Care\" { edition 1 }\nsection \"Look\" { check 1 < 2 as \"numbers hold\" }\n");
    assert!(
        told.contains("warning: ")
            && told.contains(
                "\"Care\": nothing of it is done by itself: no section by the clock; no metric sampled; no threshold\n"
            ),
        "{told}"
    );
}

#[test]
fn a_file_that_may_not_grow_is_said() {
    let folder = Folder::with(RUNS);
    let script = "ulimit -f 8; exec \"$0\" serve a.runbook --no-listen";
    let ended = finish(folder.through("sh", &["-c", script, PROGRAM]).spawn().unwrap());
    ended.code(1).err("error: ");
}

/// Samples that have waited for others are of the time at which they were taken: nothing opens and closes in turns.
#[test]
fn a_cause_that_hangs_makes_no_old_sample_news() {
    let sink = Sink::new();
    let folder = Folder::with(format!(
        "runbook \"Care\" {{ edition 1 }}\n\
         channel bot = webhook(\"http://127.0.0.1:{}/bot\")\n\
         tool effect() -> int = argv(\"cat\", \"effect\")\n\
         tool cause() -> int = argv(\"./cause.sh\")\n\
         metric effect_now: int every 1s = effect()\n\
         metric cause_now: int every 1s = cause()\n\
         threshold \"Cause\" warning {{\n  when cause_now > 5\n  notify bot\n}}\n\
         threshold \"Effect\" warning {{\n  when effect_now > 5\n  when unknown for 3s\n  quiet while \"Cause\"\n  notify bot\n}}\n",
        sink.port
    ));
    folder.write("effect", "7");
    folder.write("hang", "4");
    folder.write("cause.sh", "#!/bin/sh\nsleep \"$(cat hang)\"\necho 1\n");
    std::fs::set_permissions(folder.path("cause.sh"), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let server = folder.command(&["serve", "a.runbook", "--no-listen"]).spawn().unwrap();
    until("it is told", || !sink.occasions("Effect").is_empty());
    std::thread::sleep(Duration::from_secs(3));
    folder.write("effect", "1");
    folder.write("hang", "0");
    until("it is over", || sink.occasions("Effect").len() > 1);
    std::thread::sleep(Duration::from_secs(5));
    terminate(&server);
    finish(server);
    assert_eq!(sink.occasions("Effect"), ["opened", "closed"]);
}

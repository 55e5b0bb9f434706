//! What is told late, and what is told late no more: what nobody can look at, and what became due while nothing was up.

use std::time::{Duration, Instant};

use crate::program::{Folder, finish};
use crate::serving::{Notified, Sink, silent, terminate, until};

/// The source hangs for much longer than nobody may know.
#[test]
fn a_look_that_hangs_counts_from_its_beginning() {
    let (sink, (port, hung)) = (Sink::new(), silent());
    let folder = Folder::with(format!(
        "runbook \"Night\" {{ edition 1 }}\n\
         connect svc = http(\"http://127.0.0.1:{port}\")\n\
         channel bot = webhook(\"http://127.0.0.1:{}/bot\")\n\
         metric load: percent every 1m = svc.get(\"/load\", within: 40s).text | parse_json\n\
         threshold \"Load\" warning {{\n  when load > 50%\n  when unknown for 3s\n  notify bot\n}}\n",
        sink.port
    ));
    let systemd = Notified::at(&folder.path("notify"));
    let mut command = folder.command(&["serve", "a.runbook", "--no-listen"]);
    let server = command.env("NOTIFY_SOCKET", folder.path("notify")).spawn().unwrap();
    assert_eq!(systemd.told(), "READY=1");
    until("it is asked", || !hung.lock().unwrap().is_empty());
    let begun = Instant::now();
    until("somebody is told", || sink.occasions("Load") == ["opened"]);
    let took = begun.elapsed();
    assert!(took > Duration::from_secs(2) && took < Duration::from_secs(12), "it has 40 s: {took:?}");
    assert!(sink.heard.lock().unwrap().concat().contains("no answer for "));
    terminate(&server);
    finish(server);
}

/// Level 2 became due while nothing was up, and the next run finds out whether it is over.
#[test]
fn a_level_that_became_due_meanwhile_is_told_once_it_is_seen_that_it_is_not_over() {
    let over = |is_over: bool| {
        let sink = Sink::new();
        let folder = Folder::with(format!(
            "runbook \"Night\" {{ edition 1 }}\n\
             secret hook = file(\"hook\")\n\
             channel people = slack(webhook: hook)\n\
             channel bot = webhook(\"http://127.0.0.1:{0}/bot\")\n\
             channel chief = webhook(\"http://127.0.0.1:{0}/chief\")\n\
             threshold \"Missing\" critical {{\n  notify bot\n}}\n\
             escalation ops {{\n  level 1 \"Engineer\" {{\n    escalate after 1s unless acknowledged\n    notify bot\n  }}\n  \
             level 2 \"Chief\" {{\n    escalate after 1h unless acknowledged\n    notify chief\n  }}\n  \
             level 3 \"People\" {{\n    notify people\n  }}\n}}\n\
             section \"Look\" {{\n  check host.file(\"there\").exists as \"it is there\" else raise \"Missing\"\n}}\n",
            sink.port
        ));
        folder.write("hook", "http://127.0.0.1:1/people");
        folder.run(&["run", "a.runbook"]).says("told bot: Missing (opened)");
        std::thread::sleep(Duration::from_secs(2));
        if is_over {
            folder.write("there", "");
        }
        let begun = Instant::now();
        folder.run(&["run", "a.runbook"]);
        assert!(begun.elapsed().as_secs() < 15, "{:?}", begun.elapsed());
        sink.occasions("Missing")
    };
    assert_eq!(over(false), ["opened", "escalated"]);
    let told = over(true);
    assert!(!told.contains(&"escalated".to_owned()) && told.contains(&"closed".to_owned()), "{told:?}");
}

//! `runbook notify`, and what `check` says of templates.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use crate::program::Folder;

const TEXT: &str = "runbook \"Care\" { edition 1 }\n\
    secret key = env(\"PAGER_KEY\")\n\
    param server: string = \"127.0.0.1:1\"\n\
    channel pager = pagerduty(key: key)\n\
    channel mail = email(to: [\"ops@example.com\"], from: \"runbook@example.com\", server: server)\n\
    section \"Tell\" {\n  notify pager, mail \"x\"\n}\n";

#[test]
fn without_a_channel_it_lists_them() {
    Folder::with(TEXT)
        .run(&["notify", "a.runbook"])
        .code(0)
        .out("pager  pagerduty(key: key)\n")
        .out("mail   email(to: [\"ops@example.com\"], ");
}

#[test]
fn what_keeps_a_test_from_being_sent_is_said() {
    let folder = Folder::with(TEXT);
    folder
        .run(&["notify", "--test", "pager", "a.runbook"])
        .code(3)
        .err("nobody was told: channel `pager`: secret `key`: ")
        .err("PAGER_KEY");
    folder
        .run(&["notify", "--test", "mail", "a.runbook"])
        .code(3)
        .err("not told ops@example.com by 127.0.0.1; it may work when it is tried again: no connection to 127.0.0.1:1");
    folder.run(&["notify", "--test", "mial", "a.runbook"]).code(1).err("did you mean `--test mail`?");
    folder
        .run(&["notify", "--test", "mail", "--set", "port=1", "a.runbook"])
        .code(1)
        .err("the runbook has no param `port`");
    Folder::with("section \"A\" { show 1 }\n").run(&["notify", "a.runbook"]).code(1).err("has no channel");
    Folder::with("section {").run(&["notify", "a.runbook"]).code(2);
}

#[test]
fn templates_are_checked_in_the_folder_of_the_runbook_and_nowhere_else() {
    let folder = Folder::new();
    let with = |template: &str, driver: &str| {
        format!(
            "secret s = env(\"S\")\nchannel c = {driver}, template: \"{template}\")\nsection \"A\" {{ notify c \"x\" }}\n"
        )
    };
    let slack = "slack(webhook: s";
    let mail = "email(to: [\"a@example.com\"]";
    folder.write("ops/a.runbook", with("t/good.json", slack));
    folder.write("ops/t/good.json", "{ \"text\": \"{{ title }}\" }\n");
    folder.run(&["check", "ops/a.runbook"]).code(0);
    folder.write("ops/t/good.json", "{\n  \"text\": \"{{ titel }}\"\n}\n");
    folder
        .run(&["check", "ops/a.runbook"])
        .code(2)
        .out("ops/t/good.json:2:15 a message has no `titel`; did you mean `title`? [template-mistake]");
    folder.write("ops/t/good.json", "{\n  \"text\": \"{{ title }}\",\n}\n");
    folder.run(&["check", "ops/a.runbook"]).code(2).out("ops/t/good.json:3:1 what it makes is no JSON");
    folder.write("ops/t/good.json", "{% if title %}\n");
    folder.run(&["check", "ops/a.runbook"]).code(2).out("[template-mistake]");
    folder.write("ops/mail.html", "{% for a in range(999) %}{% for b in range(999) %}{{ b }}{% endfor %}{% endfor %}");
    folder.write("ops/a.runbook", with("mail.html", mail));
    folder.run(&["check", "ops/a.runbook"]).code(2).out("it does not come to its end");
    folder.write("ops/mail.html", b"caf\xe9".as_slice());
    folder.run(&["check", "ops/a.runbook"]).code(2).out("`ops/mail.html` is not UTF-8 text, in line 1 [not-utf8]");
    folder.write("above.html", "{{ title }}");
    std::os::unix::fs::symlink("../above.html", folder.path("ops/link.html")).unwrap();
    for (path, wanted) in [
        ("../above.html", "`../above.html` leads out of the runbook's folder"),
        ("/etc/hostname", "`/etc/hostname` starts from the root"),
        ("link.html", "`ops/link.html` cannot be read: a link leads out of the runbook's folder"),
        ("t", "`ops/t` cannot be read: it is no file"),
        ("gone.html", "`ops/gone.html` cannot be read: No such file or directory"),
    ] {
        folder.write("ops/a.runbook", with(path, mail));
        folder.run(&["check", "ops/a.runbook"]).code(2).out(wanted).out("[file-missing]");
    }
    // What is told by a broken template would be told in other words: a run is not begun with one.
    folder.run(&["run", "ops/a.runbook"]).code(2);
}

#[test]
fn a_report_that_reaches_nobody_is_not_well() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut asked = [0; 4096];
            let _ = stream.read(&mut asked).unwrap();
            stream.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").unwrap();
        }
    });
    let text = format!(
        "channel hook = webhook(\"http://{address}/hook\")\nreport \"Weekly\" {{\n  show 1\n  send to hook\n}}\n"
    );
    let folder = Folder::with(text);
    let run = folder.run(&["run", "a.runbook", "--only", "Weekly"]);
    run.code(3).err("hook was not told of Weekly (report)").err("not everybody was told");
    // What is printed and kept says how it ended for whoever waits for it.
    run.out(" · exit 3\n").lacks("exit 0");
    folder.run(&["show", "last"]).code(0).out(" · exit 3\n").lacks("exit 0");
    folder.run(&["history"]).code(0).out("exit 3");
    folder.run(&["audit", "verify"]).code(0);
    let events = folder.run(&["run", "a.runbook", "--only", "Weekly", "--format", "json"]);
    assert_eq!(events.code(3).lines().last().unwrap()["exit"], 3);
}

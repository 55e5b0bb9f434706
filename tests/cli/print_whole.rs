//! `runbook print`: nothing of an expression is lost on the way to lines of shell.
#![expect(clippy::unwrap_used, reason = "a test ends where something is not as it should be")]

use crate::program::Folder;

/// The page of a section with these statements, without what stands in front of it.
fn section(declared: &str, statements: &str) -> String {
    let folder = Folder::with(format!("{declared}\nsection \"S\" {{\n{statements}\n}}\n"));
    let page = folder.run(&["print", "a.runbook"]).code(0).stdout.clone();
    page.split_once("When it is asked for.\n\n").unwrap().1.to_owned()
}

#[test]
fn what_grep_cannot_say_is_left_to_the_reader() {
    let page = section(
        "tool lns(x: string) -> list<line> = argv(\"./lines.sh\", x, output: \"lines\")",
        r#"
  show logs(file: "a.log") | where(not (.text ~ /def/)) | count as "others"
  show logs(file: "a.log") | where(.text ~ /a/ or "b" in .text) | count as "either"
  show logs(file: "a.log") | where(.text ~ /a/) | reverse | take(2) as "last two"
  show logs(file: "a.log") | where(.text ~ /a/) | count_by(.text | capture(/(\d)/)) as "digits"
  show logs(file: "a.log") | share("a" in .text) as "part"
  show lns("x y") | count as "n"
  show lns("x y") | each(.text | capture(/(\d)/)) as "c"
  show lns("x y") | count as "again""#,
    );
    assert_eq!(
        page,
        "```sh
# others
cat a.log | grep -a -vE def | wc -l
# either
cat a.log
```

- A file without `/` in front of its path is looked for from the folder of the runbook: type it there.

- [ ] Note **either**: `logs(file: \"a.log\") | where(.text ~ /a/ or \"b\" in .text) | count`

```sh
# last two
cat a.log | grep -a -E a
```

- [ ] Note **last two**: `logs(file: \"a.log\") | where(.text ~ /a/) | reverse | take(2)`
- [ ] Note **digits**: `logs(file: \"a.log\") | where(.text ~ /a/) | count_by(.text | capture(/(\\d)/))`

```sh
# part
cat a.log | grep -a -F a | wc -l
cat a.log | grep -c ''
```

- [ ] Note **part**: `logs(file: \"a.log\") | share(\"a\" in .text)`

```sh
# n
./lines.sh 'x y' | grep -c ''
# c
./lines.sh 'x y'
```

- [ ] Note **c**: `lns(\"x y\") | each(.text | capture(/(\\d)/))`
- [ ] Note **again**, printed above already
"
    );
}

#[test]
fn a_part_of_a_log_is_not_counted_by_a_line_that_reads_all_of_it() {
    let page = section(
        "param hours: duration = 2h",
        r#"
  let l = logs(file: "a.log", since: hours, until: 1h)
  show l | where(.text ~ /ERROR/) | count as "errors"
  check l | count < 5 as "few""#,
    );
    assert_eq!(
        page,
        "```sh
# errors
cat a.log | grep -a -E ERROR
```

- `since: 2h` of `logs` is in no line above, so see to it: Only lines from this long before the run began; one without a time belongs to the last that has one.
- `until: 1h` of `logs` is in no line above, so see to it: Only lines up to this long before the run began, with `since`: `since: 2d, until: 1d` is the day before.
- A file without `/` in front of its path is looked for from the folder of the runbook: type it there.

- [ ] Note **errors**: `l | where(.text ~ /ERROR/) | count` (`l = logs(file: \"a.log\", since: hours, until: 1h)`, `hours = 2h`)

```sh
cat a.log
```

- `since: 2h` of `logs` is in no line above, so see to it: Only lines from this long before the run began; one without a time belongs to the last that has one.
- `until: 1h` of `logs` is in no line above, so see to it: Only lines up to this long before the run began, with `since`: `since: 2d, until: 1d` is the day before.

- [ ] **few**: `l | count < 5` (`l = logs(file: \"a.log\", since: hours, until: 1h)`, `hours = 2h`). If not: **critical**.
"
    );
}

#[test]
fn a_log_is_typed_as_it_is_read() {
    let page = section(
        "",
        r#"
  show logs(file: "/var/log/app.log*") | where(.text ~ /caf\w$/) | count as "set"
  show logs(file: "/var/log/app.log.[0-9]") | where(.text ~ /\<a/i) | count as "numbers"
  show logs(file: "/var/log/a b.log.gz") | skip(0) | count as "packed"
  show logs(file: "/var/log/app.log") | where(.text ~ /[a-z&&[^b]]/) | count as "sets of letters""#,
    );
    let files = "- `ls -tr` names the file first that was written first. `zcat -f` reads plain files and those of gzip; one of zstd is read by `zstdcat`.\n";
    let ends = "- Lines that end with CR LF have no CR for a run. Where a log has such lines, put `tr -d '\\r' |` before `grep`.\n";
    assert_eq!(
        page,
        format!(
            "```sh
# set
ls -tr /var/log/app.log* | xargs -d '\\n' zcat -f | grep -a -P '(*UCP)caf\\w$' | wc -l
# numbers
ls -tr /var/log/app.log.[0-9] | xargs -d '\\n' zcat -f | grep -a -iP '(*UCP)\\b(?=\\w)a' | wc -l
# packed
zcat -f '/var/log/a b.log.gz' | awk 'NR > 0' | grep -c ''
# sets of letters
cat /var/log/app.log
```

{files}{ends}
- [ ] Note **sets of letters**: `logs(file: \"/var/log/app.log\") | where(.text ~ /[a-z&&[^b]]/) | count`
"
        )
    );
}

#[test]
fn what_a_name_stands_for_is_on_the_page() {
    let page = section(
        "param used: percent = 50%\ncommand full(over: percent) -> list<disk> { return host.disks() | where(.used_share > over) }\n\
         command busy(least: float) -> bool {\n  let load = host.load()\n  return load.one > least and used > 1%\n}",
        r#"
  let limit = 70%
  let wide = limit + used
  check host.disks() | all(.used_share < limit) as "room"
  check full(limit) | is_empty as "full"
  check used < limit as "u"
  check not busy(1.5) as "idle"
  show full(wide) as "f""#,
    );
    for line in [
        "- [ ] **room**: `host.disks() | all(.used_share < limit)` (`limit = 70%`). If not",
        "- [ ] **full**: `full(limit) | is_empty` (`full(over) = host.disks() | where(.used_share > over)`, `limit = 70%`). If not",
        "- [ ] **u**: `used < limit` (`limit = 70%`, `used = 50%`)",
        "- [ ] **idle**: `not busy(1.5)` (`busy(least) = { let load = host.load(); return load.one > least and used > 1% }`, `used = 50%`)",
        "- [ ] Note **f**: `full(wide)` (`full(over) = host.disks() | where(.used_share > over)`, `wide = limit + used`, `limit = 70%`, `used = 50%`)",
    ] {
        assert!(page.contains(line), "{line}\n{page}");
    }
}

/// Who drains all hosts before the first is back has no hosts left.
#[test]
fn what_changes_several_things_of_an_item_is_done_with_it_before_the_next() {
    let text = "tool drain(x: string) changes = argv(\"echo\", \"drain\", x)\ntool back(x: string) changes = argv(\"echo\", \"back\", x)\n\
        section \"P\" {\n  for h in [\"a\", \"b\"] {\n    change drain(h)\n    change back(h)\n  }\n}\n";
    let page = Folder::with(text).run(&["print", "a.runbook"]).stdout;
    let typed: Vec<&str> = page.lines().filter(|line| line.starts_with("echo ")).collect();
    assert_eq!(typed, ["echo drain a", "echo back a", "echo drain b", "echo back b"], "{page}");
}

#[test]
fn lines_whose_blanks_come_from_elsewhere_are_two() {
    let text = "param l: list<string> = [\"a\", \"b\"]\ntool m(x: string) -> string = argv(\"echo\", x)\n\
        section \"P\" {\n  show m(l | join(\"+\")) as \"join\"\n  show m(l | first ?? \"z\") as \"first\"\n}\n";
    Folder::with(text).run(&["print", "a.runbook"]).out("# first\n").lacks("printed above already");
}

/// A run sends a body without a type, and curl by itself calls it a form.
#[test]
fn a_body_has_the_type_that_the_run_sends() {
    let page = section(
        "connect api = http(\"http://127.0.0.1:9\")",
        r#"
  change api.post("/raw", body: "raw")
  change api.post("/typed", body: "raw", headers: { "Content-Type": "text/plain" })"#,
    );
    assert!(page.contains(" -H 'Content-Type:' --data-binary raw http://127.0.0.1:9/raw"), "{page}");
    assert!(page.contains(" -H 'Content-Type:' --data-binary raw -H 'Content-Type: text/plain' http:"), "{page}");
}

#[test]
fn what_is_done_at_the_end_is_done_all_the_same() {
    let text = "connect b = s3(bucket: \"b\")\ntool unlock() changes idempotent = argv(\"rmdir\", \"lock\", within: 2m)\n\
        section \"S\" {\n  require not b.exists(\"lock\") as \"free\"\n  step \"T\" {\n    require b.exists(\"go\") as \"go\"\n    \
        change b.delete(\"x\") verify not b.exists(\"x\")\n  }\n  always {\n    require b.exists(\"z\") as \"z\"\n    change unlock()\n  }\n}\n";
    Folder::with(text)
        .run(&["print", "a.runbook"])
        .code(0)
        .out("\naws s3 ls s3://b/lock\n")
        .out(
            "**STOP** here unless **free**: it does not list the key itself, and prints no error. Otherwise change nothing \
             below in this section but what is done at its end in any case.",
        )
        .out("it lists the key itself, not only longer ones. Otherwise change nothing below in this step.\n")
        .out("It has worked if it does not list the key itself")
        .out("unless **z**: it lists the key itself, not only longer ones. Otherwise change nothing below in this section.\n")
        .out("`unlock()`. Limit: 2m.");
}

#[test]
fn what_a_tool_is_given_is_named_and_not_what_the_tool_calls_it() {
    let text = "param hosts: list<string> = [\"a\"]\ntool up(h: string) -> string = argv(\"ping\", h)\n\
        section \"S\" { show hosts | each({ h: it, up: try up(it) otherwise \"down\" }) as \"up\" }\n";
    Folder::with(text).run(&["print", "a.runbook"]).code(0).out("- `<h>`: the `it` whose turn it is\n");
}

#[test]
fn what_undoes_a_change_is_printed_before_it() {
    let text = "connect cluster = kubernetes(context: \"c\", namespace: \"n\")\n\
        section \"S\" {\n  change s = cluster.scale(deployment: \"api\", replicas: 1) \
        undo cluster.scale(deployment: \"api\", replicas: s.previous)\n  \
        change r = cluster.roll_back(deployment: \"api\") undo cluster.roll_back(deployment: \"api\", revision: r.from)\n}\n";
    Folder::with(text)
        .run(&["print", "a.runbook"])
        .code(0)
        .out("get -n n deployment/api -o custom-columns=previous:.spec.replicas && kubectl --context c scale -n n")
        .out("rollout history -n n deployment/api && kubectl --context c rollout undo");
}
